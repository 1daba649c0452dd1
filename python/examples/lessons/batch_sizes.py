# SPDX-License-Identifier: Apache-2.0
"""The noise of stochastic descent against mini-batch and batch descent.

Batch descent takes the gradient of all rows: every update lowers the loss, but each costs a pass
over the data. Stochastic descent takes one row an update: many cheap updates that each point only
roughly downhill, so that the weights wander around the minimum and do not settle. A mini-batch of
n rows has 1/√n of that noise and still makes many updates in one pass, which is why it is the
common choice. A learning rate that decays removes the rest of the noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = 256
BATCHES = {"stochastic": 1, "mini-batch": 16, "batch": ROWS}
TARGET = np.array([1.0, 2.0])


def phenomenon(quick: bool = False) -> Results:
    """Train two weights with three batch sizes, and look at the loss after every update."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(ROWS, 2)) * (1.0, 0.6)
    y = x @ TARGET + rng.normal(0, 1.0, ROWS)
    updates = 60 if quick else 150
    results: Results = {"x": x, "y": y}
    for name, size in BATCHES.items():
        unit = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        model = Sequential([Input(shape=(2,)), unit], dtype="float64")
        model.compile(optimizers.SGD(0.08), "mse")
        losses, weights = [model.evaluate(x, y)], [np.zeros(2)]
        for _ in range(updates):
            rows = rng.choice(ROWS, size, replace=False)
            model.train_on_batch(x[rows], y[rows])
            losses.append(model.evaluate(x, y))
            weights.append(unit.get_weights()[0][:, 0])
        results[f"{name}_losses"] = losses
        results[f"{name}_weights"] = np.array(weights)
        results[f"{name}_uphill"] = float(np.mean(np.diff(losses) > 1e-12))
        results[f"{name}_spread"] = float(np.std(weights[updates // 2 :], axis=0).max())
    return results


def verdict(results: Results) -> str:
    """Say how often an update raised the loss."""
    shares = ", ".join(
        f"{results[f'{name}_uphill']:.0%} with batches of {size}" for name, size in BATCHES.items()
    )
    return (
        f"Share of updates that raise the loss over all rows: {shares}; the weights keep "
        f"wandering by ±{results['stochastic_spread']:.2f}, ±{results['mini-batch_spread']:.2f} "
        f"and ±{results['batch_spread']:.3f}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the paths of the weights, and the losses."""
    left, right = figure.subplots(1, 2)
    across, up = np.meshgrid(np.linspace(-0.4, 2.0, 60), np.linspace(-0.3, 3.0, 60))
    errors = results["y"] - np.stack([across, up], axis=-1) @ results["x"].T
    left.contour(across, up, (errors**2).mean(axis=-1), 12, colors="#bbbbbb", linewidths=0.8)
    for (name, size), width in zip(BATCHES.items(), (0.8, 1.4, 2.2), strict=True):
        label = f"{name}: {size} row{'s' if size > 1 else ''} an update"
        left.plot(*results[f"{name}_weights"].T, linewidth=width, label=label)
        right.plot(results[f"{name}_losses"], linewidth=width, label=label)
    left.plot(0, 0, "ks")
    left.annotate("start", (0, 0), (6, -12), textcoords="offset points")
    left.set(xlabel="weight $w_1$", ylabel="weight $w_2$", title="Paths; gray: lines of equal loss")
    right.set(xlabel="update", ylabel="loss over all rows (mean squared error)")
    right.set_title("Loss after each update (SGD, η = 0.08)")
    right.legend()


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
