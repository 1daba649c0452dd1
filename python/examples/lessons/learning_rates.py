# SPDX-License-Identifier: Apache-2.0
"""A learning rate too low, a good one, and one too high.

The rate η scales every step. Too low, and training does the right thing so slowly that it looks
stuck; too high, and the steps jump past the minimum, the loss hovers or grows, and may become
infinite. The good rates lie between, and often span a factor of ten. The cure is to try rates on
a logarithmic scale and to take the largest that still falls smoothly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, datasets, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATES = {"too_low": 0.0005, "good": 0.2, "too_high": 1.5}


def phenomenon(quick: bool = False) -> Results:
    """Train the same net from the same start with three rates."""
    (x, y), _ = datasets.load_digits()
    results: Results = {}
    for name, rate in RATES.items():
        model = Sequential([layers.Dense(32, "relu"), layers.Dense(10, "softmax")], seed=1)
        model.compile(optimizers.SGD(rate), "sparse_categorical_crossentropy")
        model.build(x.shape)
        start = model.evaluate(x, y)
        try:
            model.fit(x, y, epochs=8 if quick else 30, verbose=0)
        except FloatingPointError:  # the loss is no longer finite
            model.history.history["loss"].append(np.inf)
        results[f"{name}_losses"] = [start, *model.history.history["loss"]]
        results[name] = results[f"{name}_losses"][-1]
    results["start"] = start
    return results


def verdict(results: Results) -> str:
    """Say where each rate ends."""
    return (
        f"From a loss of {results['start']:.2f}, {len(results['good_losses']) - 1} epochs lead to "
        f"{results['too_low']:.2f} with η = {RATES['too_low']}, to {results['good']:.3f} with "
        f"η = {RATES['good']} and to {results['too_high']:.2f} with η = {RATES['too_high']}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the three loss curves."""
    ax = figure.subplots()
    for (name, rate), mark in zip(RATES.items(), "vos", strict=True):
        label = f"η = {rate}: {name.replace('_', ' ')}"
        ax.semilogy(results[f"{name}_losses"], f"{mark}-", markersize=4, label=label)
    ax.set(xlabel="epoch", ylabel="training loss (cross-entropy, nats)")
    ax.set_title("SGD on digits with three learning rates")
    ax.legend(loc="lower left")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
