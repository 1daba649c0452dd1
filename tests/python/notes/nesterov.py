# SPDX-License-Identifier: Apache-2.0
# Nesterov's accelerated gradient.
import numpy as np

import laminar as keras
from laminar import layers, optimizers

model = keras.models.Sequential([layers.Dense(8, activation='tanh', input_dim=2), layers.Dense(1)])

sgd = optimizers.SGD(lr=0.03, momentum=0.9, nesterov=True)
model.compile(optimizer=sgd, loss='mse')

x = np.random.rand(50, 2)
history = model.fit(x, x[:, 0] * x[:, 1], batch_size=10, epochs=2, verbose=0)
