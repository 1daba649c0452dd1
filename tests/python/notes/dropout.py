# SPDX-License-Identifier: Apache-2.0
# Dropout between dense layers.
import numpy as np

import laminar as keras
from laminar import layers

model = keras.Sequential()
model.add(layers.Dense(200, activation='relu', input_shape=(20,)))
model.add(layers.Dropout(0.4))
model.add(layers.Dense(200, activation='relu'))
model.add(layers.Dropout(p=0.5))
model.add(layers.Dense(1, activation='sigmoid'))

model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])

x = np.random.rand(64, 20)
history = model.fit(x, x[:, 0] > 0.5, epochs=2, verbose=0)
