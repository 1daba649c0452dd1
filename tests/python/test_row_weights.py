# SPDX-License-Identifier: Apache-2.0
"""Weights of rows and classes in mini-batches: what a batch is divided by."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import import_keras
from numpy.typing import NDArray
from support import blobs, fingerprint, small_classifier

from laminar import Sequential, callbacks, layers, losses, optimizers
from laminar.data import Dataset

ROWS, FEATURES = 50, 3
BLOCK = 1024  # bytes of a buffer that holds a few of these rows
RATE = 0.03


def task() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(ROWS, FEATURES)), rng.normal(size=(ROWS, 1))
    return x, y, rng.uniform(0, 3, ROWS) * (rng.uniform(size=ROWS) > 0.2)


def linear(loss: Any = "mse", width: int = 1, **options: Any) -> Sequential:
    """Return a linear model; with wide hidden units one that is too large for `small`."""
    stack = [layers.Input(FEATURES), layers.Dense(width, kernel_initializer="glorot_uniform")]
    if width > 1:
        stack.append(layers.Dense(1))
    model = Sequential(stack, dtype="float64", seed=1)
    model.compile(optimizers.SGD(RATE, **options), loss)
    return model


def by_hand(batch: int, mean: float, start: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return kernel and bias after an epoch in which a batch is divided by its rows times mean."""
    x, y, weight = task()
    kernel, bias = start
    for first in range(0, ROWS, batch):
        rows = slice(first, first + batch)
        error = x[rows] @ kernel + bias - y[rows]
        pull = 2 * error * weight[rows, np.newaxis] / (len(error) * mean)
        kernel, bias = kernel - RATE * x[rows].T @ pull, bias - RATE * pull.sum(axis=0)
    return [kernel, bias]


def same(one: Sequential, other: Sequential) -> bool:
    return fingerprint(one.get_weights()) == fingerprint(other.get_weights())


@pytest.mark.parametrize("batch", [1, 8, 32, 256, 5000])
def test_balanced_classes_meet_at_a_half(batch: int) -> None:
    """A constant model on 2 % of positives; batches of one row ended at 0.05 once."""
    y = (np.arange(5000) % 50 == 0).astype(np.float32)
    model = Sequential([layers.Input(1), layers.Dense(1, "sigmoid")], seed=1)
    rate, epochs = {1: (0.005, 10), 5000: (0.5, 400)}.get(batch, (0.05, 20))
    model.compile(optimizers.SGD(rate), "binary_crossentropy")
    weights = {0: 5000 / (2 * 4900), 1: 5000 / (2 * 100)}
    model.fit(np.ones((5000, 1)), y, batch, epochs, 0, class_weight=weights)
    assert model.predict([[1.0]])[0, 0] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("batch", [1, 7, 16, 49, 50])
@pytest.mark.parametrize("limit", [None, 64 << 10])
def test_a_batch_is_divided_by_its_rows_times_the_mean(batch: int, limit: int | None) -> None:
    x, y, weight = task()
    model = linear()
    expected = by_hand(batch, weight.mean(), model.get_weights())
    model.fit(x, y, batch, 1, 0, shuffle=False, sample_weight=weight, memory_limit=limit)
    for got, wanted in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


