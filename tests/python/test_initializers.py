# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from support import spec_id, specs

from laminar import Sequential, initializers, layers

FAN_IN, FAN_OUT = 300, 200


def kernel(initializer: Any, seed: int = 5, dtype: str = "float64") -> NDArray[Any]:
    dense = layers.Dense(FAN_OUT, kernel_initializer=initializer)
    return Sequential([layers.Input(FAN_IN), dense], seed=seed, dtype=dtype).get_weights()[0]


def expected(spec: reference.Spec) -> tuple[float, float, float]:
    """Return mean, standard deviation and largest magnitude."""
    glorot, he = 2 / (FAN_IN + FAN_OUT), 2 / FAN_IN
    # A normal cut at two deviations and stretched to the wanted deviation ends at 2 / 0.8796 of it.
    cut = 2 / 0.87962566103423978
    match spec["name"]:
        case "zeros":
            return 0, 0, 0
        case "ones":
            return 1, 0, 1
        case "glorot_uniform":
            return 0, glorot**0.5, (3 * glorot) ** 0.5
        case "he_uniform":
            return 0, he**0.5, (3 * he) ** 0.5
        case "glorot_normal":
            return 0, glorot**0.5, cut * glorot**0.5
        case "he_normal":
            return 0, he**0.5, cut * he**0.5
        case "random_uniform":
            low, high = spec["minval"], spec["maxval"]
            return (low + high) / 2, (high - low) / 12**0.5, max(-low, high)
        case "random_normal":
            return spec["mean"], spec["stddev"], 6 * spec["stddev"]
        case "orthogonal":
            return 0, FAN_IN**-0.5 * spec["gain"], 6 * FAN_IN**-0.5
        case name:
            raise NotImplementedError(name)


@pytest.mark.parametrize("spec", specs("initializer"), ids=spec_id)
def test_moments_and_limits(spec: reference.Spec) -> None:
    mean, deviation, limit = expected(spec)
    weights = kernel(spec)
    count = weights.size
    assert weights.mean() == pytest.approx(mean, abs=5 * deviation / count**0.5 + 1e-12)
    assert weights.std() == pytest.approx(deviation, rel=5 / count**0.5, abs=1e-12)
    assert np.abs(weights).max() <= limit * (1 + 1e-12)
    if deviation and spec["name"] not in ("random_normal", "orthogonal"):
        assert np.abs(weights).max() > 0.95 * limit


@pytest.mark.parametrize("spec", specs("initializer"), ids=spec_id)
def test_seed_decides(spec: reference.Spec) -> None:
    weights = kernel(spec)
    np.testing.assert_array_equal(weights, kernel(spec))
    np.testing.assert_array_equal(weights.astype(np.float32), kernel(spec, dtype="float32"))
    if spec["name"] not in ("zeros", "ones"):
        assert (weights != kernel(spec, seed=6)).mean() > 0.99


def test_orthogonal_columns() -> None:
    weights = kernel(initializers.Orthogonal(gain=2))
    np.testing.assert_allclose(weights.T @ weights, 4 * np.eye(FAN_OUT), atol=1e-12)


def test_layers_of_one_model_differ() -> None:
    model = Sequential([layers.Input(4), layers.Dense(4), layers.Dense(4)], seed=1)
    first, _, second, _ = model.get_weights()
    assert (first != second).all()


def test_bias_initializer() -> None:
    model = Sequential([layers.Input(4), layers.Dense(3, bias_initializer="ones")])
    np.testing.assert_array_equal(model.get_weights()[1], np.ones(3, np.float32))
    plain = Sequential([layers.Input(4), layers.Dense(3, use_bias=False)])
    assert [weight.name for weight in plain.weights] == ["dense/kernel"]
