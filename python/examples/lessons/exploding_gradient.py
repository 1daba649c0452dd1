# SPDX-License-Identifier: Apache-2.0
"""The gradient explodes where the initial weights are too large.

Each layer multiplies the signal, and on the way back the gradient, by about √(width / 2) * s in a
ReLU net with weights of standard deviation s. With 64 units and s = 1 that is 5.7 a layer: after
eight layers the output is a million times too large, and so is the error that the gradient
starts from; the first update throws the weights far away, and the loss becomes infinite. He's
initialization chooses s = √(2 / width), so that the factor is 1: that is the cure. Smaller rates
and clipped gradients only treat the symptom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, initializers, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH = 8
WIDTH = 64
STARTS = {
    "large": (initializers.RandomNormal(stddev=1.0), "normal, stddev = 1"),
    "he": (initializers.HeNormal(), f"He, stddev = √(2 / {WIDTH}) = {(2 / WIDTH) ** 0.5:.2f}"),
}


def phenomenon(quick: bool = False) -> Results:
    """Measure the gradients at the start, then train."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(256, WIDTH))
    y = np.tanh(x[:, 0] + x[:, 1] * x[:, 2])
    results: Results = {}
    for name, (initializer, _) in STARTS.items():
        hidden = [layers.Dense(WIDTH, "relu", kernel_initializer=initializer) for _ in range(DEPTH)]
        model = Sequential([*hidden, layers.Dense(1, kernel_initializer=initializer)], seed=1)
        model.compile(optimizers.SGD(0.01), "mse")
        loss, gradients = model.loss_and_gradients(x, y)
        losses = [loss]
        try:
            for _ in range(10 if quick else 30):
                model.train_on_batch(x, y)
                losses.append(model.evaluate(x, y))
        except FloatingPointError:  # what laminar raises where the loss is no longer finite
            losses.append(np.inf)
        norms = [np.linalg.norm(gradients[2 * i].astype(float)) for i in range(DEPTH)]
        results[f"{name}_norms"] = norms
        results[name] = float(norms[0])
        results[f"{name}_losses"] = losses
        results[f"{name}_finite"] = int(np.isfinite(losses).sum())
    return results


def verdict(results: Results) -> str:
    """Say how large the gradients are and what became of the training."""
    return (
        f"With weights of stddev 1 the gradient's norm in layer 1 is {results['large']:.0e}, and "
        f"the loss is not finite after update {results['large_finite']}; with He's initialization "
        f"the norm is {results['he']:.2f} and the loss falls to {results['he_losses'][-1]:.2f}."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the gradients of all layers, and the loss."""
    left, right = figure.subplots(1, 2)
    numbers = range(1, DEPTH + 1)
    for (name, (_, label)), mark in zip(STARTS.items(), "os", strict=True):
        left.semilogy(numbers, results[f"{name}_norms"], f"{mark}-", label=label)
        finite = results[f"{name}_finite"]
        losses = results[f"{name}_losses"][:finite]
        right.semilogy(losses, f"{mark}-", markersize=4, label=label)
        if finite < len(results[f"{name}_losses"]):
            right.text(finite, losses[-1], "then no longer finite", va="center")
    left.set(xlabel="hidden layer, from the input", ylabel="norm of the kernel's gradient")
    left.set(title="Gradients before training", xticks=numbers)
    right.set(
        xlabel="update", ylabel="loss (mean squared error)", title="Training with SGD, η = 0.01"
    )
    left.legend(loc="center")
    right.legend(loc="center right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
