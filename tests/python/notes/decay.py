# SPDX-License-Identifier: Apache-2.0
# Time-based decay of the learning rate.
import numpy as np

import laminar as keras
from laminar import layers, optimizers

model = keras.models.Sequential()
model.add(layers.Dense(4, activation='relu', input_dim=3))
model.add(layers.Dense(1))

sgd = optimizers.SGD(lr=0.1, decay=0.001)
model.compile(optimizer=sgd, loss='mse')

x = np.random.rand(32, 3)
history = model.fit(x, x.sum(axis=1), epochs=2, verbose=0)
