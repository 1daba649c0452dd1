# SPDX-License-Identifier: Apache-2.0
"""Learning rates that decay.

With a constant rate mini-batch descent comes near the minimum quickly and then wanders around it,
in a cloud whose size is proportional to η. A rate that decays does both: large steps first, small
ones when there is only noise left. The notes' time-based decay is η₀ / (1 + k t); steps, half a
cosine wave and an exponential are others. Decaying too fast is worse than not at all: the steps
become too small before the weights have arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, layers, optimizers
from laminar.optimizers import schedules

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 0.02
ROWS, BATCH, EPOCHS = 512, 16, 60
UPDATES = EPOCHS * ROWS // BATCH
RATES = {
    "constant": (RATE, "constant"),
    "time": (schedules.InverseTimeDecay(RATE, 1, 0.01), "time-based: η₀ / (1 + 0.01 t)"),
    "steps": (
        schedules.PiecewiseConstantDecay(
            [UPDATES // 3, 2 * UPDATES // 3], [RATE, RATE / 5, RATE / 25]
        ),
        "a fifth at each third",
    ),
    "cosine": (schedules.CosineDecay(RATE, UPDATES), "half a cosine wave"),
    "too_fast": (schedules.ExponentialDecay(RATE, 1, 0.95), "exponential, too fast: η₀ · 0.95ᵗ"),
}


def phenomenon(quick: bool = False) -> Results:
    """Train the same noisy problem with each rate."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, 10))
    y = x @ rng.normal(size=10) + rng.normal(size=ROWS)
    least = float(np.linalg.lstsq(x, y, rcond=None)[1][0]) / ROWS
    updates = np.arange(0, UPDATES, 8)
    results: Results = {"updates": updates}
    for name, (rate, _) in RATES.items():
        model = Sequential([layers.Dense(1, use_bias=False)], dtype="float64", seed=1)
        model.compile(optimizers.SGD(rate), "mse")
        # Validation on the training rows: the loss over all of them at the end of each epoch.
        history = model.fit(x, y, BATCH, EPOCHS, validation_data=(x, y), verbose=0)
        excess = np.array(history.history["val_loss"]) - least
        rates = rate(updates) if callable(rate) else np.full(updates.size, rate)
        results[f"{name}_rates"] = rates
        results[f"{name}_excess"] = excess
        results[name] = float(excess[-5:].mean())
    return results


def verdict(results: Results) -> str:
    """Say how near to the least loss each rate comes."""
    return (
        f"In the last epochs the loss lies {results['constant']:.1e} above the least possible "
        f"with a constant rate, {results['time']:.1e} with the time-based decay, "
        f"{results['steps']:.1e} with steps, {results['cosine']:.1e} with the cosine, and "
        f"{results['too_fast']:.1e} with a decay that is too fast."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the rates and the losses."""
    left, right = figure.subplots(1, 2)
    for name, (_, label) in RATES.items():
        left.plot(results["updates"], results[f"{name}_rates"], label=label)
        right.semilogy(range(1, EPOCHS + 1), results[f"{name}_excess"], linewidth=1.2)
    left.set(xlabel="update t", ylabel="learning rate η", title="Rate")
    right.set(xlabel=f"epoch ({ROWS // BATCH} updates)", ylabel="loss above the least possible")
    right.set_title("What it reaches (mean squared error)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