def test_a_weight_of_two_is_the_row_twice_in_expectation() -> None:
    """Over batches of every row alone, updates too small to see each other add up to the same."""
    x, y, _ = task()
    weight = np.tile([1.0, 2.0], ROWS // 2)
    twice = np.repeat(np.arange(ROWS), weight.astype(int))
    moves = []
    for rows, given in ((np.arange(ROWS), weight), (twice, None)):
        model = linear()
        model.compile(optimizers.SGD(1e-7), "mse")
        start = model.get_weights()
        model.fit(x[rows], y[rows], 1, 1, 0, sample_weight=None if given is None else given[rows])
        moved = np.concatenate(
            [(b - a).ravel() for a, b in zip(start, model.get_weights(), strict=True)]
        )
        moves.append(moved / len(rows))
    np.testing.assert_allclose(moves[0], moves[1], rtol=1e-4)


@pytest.mark.parametrize("width", [1, 300])
@pytest.mark.parametrize("batch", [1, 8, ROWS])
def test_weights_of_one_size_change_nothing(batch: int, width: int) -> None:
    x, y, _ = task()
    plain, weighted = linear(width=width), linear(width=width)
    first = plain.fit(x, y, batch, 3, 0)
    second = weighted.fit(x, y, batch, 3, 0, sample_weight=np.full(ROWS, 4.0))
    assert same(plain, weighted)
    assert second.history["loss"] == pytest.approx(first.history["loss"], rel=1e-12)


def test_all_rows_as_one_batch_are_a_weighted_mean() -> None:
    x, y, weight = task()
    model, expected = linear(), linear(losses.MeanSquaredError("mean_with_sample_weight"))
    for one in (model, expected):
        one.fit(x, y, None, 3, 0, sample_weight=weight)
    assert same(model, expected)


@pytest.mark.parametrize("width", [1, 300])
def test_small_and_large_networks_and_updates_from_a_buffer(width: int) -> None:
    x, y, weight = task()
    plain, from_buffer = linear(width=width), linear(width=width, clipvalue=1e9)
    for model in (plain, from_buffer):
        model.fit(x, y, 1, 2, 0, sample_weight=weight)
    for got, wanted in zip(from_buffer.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-15)


def test_weights_have_an_effect_in_batches_of_one_row() -> None:
    x, y, _ = task()
    models = linear(), linear(losses.MeanSquaredError("mean_with_sample_weight"))
    for model in models:
        start = model.get_weights()
        model.fit(x[:2], y[:2], 1, 1, 0, shuffle=False, sample_weight=[0.0, 1.0])
        skipped = model.get_weights()
        model.set_weights(start)
        model.fit(x[1:2], y[1:2], 1, 1, 0)
        # 1 of 2 rows counts: it pulls twice as much as alone.
        change = [
            (s - a) / (b - a) for s, a, b in zip(skipped, start, model.get_weights(), strict=True)
        ]
        pull = 2.0 if model is models[0] else 1.0
        for ratio in change:
            np.testing.assert_allclose(ratio, pull, rtol=1e-9)


def test_a_batch_alone_is_divided_by_its_rows() -> None:
    x, y, weight = task()
    model = linear()
    error = model.predict(x) - y
    of_rows = float((weight[:, np.newaxis] * error**2).mean())
    value, (d_kernel, d_bias) = model.loss_and_gradients(x, y, weight)
    assert value == pytest.approx(of_rows, rel=1e-12)
    np.testing.assert_allclose(d_kernel, 2 * x.T @ (weight[:, np.newaxis] * error) / ROWS)
    kernel, bias = model.get_weights()
    assert model.train_on_batch(x, y, weight) == pytest.approx(of_rows, rel=1e-12)
    np.testing.assert_allclose(model.get_weights()[0], kernel - RATE * d_kernel)
    np.testing.assert_allclose(model.get_weights()[1], bias - RATE * d_bias)


def test_an_epoch_reports_the_mean_by_weight_whatever_the_batches() -> None:
    x, y, weight = task()
    for batch in (1, 16, ROWS):
        model = linear()
        model.compile(optimizers.SGD(0.0), "mse")
        expected = model.evaluate(x, y, sample_weight=weight)
        history = model.fit(x, y, batch, 1, 0, sample_weight=weight)
        assert history.history["loss"] == pytest.approx([expected], rel=1e-12)
        error = ((model.predict(x) - y) ** 2).ravel()
        assert expected == pytest.approx(np.average(error, weights=weight), rel=1e-12)


@pytest.mark.parametrize("batch", [1, 6])
def test_rows_of_the_ignored_class_are_no_rows(batch: int) -> None:
    x, y = blobs()
    y[4:40:5] = -1
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y)).astype(np.float32)
    counts = y >= 0
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    by_mean, scaled = small_classifier(loss=loss), small_classifier(loss=loss)
    by_mean.fit(x, y, batch, 2, 0, sample_weight=weight)
    scaled.fit(x, y, batch, 2, 0, sample_weight=np.where(counts, weight, 100).astype(np.float32))
    assert same(by_mean, scaled)


