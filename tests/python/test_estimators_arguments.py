# SPDX-License-Identifier: Apache-2.0
"""Every argument of scikit-learn's constructors, given to its estimators and to laminar's."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

from sklearn.utils._param_validation import generate_invalid_param_val, make_constraint
from swap import NAMES, NETWORKS, data, fit, peer, same

import laminar.sklearn as own

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", NAMES)
def test_same_signatures(name: str) -> None:
    ours, theirs = getattr(own, name), getattr(peer, name)
    for member in ["__init__", *(key for key in dir(theirs) if not key.startswith("_"))]:
        if not callable(getattr(theirs, member, None)) or member.startswith("set_"):
            continue
        wanted = inspect.signature(getattr(theirs, member)).parameters
        given = inspect.signature(getattr(ours, member)).parameters
        shared = [(p.name, p.default, p.kind) for p in given.values() if p.name in wanted]
        assert shared == [(p.name, p.default, p.kind) for p in wanted.values()], member


# ---- Every argument of the constructors.

NETWORK_OPTIONS: list[dict[str, Any]] = [
    *({"activation": kind} for kind in ("identity", "logistic", "tanh", "relu")),
    *({"hidden_layer_sizes": sizes} for sizes in (5, (), [4, 3], np.array([3]))),
    *({"solver": kind} for kind in ("sgd", "adam", "lbfgs")),
    {"solver": "lbfgs", "max_iter": 2},
    *(
        {"solver": "sgd", "learning_rate": kind, "power_t": 0.3, "verbose": True}
        for kind in ("constant", "invscaling", "adaptive")
    ),
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 9, "max_iter": 60, "verbose": True},
    {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False},
    {"beta_1": 0.5, "beta_2": 0.0, "epsilon": 1.0, "learning_rate_init": 0.1, "alpha": 0},
    {"early_stopping": True, "validation_fraction": 0.3, "verbose": True},
    {"early_stopping": True, "n_iter_no_change": 1, "max_iter": 30},
    {"tol": 9, "n_iter_no_change": 1, "verbose": True},
    {"n_iter_no_change": np.inf},
    {"batch_size": 7, "shuffle": False},
    {"batch_size": 1000},
    {"random_state": None},
    {"random_state": np.random.RandomState(0)},
    {"warm_start": True},
    {"max_fun": 100},
]
PERCEPTRON_OPTIONS: list[dict[str, Any]] = [
    *({"penalty": kind, "alpha": 0.01} for kind in (None, "l2", "l1", "elasticnet")),
    {"penalty": "elasticnet", "l1_ratio": 0.5},
    {"early_stopping": True, "validation_fraction": 0.3, "shuffle": False, "verbose": 1},
    {"max_iter": 100, "tol": 0.1, "n_iter_no_change": 2, "shuffle": False, "verbose": 1},
    {"fit_intercept": False, "eta0": 0.1, "n_jobs": 1, "shuffle": False},
    {"class_weight": "balanced"},
    {"class_weight": {0: 2.0, 2: 1, 4: 1}},
    {"class_weight": {0: 2.0}},
    {"class_weight": {7: 2.0}},
    {"random_state": None},
    {"warm_start": True},
]
OPTIONS = [
    *((name, options) for name in NETWORKS for options in NETWORK_OPTIONS),
    ("MLPRegressor", {"loss": "squared_error"}),
    *(("Perceptron", options) for options in PERCEPTRON_OPTIONS),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_same_options(name: str, options: dict[str, Any]) -> None:
    same(name, fit, **options)


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_among_them(name: str) -> None:
    wanted = set(inspect.signature(getattr(peer, name)).parameters)
    assert wanted <= {key for other, options in OPTIONS if other == name for key in options}


# What laminar takes more values of.
WIDER = ("activation", "learning_rate", "loss")


@pytest.mark.parametrize("name", NAMES)
def test_same_errors_of_arguments(name: str) -> None:
    known = inspect.signature(getattr(peer, name)).parameters
    thing = type("Thing", (), {})()
    for key, constraints in getattr(peer, name)._parameter_constraints.items():
        if key not in known or constraints == "no_validation":
            continue
        wrong: list[Any] = [thing]
        for constraint in constraints:
            with contextlib.suppress(NotImplementedError):
                wrong.append(generate_invalid_param_val(make_constraint(constraint)))
        for value in wrong:
            if key not in WIDER:
                assert same(name, fit, **{key: value})["error"] is not None
                continue
            with pytest.raises((TypeError, ValueError), match=rf"{key}|not {value}"):
                getattr(own, name)(**{key: value}).fit(*data(name))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("sizes", [(3, 0), -1, "wide"])
def test_same_errors_of_sizes(name: str, sizes: Any) -> None:
    assert same(name, fit, hidden_layer_sizes=sizes)["error"] is not None
