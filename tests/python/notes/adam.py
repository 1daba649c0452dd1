# SPDX-License-Identifier: Apache-2.0
# A classifier trained with adam.
import numpy as np

import laminar as keras
from laminar import layers

model = keras.models.Sequential()
model.add(layers.Dense(16, activation='relu', input_dim=4))
model.add(layers.Dense(3, activation='softmax'))

model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])

x = np.random.rand(60, 4)
y = keras.utils.to_categorical(x[:, :3].argmax(axis=1), 3)
history = model.fit(x, y, epochs=2, verbose=0)
