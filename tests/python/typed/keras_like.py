# SPDX-License-Identifier: Apache-2.0
"""A program as one writes it with Keras: several outputs, callbacks, files, a loop of one's own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import laminar as keras
from laminar import layers

Array: TypeAlias = NDArray[np.floating[Any]]


class Report(keras.callbacks.Callback):
    def __init__(self) -> None:
        self.best = float("inf")

    def on_epoch_end(self, epoch: int, logs: keras.callbacks.Logs = None) -> None:
        self.best = min(self.best, (logs or {})["loss"])


def stack() -> keras.Sequential:
    model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(10, "softmax")])
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def stacked(folder: Path) -> None:
    (x, y), test = keras.datasets.load_digits()
    assert_type(x, NDArray[np.float32])
    assert_type(y, NDArray[np.int32])
    model, report = stack(), Report()
    history = model.fit(x, y, epochs=2, validation_data=test, callbacks=[report], verbose=0)
    assert_type(history, keras.callbacks.History)
    assert_type(history.history, dict[str, list[float]])
    assert_type(model.evaluate(x, y), float | list[float])
    assert_type(model.evaluate(x, y, return_dict=True), dict[str, float])
    assert_type(model.train_on_batch(x, y), float | list[float])
    assert_type(model.train_on_batch(x, y, return_dict=True), dict[str, float])
    assert_type(model.test_on_batch(x, y), float | list[float])
    assert_type(model.test_on_batch(x, y, return_dict=True), dict[str, float])
    assert_type(model.predict(x), Array)
    assert_type(model.predict_on_batch(x), Array)
    assert_type(model.get_weights(), list[Array])
    assert_type(model.metrics[0].result(), float)
    assert_type(keras.models.clone_model(model), keras.Sequential)
    model.save(folder / "model.safetensors")
    loaded = keras.load_model(folder / "model.safetensors")
    if isinstance(loaded, keras.Sequential):
        assert_type(loaded.predict(x), Array)
    change = model.quantize("int8", x, y)
    assert_type(change["largest_error"], float)


def graph() -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    hidden = layers.Dense(8, "tanh")(layers.concatenate([a, b]))
    assert_type(hidden, layers.symbol.Symbol)
    assert_type(hidden * 2.0, layers.symbol.Symbol)
    x = {"a": np.ones((6, 3)), "b": np.ones((6, 4))}
    one = keras.Model([a, b], layers.Dense(1)(hidden))
    assert_type(one.predict(x), Array)
    two = keras.Model([a, b], [layers.Dense(1)(hidden), layers.Dense(2)(hidden)])
    assert_type(two.predict(x), list[Array])
    named = keras.Model([a, b], {"price": layers.Dense(1)(hidden)})
    assert_type(named.predict(x), dict[str, Array])
    assert_type(one([a, b]), layers.symbol.Symbol)
    assert_type(named([a, b]), dict[str, layers.symbol.Symbol])


def measures() -> None:
    y, p = np.zeros((4, 1)), np.full((4, 1), 0.25)
    assert_type(keras.losses.Huber()(y, p), float | Array)
    assert_type(keras.losses.mean_squared_error(y, p), Array)
    recall = keras.metrics.Recall()
    recall.update_state(y, p)
    assert_type(recall.result(), float)
    assert_type(keras.activations.relu(p), Array)
    assert_type(keras.regularizers.l2(0.1)(p), float)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    keras.optimizers.Adam(rate)


def loop() -> None:
    model = keras.Sequential([keras.Input(2), layers.Dense(1)])
    optimizer = keras.optimizers.SGD(learning_rate=0.1)
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    with keras.GradientTape() as tape:
        loss = keras.ops.mean(keras.ops.square(model(x) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    w = keras.Variable([1.0, 2.0])
    assert_type(w * 2.0, keras.Tensor)
    assert_type(w.assign([3.0, 4.0]), keras.Variable)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stacked(Path(folder))
    graph()
    measures()
    loop()


if __name__ == "__main__":
    main()
