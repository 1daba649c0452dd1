# SPDX-License-Identifier: Apache-2.0
"""Random values.

In a layer they are drawn anew for each update of training from the model's seed, the same ones for
any number of threads. On their own they are drawn anew at each call, in a fixed sequence after
`laminar.utils.set_random_seed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._component import number
from .._spelling import module_names
from ._apply import Value, current, operation, plain, record
from ._elementwise import where
from ._shapes import whole
from ._trace import ROWS

__all__ = ["dropout", "normal", "uniform"]


def _drawn(kind: int, shape: Any, name: str) -> Value:
    given = shape if isinstance(shape, (list, tuple)) else (shape,)
    extents = [ROWS if e is None else whole(e, f"{name}: shape") for e in given]
    return record("random", integers=[kind, current().draw(), *extents])


@plain
def uniform(shape: Sequence[int | None], minval: Value = 0.0, maxval: Value = 1.0) -> Value:
    """Return values that are spread evenly.

    Parameters
    ----------
    shape : tuple of int or None
        None, in a layer, for the number of rows; ``ops.shape(x)`` has it where it belongs.
    minval, maxval : float
        The interval.

    Examples
    --------
    >>> from laminar import ops
    >>> drawn = ops.random.uniform((1000,), minval=-1.0, maxval=1.0)
    >>> bool(drawn.min() >= -1 and drawn.max() < 1)
    True
    """
    return minval + (maxval - minval) * _drawn(0, shape, "uniform")


@plain
def normal(shape: Sequence[int | None], mean: Value = 0.0, stddev: Value = 1.0) -> Value:
    """Return values with a normal distribution.

    Parameters
    ----------
    shape : tuple of int or None
        As for `uniform`.
    mean, stddev : float
        Of the distribution.

    Examples
    --------
    >>> from laminar import ops
    >>> import laminar
    >>> laminar.utils.set_random_seed(1)
    >>> ops.random.normal((2, 3)).shape
    (2, 3)
    """
    return mean + stddev * _drawn(1, shape, "normal")


@operation(1)
def dropout(inputs: Value, rate: float) -> Value:
    """Return the values, of which a share is 0 and the others are scaled up to make up for it.

    Parameters
    ----------
    inputs : value
        What loses values.
    rate : float
        The share that is lost, less than 1.

    Examples
    --------
    >>> from laminar import ops
    >>> sorted(set(ops.random.dropout([1.0] * 1000, 0.5).tolist()))
    [0.0, 2.0]
    """
    share = number(rate, "dropout: rate")
    if not 0 <= share < 1:
        raise ValueError(f"dropout: rate must be at least 0 and less than 1, got {rate!r}")
    kept = _drawn(0, inputs.shape, "dropout") >= share
    return where(kept, inputs / (1 - share), 0.0)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
