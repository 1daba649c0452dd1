# SPDX-License-Identifier: Apache-2.0
"""Gradients of the core against central differences and against the reference, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from support import (
    POSITIVE_OUTPUTS,
    PROBABILITIES,
    reference_network,
    spec_id,
    specs,
    targets,
    trainable_activations,
)

from laminar import Sequential, layers

# Every activation meets every loss here, also where they do not belong together.
pytestmark = [pytest.mark.kernels, pytest.mark.filterwarnings("ignore:compile")]

WIDTHS = (1, 3, 16, 17, 64, 65)
ROWS = (1, 2, 33)
FEATURES = 5
SIGMOID = {"name": "sigmoid"}
STEP = 1e-6
CLEARANCE = 30 * STEP  # distance to a kink, in z or in y - p


def fitting(loss: reference.Spec, activation: reference.Spec) -> reference.Spec:
    """Return the loss in the form that the last activation asks for."""
    is_probability = activation["name"] in ("sigmoid", "softmax")
    if "from_logits" in loss:
        return {**loss, "from_logits": not is_probability}
    return loss


def case(
    loss: reference.Spec, activation: reference.Spec, width: int, rows: int
) -> tuple[Sequential, NDArray[Any], NDArray[Any]]:
    """Return a model and data on which the loss has no kink nearby."""
    positive = loss["name"] in (*POSITIVE_OUTPUTS, *PROBABILITIES)
    if loss["name"] in ("hinge", "categorical_hinge") and (activation["name"], width) == (
        "softmax",
        1,
    ):
        pytest.skip("a softmax of one output is 1, where the loss bends")
    if loss["name"] == "categorical_hinge" and activation["name"].endswith("shrink"):
        pytest.skip("outputs of nearly 0 are nearly the best together, where the loss bends")
    if loss["name"] == "categorical_hinge" and width > 3:
        rows = min(rows, 2)  # with more, two outputs are always nearly the best
    for seed in range(100):
        rng = np.random.default_rng(seed)
        last: dict[str, Any] = {"bias_initializer": "random_normal"}
        if positive:  # z near the middle of (0, 1)
            limit = 0.3 / np.sqrt(width)
            spread = {"name": "random_uniform", "minval": -limit, "maxval": limit}
            between = {"name": "random_uniform", "minval": 0.3, "maxval": 0.6}
            last = {"kernel_initializer": spread, "bias_initializer": between}
        model = Sequential(
            [
                layers.Input(FEATURES),
                layers.Dense(width, activation, bias_initializer="random_normal"),
                layers.Dense(width, activation, **last),
            ],
            dtype="float64",
            seed=seed,
        )
        model.compile("sgd", loss)
        # An exponential of an exponential is soon too large for the reference.
        scale = 0.02 if activation["name"] == "exponential" else 1.0
        x = rng.normal(scale=scale, size=(rows, FEATURES))
        y = targets(loss, rows, width, rng)
        values, sums = reference.forward(reference_network(model), x)
        p = values[-1]
        if positive and p.min() <= 0.01:
            pytest.skip("the loss needs positive outputs")
        bends = np.concatenate(
            [reference.kink_distance(activation, z).reshape(-1) for z in sums] + kinks(loss, y, p)
        )
        if np.abs(bends).min() > CLEARANCE:
            return model, x, y
    raise AssertionError("no seed keeps the kinks away")


def kinks(loss: reference.Spec, y: NDArray[Any], p: NDArray[Any]) -> list[NDArray[Any]]:
    """Return distances of outputs from where the loss bends."""
    match loss["name"]:
        case "mae" | "mape" | "quantile":
            return [(y - p).reshape(-1)]
        case "huber":
            return [(np.abs(y - p) - loss["delta"]).reshape(-1)]
        case "hinge":
            return [(1 - np.where(y == 0, -1, y) * p).reshape(-1)]
        case "categorical_hinge":
            other = np.sort((1 - y) * p, axis=1)
            best_two = np.diff(other[:, -2:], axis=1).reshape(-1)
            # Outputs may be the best together where they are exactly equal: the target's own 0.
            return [reference.losses(loss, y, p), best_two]
        case _:
            return []


def directional(model: Sequential, x: Any, y: Any, direction: list[NDArray[Any]]) -> float:
    """Return the derivative of the loss along a direction, by central differences."""
    weights = model.get_weights()
    values = []
    for sign in (1, -1):
        moved = [w + sign * STEP * d for w, d in zip(weights, direction, strict=True)]
        model.set_weights(moved)
        values.append(model.loss_and_gradients(x, y)[0])
    model.set_weights(weights)
    return (values[0] - values[1]) / (2 * STEP)


def length(arrays: list[NDArray[Any]]) -> float:
    return float(np.sqrt(sum((a**2).sum() for a in arrays)))


@pytest.mark.parametrize("loss", specs("loss"), ids=spec_id)
@pytest.mark.parametrize("activation", trainable_activations(), ids=spec_id)
@pytest.mark.parametrize(("width", "rows"), [(3, 33), (17, 2)])
def test_gradients(loss: reference.Spec, activation: reference.Spec, width: int, rows: int) -> None:
    check_gradients(loss, activation, width, rows)


@pytest.mark.parametrize("activation", trainable_activations(), ids=spec_id)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("rows", ROWS)
def test_gradients_at_awkward_sizes(activation: reference.Spec, width: int, rows: int) -> None:
    check_gradients({"name": "mse"}, activation, width, rows)


def check_gradients(
    loss: reference.Spec, activation: reference.Spec, width: int, rows: int
) -> None:
    loss = fitting(loss, activation)
    model, x, y = case(loss, activation, width, rows)
    value, gradients = model.loss_and_gradients(x, y)

    size = length(gradients)
    if size > 1e-9:
        # Along the gradient, so that the derivative is not small, and a little off it in every
        # coordinate, so that an error in any of them shows.
        rng = np.random.default_rng(1)
        noise = [rng.normal(size=g.shape) for g in gradients]
        off = length(noise)
        direction = [g / size + n / off for g, n in zip(gradients, noise, strict=True)]
        along = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
        assert directional(model, x, y, direction) == pytest.approx(along, rel=1e-6, abs=2e-9)

    expected = reference.loss_and_gradients(reference_network(model), loss, x, y)
    assert value == pytest.approx(expected[0], rel=1e-10, abs=1e-14)
    for g, e in zip(gradients, expected[1], strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-9, atol=1e-9 * max(size, 1e-6))


@pytest.mark.parametrize("loss", specs("loss"), ids=spec_id)
def test_weighted_gradients(loss: reference.Spec, rng: np.random.Generator) -> None:
    loss = fitting(loss, {"name": "linear"})
    model, x, y = case(loss, {"name": "linear"}, 17, 33)
    weight = rng.uniform(0, 3, len(x))
    value, gradients = model.loss_and_gradients(x, y, weight)
    expected = reference.loss_and_gradients(reference_network(model), loss, x, y, weight)
    assert value == pytest.approx(expected[0], rel=1e-12)
    for g, e in zip(gradients, expected[1], strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", specs("loss"), ids=spec_id)
def test_whole_weights_are_repeated_rows(loss: reference.Spec) -> None:
    by_weight = {**fitting(loss, SIGMOID), "reduction": "mean_with_sample_weight"}
    model, x, y = case(by_weight, SIGMOID, 3, 33)
    weight = np.random.default_rng(0).integers(0, 4, len(x))
    weighted = model.loss_and_gradients(x, y, sample_weight=weight)
    repeated = model.loss_and_gradients(x.repeat(weight, axis=0), y.repeat(weight, axis=0))
    assert weighted[0] == pytest.approx(repeated[0], rel=1e-12)
    for a, b in zip(weighted[1], repeated[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_activation_layers_and_missing_biases(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    stacks = [
        [layers.Dense(9, "tanh"), layers.Dense(9, "elu", use_bias=False), layers.Dense(3)],
        [
            layers.Dense(9),
            layers.Activation("tanh"),
            layers.Dense(9, use_bias=False),
            layers.Activation("elu"),
            layers.Dropout(0.0),
            layers.Dense(3),
            layers.Activation("linear"),
        ],
    ]
    results = []
    for stack in stacks:
        model = Sequential(stack, dtype="float64", seed=1)
        model.build(6)
        first, second = model.get_weights()[0], model.get_weights()[2]
        assert (first.shape, second.shape) == ((6, 9), (9, 9))
        model.set_weights(
            [np.full(w.shape, 0.1) * (i + 1) for i, w in enumerate(model.get_weights())]
        )
        model.compile("sgd", "mse")
        results.append(model.loss_and_gradients(x, y))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-14)
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_float32_gradients_are_those_of_float64(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(64, 20)), rng.integers(0, 5, 64)
    results = []
    for dtype in ("float64", "float32"):
        model = Sequential(
            [layers.Dense(33, "tanh"), layers.Dense(5, "softmax")], dtype=dtype, seed=1
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        results.append(model.loss_and_gradients(x, y)[1])
    for double, single in zip(*results, strict=True):
        np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-6)


def test_worked_example_of_back_propagation() -> None:
    model = Sequential(
        [layers.Input(3), layers.Dense(1, "sigmoid"), layers.Dense(1, "sigmoid")], dtype="float64"
    )
    model.set_weights([[[0.01], [0.02], [0.03]], [0.01], [[0.02]], [0.03]])
    x, y = [[95, 4, 4]], [[1]]
    model.compile("sgd", "binary_crossentropy")
    value, (d_w, d_b, d_w4, d_b2) = model.loss_and_gradients(x, y)
    assert model.predict(x)[0, 0] == pytest.approx(0.5113047367, abs=1e-10)
    assert value == pytest.approx(0.6707895129, abs=1e-10)
    assert d_b2[0] == pytest.approx(-0.4886952633, abs=1e-10)
    assert d_w4[0, 0] == pytest.approx(-0.3720596915, abs=1e-10)
    assert d_b[0] == pytest.approx(-0.0017759695, abs=1e-10)
    np.testing.assert_allclose(d_w[:, 0], [-0.1687171053, -0.0071038781, -0.0071038781], atol=1e-10)
    model.compile("sgd", "mse")
    value, (d_w, _, d_w4, _) = model.loss_and_gradients(x, y)
    assert value == pytest.approx(0.2388230604, abs=1e-10)
    assert d_w4[0, 0] == pytest.approx(-0.1859347495, abs=1e-10)
    assert d_w[0, 0] == pytest.approx(-0.0843154296, abs=1e-10)
