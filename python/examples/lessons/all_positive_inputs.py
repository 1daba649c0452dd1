# SPDX-License-Identifier: Apache-2.0
"""Inputs that are all positive make the weights of a unit zig-zag.

The gradient of weight i is delta * x_i with one delta for the whole unit. If every x_i is
positive, all gradients of a row have the sign of delta: one step can only raise all weights of
the unit or lower them all. A target that needs one weight up and another down is then reached by
steps that alternate, along a detour. Sigmoid hidden layers, whose outputs lie between 0 and 1,
do this to the layer behind them. The cure is to centre the inputs (subtract the mean), or an
activation that is centred itself, such as tanh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET = np.array([1.5, -1.5])


def path(x: Any, updates: int) -> Any:
    """Return the two weights of a unit after each update, one row an update, from (0, 0) on."""
    unit = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = Sequential([Input(shape=(2,)), unit], dtype="float64")
    model.compile(optimizers.SGD(0.2), "mse")
    y = x @ TARGET
    places = [np.zeros(2)]
    for i in range(updates):
        row = slice(i % len(x), i % len(x) + 1)
        model.train_on_batch(x[row], y[row])
        places.append(unit.get_weights()[0][:, 0])
    return np.array(places)


def phenomenon(quick: bool = False) -> Results:
    """Train a unit on positive inputs and on the same inputs centred."""
    x = np.random.default_rng(2).uniform(0.2, 1.8, (200, 2))
    results: Results = {}
    for name, inputs in (("positive", x), ("centred", x - x.mean(axis=0))):
        places = path(inputs, 100 if quick else 200)
        steps = np.diff(places, axis=0)
        moved = np.abs(steps).min(axis=1) > 1e-12
        distance = np.linalg.norm(places - TARGET, axis=1)
        arrived = int(np.argmax(distance < 0.1))
        length = np.linalg.norm(steps[:arrived], axis=1).sum()
        results[f"{name}_path"] = places[: arrived + 1]
        results[f"{name}_updates"] = arrived
        results[f"{name}_together"] = float(np.mean(steps[moved].prod(axis=1) > 0))
        results[f"{name}_detour"] = float(length / np.linalg.norm(TARGET))
    return results


def verdict(results: Results) -> str:
    """Say how often the weights moved together, and the detour."""
    return (
        f"With positive inputs both weights moved in the same direction in "
        f"{results['positive_together']:.0%} of the updates and took a path "
        f"{results['positive_detour']:.1f} times the straight one; with centred inputs in "
        f"{results['centred_together']:.0%}, {results['centred_detour']:.1f} times."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show both paths in the plane of the weights."""
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, name in zip(axes, ("positive", "centred"), strict=True):
        places = results[f"{name}_path"]
        ax.plot(*places.T, ".-", linewidth=1, markersize=4, label="weights after each update")
        ax.plot(0, 0, "ks", label="start")
        ax.plot(*TARGET, "r*", markersize=13, label="target")
        ax.set_title(
            f"{name} inputs: {results[f'{name}_updates']} updates,\n"
            f"{results[f'{name}_detour']:.1f} times the straight path"
        )
        ax.set(xlabel="weight $w_1$", aspect="equal")
    axes[0].set_ylabel("weight $w_2$")
    axes[1].legend(loc="upper right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
