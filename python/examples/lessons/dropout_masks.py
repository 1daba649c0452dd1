# SPDX-License-Identifier: Apache-2.0
"""Dropout's masks change with every update.

In training Dropout(0.4) sets each of its inputs to 0 with probability 0.4, anew for every row of
every update, and scales the others by 1 / 0.6. So each update trains another thin net, and no unit
can rely on a particular other one, which keeps a net from learning rows by heart. Prediction
drops nothing. The masks are read off the gradients here: what leaves a dropped unit gets none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = 40
RATE = 0.4
COLOURS = {"dropped": "#e3eef9", "kept": "#3182bd"}


def phenomenon(quick: bool = False) -> Results:
    """Train on one row, and note before each update which units it will drop."""
    hidden = layers.Dense(UNITS, "sigmoid")  # its outputs are never 0 by themselves
    stack = [Input(shape=(3,)), hidden, layers.Dropout(RATE), layers.Dense(1)]
    model = Sequential(stack, dtype="float64", seed=1)
    model.compile(optimizers.SGD(0.01), "mse")
    x, y = [[0.5, -1.0, 2.0]], [1.0]
    masks, losses = [], []
    for _ in range(12 if quick else 24):
        _, gradients = model.loss_and_gradients(x, y)
        masks.append(gradients[2][:, 0] != 0)  # the output layer's kernel, one weight a unit
        losses.append(model.train_on_batch(x, y))
    predictions = {float(model.predict(x)[0, 0]) for _ in range(10)}
    dropped = 1 - np.array(masks).mean(axis=1)
    return {
        "masks": np.array(masks),
        "different": len({mask.tobytes() for mask in masks}),
        "dropped": float(dropped.mean()),
        "least": float(dropped.min()),
        "most": float(dropped.max()),
        "predictions": len(predictions),
    }


def verdict(results: Results) -> str:
    """Say how many masks there were and how much they drop."""
    return (
        f"{len(results['masks'])} updates had {results['different']} different masks, which drop "
        f"{results['dropped']:.0%} of the units on average ({results['least']:.0%} to "
        f"{results['most']:.0%}), while ten predictions gave {results['predictions']} value."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the mask of every update."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    ax = figure.subplots()
    updates = len(results["masks"])
    ax.pcolormesh(
        np.arange(UNITS + 1) + 0.5,
        np.arange(updates + 1) + 0.5,
        results["masks"],
        cmap=ListedColormap(list(COLOURS.values())),
        edgecolors="white",
        linewidth=0.5,
    )
    ax.grid(False)
    ax.invert_yaxis()
    ax.set(xlabel="hidden unit", ylabel="update")
    ax.set_title(
        f"Dropout({RATE}): on average {results['dropped']:.0%} of {UNITS} units are dropped"
    )
    shades = [Patch(color=colour, label=label) for label, colour in COLOURS.items()]
    figure.legend(handles=shades, loc="outside lower center", ncols=2)


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
