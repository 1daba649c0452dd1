# SPDX-License-Identifier: Apache-2.0
"""A focal loss of one's own, beside the built-in one.

Where few rows are positive, the many negatives that are easy outweigh them. The focal loss takes
each row's cross-entropy times (1 - p)**gamma, p being the probability of the right class: what is
easy hardly counts (Lin, Goyal, Girshick, He and Dollár, 2017, arXiv:1708.02002). A class below
`losses.Loss` keeps the argument.
"""

from __future__ import annotations

import time

import numpy as np
from _recipe import check

from laminar import Sequential, layers, losses, ops


class Focal(losses.Loss):
    """Focal loss on logits: -(1 - p)**gamma log p of the right class."""

    def __init__(self, gamma=2.0):
        super().__init__()
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """Return a number for each row; targets are 0 and 1."""
        log_p = ops.log_sigmoid((2 * y_true - 1) * y_pred)
        return -ops.mean((1 - ops.exp(log_p)) ** self.gamma * log_p, axis=-1)


def rows(rng, number):
    """Return points of which most of those in a small disc are positive."""
    x = rng.normal(size=(number, 2))
    inside = np.sum((x - 1) ** 2, axis=1) < 0.4
    return x, (inside & (rng.uniform(size=number) < 0.9)).astype(float)


def main() -> None:
    """Train with both losses, from the same weights."""
    rng = np.random.default_rng(4)
    (x, y), new = rows(rng, 4000), rows(rng, 4000)
    builtin = losses.BinaryFocalCrossentropy(gamma=2.0, from_logits=True)
    curves, auc, seconds = {}, {}, {}
    for name, loss in (("built-in", builtin), ("own", Focal(gamma=2.0))):
        model = Sequential([layers.Dense(32, "relu"), layers.Dense(1)], seed=1)
        model.compile("adam", loss=loss, metrics=["auc"])
        began = time.perf_counter()
        curves[name] = np.array(model.fit(x, y, epochs=30, verbose=0).history["loss"])
        seconds[name] = time.perf_counter() - began
        auc[name] = model.evaluate(*new, verbose=0)[1]
    apart = np.max(np.abs(curves["own"] / curves["built-in"] - 1))
    check("largest relative difference of an epoch's loss", apart, below=1e-3)
    check("AUC of new rows", auc["own"], above=0.95)
    print(f"training: {seconds['own']:.2f} s, with the built-in loss {seconds['built-in']:.2f} s")


if __name__ == "__main__":
    main()
