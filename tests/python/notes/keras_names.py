# SPDX-License-Identifier: Apache-2.0
# The ways in which programs import Keras.
import laminar.keras.layers
from laminar import keras
from laminar.keras import layers, optimizers
from laminar.keras.layers import Dense, Dropout
from laminar.keras.models import Sequential
from laminar.keras.optimizers.schedules import ExponentialDecay

assert laminar.keras.layers is keras.layers is layers

model = Sequential([Dense(4, activation='relu', input_dim=3), Dropout(0.2), keras.layers.Dense(1)])
model.compile(optimizer=optimizers.SGD(ExponentialDecay(0.1, 10, 0.9)), loss='mse')

try:
    keras.layers.Dens(3)
except AttributeError as error:
    assert "did you mean 'Dense'" in str(error)
