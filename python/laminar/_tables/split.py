# SPDX-License-Identifier: Apache-2.0
"""Which rows are trained on and which are held out; of each class the same share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def places(
    rows: int, held: Sequence[int], generator: np.random.Generator, classes: Array | None = None
) -> Array:
    """Return the place of each row in an order by chance: those to train on, then those held out.

    Parameters
    ----------
    rows : int
        How many there are.
    held : sequence of int
        How many are held out for each purpose, fewer than all rows together.
    generator : Generator
        What draws.
    classes : ndarray, optional
        The class number of each row: then each part has its share of each class, as near as whole
        rows come, and a class of few rows has one to train on before it has one held out, as far
        as there are enough rows for that.
    """
    order: Array = generator.permutation(rows)
    if classes is None:
        return order
    counts = np.bincount(classes)
    parts = np.zeros(rows, np.int64)  # of the rows by their chance: 0 to train on
    by_class = np.argsort(classes[np.argsort(order)], kind="stable")
    starts = np.cumsum(counts) - counts
    left = counts.copy()
    for part, wanted in enumerate(held, 1):
        taken = _shared(wanted, counts, left)
        for start, count in zip(starts + left - taken, taken, strict=True):
            parts[by_class[start : start + count]] = part
        left -= taken
    found: Array = np.argsort(np.argsort(parts, kind="stable"))[order]
    return found


def _shared(wanted: int, counts: Array, left: Array) -> Array:
    """Return how many rows of each class are held out, by largest remainders of its share."""
    share = wanted * counts / counts.sum()
    most = np.maximum(left - 1, 0)
    taken: Array = np.minimum(np.floor(share).astype(np.int64), most)
    for room in (most, left):  # the last rows of classes where there are no others
        ranked = np.argsort(taken - share, kind="stable")
        while (missing := wanted - int(taken.sum())) > 0:
            free = ranked[taken[ranked] < room[ranked]][:missing]
            if not free.size:
                break
            taken[free] += 1
    return taken
