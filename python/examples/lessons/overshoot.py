# SPDX-License-Identifier: Apache-2.0
"""A step too long jumps over the minimum.

For one weight and the loss (w - 2)², the gradient is 2 (w - 2), and an update multiplies the
distance to the minimum by 1 - 2η. For η < 1/2 the weight creeps up from one side; above, every
step overshoots and lands on the other side; at η > 1 it lands farther away than it came from, and
training diverges. In a net the steepest direction sets this limit for all weights, which is why
scaled inputs allow larger rates. The cure is a smaller rate, or one that decays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES = {"creeps": 0.1, "overshoots": 0.9, "diverges": 1.05}
TARGET = 2.0


def phenomenon(quick: bool = False) -> Results:
    """Train one weight with three rates, from w = 0."""
    results: Results = {}
    for name, rate in RATES.items():
        unit = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        model = Sequential([Input(shape=(1,)), unit], dtype="float64")
        model.compile(optimizers.SGD(rate), "mse")
        weights = [0.0]
        for _ in range(8 if quick else 12):
            model.train_on_batch([[1.0]], [TARGET])
            weights.append(float(unit.get_weights()[0][0, 0]))
        distances = np.array(weights) - TARGET
        results[f"{name}_weights"] = np.array(weights)
        results[name] = float(abs(distances[-1]))
        results[f"{name}_crossings"] = int(np.sum(distances[1:] * distances[:-1] < 0))
    return results


def verdict(results: Results) -> str:
    """Say how often each rate jumped over the minimum, and where it ended."""
    updates = len(results["creeps_weights"]) - 1
    parts = [
        f"η = {rate} crosses the minimum {results[f'{name}_crossings']} times and ends "
        f"{results[name]:.2f} away"
        for name, rate in RATES.items()
    ]
    return f"Of {updates} updates from a distance of {TARGET:.0f}, " + "; ".join(parts) + "."


def draw(results: Results, figure: Figure) -> None:
    """Show the steps on the parabola."""
    axes = figure.subplots(1, len(RATES), sharex=True, sharey=True)
    line = np.linspace(TARGET - 4, TARGET + 4, 200)
    for ax, (name, rate) in zip(axes, RATES.items(), strict=True):
        weights = results[f"{name}_weights"]
        ax.plot(line, (line - TARGET) ** 2, color="gray", linewidth=1, label="loss")
        ax.plot(weights, (weights - TARGET) ** 2, "o-", markersize=4, linewidth=1, label="updates")
        ax.plot(weights[0], (weights[0] - TARGET) ** 2, "ks", label="start")
        ax.set(xlabel="weight w", title=f"η = {rate}: {name}", xlim=(-2, 6), ylim=(-0.5, 14))
    axes[0].set_ylabel("loss (squared error)")
    axes[0].legend(loc="upper center")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
