# SPDX-License-Identifier: Apache-2.0
"""Gradients by inputs and weights from any gradient of the outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from laminar import Input, Model, Sequential, layers

RNG = np.random.default_rng(3)


def check(model: Any, inputs: list[np.ndarray], d_outputs: Any, joined: Any) -> None:
    """Compare d_x with central differences of ``sum(d_outputs * predictions)``."""
    given = inputs if len(inputs) > 1 else inputs[0]
    d_x, d_weights = model.vjp(given, d_outputs)
    gradients = d_x if isinstance(d_x, list) else [d_x]
    for which, gradient in enumerate(gradients):
        for place in np.ndindex(inputs[which].shape):
            sums = []
            for step in (-1e-5, 1e-5):
                moved = [array.copy() for array in inputs]
                moved[which][place] += step
                sums.append(joined(model.predict(moved if len(moved) > 1 else moved[0])))
            assert gradient[place] == pytest.approx((sums[1] - sums[0]) / 2e-5, abs=1e-7, rel=1e-6)
    assert [g.shape for g in d_weights] == [w.shape for w in model.get_weights()]


def test_stack() -> None:
    model = Sequential(
        [layers.Dense(5, "tanh"), layers.Dropout(0.5), layers.Dense(2, "softmax")],
        seed=1,
        dtype="float64",
    )
    x, d = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
    check(model, [x], d, lambda y: np.sum(d * y))
    drawn, _ = model.vjp(x, d, training=True)
    assert not np.array_equal(drawn, model.vjp(x, d)[0])


def test_several_inputs_and_outputs() -> None:
    a, b = Input((3,), name="a"), Input((2, 2), name="b")
    hidden = layers.Dense(4, "tanh")(a)
    both = layers.Concatenate()([hidden, layers.Flatten()(b)])
    model = Model([a, b], [layers.Dense(2)(both), hidden], seed=1, dtype="float64")
    x = [RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2, 2))]
    d = [RNG.normal(size=(5, 2)), RNG.normal(size=(5, 4))]
    check(model, x, d, lambda y: sum(np.sum(p * q) for p, q in zip(d, y, strict=True)))


def test_a_loss_by_its_own_gradient() -> None:
    model = Sequential([layers.Dense(4, "tanh"), layers.Dense(1)], seed=1, dtype="float64")
    model.compile("sgd", "mse")
    x, y = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 1))
    _, expected = model.loss_and_gradients(x, y)
    _, got = model.vjp(x, 2 * (model.predict(x) - y) / 9)
    for left, right in zip(got, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-10)


def test_the_way_back_to_the_input_goes_through_frozen_layers() -> None:
    shared = layers.Dense(20, "tanh")
    a, b = layers.Input(4), layers.Input(4)
    model = Model([a, b], layers.Dense(3)(layers.Dense(30, "tanh")(shared(a) - shared(b))), seed=1)
    x = [RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))]
    d_outputs = RNG.normal(size=(5, 3))
    expected, d_weights = model.vjp(x, d_outputs)
    for frozen in range(1, 4):
        for layer in [layer for layer in model.layers if layer.weights][:frozen]:
            layer.trainable = False
        model.compile("sgd", "mse")
        d_x, some = model.vjp(x, d_outputs)
        np.testing.assert_array_equal(d_x, expected)
        for i in range(2 * frozen, len(some)):
            np.testing.assert_array_equal(some[i], d_weights[i])


def test_refusals() -> None:
    model = Sequential([layers.Dense(2)], seed=1)
    x = np.zeros((4, 3), "float32")
    with pytest.raises(ValueError, match=r"vjp: d_outputs must have shape \(4, 2\), got \(4, 3\)"):
        model.vjp(x, np.zeros((4, 3)))
    a, b = Input((1,), name="a"), Input((1,), name="b")
    two = Model([a, b], [layers.Dense(1)(a), layers.Dense(1)(b)])
    pair = [np.zeros((4, 1)), np.zeros((4, 1))]
    with pytest.raises(ValueError, match="a list of 2 arrays"):
        two.vjp(pair, np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"vjp: d_outputs\[1\] must have shape \(4, 1\)"):
        two.vjp(pair, [np.zeros((4, 1)), np.zeros((3, 1))])
