# SPDX-License-Identifier: Apache-2.0
"""Contrastive pairs: the halves of digits learn to find each other, without labels.

The upper and the lower half of an image go through an encoder each. The loss asks, for each half,
which of all the other halves of the batch is its own: a cross-entropy over the cosines of the
pairs (InfoNCE; van den Oord, Li and Vinyals, 2018, arXiv:1807.03748). Nobody has told the network
what a digit is, but halves of the same digit have come to lie together.
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Input, Model, datasets, layers, ops

WIDTH, TEMPERATURE = 16, 0.1


def similarities(codes):
    """Return what upper halves (rows) and lower ones (columns) have in common."""
    upper, lower = ops.split(codes, 2, axis=-1)
    upper = upper / ops.norm(upper, axis=-1, keepdims=True)
    lower = lower / ops.norm(lower, axis=-1, keepdims=True)
    own = ops.sum(upper * lower, axis=-1)
    return ops.matmul(upper, ops.transpose(lower)) / TEMPERATURE, own / TEMPERATURE


def info_nce(y_true, y_pred):
    """Return the cross-entropy of finding each half's other one; there are no targets."""
    all_pairs, own = similarities(y_pred)
    return 0.5 * (ops.logsumexp(all_pairs, axis=1) + ops.logsumexp(all_pairs, axis=0)) - own


def main() -> None:
    """Train, and look for the lower halves of new digits by their upper ones."""
    (x, _), (new_x, digits) = datasets.load_digits()
    halves = [Input((32,), name="upper"), Input((32,), name="lower")]
    codes = [layers.Dense(WIDTH)(layers.Dense(128, "relu")(half)) for half in halves]
    model = Model(halves, layers.concatenate(codes), seed=1)
    model.compile("adam", loss=info_nce)
    no_targets = np.zeros(len(x))
    model.fit(np.split(x, 2, axis=1), no_targets, batch_size=256, epochs=60, verbose=0)

    pairs, own = similarities(model.predict(np.split(new_x, 2, axis=1)))
    rank = np.sum(pairs > own[:, None], axis=1)
    same_digit = np.mean(digits[np.argmax(pairs, axis=1)] == digits)
    check("share of own halves among the first 10 of 360", np.mean(rank < 10), above=0.6)
    check("share of most similar halves that are of the same digit", same_digit, above=0.6)


if __name__ == "__main__":
    main()
