# SPDX-License-Identifier: Apache-2.0
# A dense layer of one's own.
import laminar.compat.tensorflow as tf
from laminar.compat.tensorflow.keras import layers


class MyDenseLayer(layers.Layer):
    def __init__(self, num_outputs):
        super(MyDenseLayer, self).__init__()
        self.num_outputs = num_outputs

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", shape=[int(input_shape[-1]), self.num_outputs])
        self.bias = self.add_weight("bias", shape=[self.num_outputs], initializer='zeros')

    def call(self, inputs):
        return tf.nn.relu(tf.matmul(inputs, self.kernel) + self.bias)


layer = MyDenseLayer(10)
assert layer(tf.zeros([10, 5])).shape == (10, 10)
assert [var.shape for var in layer.trainable_variables] == [(5, 10), (10,)]

model = tf.keras.Sequential([MyDenseLayer(16), layers.Dense(1)])
model.compile(optimizer='adam', loss='mse')
x = tf.random.normal((64, 4)).numpy()
model.fit(x, x.sum(axis=1), epochs=2, verbose=0)
