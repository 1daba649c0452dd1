# SPDX-License-Identifier: Apache-2.0
"""A physics-informed network that solves u'' + u = 0, u(0) = 0, u'(0) = 1: it becomes the sine.

The layer differentiates its own output twice by its input, with tapes in `call`, and returns what
is left of the equation beside u (Raissi, Perdikaris and Karniadakis, 2019). Both belong to one
program of the core: training it takes third derivatives, and no loop of Python's. That u is
tanh(t) + tanh(t)**2 times a network fulfils the initial conditions whatever the weights (Lagaris,
Likas and Fotiadis, 1998), so that the loss is the equation alone.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import GradientTape, Input, Sequential, layers, ops, optimizers

END, EPOCHS, BATCH = 2 * np.pi, 3000, 32


class Oscillation(layers.Layer):
    """u(t) and u'' + u, side by side."""

    def __init__(self):
        super().__init__()
        self.parts = [layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(1)]

    def call(self, t):
        """Return both."""
        with GradientTape() as outer:
            outer.watch(t)
            with GradientTape() as inner:
                inner.watch(t)
                hidden = 2 * t / END - 1
                for part in self.parts:
                    hidden = part(hidden)
                start = ops.tanh(t)
                u = start + start**2 * hidden
            slope = inner.gradient(u, t)
        return ops.concatenate([u, outer.gradient(slope, t) + u], axis=1)


def residual(y_true, y_pred):
    """Return the square of what is left of the equation; there are no targets."""
    return ops.square(y_pred[:, 1])


def main() -> None:
    """Train on 128 points, and compare with the sine between them."""
    t = np.linspace(0, END, 128).reshape(-1, 1)
    steps = EPOCHS * len(t) // BATCH
    model = Sequential([Input((1,)), Oscillation()], seed=1)
    model.compile(optimizers.Adam(optimizers.schedules.CosineDecay(5e-3, steps)), loss=residual)
    model.fit(t, np.zeros(len(t)), batch_size=BATCH, epochs=EPOCHS, verbose=0)

    between = np.linspace(0, END, 1001).reshape(-1, 1)
    exact = np.sin(between[:, 0])
    error = np.linalg.norm(model.predict(between)[:, 0] - exact) / np.linalg.norm(exact)
    check("relative error of u", error, below=1e-3)


if __name__ == "__main__":
    main()
