# SPDX-License-Identifier: Apache-2.0
"""The gradient vanishes on its way back through a deep sigmoid net.

Back-propagation multiplies, layer by layer, by the weights and by the slope of the activation.
The slope of the sigmoid is at most 0.25, so ten layers leave at most 0.25**10 = 9.5e-7 of it,
unless the weights make up for it: the first layers hardly learn. tanh has slope 1 at zero and
suffers less, but with small random weights, or once it saturates, it vanishes too. ReLU has slope
1 wherever it is on, and He's initialization keeps the variance: that is the cure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Sequential, datasets, initializers, layers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH = 8
NETS = {
    "sigmoid": ("sigmoid", "glorot_uniform", "sigmoid, Glorot"),
    "tanh_small": ("tanh", initializers.RandomNormal(stddev=0.01), "tanh, normal, stddev = 0.01"),
    "tanh": ("tanh", "glorot_uniform", "tanh, Glorot"),
    "relu": ("relu", "he_normal", "ReLU, He"),
}


def phenomenon(quick: bool = False) -> Results:
    """Measure the gradient's norm in each of the 8 hidden layers before training."""
    (x, y), _ = datasets.load_digits()
    rows = 200 if quick else len(x)
    results: Results = {}
    for name, (activation, initializer, _) in NETS.items():
        hidden = [layers.Dense(64, activation, True, initializer) for _ in range(DEPTH)]
        model = Sequential([*hidden, layers.Dense(10, "softmax")], seed=1)
        model.compile("sgd", "sparse_categorical_crossentropy")
        _, gradients = model.loss_and_gradients(x[:rows], y[:rows])
        # Kernel and bias of a layer lie one behind the other in the list of gradients.
        squares = [float(np.sum(g.astype(float) ** 2)) for g in gradients]
        norms = [(squares[2 * i] + squares[2 * i + 1]) ** 0.5 for i in range(DEPTH)]
        results[f"{name}_norms"] = norms
        results[name] = norms[0] / norms[-1]
    return results


def verdict(results: Results) -> str:
    """Say what is left of the gradient in layer 1."""
    return (
        f"From layer {DEPTH} to layer 1 the gradient's norm falls to {results['sigmoid']:.1e} of "
        f"itself in a sigmoid net and to {results['tanh_small']:.1e} in a tanh net with small "
        f"weights; with ReLU and He's initialization {results['relu']:.2f} of it arrives."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the norm of each layer's gradient."""
    ax = figure.subplots()
    numbers = range(1, DEPTH + 1)
    for (name, (_, _, label)), mark in zip(NETS.items(), "ovs^", strict=True):
        text = f"{label}: layer 1 / layer {DEPTH} = {results[name]:.2g}"
        ax.semilogy(numbers, results[f"{name}_norms"], f"{mark}-", label=text)
    ax.set(
        xlabel="hidden layer, from the input", ylabel="norm of the layer's gradient", xticks=numbers
    )
    ax.set_title("Gradient of an untrained net of 8 hidden layers of 64 units, on digits")
    ax.legend(loc="lower right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
