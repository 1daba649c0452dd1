# SPDX-License-Identifier: Apache-2.0
"""An asymmetric loss: too little costs more than too much.

Someone who bakes too few loaves loses customers, one too many loses a loaf. The linex loss
exp(a e) - a e - 1 of the error e = y - p grows exponentially on one side and linearly on the other
(Varian, 1975). Around a normal distribution of deviation s it is least at a s**2 / 2 above the
mean: the network must learn how uncertain it is, to know how much to add.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Sequential, layers, ops, optimizers

A = 2.0


def linex(y_true, y_pred):
    """Return exp(a e) - a e - 1, where too low an output is the dear side."""
    e = A * (y_true - y_pred)
    return ops.mean(ops.expm1(e) - e, axis=-1)


def curve(x):
    """Return the mean and the deviation of what is measured at x."""
    return np.sin(4 * x), 0.3 + 0.5 * x


def main() -> None:
    """Train with the linex loss and with squared errors, and compare what both cost."""
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 1, (6000, 1))
    mean, deviation = curve(x)
    y = mean + deviation * rng.normal(size=x.shape)
    train, test = slice(4000), slice(4000, None)
    predicted = {}
    for name, loss in (("linex", linex), ("squares", "mse")):
        model = Sequential([layers.Dense(32, "tanh"), layers.Dense(1)], seed=1)
        model.compile(optimizers.Adam(0.003), loss=loss)
        model.fit(x[train], y[train], batch_size=128, epochs=100, verbose=0)
        predicted[name] = model.predict(x[test])
    cost = {name: np.mean(linex(y[test], p)) for name, p in predicted.items()}
    check("cost on new rows after training on squares", cost["squares"], above=0.7)
    check("cost after training on it", cost["linex"], below=0.85 * cost["squares"])
    added = predicted["linex"] - mean[test]
    wrong = np.mean(np.abs(added - A * deviation[test] ** 2 / 2))
    check("mean distance of what is added from a s**2 / 2", wrong, below=0.15)


if __name__ == "__main__":
    main()
