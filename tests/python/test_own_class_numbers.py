# SPDX-License-Identifier: Apache-2.0
"""Losses of the user's own for class numbers: which accuracy is meant, and what has none."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import Input, Model, Sequential, callbacks, layers, losses, metrics, models, ops

Array = np.ndarray[Any, Any]
CLASSES = 4


def of_classes(y: Any, p: Any) -> Any:
    number = ops.reshape(y, p.shape[:-1])
    return -ops.sum(ops.one_hot(number, p.shape[-1]) * ops.log_softmax(p), axis=-1)


def squares(y: Any, p: Any) -> Any:
    return ops.mean(ops.square(y - p), axis=-1)


def net(units: int = CLASSES, activation: Any = None) -> Sequential:
    return Sequential([Input(6), layers.Dense(units, activation)], seed=1)


@pytest.fixture
def x(rng: np.random.Generator) -> Array:
    return rng.normal(size=(60, 6)).astype(np.float32)


@pytest.fixture
def y(rng: np.random.Generator) -> Array:
    return rng.integers(0, CLASSES, 60)


def measured() -> list[Any]:
    top = metrics.SparseTopKCategoricalAccuracy
    return ["accuracy", "sparse_categorical_accuracy", top(2, name="top_2"), top(3, name="top_3")]


@pytest.mark.parametrize("form", ["numbers", "column", "list"])
@pytest.mark.parametrize("weighted", [False, True])
def test_like_the_built_in_loss(form: str, weighted: bool, x: Array, y: Array) -> None:
    given: Any = {"numbers": y, "column": y[:, None].astype(float), "list": y.tolist()}[form]
    weight = np.linspace(0.5, 2, len(x)) if weighted else None
    found = []
    for loss in (of_classes, losses.SparseCategoricalCrossentropy(from_logits=True)):
        model = net()
        chosen = {"weighted_metrics" if weighted else "metrics": measured()}
        model.compile("adam", loss, **chosen)
        fitted = model.fit(
            x, given, sample_weight=weight, epochs=3, validation_split=0.2, verbose=0
        )
        found.append(
            {**fitted.history, "now": model.evaluate(x, given, sample_weight=weight, verbose=0)}
        )
    assert found[0].keys() == found[1].keys()
    for key, values in found[0].items():
        np.testing.assert_allclose(values, found[1][key], rtol=1e-5, err_msg=key)


def test_the_form_follows_targets_and_outputs(x: Array, y: Array) -> None:
    hot = np.eye(CLASSES)[y]
    model = net()
    model.compile("sgd", squares, metrics=["accuracy"])
    predicted = model.predict(x).argmax(axis=1)
    assert model.evaluate(x, hot, verbose=0)[1] == pytest.approx((predicted == y).mean())
    binary = net(1, "sigmoid")
    binary.compile("sgd", squares, metrics=["accuracy"])
    wanted = y > 1
    right = (binary.predict(x)[:, 0] > 0.5) == wanted
    assert binary.evaluate(x, wanted, verbose=0)[1] == pytest.approx(right.mean())


def test_targets_of_several_forms_before_the_first_update(x: Array, y: Array) -> None:
    def loss(y: Any, p: Any) -> Any:
        return of_classes(y, p) if y.shape[-1] == 1 else squares(y, p)

    model = net()
    model.compile("sgd", loss, metrics=["accuracy"])
    share = (model.predict(x).argmax(axis=1) == y).mean()
    for given in (np.eye(CLASSES)[y], y, np.eye(CLASSES)[y], y[:, None]):
        assert model.evaluate(x, given, verbose=0)[1] == pytest.approx(share)
    model.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match=r"must have shape \(rows, 1\)"):
        model.evaluate(x, np.eye(CLASSES)[y], verbose=0)


def test_classes_for_each_place(rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 6)).astype(np.float32)
    y = rng.integers(0, CLASSES, (20, 5))
    model = Sequential([Input(6), layers.Dense(5 * CLASSES), layers.Reshape((5, CLASSES))], seed=2)
    model.compile("sgd", of_classes, metrics=["accuracy"])
    share = (model.predict(x).argmax(axis=-1) == y).mean()
    assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(share)
    assert model.evaluate(x, y[..., None], verbose=0)[1] == pytest.approx(share)
    model.fit(x, y, verbose=0)


def test_several_outputs(x: Array, y: Array) -> None:
    start = Input(6)
    ends = {"a": layers.Dense(CLASSES, name="a")(start), "b": layers.Dense(1, name="b")(start)}
    model = Model(start, ends)
    model.compile("sgd", {"a": of_classes, "b": "mse"}, metrics={"a": ["accuracy"], "b": ["mae"]})
    model.fit(x, {"a": y, "b": x[:, 0]}, verbose=0)
    share = (model.predict(x)["a"].argmax(axis=1) == y).mean()
    found = model.evaluate(x, {"a": y, "b": x[:, 0]}, verbose=0, return_dict=True)
    assert found["a_accuracy"] == pytest.approx(share)


@pytest.mark.parametrize("kept", ["file", "pickle"])
def test_what_is_kept_measures_the_same(kept: str, x: Array, y: Array, tmp_path: Path) -> None:
    model = net()
    model.compile("adam", of_classes, metrics=measured())
    model.fit(x, y, verbose=0)
    if kept == "file":
        model.save(tmp_path / "model.safetensors")
        again = models.load_model(tmp_path / "model.safetensors")
    else:
        again = pickle.loads(pickle.dumps(model))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    stop = callbacks.EarlyStopping("val_accuracy", patience=1, min_delta=2.0)
    again.fit(x, y, validation_split=0.2, epochs=3, callbacks=[stop], verbose=0)
    assert np.isfinite(stop.best)  # more is better, from -inf
    assert 0 <= stop.best <= 1
    again.fit(x, y, verbose=0)


def test_a_model_that_is_not_built(x: Array, y: Array) -> None:
    model = Sequential([layers.Dense(CLASSES)], seed=1)
    model.compile("adam", of_classes, metrics=["acc"])
    assert set(model.fit(x, y, verbose=0).history) == {"loss", "acc"}
    assert pickle.loads(pickle.dumps(model)).metrics_names == ["loss", "acc"]


def test_the_same_bits_on_several_threads(x: Array, y: Array) -> None:
    found = []
    for threads in (1, 3):
        laminar.set_num_threads(threads)
        model = net()
        model.compile("adam", of_classes, metrics=measured())
        found.append(model.fit(x, y, epochs=2, verbose=0).history)
    assert found[0] == found[1]


def test_equal_outputs_and_numbers_that_are_no_class() -> None:
    model = Sequential([Input(3), layers.Activation("linear")])
    outputs = [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 2.0], [-3.0, -2.0, -1.0]]
    numbers = np.array([0, 1, 2, 7])
    loss = losses.Function(lambda y, p: ops.sum(ops.square(p), axis=-1), name="mine")
    sparse = metrics.SparseTopKCategoricalAccuracy
    model.compile("sgd", loss, metrics=["accuracy", sparse(1, name="top_1"), sparse(3, name="all")])
    assert model.evaluate(outputs, numbers, verbose=0)[1:] == [0.5, 0.75, 0.75]


@pytest.mark.parametrize("metric", ["mae", "precision", "categorical_accuracy", "auc"])
def test_what_has_no_such_form_is_refused(metric: str, x: Array, y: Array) -> None:
    model = net()
    before = model.get_weights()
    model.compile("sgd", of_classes, metrics=[metric])
    advice = "name 'accuracy', 'sparse_categorical_accuracy' or 'sparse_top_k_categorical_accuracy'"
    with pytest.raises(ValueError, match=rf"(?s)the metric '{metric}' compares.*{advice}"):
        model.fit(x, y, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_class_numbers_are_refused_where_targets_are_columns(x: Array, y: Array) -> None:
    model = net()
    with pytest.raises(ValueError, match="matmul"):
        model.compile(
            "sgd",
            lambda y, p: ops.mean(y @ np.ones((4, 1)) - p),
            metrics=["sparse_categorical_accuracy"],
        )
