# SPDX-License-Identifier: Apache-2.0
"""find_learning_rate: what it finds, and that the model stays as it is."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import blobs, fingerprint, small_classifier

from laminar import Sequential, layers


def task(rows: int = 400) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, 6))
    return x, x @ rng.normal(size=(6, 1)) + 0.01 * rng.normal(size=(rows, 1))


def linear(**options: Any) -> Sequential:
    model = Sequential([layers.Input(6), layers.Dense(1)], seed=1, **options)
    model.compile({"name": "sgd", "momentum": 0.5}, "mse")
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_suggestion_trains_and_the_last_rate_does_not(dtype: str) -> None:
    x, y = task()
    model = linear(dtype=dtype)
    found = model.find_learning_rate(x, y, end=100.0)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 100
    assert found.rates[0] == pytest.approx(1e-7)
    np.testing.assert_allclose(np.diff(np.log(found.rates)), np.log(1e9) / 99, rtol=1e-9)
    # For x of unit variance and a loss of (y - p)**2 gradient descent diverges above 1.
    assert 1e-3 < found.suggestion < 0.5
    assert found.suggestion == found.rates[int(np.argmin(found.smoothed))] / 10
    assert found.losses[-1] > 2 * min(found.losses)
    assert model.optimizer is not None
    model.optimizer.learning_rate = found.suggestion
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def test_the_model_stays_as_it_is() -> None:
    x, y = blobs()
    model, twin = small_classifier(), small_classifier()
    for m in (model, twin):
        m.fit(x, y, epochs=2, verbose=0)
    history = model.history
    before = fingerprint(model.get_weights())
    found = model.find_learning_rate(x, y, batch_size=8, steps=30)
    assert model.history is history
    assert fingerprint(model.get_weights()) == before
    assert model.optimizer is not None
    assert twin.optimizer is not None
    assert model.optimizer.iterations == twin.optimizer.iterations
    assert model.optimizer.learning_rate == twin.optimizer.learning_rate
    # Optimizer state and the count of epochs show in what comes next.
    for m in (model, twin):
        m.fit(x, y, epochs=2, verbose=0)
    assert fingerprint(model.get_weights()) == fingerprint(twin.get_weights())
    again = twin.find_learning_rate(x, y, batch_size=8, steps=30)
    assert again.rates == found.rates
    assert linear().find_learning_rate(*task()) == linear().find_learning_rate(*task())


def test_a_model_that_is_not_built_stays_so() -> None:
    x, y = blobs()
    built, model = small_classifier(), small_classifier(built=False)
    found = model.find_learning_rate(x, y)
    assert not model.built
    assert found == built.find_learning_rate(x, y)


def test_row_weights_and_whole_batches() -> None:
    x, y = task(50)
    weight = np.ones(50)
    weight[10:] = 0
    poisoned = np.where(weight[:, None] > 0, y, 1e6)
    found = linear().find_learning_rate(x, poisoned, batch_size=None, sample_weight=weight)
    assert found.losses[0] < 100
    assert found.losses[0] == pytest.approx(linear().evaluate(x[:10], y[:10]), rel=1e-5)


@pytest.mark.filterwarnings("ignore:find_learning_rate")
def test_a_loss_that_is_not_finite_ends_the_test() -> None:
    x, y = task()
    found = linear().find_learning_rate(x, y, start=1e-3, end=1e30, steps=10)
    assert len(found.rates) < 10
    assert np.isfinite(found.losses).all()
    with pytest.raises(ValueError, match="find_learning_rate: x must be finite"):
        linear().find_learning_rate(np.where(x > 2, np.nan, x), y)
    with pytest.raises(ValueError, match="the loss is not finite even with the rate 1e-07"):
        linear().find_learning_rate(x * 1e25, y)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": 0.0}, ValueError, "0 < start < end is needed, got 0.0 and 10.0"),
        ({"start": 1.0, "end": 0.5}, ValueError, "0 < start < end is needed"),
        ({"steps": 1}, ValueError, "steps must be at least 2"),
        ({"end": "10"}, TypeError, "end must be a number"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"step": 5}, TypeError, "unknown argument 'step'; did you mean 'steps'"),
    ],
)
def test_bad_arguments(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"find_learning_rate: {message}"):
        linear().find_learning_rate(*task(), **options)


def test_the_picture() -> None:
    pytest.importorskip("matplotlib")
    found = linear().find_learning_rate(*task())
    (panel,) = found.plot().axes
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("learning rate", "loss")
    assert panel.get_xscale() == "log"
    np.testing.assert_array_equal(panel.lines[0].get_ydata(), found.losses)
    np.testing.assert_array_equal(panel.lines[1].get_ydata(), found.smoothed)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "kind", ["noise", "rates too small", "rates too large", "nothing to learn"]
)
def test_without_a_fall_there_is_no_suggestion_but_a_warning(kind: str, seed: int) -> None:
    x, y = task()
    options: dict[str, float] = {}
    if kind == "noise":
        y = np.random.default_rng(seed).normal(size=y.shape)
        options = {"end": 1e-3}
    elif kind == "rates too small":
        options = {"end": 1e-6}
    elif kind == "rates too large":
        options = {"start": 5.0, "end": 50.0}
    else:
        x, y = 0 * x, 0 * y
    model = Sequential([layers.Input(6), layers.Dense(1)], seed=seed)
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="the loss fell at no rate from") as seen:
        found = model.find_learning_rate(x, y, **options)
    assert seen[0].filename == __file__
    assert np.isnan(found.suggestion)
    assert model.optimizer is not None
    with pytest.raises(ValueError, match="must be finite"):
        model.optimizer.learning_rate = found.suggestion
    if importlib.util.find_spec("matplotlib"):
        found.plot()


def test_a_range_that_begins_too_late_is_told() -> None:
    x, y = task()
    with pytest.warns(UserWarning, match="a smaller rate may be better; try a smaller start"):
        found = linear().find_learning_rate(x, y, start=0.3, end=3.0, steps=30, batch_size=None)
    assert found.suggestion == pytest.approx(0.3)
