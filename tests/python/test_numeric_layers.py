# SPDX-License-Identifier: Apache-2.0
"""Layers that take numbers apart: their formulas, edges from data, files, and what they are for.

Shapes, gradients and float32 are in test_layers_catalogue.py, exports in those of exchange.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import Sequential, layers


def encoded(edges: list[float], x: float) -> list[float]:
    """Return the piecewise linear encoding of a number, case by case as the paper has it."""
    bins = list(itertools.pairwise(edges))
    made = []
    for t, (low, high) in enumerate(bins, start=1):
        if x < low and t > 1:
            made.append(0.0)
        elif x >= high and t < len(bins):
            made.append(1.0)
        else:
            made.append((x - low) / (high - low))
    return made


def test_piecewise_linear_is_the_formula_of_the_paper(rng: np.random.Generator) -> None:
    edges = [[-1.0, 0.5, 2.0, 7.0], [0.0, 1.0], [3.0, 4.0, 9.0]]
    x = np.vstack([rng.normal(scale=6, size=(50, 3)), [[-1, 0, 3], [0.5, 1, 4], [2, 5, 9]]])
    expected = [list(itertools.chain(*map(encoded, edges, row))) for row in x.tolist()]
    model = Sequential([layers.Input(3), layers.PiecewiseLinearEncoding(edges)], dtype="float64")
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-14, atol=1e-14)
    alone = layers.PiecewiseLinearEncoding(edges)(x.astype(np.float32))
    np.testing.assert_allclose(alone, expected, rtol=1e-5, atol=1e-5)


def test_periodic_is_the_formula_of_the_paper(rng: np.random.Generator) -> None:
    x, c = rng.normal(size=(20, 3)), rng.normal(size=(3, 4))
    angles = 2 * np.pi * c * x[:, :, None]
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)
    model = Sequential([layers.Input(3), layers.PeriodicEmbedding(4)], dtype="float64")
    model.set_weights([c])
    np.testing.assert_allclose(model.predict(x), waves, rtol=1e-11, atol=1e-12)
    w, b = rng.normal(size=(8, 5)), rng.normal(size=5)
    model = Sequential([layers.Input(3), layers.PeriodicEmbedding(4, units=5)], dtype="float64")
    model.set_weights([c, w, b])
    expected = np.maximum(waves @ w + b, 0)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-11, atol=1e-11)


def test_first_frequencies_have_their_deviation() -> None:
    model = Sequential([layers.Input(200), layers.PeriodicEmbedding(50, sigma=0.25)], seed=1)
    values = model.layers[0].coefficients.numpy()
    assert abs(values.mean()) < 0.01
    assert values.std() == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("usual", [0.0, -9.0, 99.0])
def test_frequent_values_leave_the_bins_to_others(usual: float, rng: np.random.Generator) -> None:
    numbers = np.full(1000, usual)
    numbers[:70], numbers[70:100] = rng.normal(size=70), 3
    layer = layers.PiecewiseLinearEncoding(bins=8)
    layer.adapt(rng.permutation(numbers)[:, None])
    assert layer.edges is not None
    (edges,) = layer.edges
    assert 8 <= len(edges) <= 9
    assert {usual, 3.0} <= set(edges)
    assert (edges[0], edges[-1]) == (numbers.min(), numbers.max())
    others = numbers[:70]
    held = np.histogram(others, [edge for edge in edges if edge not in (usual, 3.0)])[0]
    assert held.min() >= 70 // 7
    for count in range(1, 12):  # with a bin for each there are no more
        layer.adapt(np.repeat(np.arange(count), 5)[:, None])
        assert len(layer.edges[0]) <= 9


def test_edges_are_quantiles(rng: np.random.Generator) -> None:
    x = np.stack([rng.exponential(size=4000), rng.integers(0, 2, 4000), np.full(4000, 3.0)], 1)
    layer = layers.PiecewiseLinearEncoding(bins=8)
    layer.adapt(x)
    assert layer.edges is not None
    assert [len(edges) for edges in layer.edges] == [9, 2, 2]
    counts, _ = np.histogram(x[:, 0], layer.edges[0])
    assert counts.min() >= 499 and counts.max() <= 501
    assert layer.edges[1:] == ((0.0, 1.0), (3.0, 4.0))
    made = layer(x)
    np.testing.assert_array_equal(made[:, 8], x[:, 1])
    assert not made[:, 9].any()


@pytest.mark.parametrize(
    ("edges", "error", "message"),
    [
        ([[0, 1], [1]], ValueError, r"edges\[1\] must be at least two numbers that increase"),
        ([[0, 2, 1]], ValueError, r"edges\[0\] must be at least two numbers that increase"),
        ([[0, np.nan]], ValueError, r"edges\[0\]\[1\] must be finite"),
        ([["a", "b"]], TypeError, r"edges\[0\]\[0\] must be a number"),
        ([1.0, 2.0], TypeError, r"edges\[0\] must be a list of numbers, got 1.0"),
        ("ab", TypeError, "edges must be a list of numbers for each feature"),
        ([], ValueError, "edges must be those of at least one feature"),
    ],
)
def test_wrong_edges_are_named(edges: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"PiecewiseLinearEncoding: {message}"):
        layers.PiecewiseLinearEncoding(edges)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="its edges are not known: give them, or let adapt"):
        Sequential([layers.Input(2), layers.PiecewiseLinearEncoding()])
    with pytest.raises(ValueError, match="has the edges of 1 features, got 2"):
        Sequential([layers.Input(2), layers.PiecewiseLinearEncoding([[0, 1]])])
    with pytest.raises(ValueError, match="adapt: data must be finite"):
        layers.PiecewiseLinearEncoding().adapt([[1.0], [np.inf]])
    with pytest.raises(ValueError, match="sigma must be greater than 0, got 0"):
        layers.PeriodicEmbedding(sigma=0)
    with pytest.raises(ValueError, match="units must be at least 1, got 0"):
        layers.PeriodicEmbedding(units=0)


def test_a_model_keeps_its_edges() -> None:
    layer = layers.PiecewiseLinearEncoding([[0, 1, 2]])
    Sequential([layers.Input(1), layer, layers.Dense(1)])
    with pytest.raises(AttributeError, match="edges cannot be changed in a built model"):
        layer.adapt([[0.0], [1.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files_know_them(tmp_path: Path, dtype: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 3))
    numbers = layers.PiecewiseLinearEncoding(bins=4)
    numbers.adapt(x)
    stack = [numbers, layers.PeriodicEmbedding(3, units=2), layers.Flatten(), layers.Dense(1)]
    model = Sequential([layers.Input(3), *stack], dtype=dtype)
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = laminar.load_model(path)
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in stack]
    assert loaded.layers[0].edges == numbers.edges
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    copy = laminar.models.clone_model(loaded)
    assert type(copy.layers[1]) is layers.PeriodicEmbedding


class PeriodicEmbedding(layers.Layer):
    """A class of the user's that is called like one of laminar's."""

    def call(self, inputs: Any) -> Any:
        return 2 * inputs


def test_a_class_of_the_same_name_is_another(tmp_path: Path) -> None:
    model = Sequential([layers.Input(3), PeriodicEmbedding()])
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = laminar.load_model(path)
    assert type(loaded.layers[0]).__name__ == "Operations"
    np.testing.assert_array_equal(loaded.predict(np.ones((2, 3))), np.full((2, 3), 2))


def test_steps_are_learned_that_a_plain_network_smooths(rng: np.random.Generator) -> None:
    x = rng.uniform(-2, 2, (2000, 1)).astype(np.float32)
    y = np.sign(np.sin(9 * x))[:, 0]
    losses = []
    encoding = layers.PiecewiseLinearEncoding(bins=48)
    encoding.adapt(x)
    for first in ([], [encoding], [layers.PeriodicEmbedding(16, 1.0), layers.Flatten()]):
        model = Sequential(
            [layers.Input(1), *first, layers.Dense(32, "relu"), layers.Dense(1)], seed=3
        )
        model.compile("adam", "mse")
        history = model.fit(x, y, batch_size=32, epochs=15, verbose=0)
        losses.append(history.history["loss"][-1])
    assert max(losses[1:]) < 0.5 * losses[0]
