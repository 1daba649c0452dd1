# SPDX-License-Identifier: Apache-2.0
"""Adagrad's learning rate vanishes.

Adagrad divides each step by the root of the sum of all squared gradients so far. The sum only
grows, so that the effective rate η/√s falls like 1/√t even where the gradient stays as it is: it
slows down on the way, however far the minimum still is. RMSprop forgets old gradients by a running
mean, its rate recovers, and that is the cure (Adam and Adadelta do the same). Here one weight has
a long way to go under the absolute error, whose gradient is 1 all the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _lesson import Results, lesson

from laminar import Input, Sequential, layers, optimizers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 0.1
TARGET = 30.0


def phenomenon(quick: bool = False) -> Results:
    """Train one weight with Adagrad and with RMSprop, and note every step."""
    results: Results = {}
    for kind in (optimizers.Adagrad, optimizers.RMSprop):
        name = kind.__name__
        unit = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
        model = Sequential([Input(shape=(1,)), unit], dtype="float64")
        model.compile(kind(learning_rate=RATE), "mae")
        weights = [0.0]
        for _ in range(500 if quick else 1000):
            model.train_on_batch([[1.0]], [TARGET])
            weights.append(float(unit.get_weights()[0][0, 0]))
        steps = np.abs(np.diff(weights))
        results[f"{name}_weights"], results[f"{name}_steps"] = np.array(weights), steps
        results[f"{name}_step"] = float(steps[-1])
        results[f"{name}_distance"] = abs(TARGET - weights[-1])
    return results


def verdict(results: Results) -> str:
    """Say how small the steps have become and how far the weight came."""
    updates = len(results["Adagrad_steps"])
    return (
        f"After {updates} updates with the same gradient Adagrad's step has shrunk from "
        f"{results['Adagrad_steps'][0]:.3f} to {results['Adagrad_step']:.4f} and the weight is "
        f"still {results['Adagrad_distance']:.1f} of {TARGET:.0f} away; RMSprop's step is "
        f"{results['RMSprop_step']:.2f}, and it is {results['RMSprop_distance']:.1f} away."
    )


def draw(results: Results, figure: Figure) -> None:
    """Show the steps, and the way of the weight."""
    left, right = figure.subplots(1, 2)
    for name, line in (("Adagrad", "-"), ("RMSprop", "--")):
        steps = results[f"{name}_steps"]
        left.loglog(range(1, len(steps) + 1), steps, line, label=name)
        right.plot(results[f"{name}_weights"], line, label=name)
    updates = np.arange(1, len(steps) + 1)
    left.loglog(updates, RATE / np.sqrt(updates), "k:", linewidth=1.2, label=r"$\eta/\sqrt{t}$")
    right.axhline(TARGET, color="gray", linewidth=1.2, label="target")
    left.set(xlabel="update t", ylabel="length of the step", title="Step under a gradient of 1")
    right.set(xlabel="update t", ylabel="weight", title=f"Way to the target (η = {RATE})")
    left.legend(loc="lower left")
    right.legend(loc="center right")


main = lesson(__file__, __doc__, phenomenon, verdict, draw)

if __name__ == "__main__":
    main()
