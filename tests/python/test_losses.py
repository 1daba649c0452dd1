# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import reference
from support import identity_model, spec_id, specs, targets

from laminar import losses

pytestmark = pytest.mark.kernels

# The defaults of every loss, and each with its options changed.
VARIANTS = [
    *specs("loss"),
    {"name": "huber", "delta": 0.3},
    {"name": "binary_crossentropy", "from_logits": True, "label_smoothing": 0.1},
    {"name": "binary_crossentropy", "from_logits": False, "label_smoothing": 0.1},
    {"name": "categorical_crossentropy", "from_logits": True, "label_smoothing": 0.1},
    {"name": "categorical_crossentropy", "from_logits": False, "label_smoothing": 0.1},
    {"name": "sparse_categorical_crossentropy", "from_logits": True},
]


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_values_agree_with_the_formula(
    spec: reference.Spec, weighted: bool, rng: np.random.Generator
) -> None:
    rows, width = 37, 5
    p = rng.normal(size=(rows, width))
    if "crossentropy" in spec["name"] and not spec["from_logits"]:
        p = rng.dirichlet(np.ones(width), rows)
    y = targets(spec, rows, width, rng)
    weight = rng.uniform(0, 2, rows) if weighted else None
    model = identity_model(width, "linear")
    model.compile("sgd", loss=spec)
    expected = np.average(reference.losses(spec, y, p), weights=weight)
    assert model.evaluate(p, y, sample_weight=weight) == pytest.approx(expected, rel=1e-12)
    assert model.loss_and_gradients(p, y, weight)[0] == pytest.approx(expected, rel=1e-12)
    assert model.train_on_batch(p, y, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("activation", "loss", "right", "wrong"),
    [
        ("sigmoid", "binary_crossentropy", [[1.0]], [[0.0]]),
        ("softmax", "categorical_crossentropy", [[1.0, 0.0]], [[0.0, 1.0]]),
        ("softmax", "sparse_categorical_crossentropy", [0], [1]),
    ],
)
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e4, 1e30])
def test_fused_losses_are_right_for_all_logits(
    activation: str, loss: str, right: Any, wrong: Any, size: float, dtype: str
) -> None:
    width = 1 if activation == "sigmoid" else 2
    x = np.array([[size, -size][:width]])
    gap = size * width  # between the logits of right and wrong
    model = identity_model(width, activation, dtype)
    model.compile("sgd", loss)
    assert model.evaluate(x, right) == pytest.approx(np.log1p(np.exp(-gap)), rel=1e-6)
    assert model.evaluate(x, wrong) == pytest.approx(gap + np.log1p(np.exp(-gap)), rel=1e-6)
    # d_b is p - y
    _, (_, d_bias) = model.loss_and_gradients(x, wrong)
    p = 1 / (1 + np.exp(-gap))
    np.testing.assert_allclose(d_bias, [p, -p][:width], rtol=1e-6)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [("sigmoid", "binary_crossentropy"), ("softmax", "sparse_categorical_crossentropy")],
)
def test_from_logits_beside_the_activation_applies_it_once(activation: str, loss: str) -> None:
    width = 1 if activation == "sigmoid" else 2
    x, y = np.array([[0.3, -1.2][:width]]), np.array([1])
    results = []
    for from_logits in (False, True):
        model = identity_model(width, activation)
        model.compile("sgd", {"name": loss, "from_logits": from_logits})
        results.append([model.evaluate(x, y), *model.loss_and_gradients(x, y)[1]])
    np.testing.assert_equal(*results)


def test_sparse_and_one_hot_targets_are_one_loss(rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 4))
    labels = rng.integers(0, 4, 20)
    results = []
    for loss, y in (
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", np.eye(4)[labels]),
    ):
        model = identity_model(4, "softmax")
        model.compile("sgd", loss)
        value, gradients = model.loss_and_gradients(x, y)
        results.append([np.array(value), *gradients])
    np.testing.assert_equal(*results)


def test_worked_example() -> None:
    model = identity_model(1, "sigmoid")
    model.compile("sgd", "binary_crossentropy")
    value, (_, d_bias) = model.loss_and_gradients([[0.0452266543]], [[1]])
    assert value == pytest.approx(0.6707895129, rel=1e-8)
    assert d_bias[0] == pytest.approx(-0.4886952633, rel=1e-8)


def test_a_row_of_weight_2_equals_the_row_twice(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    model = identity_model(2, "linear")
    model.compile("sgd", "mse")
    twice = model.loss_and_gradients(x[[0, 0, 1, 2, 3]], y[[0, 0, 1, 2, 3]])
    weighted = model.loss_and_gradients(x, y, [2, 1, 1, 1])
    assert weighted[0] == pytest.approx(twice[0], rel=1e-12)
    np.testing.assert_allclose(weighted[1][0], twice[1][0], rtol=1e-12)
    first = model.loss_and_gradients(x, y, [4, 0, 0, 0])
    alone = model.loss_and_gradients(x[:1], y[:1])
    assert first[0] == pytest.approx(alone[0])
    np.testing.assert_allclose(first[1][0], alone[1][0])


@pytest.mark.parametrize("spec", specs("loss"), ids=spec_id)
def test_labels_are_what_the_core_says(spec: reference.Spec) -> None:
    assert losses.get(spec)._labels == spec["name"].startswith("sparse")
