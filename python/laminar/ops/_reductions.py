# SPDX-License-Identifier: Apache-2.0
"""Operations that bring axes down to one value.

Over the axis of the rows they see the whole batch. A mean over the rows and other axes is the mean
of the rows' own means, so that what a loss makes of one row can be told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from ._apply import Value, current, number, operation, record
from ._elementwise import isfinite, where
from ._shapes import axes_of, axis_of, flat, formed
from ._trace import ROWS
from ._traced import Traced

Axis: TypeAlias = "int | Sequence[int] | None"


def reduced(op: str, x: Traced, axes: tuple[int, ...], keepdims: bool) -> Traced:
    """Return a value whose axes an operation has brought down."""
    made = record(op, x, integers=axes) if axes else x
    return _without(made, axes, keepdims)


def _without(made: Traced, axes: tuple[int, ...], keepdims: bool) -> Traced:
    if keepdims:
        return made
    return formed(made, [e for i, e in enumerate(made._extents) if i not in axes])


@operation(1)
def sum(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the sum over axes.

    Parameters
    ----------
    x : value
        What is summed.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=-1)
    array([3., 7.], dtype=float32)
    """
    return reduced("sum", x, axes_of(axis, "sum", x), keepdims)


@operation(1)
def prod(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the product over axes; arguments as those of `sum`.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.prod([[1.0, 2.0], [3.0, 4.0]], axis=-1)
    array([ 2., 12.], dtype=float32)
    """
    return reduced("prod", x, axes_of(axis, "prod", x), keepdims)


@operation(1)
def max(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the largest value over axes, NaN where one is; arguments as those of `sum`.

    Equally large values share the slope.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.max([[1.0, 2.0], [3.0, 4.0]], axis=-1)
    array([2., 4.], dtype=float32)
    """
    return reduced("max", x, axes_of(axis, "max", x), keepdims)


@operation(1)
def min(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the smallest value over axes, NaN where one is; arguments as those of `sum`.

    Equally small values share the slope.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.min([[1.0, 2.0], [3.0, 4.0]], axis=-1)
    array([1., 3.], dtype=float32)
    """
    return reduced("min", x, axes_of(axis, "min", x), keepdims)


@operation(1)
def mean(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the mean over axes; arguments as those of `sum`.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.mean([[1.0, 2.0], [3.0, 4.0]], axis=-1, keepdims=True)
    array([[1.5],
           [3.5]], dtype=float32)
    """
    axes = axes_of(axis, "mean", x)
    return _without(average(x, axes), axes, keepdims)


@operation(1)
def var(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the mean square distance to the mean over axes; arguments as those of `sum`.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.var([[1.0, 3.0], [3.0, 9.0]], axis=-1)
    array([1., 9.], dtype=float32)
    """
    axes = axes_of(axis, "var", x)
    return _without(spread(x, axes), axes, keepdims)


@operation(1)
def std(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return the square root of `var`; its slope is infinite where that is 0.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.std([[1.0, 3.0], [3.0, 9.0]], axis=-1)
    array([1., 3.], dtype=float32)
    """
    axes = axes_of(axis, "std", x)
    return _without(record("sqrt", spread(x, axes)), axes, keepdims)


@operation(1)
def logsumexp(x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    """Return log(sum(exp(x))) over axes, which overflows nowhere; arguments as those of `sum`.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        By default all axes, those of the rows included.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.logsumexp([[0.0, 0.0], [100.0, 0.0]], axis=-1).round(4)
    array([  0.6931, 100.    ], dtype=float32)
    """
    axes = axes_of(axis, "logsumexp", x)
    largest = record("stop_gradient", record("max", x, integers=axes))
    largest = where(isfinite(largest), largest, 0.0)
    total = record("sum", record("exp", x - largest), integers=axes)
    return _without(record("log", total) + largest, axes, keepdims)


@operation(1)
def norm(
    x: Value, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Value:
    """Return the length of vectors.

    Parameters
    ----------
    x : value
        All values over the axes are one vector.
    ord : {None, 1, 2, inf}
        The kind of norm: None and 2 are the Euclidean one.
    axis : int or sequence of int, optional
        By default all axes.
    keepdims : bool
        Whether the axes stay, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.norm([[3.0, 4.0], [6.0, 8.0]], axis=-1)
    array([ 5., 10.], dtype=float32)
    """
    axes = axes_of(axis, "norm", x)
    if ord in (None, 2, "euclidean", "fro"):
        made = record("sqrt", record("sum", record("square", x), integers=axes))
    elif ord == 1:
        made = record("sum", record("abs", x), integers=axes)
    elif ord in (math.inf, "inf"):
        made = record("max", record("abs", x), integers=axes)
    else:
        raise ValueError(f"norm: ord must be None, 1, 2 or inf, got {ord!r}")
    return _without(made, axes, keepdims)


@operation(1)
def cumsum(x: Value, axis: int | None = None) -> Value:
    """Return the sums of the values up to each one along an axis; by default all are one axis.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int, optional
        The axis to add along.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.cumsum([[1.0, 2.0], [3.0, 4.0]], axis=-1)
    array([[1., 3.],
           [3., 7.]], dtype=float32)
    """
    source = flat(x, "cumsum") if axis is None else x
    place = axis_of(0 if axis is None else axis, source.ndim, "cumsum", x)
    return record("cumsum", source, integers=[place, 0])


def average(x: Traced, axes: tuple[int, ...]) -> Traced:
    """Return the mean over axes, which stay with extent 1: over those of a row first."""
    own = tuple(axis for axis in axes if axis > 0)
    if own:
        x = _mean(x, own)
    return _mean(x, (0,)) if 0 in axes else x


def _mean(x: Traced, axes: tuple[int, ...]) -> Traced:
    extents = [x._extents[axis] for axis in axes]
    count: Traced = number(float(math.prod(e for e in extents if e != ROWS)))
    for _ in range(extents.count(ROWS)):
        rows = current().step("batch_rows")
        count = (
            rows if count._trace.value(count).numbers == (1.0,) else record("multiply", count, rows)
        )
    return record("divide", record("sum", x, integers=axes), count)


def spread(x: Traced, axes: tuple[int, ...]) -> Traced:
    """Return the variance over axes, which stay with extent 1."""
    return average(record("square", record("subtract", x, average(x, axes))), axes)
