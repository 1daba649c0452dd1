# SPDX-License-Identifier: Apache-2.0
"""A batch of all rows as a set: neither their order nor how a weight is written changes a bit.

Rounding depends on the order of sums. Where all rows are one batch, equal rows become one with the
sum of their weights, rows without weight go, and the rest stand in an order that follows from their
values. So a row of weight 2 is the row twice, exactly. Of more rows than a sort is worth, the order
stays as it is, and both are the same up to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse

from .._rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 1 << 17  # elements of a batch that is taken as a set


def suits(x: Any) -> bool:
    """Whether a batch of these rows is small enough."""
    return int(x.shape[0]) * int(x.shape[1]) <= _MOST


def merged(rows: Rows) -> Rows:
    """Return rows as a set; dense, if they were sparse."""
    given: Any = rows.x
    x: NDArray[Any] = given.toarray() if issparse(given) else given
    weight = np.ones(len(x)) if rows.weight is None else rows.weight.astype(np.float64)
    kept = np.flatnonzero(weight)
    if not len(kept):
        return rows
    table = np.hstack([x[kept], rows.y[kept].reshape(len(kept), -1)], dtype=np.float64)
    _, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    total = np.bincount(place.reshape(-1), weights=weight[kept], minlength=len(first))
    chosen = kept[first]
    together = None if (total == 1).all() else total.astype(x.dtype)
    return Rows(np.ascontiguousarray(x[chosen]), rows.y[chosen], together)
