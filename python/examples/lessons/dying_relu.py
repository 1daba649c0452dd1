# SPDX-License-Identifier: Apache-2.0
"""ReLU units die, and there are three ways to kill them.

A ReLU unit whose z is negative for every row puts out 0 and has slope 0: no gradient reaches its
weights, so that it never comes back. It happens (1) when a learning rate too high throws weights
and bias far to the negative side, (2) when the bias starts large and negative, (3) when the
initial weights do not suit the inputs: mostly negative weights on inputs that are all positive.
The cures are a lower rate, biases of 0, He's initialization on centred inputs; or a leaky ReLU,
whose slope for z < 0 is small but not 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, datasets, initializers, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = 64
NEGATIVE = initializers.RandomNormal(mean=-0.3, stddev=0.1)
LARGE_BIAS = initializers.RandomNormal(mean=-10.0, stddev=0.1)
# Learning rate, initializer of the kernel and of the bias of the hidden layer.
CASES = {
    "healthy": (0.1, "he_normal", "zeros"),
    "high_rate": (8.0, "he_normal", "zeros"),
    "negative_bias": (0.1, "he_normal", LARGE_BIAS),
    "bad_weights": (0.1, NEGATIVE, "zeros"),
}
LABELS = [
    "He, bias 0,\nη = 0.1",
    "1. high rate:\nη = 8",
    "2. bias ≈ -10",
    "3. weights ≈ -0.3\non inputs ≥ 0",
]


def phenomenon(quick: bool = False) -> Results:
    """Train with each cause, and count the hidden units that are off for every row."""
    (x, y), (x_test, y_test) = datasets.load_digits()
    results: Results = {}
    for name, (rate, kernel, bias) in CASES.items():
        hidden = layers.Dense(UNITS, "relu", True, kernel, bias)
        model = Sequential([Input(shape=(64,)), hidden, layers.Dense(10, "softmax")], seed=1)
        model.compile(optimizers.SGD(rate), "sparse_categorical_crossentropy", ["accuracy"])
        # A model of the hidden layer alone shows what its units put out.
        probe = Sequential([Input(shape=(64,)), layers.Dense(UNITS, "relu")])
        for moment in ("before", "after"):
            probe.set_weights(hidden.get_weights())
            results[f"{name}_{moment}"] = float(np.mean(probe.predict(x).max(axis=0) == 0))
            if moment == "before":
                model.fit(x, y, epochs=2 if quick else 10, verbose=0)
        results[f"{name}_accuracy"] = model.evaluate(x_test, y_test)[1]
    return results


def verdict(results: Results) -> str:
    """Say how many units each cause kills."""
    return (
        f"Dead hidden units after training: {results['healthy_after']:.0%} in the healthy net, "
        f"{results['high_rate_after']:.0%} with a rate too high, "
        f"{results['negative_bias_after']:.0%} with a large negative bias, "
        f"{results['bad_weights_after']:.0%} with negative weights on positive inputs."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the share of dead units before and after training."""
    ax = figure.subplots()
    places = np.arange(len(CASES))
    for shift, moment in ((-0.2, "before"), (0.2, "after")):
        heights = [100 * results[f"{name}_{moment}"] for name in CASES]
        bars = ax.bar(places + shift, heights, 0.38, label=f"{moment} training")
        ax.bar_label(bars, fmt="%.0f %%", padding=2)
    accuracies = [f"test accuracy {results[f'{name}_accuracy']:.0%}" for name in CASES]
    texts = [f"{label}\n{text}" for label, text in zip(LABELS, accuracies, strict=True)]
    ax.set_xticks(places, texts)
    ax.set(ylabel=f"dead units of {UNITS} (%)", ylim=(0, 112))
    ax.set_title("Hidden ReLU units that put out 0 for every training row of digits")
    ax.legend(loc="upper left")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
