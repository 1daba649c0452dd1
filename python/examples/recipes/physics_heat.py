# SPDX-License-Identifier: Apache-2.0
"""A physics-informed network that solves the heat equation u_t = D u_xx on a rod.

Its ends are kept at 0, and at first its temperature is sin(pi x): it cools as
exp(-D pi**2 t) sin(pi x). As in physics_ode.py the layer differentiates its own output, here by
both of its inputs, and the form of u fulfils the conditions at the ends and at the start. The
points are random: no grid is needed, and none would help.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import GradientTape, Input, Sequential, layers, ops, optimizers

D, POINTS, EPOCHS, BATCH = 0.1, 1024, 600, 128


class Rod(layers.Layer):
    """u(x, t) and u_t - D u_xx, side by side."""

    def __init__(self):
        super().__init__()
        self.parts = [layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(1)]

    def call(self, points):
        """Return both."""
        x, t = points[:, :1], points[:, 1:]
        with GradientTape() as outer:
            outer.watch(x)
            with GradientTape() as inner:
                inner.watch([x, t])
                hidden = 2 * ops.concatenate([x, t], axis=1) - 1
                for part in self.parts:
                    hidden = part(hidden)
                u = ops.sin(np.pi * x) + t * x * (1 - x) * hidden
            u_x, u_t = inner.gradient(u, [x, t])
        return ops.concatenate([u, u_t - D * outer.gradient(u_x, x)], axis=1)


def residual(y_true, y_pred):
    """Return the square of what is left of the equation; there are no targets."""
    return ops.square(y_pred[:, 1])


def main() -> None:
    """Train on random points, and compare with the solution on a grid."""
    points = np.random.default_rng(3).uniform(size=(POINTS, 2))
    steps = EPOCHS * POINTS // BATCH
    model = Sequential([Input((2,)), Rod()], seed=1)
    model.compile(optimizers.Adam(optimizers.schedules.CosineDecay(5e-3, steps)), loss=residual)
    model.fit(points, np.zeros(POINTS), batch_size=BATCH, epochs=EPOCHS, verbose=0)

    x, t = map(np.ravel, np.meshgrid(np.linspace(0, 1, 51), np.linspace(0, 1, 51)))
    exact = np.exp(-D * np.pi**2 * t) * np.sin(np.pi * x)
    found = model.predict(np.stack([x, t], axis=1))[:, 0]
    error = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    check("relative error of u", error, below=1e-3)


if __name__ == "__main__":
    main()
