# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from support import spec_id, specs

from laminar import Sequential, initializers, layers, utils

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
        case "constant":
            return spec["value"], 0, abs(spec["value"])
        case "identity":
            share = 1 / FAN_IN
            return share * spec["gain"], (share - share**2) ** 0.5 * spec["gain"], spec["gain"]
        case "truncated_normal":
            return spec["mean"], spec["stddev"] / (cut / 2), 2 * spec["stddev"]
        case "lecun_uniform":
            return 0, FAN_IN**-0.5, (3 / FAN_IN) ** 0.5
        case "lecun_normal" | "variance_scaling":
            return 0, FAN_IN**-0.5, cut * FAN_IN**-0.5
        case "inverse_sqrt_uniform":
            return 0, (3 * FAN_IN) ** -0.5, FAN_IN**-0.5
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
    if "seed" in spec:
        assert (weights != kernel(spec, seed=6)).mean() > 0.99


@pytest.mark.parametrize("spec", specs("initializer"), ids=spec_id)
def test_calls(spec: reference.Spec) -> None:
    initializer = initializers.get(spec)
    if "seed" not in spec:
        np.testing.assert_array_equal(initializer((4, 3), "float64"), initializer((4, 3)))
        return
    utils.set_random_seed(5)
    np.testing.assert_array_equal(initializer((FAN_IN, FAN_OUT), "float64"), kernel(spec))
    assert (initializer((4, 3)) != initializer((4, 3))).any()
    own = initializers.get({**spec, "seed": 7})
    drawn = own((30, 64))
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(own((30, 64)), drawn)
    np.testing.assert_array_equal(own((30, 64), np.float64).astype(np.float32), drawn)
    np.testing.assert_array_equal(kernel(own, seed=1), kernel(own, seed=2))


def test_calls_of_other_shapes() -> None:
    assert initializers.get("zeros")((3,)).tolist() == [0, 0, 0]
    assert initializers.get("he_normal")(3).shape == (3,)
    assert initializers.GlorotUniform()(()).shape == ()
    assert initializers.he_uniform(seed=1)((2, 3, 4)).shape == (2, 3, 4)
    for empty in ((0, 5), (5, 0)):
        assert initializers.Orthogonal()(empty).shape == empty
    np.testing.assert_array_equal(initializers.Identity(2)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    limit = np.abs(initializers.HeUniform(seed=1)((3, 10000))).max()
    assert limit == pytest.approx(1.414214, rel=1e-3)
    assert initializers.HeNormal(seed=1)((3, 10000)).std() == pytest.approx(0.816497, rel=0.01)


def test_bad_calls() -> None:
    with pytest.raises(ValueError, match=r"'identity': needs a tensor of 2 axes.*\(3,\)"):
        initializers.Identity()((3,))
    with pytest.raises(ValueError, match="HeNormal: shape must be at least 0, got -1"):
        initializers.HeNormal()((-1, 3))
    with pytest.raises(ValueError, match="HeNormal: dtype must be float32 or float64"):
        initializers.HeNormal()((2, 3), dtype="int32")
    for seed in (-1, 2**53):
        with pytest.raises(ValueError, match="seed must be an integer"):
            initializers.HeNormal(seed=seed)
    with pytest.raises(TypeError, match="seed must be an integer"):
        initializers.HeNormal(seed=1.5)  # type: ignore[arg-type]


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
