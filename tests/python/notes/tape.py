# SPDX-License-Identifier: Apache-2.0
# A loop of one's own: the gradients of a loss, and what an optimizer does with them.
import numpy as np

import laminar.compat.tensorflow as tf
from laminar.compat.tensorflow import GradientTape
from laminar.compat.tensorflow.keras import layers

model = tf.keras.models.Sequential([layers.Dense(8, activation='tanh'), layers.Dense(1)])
optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
loss_object = tf.keras.losses.MeanSquaredError()

x = np.random.rand(64, 2)
y = (x[:, 0] * x[:, 1]).reshape(-1, 1)

losses = []
for epoch in range(20):
    for start in range(0, 64, 16):
        with GradientTape() as tape:
            prediction = model(x[start : start + 16], training=True)
            loss = loss_object(y[start : start + 16], prediction)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        losses.append(loss.numpy())
assert losses[-1] < losses[0]
