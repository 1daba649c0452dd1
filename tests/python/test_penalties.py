# SPDX-License-Identifier: Apache-2.0
"""Regularizers, constraints and optimizers with options inside the training of a model."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import spec_id, specs

import laminar
from laminar import Sequential, layers, optimizers, regularizers

pytestmark = pytest.mark.kernels

ELEMENTWISE = ("l1", "l2", "l1_l2")
OPTIONS: list[dict[str, Any]] = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.3},
    {"clipvalue": 0.05},
    {"global_clipnorm": 0.4},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 2},
]


def build(dtype: str = "float64", seed: int = 4, **options: Any) -> Sequential:
    hidden = layers.Dense(40, "tanh", bias_initializer="random_normal", **options)
    return Sequential([layers.Input(6), hidden, layers.Dense(2)], dtype=dtype, seed=seed)


def problem(rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    return rng.normal(size=(50, 6)), rng.normal(size=(50, 2))


@pytest.mark.parametrize("spec", specs("regularizer"), ids=spec_id)
def test_penalties_are_added_to_loss_and_gradient(
    spec: dict[str, Any], rng: np.random.Generator
) -> None:
    x, y = problem(rng)
    bias = spec if spec["name"] in ELEMENTWISE else None
    plain, penalized = build(), build(kernel_regularizer=spec, bias_regularizer=bias)
    results = []
    for model in (plain, penalized):
        model.compile("sgd", "mse")
        results.append(model.loss_and_gradients(x, y))
    kernel, offset = plain.get_weights()[:2]
    expected = results[0][0] + regularizers.get(spec)(kernel)
    if bias is not None:
        expected += regularizers.get(spec)(offset)
    assert results[1][0] == pytest.approx(expected, rel=1e-12)
    assert penalized.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-12)
    assert penalized.train_on_batch(x, y) == pytest.approx(expected, rel=1e-12)
    check_differences(build(kernel_regularizer=spec, bias_regularizer=bias), x, y)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("last", ["linear", "sigmoid", "softmax"])
def test_penalties_on_outputs_are_means_over_rows(
    name: str, last: str, rng: np.random.Generator
) -> None:
    x, y = problem(rng)
    y = np.eye(2)[(y[:, 0] > 0).astype(int)]
    losses = {"linear": "mse", "sigmoid": "binary_crossentropy"}
    loss = losses.get(last, "categorical_crossentropy")

    def make(penalized: bool) -> Sequential:
        penalty = {"activity_regularizer": name} if penalized else {}
        stack = [
            layers.Input(6),
            layers.Dense(40, "tanh", **penalty),
            layers.Dense(2, last, **penalty),
        ]
        model = Sequential(stack, dtype="float64", seed=3)
        model.compile("sgd", loss)
        return model

    plain, penalized = make(False), make(True)
    hidden = Sequential([layers.Input(6), layers.Dense(40, "tanh")], dtype="float64")
    hidden.set_weights(plain.get_weights()[:2])
    penalty = regularizers.get(name)
    added = (penalty(hidden.predict(x)) + penalty(plain.predict(x))) / len(x)
    expected = plain.loss_and_gradients(x, y)[0] + added
    assert penalized.loss_and_gradients(x, y)[0] == pytest.approx(expected, rel=1e-9)
    assert penalized.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-9)
    check_differences(make(True), x, y)


def check_differences(model: Sequential, x: Any, y: Any) -> None:
    if model.loss is None:
        model.compile("sgd", "mse")
    weights = model.get_weights()
    gradients = model.loss_and_gradients(x, y)[1]
    rng = np.random.default_rng(5)
    for t, weight in enumerate(weights):
        for i in rng.integers(0, weight.size, 6):
            values = []
            for side in (1, -1):
                moved = copy.deepcopy(weights)
                moved[t].reshape(-1)[i] += side * 1e-6
                model.set_weights(moved)
                values.append(model.loss_and_gradients(x, y)[0])
            numeric = (values[0] - values[1]) / 2e-6
            assert gradients[t].reshape(-1)[i] == pytest.approx(numeric, rel=1e-6, abs=1e-8)


def test_what_a_tensor_does_not_take_is_refused_when_the_model_is_built() -> None:
    with pytest.raises(ValueError, match=r"'orthogonal'.*shape \(40,\)"):
        build(bias_regularizer="orthogonal")
    with pytest.raises(ValueError, match=r"'max_norm'.*axis.*shape \(40,\)"):
        build(bias_constraint={"name": "max_norm", "axis": 1})


def test_orthogonality_is_for_kernels_only() -> None:
    with pytest.raises(ValueError, match="activity_regularizer must be l1, l2 or l1_l2"):
        build(activity_regularizer="orthogonal")


@pytest.mark.parametrize("threads", [1, 3])
def test_constraints_hold_after_every_update(threads: int, rng: np.random.Generator) -> None:
    x, y = problem(rng)
    laminar.set_num_threads(threads)
    try:
        for name, holds in (
            ("max_norm", lambda w: np.linalg.norm(w, axis=0).max() <= 2 + 1e-9),
            ("non_neg", lambda w: w.min() >= 0),
            ("unit_norm", lambda w: np.allclose(np.linalg.norm(w, axis=0), 1)),
            ("min_max_norm", lambda w: np.linalg.norm(w, axis=0).max() <= 1 + 1e-9),
        ):
            model = build(kernel_constraint=name, bias_constraint="non_neg")
            model.compile(optimizers.SGD(2.0), "mse")
            for _ in range(3):
                model.train_on_batch(x, y)
                kernel, bias = model.get_weights()[:2]
                assert holds(kernel), name
                assert bias.min() >= 0
    finally:
        laminar.set_num_threads(0)


@pytest.mark.parametrize("spec", specs("optimizer"), ids=spec_id)
@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=lambda o: next(iter(o), "plain"))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_takes_the_updates_that_arrays_take(
    spec: dict[str, Any], options: dict[str, Any], dtype: str, rng: np.random.Generator
) -> None:
    x, y = problem(rng)
    cls = type(optimizers.get(spec["name"]))
    weights = build(dtype).get_weights()
    free = cls(**options)
    reader = build(dtype)
    reader.compile("sgd", "mse")
    results = []
    for threads in (1, 3):
        laminar.set_num_threads(threads)
        model = build(dtype)
        model.compile(cls(**options), "mse")
        for _ in range(5):
            if threads == 1:
                reader.set_weights(weights)
                gradients = reader.loss_and_gradients(x, y)[1]
                free.apply(gradients, weights)
            model.train_on_batch(x, y)
        results.append(model.get_weights())
        laminar.set_num_threads(0)
    for one, other, alone in zip(*results, weights, strict=True):
        np.testing.assert_array_equal(one, other)
        tolerance = 1e-11 if dtype == "float64" else 2e-5
        np.testing.assert_allclose(one, alone, rtol=tolerance, atol=tolerance)


def test_fit_ends_with_the_average_of_the_weights(rng: np.random.Generator) -> None:
    x, y = problem(rng)
    model = build()
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    other = build()
    other.compile(optimizers.SGD(0.1), "mse")
    first = other.get_weights()
    model.fit(x, y, batch_size=None, epochs=2, verbose=0)
    other.train_on_batch(x, y)
    second = other.get_weights()
    other.train_on_batch(x, y)
    third = other.get_weights()
    assert first is not second
    for got, a, b in zip(model.get_weights(), second, third, strict=True):
        np.testing.assert_allclose(got, 0.5 * a + 0.5 * b, rtol=1e-12)


def test_excluded_weights_do_not_decay(rng: np.random.Generator) -> None:
    x, y = problem(rng)
    optimizer = optimizers.SGD(0.0001, weight_decay=100.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = build()
    model.compile(optimizer, "mse")
    before = model.get_weights()
    model.train_on_batch(x, y)
    after = model.get_weights()
    np.testing.assert_allclose(after[0], 0.99 * before[0], atol=1e-4)
    np.testing.assert_allclose(after[1], before[1], atol=1e-4)


def test_a_schedule_gives_the_rate_of_each_update(rng: np.random.Generator) -> None:
    x, y = problem(rng)
    schedule = optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model, by_hand = build(), build()
    model.compile(optimizers.SGD(schedule), "mse")
    by_hand.compile(optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=10, epochs=1, shuffle=False, verbose=0)
    for step in range(5):
        assert by_hand.optimizer is not None
        by_hand.optimizer.learning_rate = schedule(step)
        by_hand.train_on_batch(x[10 * step : 10 * step + 10], y[10 * step : 10 * step + 10])
    for one, other in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == pytest.approx(schedule(5))
