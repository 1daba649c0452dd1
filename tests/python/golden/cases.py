# SPDX-License-Identifier: Apache-2.0
"""What is recorded from Keras and PyTorch, and replayed: settings, weights and gradients.

Settings are a class name with constructor arguments, the same for Keras and for laminar.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SHAPES = ((3, 4), (4,))
STEPS = 10
RECORDED = (1, 2, 3, 5, 10)  # weights after these; and the averages that use_ema ends with
RATE = 0.05
DECAY = {"name": "ExponentialDecay", "args": [0.05, 3, 0.5]}

OPTIONS: list[dict[str, Any]] = [
    {"clipnorm": 0.5},
    {"clipvalue": 0.4},
    {"global_clipnorm": 0.8},
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"gradient_accumulation_steps": 3},
    {"weight_decay": 0.25},
]
OWN: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"learning_rate": DECAY},
        {"learning_rate": DECAY, "gradient_accumulation_steps": 3},
        {"clipnorm": 0.5, "weight_decay": 0.25, "gradient_accumulation_steps": 2, "use_ema": True},
    ],
    "RMSprop": [
        {"momentum": 0.9},
        {"centered": True},
        {"momentum": 0.5, "centered": True, "rho": 0.6, "epsilon": 0.01},
    ],
    "Adagrad": [{"initial_accumulator_value": 0.0, "epsilon": 0.01}],
    "Adadelta": [{"learning_rate": 1.0, "rho": 0.8, "epsilon": 0.001}],
    "Adam": [
        {"amsgrad": True, "beta_2": 0.5},
        {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01},
        {"learning_rate": DECAY},
        {
            "learning_rate": DECAY,
            "global_clipnorm": 0.8,
            "weight_decay": 0.25,
            "use_ema": True,
            "ema_momentum": 0.5,
            "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 2,
        },
    ],
    "AdamW": [
        {"amsgrad": True, "beta_2": 0.5},
        {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01},
    ],
    "Adamax": [{"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01}],
    "Nadam": [
        {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01},
        {"learning_rate": DECAY, "gradient_accumulation_steps": 3},
    ],
    "Ftrl": [
        {"l1_regularization_strength": 0.5},
        {"l2_regularization_strength": 0.5, "beta": 0.1},
        {"l2_shrinkage_regularization_strength": 0.2, "initial_accumulator_value": 0.5},
        {"learning_rate_power": -0.25},
    ],
    "Lion": [{"beta_1": 0.5, "beta_2": 0.75}],
    "Lamb": [{"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01}],
    "Adafactor": [
        {"clip_threshold": 0.5, "beta_2_decay": -0.5},
        {"epsilon_1": 0.01, "epsilon_2": 2.0, "relative_step": False},
    ],
    "Muon": [
        {"nesterov": False, "momentum": 0.5, "rms_rate": 0.5},
        {"ns_steps": 2, "muon_a": 1.5, "muon_b": -0.5, "muon_c": 0.1, "adam_lr_ratio": 0.5},
        {"weight_decay": 0.5, "adam_weight_decay": 0.25, "adam_beta_1": 0.5, "epsilon": 0.01},
    ],
}
# Keras does not have these: they are PyTorch's, whose names differ.
TORCH: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "Rprop": [
        ({}, {}),
        ({"learning_rate": RATE}, {"lr": RATE}),
        (
            {
                "learning_rate": RATE,
                "eta_minus": 0.25,
                "eta_plus": 1.5,
                "step_min": 0.02,
                "step_max": 0.1,
            },
            {"lr": RATE, "etas": (0.25, 1.5), "step_sizes": (0.02, 0.1)},
        ),
    ],
    "RAdam": [
        ({}, {}),
        ({"learning_rate": RATE}, {"lr": RATE}),
        (
            {"learning_rate": RATE, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.01},
            {"lr": RATE, "betas": (0.5, 0.75), "eps": 0.01},
        ),
    ],
}
SCHEDULES: list[dict[str, Any]] = [
    {"name": "InverseTimeDecay", "args": [0.1, 1, 0.001]},
    {"name": "InverseTimeDecay", "args": [0.1, 4, 0.5, True]},
    {"name": "ExponentialDecay", "args": [0.1, 10, 0.5]},
    {"name": "ExponentialDecay", "args": [0.1, 10, 0.96, True]},
    {"name": "PiecewiseConstantDecay", "args": [[3, 10], [1.0, 0.5, 0.1]]},
    {"name": "PolynomialDecay", "args": [0.1, 20]},
    {"name": "PolynomialDecay", "args": [0.1, 7, 0.01, 2.0, True]},
    {"name": "CosineDecay", "args": [0.1, 20, 0.25]},
    {
        "name": "CosineDecay",
        "args": [0.01, 20],
        "kwargs": {"warmup_target": 0.1, "warmup_steps": 5},
    },
    {"name": "CosineDecayRestarts", "args": [0.1, 6]},
    {"name": "CosineDecayRestarts", "args": [0.1, 6, 1.0, 0.5, 0.1]},
    {"name": "CosineDecayRestarts", "args": [0.1, 5, 1.5, 0.9]},
]
ONE_CYCLES: list[dict[str, Any]] = [
    {},
    {"pct_start": 0.5, "anneal_strategy": "linear", "div_factor": 10.0, "final_div_factor": 100.0},
    {"three_phase": True},
]
SCHEDULE_STEPS = tuple(range(40))
ONE_CYCLE_STEPS = 40


class Case(NamedTuple):
    """An optimizer with its arguments, and the weights that decay leaves alone."""

    name: str
    arguments: dict[str, Any]
    undecayed: tuple[int, ...] = ()


def keras_cases() -> list[Case]:
    """Return every optimizer of Keras with its defaults, with each option, and with its own."""
    cases = []
    for name, own in OWN.items():
        cases.append(Case(name, {}))
        cases += [Case(name, {"learning_rate": RATE, **extra}) for extra in [*OPTIONS, *own]]
        cases.append(Case(name, {"learning_rate": RATE, "weight_decay": 0.5}, (1,)))
    return cases


def torch_cases() -> list[Case]:
    """Return the optimizers that are PyTorch's."""
    return [Case(name, own) for name, pairs in TORCH.items() for own, _ in pairs]


def weights() -> list[NDArray[np.float32]]:
    """Return the weights before the first step."""
    kernel = np.sin(1.0 + np.arange(12.0)).reshape(SHAPES[0])
    return [kernel.astype(np.float32), np.cos(np.arange(4.0)).astype(np.float32)]


def gradients(step: int) -> list[NDArray[np.float32]]:
    """Return the gradients of a step, 1 for the first."""
    at = [np.arange(12.0).reshape(SHAPES[0]), 20 + np.arange(4.0)]
    return [
        (0.8 * np.sin(1.7 * i + 0.9 * step) + 0.3 * np.cos(0.4 * i * step)).astype(np.float32)
        for i in at
    ]
