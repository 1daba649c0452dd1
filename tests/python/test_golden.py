# SPDX-License-Identifier: Apache-2.0
"""Optimizers and schedules against values recorded from Keras 3 and PyTorch.

`golden/record_keras.py` records them. `optimizer.apply` is what replays them, so this also tests
updates of plain arrays.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden import cases
from golden.cases import Case
from numpy.typing import NDArray

from laminar import _core, optimizers
from laminar.optimizers import schedules

Arrays = list[NDArray[Any]]
RECORDED: dict[str, NDArray[Any]] = dict(
    np.load(Path(__file__).parent / "golden" / "recorded.npz", allow_pickle=False)
)
ALL = [*cases.keras_cases(), *cases.torch_cases()]


def schedule(case: dict[str, Any]) -> schedules.LearningRateSchedule:
    """Return a recorded schedule."""
    made: schedules.LearningRateSchedule = getattr(schedules, case["name"])(
        *case["args"], **case.get("kwargs", {})
    )
    return made


def optimizer_of(case: Case, weights: Arrays) -> optimizers.Optimizer:
    arguments = dict(case.arguments)
    if isinstance(arguments.get("learning_rate"), dict):
        arguments["learning_rate"] = schedule(arguments["learning_rate"])
    optimizer: optimizers.Optimizer = getattr(optimizers, case.name)(**arguments)
    if case.undecayed:
        optimizer.exclude_from_weight_decay([weights[i] for i in case.undecayed])
    return optimizer


def replay(case: Case, weights: Arrays) -> NDArray[Any]:
    """Return the weights after the recorded steps, and at the end of training."""
    optimizer = optimizer_of(case, weights)
    rows = []

    def record() -> None:
        rows.append(np.concatenate([w.reshape(-1) for w in weights]))

    for step in range(1, cases.STEPS + 1):
        optimizer.apply(cases.gradients(step), weights)
        if step in cases.RECORDED:
            record()
    optimizer.finalize_variable_values(weights)
    record()
    batches = case.arguments.get("gradient_accumulation_steps", 1)
    assert optimizer.iterations == cases.STEPS // batches
    return np.stack(rows)


def expected(number: int) -> NDArray[Any]:
    recorded = RECORDED["keras"]
    return recorded[number] if number < len(recorded) else RECORDED["torch"][number - len(recorded)]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-7)])
@pytest.mark.parametrize("number", range(len(ALL)), ids=lambda n: f"{n}-{ALL[n].name}")
def test_ten_steps_are_the_recorded_ones(number: int, dtype: str, tolerance: float) -> None:
    # Keras computes norms and a few factors in float32 even where the weights are float64.
    got = replay(ALL[number], [w.astype(dtype) for w in cases.weights()])
    scale = max(1.0, np.abs(expected(number)).max())
    np.testing.assert_allclose(got, expected(number), rtol=0, atol=tolerance * scale)


def test_every_optimizer_and_option_is_recorded() -> None:
    classes = {case.name for case in ALL}
    known = optimizers.Optimizer._classes
    assert classes == {cls.__name__ for cls in known.values()}
    for entry in _core.entries("optimizer"):
        given = {
            argument
            for case in ALL
            if case.name == known[entry["name"]].__name__
            for argument in case.arguments
        }
        # One is about names, one is the notes', one stands in Adam's own formula.
        elsewhere = {"exclude_embeddings", "dampening", "adam_beta_2"}
        missing = set(entry["parameters"]) - given - elsewhere
        assert not missing, entry["name"]
        if entry["name"] not in ("rprop", "radam"):
            options = _core.entries("optimizer_options")[0]["parameters"]
            assert set(options) <= given | set(entry["parameters"])


@pytest.mark.parametrize("number", range(len(cases.SCHEDULES)))
def test_schedules_are_the_recorded_ones(number: int) -> None:
    case = cases.SCHEDULES[number]
    rates = schedule(case)(np.array(cases.SCHEDULE_STEPS))
    np.testing.assert_allclose(rates, RECORDED["schedules"][number], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("number", range(len(cases.ONE_CYCLES)))
def test_one_cycle_is_the_recorded_one(number: int) -> None:
    cycle = schedules.OneCycle(0.5, cases.ONE_CYCLE_STEPS, **cases.ONE_CYCLES[number])
    rates = cycle(np.arange(cases.ONE_CYCLE_STEPS))
    np.testing.assert_allclose(rates, RECORDED["one_cycle"][number], rtol=1e-12)


TORCH: list[tuple[optimizers.Optimizer, str, dict[str, Any]]] = [
    (optimizers.SGD(0.1), "SGD", {"lr": 0.1}),
    (optimizers.SGD(0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    (
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    (optimizers.Adamax(0.1, epsilon=1e-12), "Adamax", {"lr": 0.1, "eps": 1e-12}),
    (optimizers.Adadelta(0.1, rho=0.9), "Adadelta", {"lr": 0.1, "rho": 0.9, "eps": 1e-7}),
    (optimizers.Adam(0.1, epsilon=0.0), "Adam", {"lr": 0.1, "eps": 0.0}),
    (
        optimizers.AdamW(0.1, weight_decay=0.25, epsilon=0.0),
        "AdamW",
        {"lr": 0.1, "weight_decay": 0.25, "eps": 0.0},
    ),
    (
        optimizers.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=0.0),
        "Adagrad",
        {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 0.0},
    ),
    (
        optimizers.RMSprop(0.1, momentum=0.5, epsilon=0.0),
        "RMSprop",
        {"lr": 0.1, "alpha": 0.9, "momentum": 0.5, "eps": 0.0},
    ),
    (optimizers.RAdam(0.1), "RAdam", {"lr": 0.1, "eps": 1e-8}),
    (optimizers.Rprop(0.1), "Rprop", {"lr": 0.1}),
]


@pytest.mark.parametrize("number", range(len(TORCH)), ids=lambda n: f"{n}-{TORCH[n][1]}")
def test_pytorch_agrees_where_formulas_coincide(number: int) -> None:
    torch = pytest.importorskip("torch")
    ours, name, arguments = TORCH[number]
    weights = [w.astype(np.float64) for w in cases.weights()]
    theirs = [torch.from_numpy(w.copy()) for w in weights]
    optimizer = getattr(torch.optim, name)(theirs, **arguments)
    for step in range(1, cases.STEPS + 1):
        gradients = [g.astype(np.float64) for g in cases.gradients(step)]
        for variable, gradient in zip(theirs, gradients, strict=True):
            variable.grad = torch.from_numpy(gradient)
        optimizer.step()
        ours.apply(gradients, weights)
        for weight, variable in zip(weights, theirs, strict=True):
            np.testing.assert_allclose(weight, variable.numpy(), rtol=0, atol=1e-9)
