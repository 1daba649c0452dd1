# SPDX-License-Identifier: Apache-2.0
"""Saddle points and local minima, with and without momentum.

At a saddle the loss falls in one direction and rises in another; near it the gradient is almost 0,
and plain descent creeps, as if it had arrived. At a poor local minimum it stops for good. Momentum
adds up past gradients: the small ones at a saddle accumulate, and the speed won on the way down
carries it over a low barrier: that is the cure. Here two nets small enough to draw: two linear
units in a row, ŷ = w₂w₁x, whose loss has a saddle at 0; and a tanh unit with a narrow minimum
beside the good one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUNS = {"plain": 0.0, "momentum": 0.9}
X, Y = np.array([[10.0], [0.5]]), np.array([0.3, 0.9])  # what the tanh unit shall learn
WEIGHTS = np.linspace(-0.5, 3.2, 400)


def net(units: int, activation: str, start: list[float]) -> Sequential:
    """Return a chain of single units without biases."""
    chain = [layers.Dense(1, activation, use_bias=False) for _ in range(units)]
    model = Sequential([Input(shape=(1,)), *chain], dtype="float64")
    model.set_weights([[[w]] for w in start])
    return model


def path(model: Sequential, x: Any, y: Any, updates: int) -> tuple[Any, Any]:
    """Return weights and loss, before training and after each update."""
    places, losses = [], []
    for _ in range(updates + 1):
        places.append(np.ravel(model.get_weights()))
        losses.append(model.train_on_batch(x, y))
    return np.array(places), np.array(losses)


def phenomenon(quick: bool = False) -> Results:
    """Train both nets with and without momentum."""
    results: Results = {}
    for name, momentum in RUNS.items():
        model = net(2, "linear", [1.2, -1.19])
        model.compile(optimizers.SGD(0.02, momentum=momentum), "mse")
        places, losses = path(model, [[1.0]], [1.0], 200)
        results[f"{name}_saddle_path"], results[f"{name}_saddle_losses"] = places, losses
        results[f"{name}_saddle"] = int(np.argmax(losses < 0.5)) or len(losses)
        model = net(1, "tanh", [-0.4])
        model.compile(optimizers.SGD(0.005, momentum=momentum), "mse")
        places, losses = path(model, X, Y, 200 if quick else 500)
        results[f"{name}_minimum_path"], results[f"{name}_minimum_losses"] = places, losses
        results[f"{name}_minimum"] = float(losses[-1])
    for weight in WEIGHTS:
        model.set_weights([[[weight]]])
        results.setdefault("curve", []).append(model.evaluate(X, Y))
    return results


def verdict(results: Results) -> str:
    """Say who escapes."""
    return (
        f"Past the saddle after {results['plain_saddle']} updates without momentum, after "
        f"{results['momentum_saddle']} with 0.9; beside the narrow minimum plain descent ends at "
        f"a loss of {results['plain_minimum']:.2f}, with momentum at "
        f"{results['momentum_minimum']:.2f}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the paths past the saddle and past the local minimum."""
    left, right = figure.subplots(1, 2)
    across, up = np.meshgrid(np.linspace(-1.5, 2, 100), np.linspace(-2.6, 1.6, 100))
    left.contour(
        across, up, (across * up - 1) ** 2, np.linspace(0, 5, 16), colors="#bbbbbb", linewidths=0.8
    )
    right.plot(WEIGHTS, results["curve"], color="gray", linewidth=1, label="loss")
    for name, momentum in RUNS.items():
        updates = results[f"{name}_saddle"]
        label = f"momentum {momentum}: past it after {updates} updates"
        left.plot(*results[f"{name}_saddle_path"].T, ".-", markersize=4, linewidth=1, label=label)
        weights, losses = results[f"{name}_minimum_path"], results[f"{name}_minimum_losses"]
        label = f"momentum {momentum}: ends at {results[f'{name}_minimum']:.2f}"
        right.plot(weights, losses, ".-", markersize=4, linewidth=1, label=label)
    left.plot(0, 0, "rX", label="saddle")
    left.plot(1.2, -1.19, "ks", label="start")
    right.plot(-0.4, results["plain_minimum_losses"][0], "ks", label="start")
    left.set(
        xlabel="weight $w_1$",
        ylabel="weight $w_2$",
        title="Saddle of $(w_1 w_2 - 1)^2$; gray: equal loss",
    )
    right.set(
        xlabel="weight w",
        ylabel="loss (mean squared error)",
        title="A narrow local minimum of a tanh unit",
    )
    left.legend(loc="lower left")
    right.legend(loc="center right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
