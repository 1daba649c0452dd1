# SPDX-License-Identifier: Apache-2.0
"""One program for scikit-learn and for laminar, with another import: fit, score, take the time.

`python script.py LIBRARY TASK SEED` prints the score on test rows and the seconds of fit as JSON.
"""

import importlib
import json
import sys
import time
import warnings
from typing import Any

import data
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

MODULES = {
    "laminar": dict.fromkeys(("MLPClassifier", "MLPRegressor", "Perceptron"), "laminar.sklearn"),
    "sklearn": {
        "MLPClassifier": "sklearn.neural_network",
        "MLPRegressor": "sklearn.neural_network",
        "Perceptron": "sklearn.linear_model",
    },
}
Task = tuple[str, str, dict[str, Any]]  # data, estimator, arguments

# Epochs are limited where the default would take minutes.
TASKS: dict[str, Task] = {
    f"{name}, {estimator}{''.join(f', {key}={value}' for key, value in options.items())}": (
        name,
        estimator,
        options,
    )
    for name, estimator, options in [
        ("digits", "MLPClassifier", {}),
        ("digits", "MLPClassifier", {"solver": "sgd", "learning_rate": "adaptive"}),
        ("digits", "MLPClassifier", {"solver": "lbfgs"}),
        ("digits", "MLPClassifier", {"early_stopping": True}),
        ("digits", "MLPClassifier", {"activation": "tanh", "hidden_layer_sizes": (50, 50)}),
        ("digits", "Perceptron", {}),
        ("digits", "Perceptron", {"penalty": "l1"}),
        ("breast cancer", "MLPClassifier", {"activation": "logistic"}),
        ("breast cancer", "MLPClassifier", {"solver": "sgd", "learning_rate": "invscaling"}),
        ("breast cancer", "Perceptron", {"early_stopping": True}),
        ("diabetes", "MLPRegressor", {"hidden_layer_sizes": (20,), "max_iter": 50}),
        ("diabetes", "MLPRegressor", {"solver": "lbfgs", "hidden_layer_sizes": (), "alpha": 1.0}),
        ("adult", "MLPClassifier", {"max_iter": 10}),
        ("adult", "MLPClassifier", {"early_stopping": True, "max_iter": 30}),
        ("adult", "Perceptron", {"penalty": "l2"}),
        ("adult", "Perceptron", {"penalty": "elasticnet", "class_weight": "balanced"}),
        ("housing", "MLPRegressor", {"max_iter": 20}),
        ("housing", "MLPRegressor", {"solver": "sgd", "max_iter": 20}),
        ("housing", "MLPRegressor", {"early_stopping": True, "batch_size": 64, "max_iter": 30}),
    ]
}
# A search over eight networks in so many processes.
SEARCHES = {f"digits, GridSearchCV, n_jobs={jobs}": jobs for jobs in (1, 2)}
GRID = {"alpha": [1e-4, 1e-2], "learning_rate_init": [1e-3, 1e-2], "activation": ["relu", "tanh"]}


def estimator(library: str, name: str) -> Any:
    """Return a class of the library."""
    return getattr(importlib.import_module(MODULES[library][name]), name)


def run(library: str, task: str, seed: int) -> dict[str, Any]:
    """Return what a task came to."""
    if task in SEARCHES:
        x, x_test, y, y_test = data.DATA["digits"]()
        network = estimator(library, "MLPClassifier")(max_iter=20, random_state=seed)
        jobs = SEARCHES[task]
        model = GridSearchCV(network, GRID, cv=3, n_jobs=jobs)
        # The workers' start, with its imports, is no part of the time.
        clone(model).set_params(param_grid={}).fit(x[:200], y[:200])
    else:
        name, kind, options = TASKS[task]
        x, x_test, y, y_test = data.DATA[name]()
        model = estimator(library, kind)(random_state=seed, **options)
    start = time.perf_counter()
    model.fit(x, y)
    seconds = time.perf_counter() - start
    found = getattr(model, "best_params_", {})
    return {"score": model.score(x_test, y_test), "seconds": seconds, "found": found}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of too few epochs
    print(json.dumps(run(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
