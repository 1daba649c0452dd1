# SPDX-License-Identifier: Apache-2.0
"""Record ten steps of every optimizer, and every schedule, from Keras 3 and PyTorch.

    KERAS_BACKEND=torch python tests/python/golden/record_keras.py

needs keras and torch and writes recorded.npz beside this file. test_golden.py replays it. All is
computed in float64: in float32 Keras loses digits of 1 - beta_2**t, 2e-6 of a step of 0.05.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from cases import (
    ONE_CYCLE_STEPS,
    ONE_CYCLES,
    RECORDED,
    SCHEDULE_STEPS,
    SCHEDULES,
    STEPS,
    TORCH,
    Case,
    gradients,
    keras_cases,
    weights,
)

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import torch

keras.config.set_floatx("float64")


def flat(arrays: list[Any]) -> np.ndarray[Any, Any]:
    """Return all values in a row."""
    return np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in arrays])


def schedule(case: dict[str, Any]) -> Any:
    """Return a schedule of Keras."""
    cls = getattr(keras.optimizers.schedules, case["name"])
    return cls(*case["args"], **case.get("kwargs", {}))


def keras_steps(case: Case) -> np.ndarray[Any, Any]:
    """Return the weights after the recorded steps, and at the end of training."""
    arguments = dict(case.arguments)
    if isinstance(arguments.get("learning_rate"), dict):
        arguments["learning_rate"] = schedule(arguments["learning_rate"])
    optimizer = getattr(keras.optimizers, case.name)(**arguments)
    variables = [
        keras.Variable(w.astype(np.float64), name=f"w{i}") for i, w in enumerate(weights())
    ]
    if case.undecayed:
        optimizer.exclude_from_weight_decay(var_list=[variables[i] for i in case.undecayed])
    rows = []
    for step in range(1, STEPS + 1):
        optimizer.apply(
            [torch.from_numpy(g.astype(np.float64)) for g in gradients(step)], variables
        )
        if step in RECORDED:
            rows.append(flat([v.numpy() for v in variables]))
    optimizer.finalize_variable_values(variables)
    return np.stack([*rows, flat([v.numpy() for v in variables])])


def torch_steps(name: str, arguments: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return the same of an optimizer of PyTorch."""
    variables = [torch.from_numpy(w.astype(np.float64)) for w in weights()]
    optimizer = getattr(torch.optim, name)(variables, **arguments)
    rows = []
    for step in range(1, STEPS + 1):
        for variable, gradient in zip(variables, gradients(step), strict=True):
            variable.grad = torch.from_numpy(gradient.astype(np.float64))
        optimizer.step()
        if step in RECORDED:
            rows.append(flat([v.numpy() for v in variables]))
    return np.stack([*rows, rows[-1]])


def one_cycle(arguments: dict[str, Any]) -> list[float]:
    """Return the learning rates of PyTorch's schedule."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.5, total_steps=ONE_CYCLE_STEPS, **arguments
    )
    rates = []
    for _ in range(ONE_CYCLE_STEPS):
        rates.append(cycle.get_last_lr()[0])
        if len(rates) < ONE_CYCLE_STEPS:
            optimizer.step()
            cycle.step()
    return rates


if __name__ == "__main__":
    keras_version = f"keras {keras.__version__} ({keras.backend.backend()})"
    np.savez_compressed(
        Path(__file__).with_name("recorded.npz"),
        versions=f"{keras_version}, torch {torch.__version__}",
        keras=np.stack([keras_steps(case) for case in keras_cases()]),
        torch=np.stack([torch_steps(name, a) for name, all_ in TORCH.items() for _, a in all_]),
        schedules=np.array(
            [[float(schedule(case)(step)) for step in SCHEDULE_STEPS] for case in SCHEDULES]
        ),
        one_cycle=np.array([one_cycle(arguments) for arguments in ONE_CYCLES]),
    )
