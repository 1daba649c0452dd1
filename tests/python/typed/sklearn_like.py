# SPDX-License-Identifier: Apache-2.0
"""A program as one writes it with scikit-learn."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import laminar
from laminar.optimizers.schedules import CosineDecay
from laminar.sklearn import MLPClassifier, MLPRegressor, Perceptron

Array: TypeAlias = NDArray[np.floating[Any]]


def classes() -> None:
    (x, y), (x_test, y_test) = laminar.datasets.load_digits()
    network = MLPClassifier((16, 8), activation=["relu", "gelu"], tol=1.0, random_state=0)
    assert_type(network.fit(x[:200], y[:200]), MLPClassifier)
    assert_type(network.partial_fit(x[:200], y[:200]), MLPClassifier)
    assert_type(network.predict(x_test), NDArray[Any])  # of the type that the classes have
    assert_type(network.predict_proba(x_test), Array)
    assert_type(network.score(x_test, y_test), float)
    assert_type(network.classes_, NDArray[Any])
    assert_type(network.coefs_, list[Array])
    assert_type(network.loss_, float)
    assert_type(network.loss_curve_, list[float])
    assert_type(network.best_loss_, float | None)
    assert_type(network.n_iter_, int)
    assert_type(network.get_params(), dict[str, Any])
    assert_type(network.set_params(alpha=0.1), MLPClassifier)


def numbers() -> None:
    x = np.linspace(0, 1, 40).reshape(20, 2)
    rate = CosineDecay(0.01, 100)
    network = MLPRegressor(hidden_layer_sizes=(4,), learning_rate=rate, ensemble=2, tol=1.0)
    assert_type(network.fit(x, x[:, 0]), MLPRegressor)
    assert_type(network.predict(x), Array)
    assert_type(network.estimators_, list[MLPRegressor])
    assert_type(network.estimators_[0].intercepts_, list[Array])


def planes() -> None:
    x, y = np.array([[0.0, 0.0], [1.0, 1.0]]), ["no", "yes"]
    plane = Perceptron(random_state=1)
    assert_type(plane.fit(x, y), Perceptron)
    assert_type(plane.decision_function(x), Array)
    assert_type(plane.predict(x), NDArray[Any])
    assert_type(plane.sparsify(), Perceptron)


def main() -> None:
    classes()
    numbers()
    planes()


if __name__ == "__main__":
    main()
