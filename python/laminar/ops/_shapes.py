# SPDX-License-Identifier: Apache-2.0
"""Operations that put values into another order or shape.

The first axis of what depends on a batch is that of its rows, whose number is not known while a
call is traced; it is None in shapes.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._apply import Value, operation, record
from ._trace import ROWS
from ._traced import Traced

Shape = Sequence["int | None"]


def text_of(extents: Sequence[int]) -> str:
    """Return what errors call a shape."""
    return str(tuple(None if extent < 0 else extent for extent in extents))


def whole(value: Any, where: str) -> int:
    """Return an integer of Python's; TypeError where it is none, or is computed."""
    if isinstance(value, Traced):
        raise TypeError(
            f"{where} must be known before rows come, got {value!r}; laminar.ops.take picks by "
            "computed indices"
        )
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{where} must be an integer, got {value!r}") from None


def axis_of(axis: Any, count: int, name: str, x: Traced) -> int:
    """Return the position of an axis among ``count``; ValueError where there is none such."""
    place = whole(axis, f"{name}: axis")
    if not -count <= place < count:
        raise ValueError(f"{name}: axis {place} is none of shape {text_of(x._extents)}")
    return place % count


def axes_of(axis: Any, name: str, x: Traced) -> tuple[int, ...]:
    """Return axes in ascending order; None stands for all of them."""
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, (list, tuple)) else (axis,)
    places = sorted(axis_of(each, x.ndim, name, x) for each in given)
    for place, following in itertools.pairwise(places):
        if place == following:
            raise ValueError(f"{name}: axis {place} is named twice in {axis!r}")
    return tuple(places)


def formed(x: Traced, extents: Sequence[int]) -> Traced:
    """Return a value in another shape that holds as many."""
    return x if tuple(extents) == x._extents else record("reshape", x, integers=extents)


def flat(x: Traced, name: str) -> Traced:
    """Return all values in one axis; ValueError where that would be those of all rows."""
    if ROWS in x._extents:
        raise ValueError(
            f"{name}: axis=None would go through the rows too, whose number is not known; "
            f"name an axis of {text_of(x._extents)}"
        )
    return formed(x, (math.prod(x._extents),))


