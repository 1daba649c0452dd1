# SPDX-License-Identifier: Apache-2.0
# Gradient descent written out, for a line through points.
import laminar.compat.tensorflow as tf

x = tf.linspace(-1.0, 1.0, 50)
y = 3 * x + 2

w = tf.Variable(0.0)
b = tf.Variable(0.0)
learning_rate = 0.3

for step in range(100):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(w * x + b - y))
    dw, db = tape.gradient(loss, [w, b])
    w.assign_sub(learning_rate * dw)
    b.assign_sub(learning_rate * db)

assert abs(w.numpy() - 3) < 1e-3 and abs(b.numpy() - 2) < 1e-3

z = tf.constant(3.0)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(z)
    square = z**2
    cube = z * square
assert tape.gradient(square, z).numpy() == 6.0
assert tape.gradient(cube, z).numpy() == 27.0

weights = tf.Variable([0.0, 5.0])
lr = 0.1
with tf.GradientTape() as g:
    loss = tf.reduce_sum((weights - 1.0) ** 2)
    gradient = g.gradient(loss, weights)
weights = weights - lr * gradient
