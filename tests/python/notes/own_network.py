# SPDX-License-Identifier: Apache-2.0
# A layer whose weights are made with it, in a network that a loop trains.
import numpy as np

import laminar.compat.tensorflow as tf


class MyDenseLayer(tf.keras.layers.Layer):
    def __init__(self, input_dim, output_dim):
        super(MyDenseLayer, self).__init__()
        self.W = self.add_weight([input_dim, output_dim])
        self.b = self.add_weight([1, output_dim], initializer='zeros')

    def call(self, inputs):
        z = tf.matmul(inputs, self.W) + self.b
        output = tf.math.sigmoid(z)
        return output


x = np.random.rand(40, 3)
y = x.sum(axis=1, keepdims=True)

model = tf.keras.Sequential([MyDenseLayer(3, 8), tf.keras.layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)

losses = []
for step in range(30):
    with tf.GradientTape() as tape:
        prediction = model(x)
        loss = tf.reduce_mean(tf.square(tf.subtract(y, prediction)))
    variables = model.trainable_variables
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    losses.append(float(loss))
