# SPDX-License-Identifier: Apache-2.0
"""The loss that belongs to the last activation: chosen, or a warning where another was."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from support import blobs, fingerprint

from laminar import Sequential, layers

X, LABELS = blobs()
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]


def model(*last: Any, built: bool = True) -> Sequential:
    start: list[Any] = [layers.Input(6)] if built else []
    return Sequential([*start, layers.Dense(5, "tanh"), *last], seed=1)


@pytest.mark.parametrize(
    ("last", "y", "loss"),
    [
        ([layers.Dense(1, "sigmoid")], LABELS == 1, "binary_crossentropy"),
        ([layers.Dense(3, "sigmoid")], ONE_HOT, "binary_crossentropy"),
        ([layers.Dense(3), layers.Activation("sigmoid")], ONE_HOT, "binary_crossentropy"),
        ([layers.Dense(3, "softmax")], LABELS, "sparse_categorical_crossentropy"),
        ([layers.Dense(3, "softmax")], LABELS[:, None], "sparse_categorical_crossentropy"),
        ([layers.Dense(3, "softmax")], LABELS.tolist(), "sparse_categorical_crossentropy"),
        ([layers.Dense(3, "softmax")], ONE_HOT, "categorical_crossentropy"),
        ([layers.Dense(3), layers.Activation("softmax")], ONE_HOT, "categorical_crossentropy"),
        ([layers.Dense(3)], ONE_HOT, "mse"),
        ([layers.Dense(1, "relu")], LABELS, "mse"),
        ([layers.Dense(3), layers.Dropout(0.1)], ONE_HOT, "mse"),
    ],
)
@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "loss_and_gradients"])
def test_the_loss_that_nobody_named(call: str, built: bool, last: Any, y: Any, loss: str) -> None:
    chosen, named = (
        model(*(type(layer).from_config(layer.get_config()) for layer in last), built=built)
        for _ in range(2)
    )
    chosen.compile("adam", metrics=["accuracy"])
    named.compile("adam", loss, metrics=["accuracy"])
    for _ in range(2):
        results = [getattr(m, call)(X, y) for m in (chosen, named)]
        if call == "fit":
            results = [history.history for history in results]
        assert str(results[0]) == str(results[1])
    assert chosen.loss is not None
    assert chosen.loss._entry == loss
    assert fingerprint(chosen.get_weights()) == fingerprint(named.get_weights())
    assert chosen.metrics_names == ["loss", "accuracy"]


def test_a_softmax_waits_for_the_first_targets() -> None:
    m = model(layers.Dense(3, "softmax"))
    m.compile({"name": "adam", "learning_rate": 0.125}, metrics=["accuracy"])
    assert m.loss is None
    assert m.optimizer is not None
    m.optimizer.learning_rate = 0.25
    # What is only looked at, or refused, binds nobody.
    m.evaluate(X, LABELS)
    assert m.loss is not None
    assert m.loss._entry == "sparse_categorical_crossentropy"
    with pytest.raises(ValueError, match="fit: y"):
        m.fit(X, ONE_HOT[:, :2], verbose=0)
    m.fit(X, ONE_HOT, verbose=0)
    assert m.loss._entry == "categorical_crossentropy"
    assert m.optimizer.learning_rate == 0.25
    assert m.optimizer.iterations == 2
    # From the first update on it stays.
    with pytest.raises(ValueError, match="evaluate: y"):
        m.evaluate(X, LABELS)
    m.compile("sgd")
    assert m.evaluate(X, LABELS) > 0


def test_compile_may_come_before_the_layers() -> None:
    m = Sequential(seed=1)
    m.compile("sgd")
    m.add(layers.Dense(3, "softmax"))
    m.fit(X, ONE_HOT, verbose=0)
    assert m.loss is not None
    assert m.loss._entry == "categorical_crossentropy"


@pytest.mark.parametrize("y", [None, [[1], [2, 3]]])
def test_targets_that_are_none(y: Any) -> None:
    m = model(layers.Dense(3, "softmax"), built=False)
    m.compile("sgd")
    with pytest.raises(ValueError, match="fit: y"):
        m.fit(X, y)
    assert not m.built


@pytest.mark.parametrize(
    ("last", "loss", "message"),
    [
        (layers.Dense(3, "softmax"), "binary_crossentropy", "use categorical_crossentropy"),
        (layers.Dense(1, "softmax"), "binary_crossentropy", "softmax over one unit is always 1"),
        (layers.Dense(1, "softmax"), None, "softmax over one unit is always 1"),
        (layers.Dense(3, "sigmoid"), "categorical_crossentropy", "use softmax, or binary_"),
        (layers.Dense(3, "sigmoid"), "sparse_categorical_crossentropy", "use softmax, or binary_"),
        (layers.Dense(1, "sigmoid"), "categorical_crossentropy", "use binary_crossentropy"),
        (layers.Dense(1), "binary_crossentropy", "end with sigmoid, or use from_logits=True"),
        (layers.Dense(3), "categorical_crossentropy", "end with softmax, or use from_logits"),
        (layers.Dense(3, "relu"), "sparse_categorical_crossentropy", "outputs of relu are not"),
        (layers.Activation("tanh"), "binary_crossentropy", "outputs of tanh are not"),
    ],
)
def test_a_mismatch_warns_once_at_the_caller(last: Any, loss: Any, message: str) -> None:
    m = model(type(last).from_config(last.get_config()))
    with pytest.warns(UserWarning, match=f"compile: .*{message}") as caught:
        m.compile("sgd", loss)
    assert [warning.filename for warning in caught] == [__file__]
    if m.output_shape == (None, 3) and loss != "sparse_categorical_crossentropy":
        m.fit(X, np.abs(ONE_HOT - 0.1), verbose=0)  # and not again


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        (layers.Dense(3, "softmax"), "categorical_crossentropy"),
        (layers.Dense(3, "softmax"), "sparse_categorical_crossentropy"),
        (layers.Dense(3, "softmax"), "mse"),
        (layers.Dense(3, "sigmoid"), "binary_crossentropy"),
        (layers.Dense(3, "sigmoid"), "mae"),
        (layers.Dense(3), {"name": "binary_crossentropy", "from_logits": True}),
        (layers.Dense(3), {"name": "categorical_crossentropy", "from_logits": True}),
        (layers.Dense(3, "relu"), "huber"),
        (layers.Dropout(0.1), "binary_crossentropy"),  # what comes out of it is unknown
    ],
)
def test_what_belongs_together_does_not_warn(last: Any, loss: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(type(last).from_config(last.get_config())).compile("sgd", loss)
