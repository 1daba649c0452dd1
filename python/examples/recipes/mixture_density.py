# SPDX-License-Identifier: Apache-2.0
"""A mixture density network: several answers to one question, each with its probability.

x follows from y, but not y from x: up to three y give the same x. A network trained on squared
errors gives their mean, which is none of them. Here the outputs are the weights, centres and
widths of normal distributions, and the loss is the negative logarithm of the density of y (Bishop,
1994, Mixture density networks).
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Sequential, layers, ops


def negative_log_likelihood(y_true, y_pred):
    """Return -log of the density of each row, for outputs of three columns a component."""
    logits, centres, log_widths = ops.split(y_pred, 3, axis=-1)
    z = (y_true - centres) * ops.exp(-log_widths)
    log_normal = -0.5 * ops.square(z) - log_widths - 0.5 * np.log(2 * np.pi)
    return -ops.logsumexp(ops.log_softmax(logits) + log_normal, axis=-1)


def measured(rng, rows):
    """Return x and y with x = y + 0.3 sin(2 pi y) and a little noise."""
    y = rng.uniform(0, 1, (rows, 1))
    return y + 0.3 * np.sin(2 * np.pi * y) + rng.uniform(-0.1, 0.1, (rows, 1)), y


def trained(components, x, y):
    """Return a network that gives a mixture of so many normal distributions."""
    model = Sequential([layers.Dense(32, "tanh"), layers.Dense(3 * components)], seed=3)
    model.compile("adam", loss=negative_log_likelihood)
    model.fit(x, y, epochs=80, verbose=0)
    return model


def main() -> None:
    """Compare a mixture with a single normal distribution, on new rows."""
    rng = np.random.default_rng(2)
    x, y = measured(rng, 3000)
    new_x, new_y = measured(rng, 3000)
    one = trained(1, x, y).evaluate(new_x, new_y, verbose=0)
    model = trained(5, x, y)
    several = model.evaluate(new_x, new_y, verbose=0)
    check("negative log-likelihood of one normal distribution", one, above=-0.6, below=0)
    check("that of a mixture of five", several, below=one - 0.4)

    # Around x = 0.5 three y are possible: a mean near each of them has its weight.
    logits, centres, _ = np.split(model.predict(np.array([[0.5]])), 3, axis=-1)
    weights = ops.softmax(logits)
    for y_possible in (0.21, 0.5, 0.79):
        near = weights[np.abs(centres - y_possible) < 0.15].sum()
        check(f"probability near {y_possible}", near, above=0.1, below=0.7)


if __name__ == "__main__":
    main()
