# SPDX-License-Identifier: Apache-2.0
"""Targets that are missing: `compile(..., ignore_nan=True)`, for models of one output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import laminar
from laminar import Sequential, layers

ROWS = 60
RNG = np.random.default_rng(5)
X = RNG.random((ROWS, 4), np.float32)
VALUES = RNG.random((ROWS, 3))
THERE = np.arange(ROWS) % 3 != 1


def model_of(loss: str, last: str = "linear", **options: Any) -> Sequential:
    model = Sequential([layers.Dense(5, "tanh"), layers.Dense(3, last)], seed=2)
    model.compile("adam", loss, **{"ignore_nan": True, **options})
    return model


def holed(values: Any) -> Any:
    where = THERE if np.ndim(values) == 1 else THERE[:, None]
    return np.where(where, values, np.nan)


@pytest.mark.parametrize(
    ("loss", "last", "y"),
    [
        ("mse", "linear", VALUES),
        ("binary_crossentropy", "sigmoid", VALUES),
        ("categorical_crossentropy", "softmax", VALUES / VALUES.sum(1, keepdims=True)),
        ("sparse_categorical_crossentropy", "softmax", RNG.integers(0, 3, ROWS).astype(float)),
        ("rmse", "linear", VALUES),
    ],
)
def test_rows_without_targets_count_for_nothing(loss: str, last: str, y: Any) -> None:
    weight = RNG.random(ROWS)
    one, other = (
        model_of(loss, last, metrics=["accuracy"]),
        model_of(loss, last, metrics=["accuracy"]),
    )
    for model in (one, other):
        model.build((None, 4))
    for args, kept in (
        ((X, holed(y)), (X[THERE], y[THERE])),
        ((X, holed(y), None, 0, weight), (X[THERE], y[THERE], None, 0, weight[THERE])),
    ):
        np.testing.assert_allclose(one.evaluate(*args), other.evaluate(*kept), rtol=1e-6)
    one.fit(X, holed(y), None, 3, 0, sample_weight=weight)
    other.fit(X[THERE], y[THERE], None, 3, 0, sample_weight=weight[THERE])
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_columns_that_are_missing_are_left_out() -> None:
    y = np.where(RNG.random(VALUES.shape) < 0.4, np.nan, VALUES)
    model = model_of("mse", metrics=["mae"])
    error = model.predict(X) - y
    rows = ~np.isnan(y).all(1)
    loss, mae = model.evaluate(X, y)
    assert loss == pytest.approx(np.nanmean(error[rows] ** 2, axis=1).mean(), rel=1e-5)
    assert mae == pytest.approx(np.nanmean(np.abs(error[rows]), axis=1).mean(), rel=1e-5)


def test_data_sets_pandas_and_class_weights() -> None:
    pandas = pytest.importorskip("pandas")
    labels = RNG.integers(0, 3, ROWS)
    y = holed(labels.astype(float))
    weights = {0: 1.0, 1: 2.0, 2: 0.5}
    found = []
    for data in ((X, y), (X, pandas.Series(y)), (X.tolist(), y.tolist())):
        model = model_of("sparse_categorical_crossentropy", "softmax")
        model.fit(*data, verbose=0, class_weight=weights)
        found.append(model.get_weights()[0].tobytes())
    model = model_of("sparse_categorical_crossentropy", "softmax")
    model.fit(laminar.data.Dataset.from_arrays(X, y), verbose=0, class_weight=weights)
    found.append(model.get_weights()[0].tobytes())
    assert found[:3].count(found[0]) == 3
    kept = model_of("sparse_categorical_crossentropy", "softmax")
    kept.fit(X[THERE], labels[THERE], None, verbose=0, class_weight=weights)
    again = model_of("sparse_categorical_crossentropy", "softmax")
    again.fit(X, y, None, verbose=0, class_weight=weights)
    np.testing.assert_allclose(kept.get_weights()[0], again.get_weights()[0], atol=1e-5)


def test_without_it_they_are_refused() -> None:
    for loss, last, y, message in (
        (
            "mse",
            "linear",
            holed(VALUES),
            "y must be finite, but row 1, column 0 is nan; .*ignore_n",
        ),
        (
            "sparse_categorical_crossentropy",
            "softmax",
            holed(np.zeros(ROWS)),
            "whole class numbers",
        ),
    ):
        model = model_of(loss, last, ignore_nan=False)
        with pytest.raises(ValueError, match=message):
            model.fit(X, y, verbose=0)
    model = model_of("mse")
    with pytest.raises(ValueError, match="y has no target that is there"):
        model.fit(X, VALUES * np.nan, verbose=0)
    with pytest.raises(ValueError, match="y must be finite, but row 0, column 0 is inf"):
        model.fit(X, VALUES + np.inf, verbose=0)
