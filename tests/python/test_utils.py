# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from laminar import Sequential, layers, utils


def test_to_categorical() -> None:
    expected = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]], np.float32)
    for x in ([0, 2, 1], [[0], [2], [1]], np.array([0, 2, 1], np.uint8), [0.0, 2.0, 1.0]):
        result = utils.to_categorical(x)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, expected)
    assert utils.to_categorical([0, 1], num_classes=4).shape == (2, 4)
    assert utils.to_categorical(y=[0, 1]).shape == (2, 2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("x", "classes", "error", "message"),
    [
        ([0, 3], 3, ValueError, "must hold classes from 0 to 2, got 3"),
        ([0, -1], None, ValueError, "must hold classes from 0 to 0, got -1"),
        ([0.5], None, ValueError, "whole class numbers"),
        (["a"], None, TypeError, "strings"),
        ([], None, ValueError, "no rows"),
        ([0], 0, ValueError, "num_classes must be at least 1"),
        ([0], 2.0, TypeError, "num_classes must be an integer"),
    ],
)
def test_to_categorical_refuses(x: Any, classes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"to_categorical: .*{message}"):
        utils.to_categorical(x, classes)


def weights() -> np.ndarray[Any, Any]:
    return Sequential([layers.Input(3), layers.Dense(4)]).get_weights()[0]


def test_set_random_seed_makes_models_and_data_repeatable() -> None:
    python, numpy = random.getstate(), np.random.get_state()
    try:
        utils.set_random_seed(11)
        first = (weights(), weights(), random.random(), np.random.rand())
        utils.set_random_seed(11)
        second = (weights(), weights(), random.random(), np.random.rand())
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
    np.testing.assert_equal(first, second)
    assert (first[0] != first[1]).all()
    eleven = Sequential([layers.Input(3), layers.Dense(4)], seed=11)
    np.testing.assert_array_equal(first[0], eleven.get_weights()[0])


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, None, "7"])
def test_bad_seeds_are_refused(seed: Any) -> None:
    before = random.getstate()
    with pytest.raises((TypeError, ValueError), match="set_random_seed: seed must be"):
        utils.set_random_seed(seed)
    assert random.getstate() == before
