# SPDX-License-Identifier: Apache-2.0
"""The loss stands still far from the minimum: a saturated sigmoid under squared error.

The gradient of the squared error by z is 2 (a - y) a (1 - a). Where the unit is wrong and sure of
it (a near 1 for y = 0), the factor a (1 - a) is almost 0: the larger the error, the smaller the
step, and the loss curve is flat, as at a minimum. The cross-entropy's gradient is a - y, without
that factor, and the same unit learns at once. The cure is the loss that belongs to the sigmoid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOSSES = {"mse": "squared error", "binary_crossentropy": "binary cross-entropy"}


def phenomenon(quick: bool = False) -> Results:
    """Train a unit that starts out sure of the wrong class, under both losses."""
    rng = np.random.default_rng(3)
    y = np.arange(200) % 2
    x = (rng.normal(0, 0.4, 200) + np.where(y == 1, 1, -1)).reshape(-1, 1)
    results: Results = {}
    for loss in LOSSES:
        model = Sequential([Input(shape=(1,)), layers.Dense(1, "sigmoid")], dtype="float64")
        model.set_weights([[[-10.0]], [0.0]])  # the right weight is positive
        model.compile(optimizers.SGD(0.5), loss, metrics=["mse"])
        results[f"{loss}_gradient"] = abs(float(model.loss_and_gradients(x, y)[1][0][0, 0]))
        errors = [model.evaluate(x, y)[1]]
        history = model.fit(x, y, batch_size=None, epochs=100 if quick else 300, verbose=0)
        results[f"{loss}_errors"] = errors + history.history["mse"]
        results[loss] = results[f"{loss}_errors"][-1]
    return results


def verdict(results: Results) -> str:
    """Say where both trainings end."""
    return (
        f"From the same wrong start the gradient is {results['mse_gradient']:.3f} under squared "
        f"error and {results['binary_crossentropy_gradient']:.3f} under cross-entropy; after "
        f"{len(results['mse_errors']) - 1} updates the squared error is {results['mse']:.2f} "
        f"against {results['binary_crossentropy']:.3f}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the squared error of both trainings."""
    ax = figure.subplots()
    for loss, label in LOSSES.items():
        gradient = results[f"{loss}_gradient"]
        text = f"trained with {label}: first gradient {gradient:.3f}"
        ax.plot(results[f"{loss}_errors"], label=text)
    ax.set(
        xlabel="update", ylabel="mean squared error of the predicted probability", ylim=(0, 1.05)
    )
    ax.set_title("A sigmoid unit that starts sure of the wrong class (SGD, η = 0.5)")
    ax.legend(loc="center right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
