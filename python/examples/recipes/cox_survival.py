# SPDX-License-Identifier: Apache-2.0
"""Survival times of which some are only known to be longer: Cox's partial likelihood.

The output h is the logarithm of a patient's risk. At each death the loss asks how likely it was
that this patient died, of all who were still alive: log sum exp(h of these) - h (Cox, 1972). It
compares each row with the others, so it takes all rows as one batch. Patients who left alive
count among those at risk as long as they were seen.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Sequential, layers, ops, optimizers


def partial_likelihood(y_true, y_pred):
    """Return the negative logarithm of Cox's partial likelihood (ties as Breslow's)."""
    time, died = y_true[:, :1], y_true[:, 1]
    at_risk = ops.transpose(time) >= time  # row i: those who were alive at the time of i
    scores = ops.where(at_risk, ops.transpose(y_pred), -1e9)
    deaths = died * (ops.logsumexp(scores, axis=1) - y_pred[:, 0])
    return ops.sum(deaths) / ops.sum(died)


def concordance(time, died, risk):
    """Return the share of comparable pairs in which the one who died first had the higher risk."""
    comparable = (time[:, None] < time[None, :]) & (died[:, None] == 1)
    return np.mean((risk[:, None] > risk[None, :])[comparable])


def patients(rng, rows):
    """Return what is known of patients, their times and whether they died, and their true risk."""
    x = rng.normal(size=(rows, 6))
    log_risk = x[:, 0] ** 2 - 1.5 * np.abs(x[:, 1]) + x[:, 2]
    death = rng.exponential(np.exp(-log_risk))
    left = rng.exponential(2.0, rows)
    return x, np.stack([np.minimum(death, left), death <= left], axis=1), log_risk


def main() -> None:
    """Train on whole batches, and rank new patients beside a linear model and the truth."""
    rng = np.random.default_rng(3)
    x, y, _ = patients(rng, 800)
    new_x, new_y, truth = patients(rng, 800)
    found = {}
    for name, hidden in (("linear", []), ("network", [layers.Dense(32, "gelu")])):
        model = Sequential([*hidden, layers.Dense(1, use_bias=False)], seed=1)
        model.compile(optimizers.AdamW(0.01, weight_decay=0.01), loss=partial_likelihood)
        model.fit(x, y, batch_size=None, epochs=200, verbose=0)
        found[name] = concordance(*new_y.T, model.predict(new_x)[:, 0])
    best = concordance(*new_y.T, truth)
    check("concordance of the linear model", found["linear"], above=0.55, below=best)
    check("that of the network", found["network"], above=found["linear"] + 0.05, below=best)


if __name__ == "__main__":
    main()
