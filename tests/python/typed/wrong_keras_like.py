# SPDX-License-Identifier: Apache-2.0
"""Programs that are wrong: a type checker says so at each line that expects it."""

from __future__ import annotations

import numpy as np

import laminar as keras
from laminar import layers

x, y = np.ones((4, 3)), np.ones(4)
model = keras.Sequential([layers.Dense(1)])

keras.layer  # expect: attr-defined
layers.Dens(3)  # expect: attr-defined
keras.losses.Hubber()  # expect: attr-defined
keras.optimizers.Adam(learning_rat=0.1)  # expect: call-arg
layers.Dense()  # expect: call-arg
layers.Dense("wide")  # expect: arg-type
model.fitt(x, y)  # expect: attr-defined
model.fit(x, y, epoch=3)  # expect: call-arg
model.fit(x, y, epochs="3")  # expect: arg-type
model.fit(x, y).histori  # expect: attr-defined
model.compile(optimizer=0.1)  # expect: arg-type
loss, accuracy = model.evaluate(x, y)  # expect: misc
model.evaluate(x, y, return_dict=True).append(1)  # expect: attr-defined
model.train_on_batch(x, y, return_dict=True)["loss"].lower()  # expect: attr-defined
model.predict(x)["price"].lower()  # expect: call-overload
model.predict(x).shap  # expect: attr-defined
model.metrics[0].results()  # expect: attr-defined
keras.losses.Huber()(y, y).upper()  # expect: union-attr
keras.load_model("model.safetensors").predct(x)  # expect: union-attr
keras.models.clone_model(model).fitt(x)  # expect: attr-defined
model.quantize("int8", x)["largest"]  # expect: typeddict-item
model.quantize("int8").items()  # expect: attr-defined

symbol = keras.Input((3,))
two = keras.Model(symbol, [layers.Dense(1)(symbol), layers.Dense(2)(symbol)])
two.predict(x).shape  # expect: attr-defined
layers.Dense(1)(symbol).units  # expect: attr-defined
keras.Model(symbol, 3)  # expect: call-overload
