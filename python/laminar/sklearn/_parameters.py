# SPDX-License-Identifier: Apache-2.0
"""What the constructor arguments of the estimators may be.

They are stored as given and checked by fit, by scikit-learn's own validation where it has the
argument, so that the messages are the same. What only laminar has is checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from .. import activations
from .._component import number
from ..optimizers.schedules import LearningRateSchedule

CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [str, Mapping, activations.Activation, "array-like"],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), LearningRateSchedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "loss": "no_validation",  # laminar.losses knows them
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "batch_normalization": ["boolean"],
    "optimizer": "no_validation",  # laminar.optimizers knows them
    "dtype": [StrOptions({"float32", "float64"}), None],
    "ensemble": [Interval(Integral, 1, None, closed="left")],
}

PERCEPTRON_CONSTRAINTS: dict[str, Any] = {
    "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    "fit_intercept": ["boolean"],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left"), None],
    "shuffle": ["boolean"],
    "verbose": ["verbose"],
    "eta0": [Interval(Real, 0, None, closed="neither")],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "class_weight": [StrOptions({"balanced"}), dict, None],
    "warm_start": ["boolean"],
}

# scikit-learn's names for activations that have another one here.
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}


def hidden_sizes(value: Any) -> list[int]:
    """Return the widths of the hidden layers."""
    sizes = list(value) if hasattr(value, "__iter__") else [value]
    if any(not isinstance(size, Integral) for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be integers, got {sizes}.")
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def hidden_activations(value: Any, layers: int) -> list[activations.Activation]:
    """Return the activation of each hidden layer."""
    several = isinstance(value, Iterable) and not isinstance(value, (str, Mapping))
    given = list(value) if several else [value] * layers
    if len(given) != layers:
        raise ValueError(
            f"activation must be one for all or one for each of {layers} hidden layers, "
            f"got {len(given)}"
        )
    return [
        activations.get(ACTIVATIONS.get(one, one) if isinstance(one, str) else one) for one in given
    ]


def dropout_rates(value: Any, layers: int) -> list[float]:
    """Return the share of outputs that each hidden layer drops."""
    given = list(value) if isinstance(value, Iterable) else [value] * layers
    if len(given) != layers:
        raise ValueError(
            f"dropout must be one rate for all or one for each of {layers} hidden layers, "
            f"got {len(given)}"
        )
    rates = [float(number(rate, "dropout")) for rate in given]
    for rate in rates:
        if not 0 <= rate < 1:
            raise ValueError(f"dropout must be in [0, 1), got {rate}")
    return rates
