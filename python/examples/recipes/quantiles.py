# SPDX-License-Identifier: Apache-2.0
"""Several quantiles at once: a band that holds 90 % of what will be measured.

The pinball loss q max(e, 0) + (1 - q) max(-e, 0) of the error e = y - p is least where p is the
quantile q of y (Koenker and Bassett, 1978). One network gives all quantiles, each as the one below
plus a positive step, so that they never cross.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Sequential, layers, ops, optimizers

LEVELS = np.array([0.05, 0.5, 0.95])


class Rising(layers.Layer):
    """The first column as it is, each further one as a positive step."""

    def call(self, inputs):
        """Return the sums of the first column and the steps up to each."""
        steps = ops.softplus(inputs[:, 1:])
        return ops.cumsum(ops.concatenate([inputs[:, :1], steps], axis=1), axis=1)


def pinball(y_true, y_pred):
    """Return the mean over the levels of the pinball loss, for each row."""
    e = y_true - y_pred  # one column of targets, one of outputs for each level
    return ops.mean(ops.maximum(LEVELS * e, (LEVELS - 1) * e), axis=-1)


def measured(rng, rows):
    """Return points around a curve, whose noise grows from left to right."""
    x = rng.uniform(0, 1, (rows, 1))
    return x, np.sin(6 * x) + (0.1 + 0.5 * x) * rng.normal(size=(rows, 1))


def main() -> None:
    """Train, and count new points below each quantile."""
    rng = np.random.default_rng(1)
    hidden = [layers.Dense(32, "gelu"), layers.Dense(32, "gelu")]
    model = Sequential([*hidden, layers.Dense(len(LEVELS)), Rising()], seed=1)
    schedule = optimizers.schedules.CosineDecay(0.01, 2000)  # updates: batches times epochs
    model.compile(optimizers.Adam(schedule), loss=pinball)
    model.fit(*measured(rng, 4000), batch_size=200, epochs=100, verbose=0)

    x, y = measured(rng, 4000)
    predicted = model.predict(x)
    for level, column in zip(LEVELS, predicted.T, strict=True):
        share = np.mean(y[:, 0] < column)
        check(f"share below the {level} quantile", share, above=level - 0.04, below=level + 0.04)
    width = predicted[:, 2] - predicted[:, 0]
    left, right = width[x[:, 0] < 0.2].mean(), width[x[:, 0] > 0.8].mean()
    check("width of the band at the right over that at the left", right / left, above=2, below=5)


if __name__ == "__main__":
    main()
