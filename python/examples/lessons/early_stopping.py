# SPDX-License-Identifier: Apache-2.0
"""The early-stopping point: where the validation loss turns.

At first a net learns what holds for all rows, and training and validation loss fall together.
Then it begins to learn what is peculiar to the training rows, here labels that are wrong: the
training loss falls on, the validation loss rises. The best weights are those of the turning point.
EarlyStopping waits `patience` epochs to be sure that it was the turning point, stops, and sets the
weights of the best epoch again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, callbacks, datasets, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PATIENCE = 10


def network() -> Sequential:
    """Return a net that is large enough to learn wrong labels by heart."""
    model = Sequential([layers.Dense(128, "relu"), layers.Dense(10, "softmax")], seed=1)
    model.compile(optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    return model


def phenomenon(quick: bool = False) -> Results:
    """Train through the turning point, and once more with EarlyStopping."""
    (x, y), validation = datasets.load_digits()
    x, y = x[:400], y[:400].copy()
    wrong = np.random.default_rng(1).random(len(y)) < 0.3
    y[wrong] = (y[wrong] + 3) % 10
    long = network().fit(x, y, epochs=40 if quick else 60, validation_data=validation, verbose=0)
    model = network()
    stop = callbacks.EarlyStopping(patience=PATIENCE)
    model.fit(x, y, epochs=200, validation_data=validation, callbacks=[stop], verbose=0)
    return {
        "loss": long.history["loss"],
        "val_loss": long.history["val_loss"],
        "best_epoch": stop.best_epoch + 1,
        "stopped_epoch": stop.stopped_epoch + 1,
        "best": stop.best,
        "kept": model.evaluate(*validation),
        "last": long.history["val_loss"][-1],
        "first_train": long.history["loss"][stop.best_epoch],
        "last_train": long.history["loss"][-1],
    }


def verdict(results: Results) -> str:
    """Say where the turning point is and what it is worth."""
    return (
        f"The validation loss is least after epoch {results['best_epoch']} "
        f"({results['best']:.2f}), EarlyStopping stops after epoch {results['stopped_epoch']} and "
        f"keeps {results['kept']:.2f}; after {len(results['loss'])} epochs it is "
        f"{results['last']:.2f}, although the training loss fell from "
        f"{results['first_train']:.2f} to {results['last_train']:.2f}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show both losses and the two epochs."""
    ax = figure.subplots()
    epochs = range(1, len(results["loss"]) + 1)
    ax.plot(epochs, results["loss"], label="training loss (30 % of the labels are wrong)")
    ax.plot(epochs, results["val_loss"], label="validation loss")
    ax.plot(results["best_epoch"], results["best"], "k*", markersize=13)
    ax.axvline(
        results["best_epoch"],
        color="black",
        linestyle="--",
        linewidth=1.2,
        label=f"best weights: epoch {results['best_epoch']}",
    )
    ax.axvline(
        results["stopped_epoch"],
        color="black",
        linestyle=":",
        linewidth=1.2,
        label=f"stop after {PATIENCE} more: epoch {results['stopped_epoch']}",
    )
    ax.set(xlabel="epoch", ylabel="loss (cross-entropy, nats)", ylim=(0, None))
    ax.set_title("400 digits, 128 hidden units, Adam")
    ax.legend(loc="upper right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
