# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of the user's own as programs: one number a row, whatever they return."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from laminar import Variable, _core, layers, ops
from laminar._own_losses import traced

ROWS = 6


def rows_of(function: Any, y: Any, p: Any, kind: str = "loss") -> tuple[Any, bool]:
    """Return the numbers of the rows, and whether these depend on each other."""
    config = traced(function, y.shape[1:], p.shape[1:], kind)
    program = _core.Program(json.dumps(config["program"]))
    assert program.shapes() == [[-1]]
    found = program.run([np.array(y, np.float64), np.array(p, np.float64)], [], len(y), "float64")
    return found[0], program.mixes_rows()


def huber(np: Any, y: Any, p: Any) -> Any:
    e = np.abs(y - p)
    return np.where(e < 1, 0.5 * e * e, e - 0.5)


# name: the function, and the numbers of the rows in NumPy; True where rows depend on each other.
LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any], bool]] = {
    "one a row": (
        lambda y, p: ops.mean(ops.square(y - p), axis=-1),
        lambda y, p: np.mean((y - p) ** 2, axis=-1),
        False,
    ),
    "kept axis": (
        lambda y, p: ops.sum(ops.abs(y - p), axis=-1, keepdims=True),
        lambda y, p: np.sum(np.abs(y - p), axis=-1),
        False,
    ),
    "several a row": (lambda y, p: huber(ops, y, p), lambda y, p: huber(np, y, p).mean(-1), False),
    "mean of all": (
        lambda y, p: ops.mean(ops.square(y - p)),
        lambda y, p: np.mean((y - p) ** 2, axis=-1),
        False,
    ),
    "mean of rows": (
        lambda y, p: ops.mean(ops.sum(ops.square(y - p), axis=1)),
        lambda y, p: np.sum((y - p) ** 2, axis=1),
        False,
    ),
    "mean with axes": (
        lambda y, p: ops.mean(ops.square(y - p), keepdims=True),
        lambda y, p: np.mean((y - p) ** 2, axis=-1),
        False,
    ),
    "sum of means": (
        lambda y, p: 0.5 * ops.mean(ops.square(y - p)) - ops.mean(p) / 4 + 3,
        lambda y, p: 0.5 * np.mean((y - p) ** 2, axis=-1) - np.mean(p, axis=-1) / 4 + 3,
        False,
    ),
    "negative": (
        lambda y, p: -ops.mean(y * p),
        lambda y, p: -np.mean(y * p, axis=-1),
        False,
    ),
    "root": (
        lambda y, p: ops.sqrt(ops.mean(ops.square(y - p))),
        lambda y, p: np.full(len(y), np.sqrt(np.mean((y - p) ** 2))),
        True,
    ),
    "sum of all": (
        lambda y, p: ops.sum(ops.square(y - p)),
        lambda y, p: np.full(len(y), np.sum((y - p) ** 2)),
        True,
    ),
    "product of means": (
        lambda y, p: ops.mean(p) * ops.mean(p - y),
        lambda y, p: np.full(len(y), np.mean(p) * np.mean(p - y)),
        True,
    ),
    "centred": (
        lambda y, p: ops.mean(ops.square(p - ops.mean(p, axis=0) - y), axis=-1),
        lambda y, p: np.mean((p - p.mean(axis=0) - y) ** 2, axis=-1),
        True,
    ),
    "pairs": (
        lambda y, p: ops.logsumexp(ops.matmul(p, ops.transpose(p)), axis=1),
        lambda y, p: np.log(np.exp(p @ p.T).sum(axis=1)),
        True,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_numbers_of_rows(name: str, rng: np.random.Generator) -> None:
    function, expected, mixes = LOSSES[name]
    y, p = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 3))
    found, mixed = rows_of(function, y, p)
    np.testing.assert_allclose(found, expected(y, p), rtol=1e-12, atol=1e-14)
    assert mixed == mixes


def test_the_mean_of_the_rows_is_what_the_function_returns(rng: np.random.Generator) -> None:
    y, p = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 3))
    for name, (function, _, _) in LOSSES.items():
        found, _ = rows_of(function, y, p)
        np.testing.assert_allclose(found.mean(), np.mean(function(y, p)), rtol=1e-12, err_msg=name)


