# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from laminar import _rows, losses

SINGLE = np.dtype(np.float32)
SPARSE = losses.SparseCategoricalCrossentropy()
ONE_HOT = losses.CategoricalCrossentropy()
BINARY = losses.BinaryCrossentropy()


def rows(y: Any, loss: losses.Loss = SPARSE, weight: Any = None) -> _rows.Rows:
    x = np.arange(2 * len(y), dtype=np.float32).reshape(-1, 2)
    return _rows.prepared("fit", x, y, weight, SINGLE, loss)


def test_targets_follow_the_loss() -> None:
    assert rows([0, 1]).y.dtype == np.int32
    assert rows([0, 1], losses.MeanSquaredError()).y.shape == (2, 1)
    assert rows([0, 1]).length == 2


def test_lengths_must_agree() -> None:
    x = np.zeros((3, 2))
    with pytest.raises(ValueError, match="fit: x has 3 rows, y has 2"):
        _rows.prepared("fit", x, [0, 1], None, SINGLE, SPARSE)
    with pytest.raises(ValueError, match="fit: x has 3 rows, sample_weight has 2"):
        _rows.prepared("fit", x, [0, 1, 0], [1, 1], SINGLE, SPARSE)


def test_split_takes_the_last_rows_without_a_copy() -> None:
    whole = rows([0, 1] * 5, weight=np.arange(10))
    train, held_out = _rows.split(whole, 0.25, SPARSE)
    assert (train.length, held_out.length) == (7, 3)
    for a, b, both in zip(train, held_out, whole, strict=True):
        assert a is not None
        assert b is not None
        np.testing.assert_array_equal(np.concatenate([a, b]), both)
        assert np.shares_memory(a, both)
        assert np.shares_memory(b, both)


@pytest.mark.parametrize(
    ("fraction", "message"),
    [
        (1.0, r"validation_split must be in \[0, 1\)"),
        (-0.1, r"validation_split must be in \[0, 1\)"),
        (1.5, r"validation_split must be in \[0, 1\)"),
        (0.99, "of 4 rows leaves 0 to train on and 4 to validate"),
    ],
)
def test_splits_that_are_refused(fraction: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _rows.split(rows([0, 1, 0, 1]), fraction, SPARSE)
    with pytest.raises(TypeError, match="validation_split must be a number"):
        _rows.split(rows([0, 1]), "0.5", SPARSE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (SPARSE, [0, 0, 1, 1, 2, 2]),
        (ONE_HOT, np.eye(3)[[0, 0, 1, 1, 2, 2]]),
        (BINARY, [0, 0, 0, 0, 1, 1]),
    ],
)
def test_sorted_classes_are_warned_about(loss: losses.Loss, y: Any) -> None:
    with pytest.warns(UserWarning, match=r"last 2 rows, and class [12] occurs only there"):
        _rows.split(rows(y, loss), 0.3, loss)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (SPARSE, [0, 1, 2, 0, 1, 2]),
        (losses.MeanSquaredError(), [0, 1, 2, 3, 4, 5]),
        (BINARY, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        (BINARY, [[0, 0], [1, 1], [1, 0], [1, 1], [1, 0], [0, 1]]),
    ],
)
def test_other_targets_are_not_warned_about(loss: losses.Loss, y: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _rows.split(rows(y, loss), 0.3, loss)


@pytest.mark.parametrize(
    ("loss", "y"), [(SPARSE, [0, 1, 2, 1]), (ONE_HOT, np.eye(3)[[0, 1, 2, 1]])]
)
def test_class_weights_multiply_sample_weights(loss: losses.Loss, y: Any) -> None:
    table = {0: 1.0, 1: 0.5, np.int64(2): 4}
    alone = _rows.with_class_weight("fit", rows(y, loss), table, loss).weight
    assert alone is not None
    assert alone.dtype == SINGLE
    np.testing.assert_array_equal(alone, [1, 0.5, 4, 0.5])
    both = _rows.with_class_weight("fit", rows(y, loss, [1, 2, 3, 4]), table, loss).weight
    np.testing.assert_array_equal(both, [1, 1, 12, 2])


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({0: 1}, ValueError, "class_weight has no weight for class 1"),
        ({}, ValueError, "class_weight has no weight for class 0"),
        ({0: 1, 1: -1}, ValueError, r"class_weight\[1\] must be at least 0"),
        ({0: 1, 1: np.nan}, ValueError, r"class_weight\[1\] must be finite"),
        ({0: 1, 1: "2"}, TypeError, r"class_weight\[1\] must be a number"),
        ("balanced", TypeError, "class_weight must be a dict"),
    ],
)
def test_class_weights_that_are_refused(table: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"fit: {message}"):
        _rows.with_class_weight("fit", rows([0, 1]), table, SPARSE)


def test_class_weights_need_classes() -> None:
    for y in ([[0.2, 0.8], [0.5, 0.5]], [[1, 1], [0, 1]], [0.5, 1]):
        with pytest.raises(ValueError, match="class numbers or one-hot rows"):
            _rows.with_class_weight("fit", rows(y, BINARY), {0: 1, 1: 1}, BINARY)
