# SPDX-License-Identifier: Apache-2.0
"""Monte-Carlo dropout: intervals that say where a network does not know.

Dropout left on in prediction draws one network after another; how much they differ is what the data
have left open (Gal and Ghahramani, 2016). With the noise that the measurements themselves have,
known from rows set aside, that gives an interval for what would be measured. Among the data it
should hold nine out of ten new measurements, and away from them it should grow.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Input, Sequential, layers, optimizers

DRAWS, NINETY = 100, 1.645


def measured(x, rng):
    """Return measurements at some places."""
    return np.sin(3 * x) + 0.5 * x + rng.normal(0, 0.15, x.shape)


def predicted(model, x):
    """Return the mean of many networks, and their deviation from each other."""
    drawn = np.array([model(x, training=True) for _ in range(DRAWS)])
    return drawn.mean(axis=0), drawn.std(axis=0)


def main() -> None:
    """Learn from two stretches, and look at what is said among and beside them."""
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(-2, -0.5, (400, 1)), rng.uniform(0.5, 2, (400, 1))])
    rng.shuffle(x)
    y = measured(x, rng)
    model = Sequential(
        [
            Input((1,)),
            layers.Dense(100, "relu"),
            layers.Dropout(0.1),
            layers.Dense(100, "relu"),
            layers.Dropout(0.1),
            layers.Dense(1),
        ],
        seed=1,
    )
    model.compile(optimizers.Adam(3e-3), "mse")
    model.fit(x[:600], y[:600], epochs=150, verbose=0)

    mean, doubt = predicted(model, x[600:])
    noise = np.sqrt(max(np.mean((y[600:] - mean) ** 2 - doubt**2), 0))
    new_x = rng.uniform(0.5, 2, (1000, 1)) * rng.choice([-1, 1], (1000, 1))
    mean, doubt = predicted(model, new_x)
    width = NINETY * np.sqrt(noise**2 + doubt**2)
    inside = np.mean(np.abs(measured(new_x, rng) - mean) < width)
    check("share of new measurements in the intervals of 90 %", inside, above=0.84, below=0.96)
    far = predicted(model, np.linspace(4, 5, 50).reshape(-1, 1))[1]
    check("doubt beside the data, in that among them", far.mean() / doubt.mean(), above=3)


if __name__ == "__main__":
    main()