@operation(1)
def reshape(x: Value, newshape: Any) -> Value:
    """Return the values in another shape.

    Parameters
    ----------
    x : value
        What is reshaped.
    newshape : tuple of int or None
        One extent may be -1: what is left over. The axis of the rows stays as it is, as None or
        as -1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.reshape([[1.0, 2.0, 3.0, 4.0]], (2, -1))
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    given = newshape if isinstance(newshape, (list, tuple)) else (newshape,)
    rows = x._extents.count(ROWS)
    held = math.prod(extent for extent in x._extents if extent != ROWS)
    extents = [None if e is None else whole(e, "reshape: newshape") for e in given]
    named = extents.count(None)
    open_places = [i for i, extent in enumerate(extents) if extent == -1]
    if len(open_places) > 1:
        raise ValueError(f"reshape: only one extent of newshape can be -1, got {given!r}")
    rest = math.prod(extent for extent in extents if extent is not None and extent != -1)
    if open_places:
        of_rows = named < rows and held == rest
        extents[open_places[0]] = ROWS if of_rows else held // rest if rest else 0
    return formed(x, [ROWS if extent is None else extent for extent in extents])


@operation(1)
def transpose(x: Value, axes: Sequence[int] | None = None) -> Value:
    """Return the values with their axes in another order, by default the opposite one.

    Parameters
    ----------
    x : value
        Of any shape.
    axes : sequence of int, optional
        The axes of x in their new order.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.transpose([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    array([[1., 4.],
           [2., 5.],
           [3., 6.]], dtype=float32)
    """
    if axes is None:
        axes = range(x.ndim)[::-1]
    places = [axis_of(axis, x.ndim, "transpose", x) for axis in axes]
    if sorted(places) != list(range(x.ndim)):
        raise ValueError(
            f"transpose: axes must name each of the {x.ndim} axes once, got {tuple(axes)!r}"
        )
    return record("transpose", x, integers=places)


@operation(1)
def expand_dims(x: Value, axis: int | Sequence[int]) -> Value:
    """Return the values with one more axis, of extent 1, at a position of the new shape.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int
        The position in the new shape, or several.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.expand_dims([1.0, 2.0], axis=-1)
    array([[1.],
           [2.]], dtype=float32)
    """
    given = axis if isinstance(axis, (list, tuple)) else (axis,)
    count = x.ndim + len(given)
    places = {axis_of(each, count, "expand_dims", x) for each in given}
    if len(places) < len(given):
        raise ValueError(f"expand_dims: an axis is named twice in {axis!r}")
    extents = iter(x._extents)
    return formed(x, [1 if i in places else next(extents) for i in range(count)])


@operation(1)
def squeeze(x: Value, axis: int | Sequence[int] | None = None) -> Value:
    """Return the values without axes of extent 1: the named ones, or all there are.

    Parameters
    ----------
    x : value
        Of any shape.
    axis : int or sequence of int, optional
        The axes that go, each of extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.squeeze([[1.0], [2.0]], axis=-1)
    array([1., 2.], dtype=float32)
    """
    if axis is None:
        return formed(x, [extent for extent in x._extents if extent != 1])
    places = axes_of(axis, "squeeze", x)
    for place in places:
        if x._extents[place] != 1:
            raise ValueError(f"squeeze: axis {place} of {text_of(x._extents)} is not of extent 1")
    return formed(x, [extent for i, extent in enumerate(x._extents) if i not in places])


@operation(1)
def broadcast_to(x: Value, shape: Shape) -> Value:
    """Return the values repeated along axes of extent 1, and along new first axes.

    Parameters
    ----------
    x : value
        Of a shape that broadcasts to the new one.
    shape : tuple of int
        The new shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.broadcast_to([1.0, 2.0], (2, 2))
    array([[1., 2.],
           [1., 2.]], dtype=float32)
    """
    extents = [ROWS if e is None else whole(e, "broadcast_to: shape") for e in shape]
    return record("broadcast_to", x, integers=extents)


@operation(1, listed=True)
def concatenate(xs: Sequence[Value], axis: int = 0) -> Value:
    """Return values one after the other along an axis, which is not that of the rows.

    Parameters
    ----------
    xs : list of values
        Of shapes that differ along the axis alone.
    axis : int
        The axis along which they follow each other.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.concatenate([[[1.0], [2.0]], [[3.0], [4.0]]], axis=-1)
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    place = axis_of(axis, xs[0].ndim, "concatenate", xs[0])
    check_not_rows(xs[0], place, "concatenate")
    return xs[0] if len(xs) == 1 else record("concatenate", *xs, integers=[place])


@operation(1, listed=True)
def stack(x: Sequence[Value], axis: int = 0) -> Value:
    """Return values of one shape side by side, along a new axis.

    Parameters
    ----------
    x : list of values
        Of one shape.
    axis : int
        The place of the new axis.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.stack([[1.0, 2.0], [3.0, 4.0]], axis=-1)
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    place = axis_of(axis, x[0].ndim + 1, "stack", x[0])
    for each in x:
        if each._extents != x[0]._extents:
            raise ValueError(
                f"stack: values must be of one shape, got {text_of(x[0]._extents)} and "
                f"{text_of(each._extents)}"
            )
    parts = [formed(each, (*each._extents[:place], 1, *each._extents[place:])) for each in x]
    return parts[0] if len(parts) == 1 else record("concatenate", *parts, integers=[place])


@operation(1)
def split(x: Value, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Value]:
    """Return the parts of a value along an axis.

    Parameters
    ----------
    x : value
        What is split.
    indices_or_sections : int or sequence of int
        How many equal parts, or where a new part begins.
    axis : int
        Not that of the rows.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.split([[1.0, 2.0, 3.0, 4.0]], 2, axis=-1)
    [array([[1., 2.]], dtype=float32), array([[3., 4.]], dtype=float32)]
    """
    place = axis_of(axis, x.ndim, "split", x)
    check_not_rows(x, place, "split")
    extent = x._extents[place]
    if isinstance(indices_or_sections, (list, tuple)):
        given = [whole(i, "split: indices_or_sections") for i in indices_or_sections]
        borders = [0, *(min(max(i + extent if i < 0 else i, 0), extent) for i in given), extent]
    else:
        parts = whole(indices_or_sections, "split: indices_or_sections")
        if parts < 1 or extent % parts:
            raise ValueError(
                f"split: {extent} values of axis {place} cannot be split into {parts} equal parts"
            )
        borders = list(range(0, extent + 1, extent // parts if extent else 1))
        borders = borders if extent else [0] * (parts + 1)
    return [
        sliced(x, {place: (begin, max(end - begin, 0), 1)})
        for begin, end in itertools.pairwise(borders)
    ]


def sliced(x: Traced, parts: dict[int, tuple[int, int, int]]) -> Traced:
    """Return what axes have from a first index on: how many, in steps of so many."""
    integers: list[int] = []
    for axis, extent in enumerate(x._extents):
        integers.extend(parts.get(axis, (0, extent, 1)))
    whole_value = all(part == (0, x._extents[axis], 1) for axis, part in parts.items())
    return x if whole_value else record("slice", x, integers=integers)


def check_not_rows(x: Traced, axis: int, name: str) -> None:
    if x._extents[axis] == ROWS:
        raise ValueError(
            f"{name}: axis {axis} of {text_of(x._extents)} is that of the rows, which stay as they "
            "are; name another one"
        )


def shape(x: Value) -> tuple[int | None, ...]:
    """Return the shape: None for the number of rows while a call is traced.

    Parameters
    ----------
    x : value
        Of any shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.shape([[1.0, 2.0, 3.0]])
    (1, 3)
    """
    known: Any = getattr(x, "shape", None)
    if known is None:
        known = np.shape(x)
    return tuple(known)