def test_targets_of_other_shapes(rng: np.random.Generator) -> None:
    labels = np.array([[0], [2], [1], [2], [0], [0]], float)
    p = rng.normal(size=(ROWS, 3))

    def crossentropy(y: Any, p: Any) -> Any:
        return -ops.sum(ops.one_hot(y[:, 0], 3) * ops.log_softmax(p), axis=-1)

    found, _ = rows_of(crossentropy, labels, p)
    logs = p - np.log(np.exp(p).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, -logs[np.arange(ROWS), labels[:, 0].astype(int)])
    images = rng.normal(size=(ROWS, 2, 4))
    found, _ = rows_of(lambda y, p: ops.abs(y - p), images, images + 2)
    np.testing.assert_allclose(found, np.full(ROWS, 2.0))


def test_names() -> None:
    def pinball(y: Any, p: Any, q: float = 0.5) -> Any:
        return ops.maximum(q * (y - p), (q - 1) * (y - p))

    assert traced(pinball, (1,), (1,))["name"] == "pinball"
    assert traced(lambda y, p: y - p, (1,), (1,))["name"] == "loss"
    assert traced(functools.partial(pinball, q=0.9), (1,), (1,), "metric")["name"] == "metric"
    assert traced(pinball, (1,), (1,), name="q50")["name"] == "q50"


WRONG: dict[str, tuple[Callable[..., Any], type[Exception], str]] = {
    "nothing": (lambda y, p: None, TypeError, "loss 'loss': must return a value, got None"),
    "a pair": (lambda y, p: (y, p), TypeError, "must return one value, got 2"),
    "columns": (
        lambda y, p: ops.mean(ops.square(y - p), axis=0),
        ValueError,
        r"must return a number for each row, of shape \(None,\), .* got \(3,\); reduce over axis",
    ),
    "pairs": (
        lambda y, p: ops.matmul(p, ops.transpose(p)),
        ValueError,
        r"got \(None, None\); pairs of rows must be reduced",
    ),
    "targets alone": (lambda y, p: ops.square(y), ValueError, "has no slope by y_pred"),
    "no slope": (lambda y, p: y != ops.argmax(p, axis=-1, keepdims=True), ValueError, "argmax"),
    "comparison": (lambda y, p: ops.mean(p > 0.5), ValueError, "has no slope by y_pred"),
    "numpy": (lambda y, p: np.mean(y - p), TypeError, r"write laminar\.ops\.mean"),
    "if": (lambda y, p: p if p > y else y, TypeError, r"laminar\.ops\.where"),
    "shapes": (lambda y, p: y - p[:, :2], ValueError, "subtract: shapes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_losses(name: str) -> None:
    function, kind, message = WRONG[name]
    with pytest.raises(kind, match=f"(?s){message}"):
        traced(function, (3,), (3,))


def test_metrics_need_no_slope(rng: np.random.Generator) -> None:
    y, p = rng.normal(size=(ROWS, 1)), rng.normal(size=(ROWS, 1))
    found, _ = rows_of(lambda y, p: (y > 0) == (p > 0), y, p, "metric")
    np.testing.assert_array_equal(found, ((y > 0) == (p > 0))[:, 0])


@pytest.mark.parametrize("kind", ["loss", "metric"])
def test_weights_are_not_constants(kind: str) -> None:
    layer = layers.Dense(1)
    layer(np.ones((1, 3)))
    kept = Variable(1.0)
    for value in (layer.variables[0], kept):

        def penalized(y: Any, p: Any, value: Any = value) -> Any:
            return ops.mean(ops.square(y - p), axis=-1) + ops.sum(ops.square(value))

        with pytest.raises(ValueError, match=rf"(?s){kind} 'penalized': reads .*Regularizers"):
            traced(penalized, (1,), (1,), kind)


def test_columns_that_make_pairs_are_named() -> None:
    def crossentropy(y: Any, p: Any) -> Any:
        return -ops.sum(ops.one_hot(y, 3) * ops.log_softmax(p), axis=-1)

    def absolute(y: Any, p: Any) -> Any:
        return ops.abs(y[:, 0] - p)

    for function, width in ((crossentropy, 3), (absolute, 1)):
        with pytest.raises(ValueError, match=r"a column, .* makes pairs: y_true\[:, 0\] or y_pred"):
            traced(function, (1,), (width,))
