# SPDX-License-Identifier: Apache-2.0
"""Schedules as objects, and optimizers that follow them. Their values: test_golden.py."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest
from support import another

import laminar
from laminar import Sequential, _core, layers, optimizers
from laminar.optimizers import schedules
from laminar.optimizers.schedules import ExponentialDecay, LearningRateSchedule

ENTRIES = _core.entries("schedule")
CLASSES: dict[str, Any] = LearningRateSchedule._classes


def required(entry: dict[str, Any]) -> dict[str, Any]:
    """Return values for the arguments that have no default."""
    if entry["name"] == "piecewise_constant_decay":
        return {"boundaries": (2.0, 5.5), "values": (0.5, 0.25, 0.125)}
    names = list(entry["parameters"])[: entry["required"]]
    return {name: 10 if name.endswith("steps") else 0.5 for name in names}


def identify(value: object) -> str | None:
    return value["name"] if isinstance(value, dict) else None


def test_there_are_eight_and_every_one_has_a_class() -> None:
    assert len(ENTRIES) >= 8
    assert set(CLASSES) == {entry["name"] for entry in ENTRIES}
    for cls in CLASSES.values():
        assert cls.__name__ in schedules.__all__
        assert getattr(schedules, cls.__name__) is cls


@pytest.mark.parametrize("entry", ENTRIES, ids=identify)
def test_arguments_and_defaults_are_the_entry_s(entry: dict[str, Any]) -> None:
    parameters = inspect.signature(CLASSES[entry["name"]]).parameters
    assert list(parameters) == list(entry["parameters"])
    for number, (name, parameter) in enumerate(parameters.items()):
        if number < entry["required"]:
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.default == entry["parameters"][name]


@pytest.mark.parametrize("entry", ENTRIES, ids=identify)
def test_configurations_make_equal_objects(entry: dict[str, Any]) -> None:
    cls = CLASSES[entry["name"]]
    changed = {
        name: another(entry, name) for name in list(entry["parameters"])[entry["required"] :]
    }
    made = cls(**required(entry), **changed)
    config = json.loads(json.dumps(made.get_config()))
    assert cls.from_config(config)._spec() == made._spec()
    assert schedules.get(made._spec())._spec() == made._spec()
    assert schedules.deserialize(schedules.serialize(made))._spec() == made._spec()
    steps = np.arange(40)
    np.testing.assert_equal(cls.from_config(config)(steps), made(steps))
    assert repr(made).startswith(f"{cls.__name__}(")


@pytest.mark.parametrize("entry", ENTRIES, ids=identify)
def test_rates_are_pure_functions_of_the_step(entry: dict[str, Any]) -> None:
    made = CLASSES[entry["name"]](**required(entry))
    steps = np.arange(60).reshape(3, 20)
    rates = made(steps)
    assert rates.shape == steps.shape
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()
    for step in (59, 0, 7):
        assert made(step) == rates.reshape(-1)[step]
        assert isinstance(made(step), float)
    assert made(np.zeros(0, int)).shape == (0,)
    with pytest.raises(ValueError, match="step: expected numbers of at least 0, got -1"):
        made(-1)
    with pytest.raises(TypeError, match="step must be an integer"):
        made(0.5)


@pytest.mark.parametrize("entry", ENTRIES, ids=identify)
def test_an_optimizer_follows_the_schedule(entry: dict[str, Any]) -> None:
    schedule = CLASSES[entry["name"]](**required(entry))
    optimizer = optimizers.SGD(schedule)
    weights = [np.zeros(1)]
    for step in range(15):
        assert optimizer.learning_rate == schedule(step)
        before = weights[0][0]
        optimizer.apply([np.ones(1)], weights)
        assert before - weights[0][0] == pytest.approx(schedule(step), abs=1e-12)


def test_a_model_follows_the_schedule() -> None:
    schedule = ExponentialDecay(0.5, 4, 0.5)
    model = Sequential([layers.Input(1), layers.Dense(1, use_bias=False)], dtype="float64")
    model.compile(optimizers.SGD(schedule), "mae")
    optimizer = model.optimizer
    assert optimizer is not None
    x, y = np.ones((2, 1)), np.full((2, 1), -100.0)
    for step in range(6):
        assert optimizer.learning_rate == schedule(step)
        before = model.get_weights()[0][0, 0]
        model.train_on_batch(x, y)
        assert before - model.get_weights()[0][0, 0] == pytest.approx(schedule(step), abs=1e-12)
    with pytest.raises(TypeError, match=r"learning_rate is given by ExponentialDecay\("):
        optimizer.learning_rate = 0.1
    config = json.loads(json.dumps(optimizer.get_config()))
    again = optimizers.SGD.from_config(config)
    assert again._spec() == optimizer._spec()
    assert again.learning_rate == 0.5


def test_decay_of_older_keras() -> None:
    """The values of the notes' time-based decay, lr / (1 + k t)."""
    optimizer = optimizers.SGD(lr=0.1, decay=0.001)  # type: ignore[call-arg]
    rates = {1: 0.0999001, 10: 0.0990099, 100: 0.0909091, 1000: 0.05, 10000: 0.00909091}
    weights = [np.zeros(2)]
    for update in range(1, 1001):
        optimizer.apply([np.ones(2)], weights)
        if update in rates:
            assert optimizer.learning_rate == pytest.approx(rates[update], rel=1e-6)
    schedule = optimizer._schedule
    assert isinstance(schedule, schedules.InverseTimeDecay)
    assert schedule(10000) == pytest.approx(rates[10000], rel=1e-6)


def test_what_is_missing_or_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="decay_steps must be greater than 0"):
        ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match="values must be one more than boundaries"):
        schedules.PiecewiseConstantDecay([1, 2], [1, 2])
    with pytest.raises(ValueError, match="boundaries must increase"):
        schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3])
    with pytest.raises(ValueError, match="initial_learning_rate is missing"):
        ExponentialDecay(None, 1, 0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unknown argument 'decay_rat'; did you mean 'decay_rate'"):
        ExponentialDecay(0.1, 1, decay_rat=0.5)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="unknown schedule 'cosine'"):
        optimizers.SGD({"name": "cosine"})
    with pytest.raises(TypeError, match="learning_rate must be a number"):
        optimizers.SGD(learning_rate="fast")  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="did you mean 'CosineDecay'"):
        laminar.optimizers.schedules.CosinDecay  # noqa: B018  # the look-up is the test