def pieces(x: Any, y: Any, weight: Any) -> Iterator[Any]:
    for first in range(0, len(x), 7):
        yield x[first : first + 7], y[first : first + 7], weight[first : first + 7]


def test_sources_that_know_their_weights_and_others() -> None:
    x, y, weight = task()
    expected = linear()
    expected.fit(x, y, 8, 2, 0, shuffle=False, sample_weight=weight)
    scale = weight.mean()
    known = [
        Dataset.from_arrays(x, y, weight),
        Dataset.from_arrays(x, y, weight, buffer_size=BLOCK),
        Dataset.from_generator(lambda: pieces(x, y, weight), rows=ROWS),
    ]
    for data in known:
        model = linear()
        model.fit(data, batch_size=8, epochs=2, verbose=0, shuffle=False)
        assert same(model, expected)
    unknown = Dataset.from_generator(lambda: pieces(x, y, weight / scale), buffer_size=BLOCK)
    model = linear()
    model.fit(unknown, batch_size=8, epochs=2, verbose=0, shuffle=False)
    for got, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
    unknown = Dataset.from_generator(lambda: pieces(x, y, weight), buffer_size=BLOCK)
    model = linear()
    by_rows = by_hand(8, 1.0, model.get_weights())
    model.fit(unknown, batch_size=8, verbose=0, shuffle=False)
    for got, wanted in zip(model.get_weights(), by_rows, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("in_blocks", [False, True])
def test_an_epoch_that_is_gone_on_with_divides_by_the_same(in_blocks: bool, tmp_path: Path) -> None:
    x, y, weight = task()
    path = tmp_path / "m.safetensors"

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                self.model.save(path)
                self.model.stop_training = True

    def fit(model: Sequential, **options: Any) -> None:
        if in_blocks:
            data = Dataset.from_arrays(x, y, weight, buffer_size=BLOCK)
            model.fit(data, batch_size=8, epochs=2, verbose=0, **options)
        else:
            model.fit(x, y, 8, 2, 0, sample_weight=weight, **options)

    straight, stopped, resumed = linear(), linear(), linear()
    fit(straight)
    fit(stopped, callbacks=[Stop()])
    fit(resumed, resume=path)
    assert same(straight, resumed)
    assert not same(straight, stopped)


def test_the_rate_that_is_found_does_not_depend_on_the_unit_of_weights() -> None:
    x, _, weight = task()
    y = x @ [[1.0], [-2.0], [0.5]]
    found = [
        linear().find_learning_rate(x, y, 16, steps=30, sample_weight=scale * weight)
        for scale in (1, 64)
    ]
    assert found[0].losses == pytest.approx(found[1].losses, rel=1e-9)


@pytest.mark.parametrize("batch", [1, 8, 32])
def test_keras_updates_alike_where_the_mean_weight_is_one(batch: int) -> None:
    keras = import_keras()
    x, y, weight = task()
    weight = weight / weight.mean()
    ours = linear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        theirs = keras.Sequential([keras.layers.Input((FEATURES,)), keras.layers.Dense(1)])
        theirs.set_weights(ours.get_weights())
        theirs.compile(keras.optimizers.SGD(RATE), "mse")
        theirs.fit(x, y, batch, 3, 0, shuffle=False, sample_weight=weight)
        expected = theirs.get_weights()
    ours.fit(x, y, batch, 3, 0, shuffle=False, sample_weight=weight)
    for got, wanted in zip(ours.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
