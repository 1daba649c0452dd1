# SPDX-License-Identifier: Apache-2.0
"""A linear model fails on data that no straight line separates.

A single unit decides on which side of a line (in more dimensions: a hyperplane) a point lies,
however long it is trained. XOR and a ring around a disc cannot be cut by one line, so it stays
near chance. One hidden layer of non-linear units bends the plane first: each hidden unit draws a
line, and the output unit combines them. The cure is therefore a hidden layer, not more epochs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = np.linspace(-1.3, 1.3, 80)


def points(kind: str, rows: int) -> tuple[Any, Any]:
    """Return points of two classes in the plane that no line separates."""
    rng = np.random.default_rng(5)
    y = np.arange(rows) % 2
    if kind == "XOR":
        corner = rng.integers(0, 2, rows)
        centre = np.stack([corner, (corner + y) % 2], axis=1) * 1.4 - 0.7
        return centre + rng.normal(0, 0.16, (rows, 2)), y
    angle = rng.uniform(0, 2 * np.pi, rows)
    radius = np.where(y == 1, 1.0, 0.4) + rng.normal(0, 0.07, rows)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), y


def phenomenon(quick: bool = False) -> Results:
    """Train a single unit and a network with one hidden layer on both kinds of points."""
    grid = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
    results: Results = {}
    for kind in ("XOR", "ring"):
        x, y = points(kind, 200)
        for name, hidden in (("linear", []), ("hidden", [layers.Dense(16, "tanh")])):
            model = Sequential([*hidden, layers.Dense(1, "sigmoid")], seed=3)
            model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
            model.optimizer.learning_rate = 0.02
            model.fit(x, y, epochs=40 if quick else 150, verbose=0)
            results[f"{kind}_{name}"] = model.evaluate(x, y)[1]
            results[f"{kind}_{name}_map"] = model.predict(grid).reshape(SIDE.size, SIDE.size)
        results[f"{kind}_points"] = x, y
    return results


def verdict(results: Results) -> str:
    """Say the accuracies."""
    return (
        f"A single unit gets {results['XOR_linear']:.0%} of XOR and {results['ring_linear']:.0%} "
        f"of the ring right, one hidden layer of 16 units {results['XOR_hidden']:.0%} and "
        f"{results['ring_hidden']:.0%}: no line separates them."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show what each model answers, and the points."""
    figure.set_figheight(4)
    axes = figure.subplots(1, 4, sharex=True, sharey=True)
    cases = [(kind, name) for kind in ("XOR", "ring") for name in ("linear", "hidden")]
    for ax, (kind, name) in zip(axes, cases, strict=True):
        values = results[f"{kind}_{name}_map"]
        shade = ax.contourf(SIDE, SIDE, values, np.linspace(0, 1, 11), cmap="RdBu", alpha=0.6)
        ax.contour(SIDE, SIDE, values, [0.5], colors="black", linewidths=1.2)
        x, y = results[f"{kind}_points"]
        for label, colour in ((0, "#b2182b"), (1, "#2166ac")):
            ax.scatter(*x[y == label].T, s=9, color=colour, label=f"class {label}")
        model = "single unit" if name == "linear" else "one hidden layer"
        ax.set(title=f"{kind}, {model}:\n{results[f'{kind}_{name}']:.0%} right", xlabel="$x_1$")
        ax.set_aspect("equal")
    axes[0].set_ylabel("$x_2$")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2)
    scale = figure.colorbar(shade, ax=axes, location="bottom", shrink=0.5)
    scale.set_label("predicted probability of class 1; the black line is at 0.5")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
