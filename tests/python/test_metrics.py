# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import blobs, identity_model, small_classifier, specs

from laminar import metrics

ROWS, WIDTH = 50, 4


def case(name: str, rng: np.random.Generator) -> tuple[str, NDArray[Any], NDArray[Any], float]:
    """Return a loss that fits the metric, outputs, targets and the value."""
    p, y = rng.uniform(size=(ROWS, WIDTH)), rng.uniform(size=(ROWS, WIDTH))
    labels, binary = rng.integers(0, WIDTH, ROWS), rng.integers(0, 2, (ROWS, WIDTH))
    sparse = "sparse_categorical_crossentropy"
    match name:
        case "accuracy" | "sparse_categorical_accuracy":
            return sparse, p, labels, (p.argmax(axis=1) == labels).mean()
        case "categorical_accuracy":
            hits = p.argmax(axis=1) == labels
            return "categorical_crossentropy", p, np.eye(WIDTH)[labels], hits.mean()
        case "binary_accuracy":
            return "binary_crossentropy", p, binary, ((p > 0.5) == (binary > 0.5)).mean()
        case "mse":
            return "mse", p, y, ((p - y) ** 2).mean()
        case "mae":
            return "mse", p, y, np.abs(p - y).mean()
        case "rmse":
            return "mse", p, y, ((p - y) ** 2).mean() ** 0.5
        case _:
            raise NotImplementedError(name)


@pytest.mark.parametrize("name", [spec["name"] for spec in specs("metric")])
@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_values(name: str, batch_size: int | None, rng: np.random.Generator) -> None:
    loss, p, y, expected = case(name, rng)
    model = identity_model(WIDTH, "linear")
    model.compile("sgd", loss, metrics=[name])
    assert model.metrics_names == ["loss", name]
    assert model.evaluate(p, y, batch_size=batch_size)[1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "width", "targets", "expected"),
    [
        ("sparse_categorical_crossentropy", 3, [0, 1], 0.5),
        ("categorical_crossentropy", 3, [[1, 0, 0], [0, 1, 0]], 0.5),
        ("binary_crossentropy", 1, [[1], [1]], 0.5),
        ("mse", 1, [[1], [1]], 0.5),
    ],
)
def test_accuracy_takes_the_form_that_fits(
    loss: str, width: int, targets: Any, expected: float
) -> None:
    model = identity_model(width, "linear")
    model.compile("sgd", loss, metrics=["accuracy"])
    outputs = np.array([[0.9, 0.05, 0.05], [0.2, 0.1, 0.7]])[:, :width]
    assert model.evaluate(outputs, targets)[1] == expected


def test_threshold() -> None:
    model = identity_model(1, "linear")
    model.compile("sgd", "binary_crossentropy", [metrics.BinaryAccuracy(threshold=0.8)])
    assert model.evaluate([[0.9], [0.7]], [[1], [1]])[1] == 0.5


def test_keys_are_what_the_user_wrote() -> None:
    x, y = blobs()
    chosen = ["acc"]
    model = small_classifier(metrics=chosen)
    history = model.fit(x, y, verbose=0, validation_split=0.2).history
    assert list(history) == ["loss", "acc", "val_loss", "val_acc"]
    named = small_classifier(metrics=[metrics.SparseCategoricalAccuracy(name="hits")])
    assert list(named.evaluate(x, y, return_dict=True)) == ["loss", "hits"]
    assert metrics.MeanSquaredError().name == "mean_squared_error"
    single = small_classifier(metrics="accuracy")
    assert single.metrics_names == ["loss", "accuracy"]


def test_the_same_metric_twice_is_refused() -> None:
    for twice in (["acc", "accuracy"], ["acc", "acc"]):
        with pytest.raises(ValueError, match="given twice"):
            small_classifier(metrics=twice)


def test_metrics_that_do_not_fit_the_loss_are_refused() -> None:
    with pytest.raises(ValueError, match="metric"):
        small_classifier(metrics=["categorical_accuracy"])
    with pytest.raises(TypeError, match="name must be a string"):
        metrics.Accuracy(name=3)  # type: ignore[arg-type]
