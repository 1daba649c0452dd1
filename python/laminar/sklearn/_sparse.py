# SPDX-License-Identifier: Apache-2.0
"""Sparse rows, made dense a little at a time: a batch to train on, a block to predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse

from ..callbacks._list import CallbackList

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._rows import Rows
    from ..sequential import Sequential

_BLOCK = 1 << 22  # elements
_MOST = 2**31 - 1  # elements of a matrix whose rows begin at 32-bit places


def blocks(x: Any, dtype: Any) -> Iterator[NDArray[Any]]:
    """Give the rows of a CSR matrix as dense arrays of a few megabytes."""
    rows = max(1, _BLOCK // max(1, x.shape[1]))
    for first in range(0, x.shape[0], rows):
        yield x[first : first + rows].toarray().astype(dtype, copy=False)


def for_core(x: Any) -> Any:
    """Return rows as the core takes them in float64: an array, or the three of a CSR matrix."""
    if not issparse(x):
        return np.ascontiguousarray(x, np.float64)
    if x.nnz > _MOST:
        raise ValueError(f"X has {x.nnz} nonzero elements, and must have less than 2**31")
    index = np.dtype(np.int32)
    return (
        np.ascontiguousarray(x.data, np.float64),
        np.ascontiguousarray(x.indices, index),
        np.ascontiguousarray(x.indptr, index),
    )


def fit(
    model: Sequential,
    rows: Rows,
    batch_size: int,
    epochs: int,
    order: np.random.RandomState | None,
    validation: Any,
    callbacks: list[Any],
) -> None:
    """Do what `Sequential.fit` does with the rows of a CSR matrix.

    Without ``order`` they are taken as they stand.
    """
    sparse: Any = rows.x
    n = sparse.shape[0]
    calls = CallbackList("fit", callbacks)
    keys = ["loss", *(["val_loss"] if validation is not None else [])]
    steps = -(-n // batch_size)
    params = {"epochs": epochs, "steps": steps, "verbose": 0, "metrics": keys, "initial_epoch": 0}
    model.stop_training = False
    calls.start(model, params)
    logs: dict[str, float] = {}
    for epoch in range(epochs):
        if model.stop_training:
            break
        calls.epoch_begin(epoch)
        places = np.arange(n) if order is None else order.permutation(n)
        total = seen = 0.0
        for step in range(steps):
            chosen = places[step * batch_size : (step + 1) * batch_size]
            weight = None if rows.weight is None else rows.weight[chosen]
            size = len(chosen) if weight is None else float(weight.sum())
            dense = sparse[chosen].toarray()
            total += size * model.train_on_batch(dense, rows.y[chosen], sample_weight=weight)
            seen += size
            calls.batch_end(step, {"loss": total / seen if seen else 0.0})
            if model.stop_training:
                break
            if step + 1 < steps:
                calls.batch_begin(step + 1)
        logs = {"loss": total / seen if seen else 0.0}
        if validation is not None:
            x, y, weight = validation
            logs["val_loss"] = model.evaluate(x, y, sample_weight=weight)
        calls.epoch_end(epoch, logs)
    calls.end(logs)
