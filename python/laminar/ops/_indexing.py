# SPDX-License-Identifier: Apache-2.0
"""Operations that pick values by their position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._apply import Value, operation, record
from ._elementwise import where
from ._names import OPERATIONS
from ._shapes import axis_of, check_not_rows, flat, formed, sliced, text_of, whole
from ._trace import ROWS
from ._traced import Traced


@operation(1)
def _getitem(x: Value, key: tuple[Any, ...]) -> Value:
    parts: dict[int, tuple[int, int, int]] = {}
    extents: list[int] = []
    axis = 0
    consumed = sum(part is not None and part != "..." for part in key)
    if consumed > x.ndim:
        raise IndexError(
            f"{consumed} indices for a value of shape {text_of(x._extents)}, "
            f"which has {x.ndim} axes"
        )
    if "..." not in key:
        key = (*key, "...")
    for part in key:
        if part is None:
            extents.append(1)
        elif part == "...":
            skipped = x.ndim - consumed
            extents.extend(x._extents[axis : axis + skipped])
            axis += skipped
        elif isinstance(part, tuple):
            taken = _range(x, axis, part)
            parts[axis] = taken
            extents.append(taken[1])
            axis += 1
        else:
            parts[axis] = (_index(x, axis, part), 1, 1)
            axis += 1
    return formed(sliced(x, parts), extents)


def _range(x: Traced, axis: int, part: tuple[Any, ...]) -> tuple[int, int, int]:
    extent = x._extents[axis]
    bounds = [None if b is None else whole(b, "an index") for b in part]
    if extent == ROWS:
        if bounds[0] in (None, 0) and bounds[1] is None and bounds[2] in (None, 1):
            return (0, ROWS, 1)
        raise IndexError(
            f"rows cannot be picked from a value of shape {text_of(x._extents)}: operations work "
            "on all rows, so index it as x[:, ...]"
        )
    taken = range(extent)[slice(*bounds)]
    return (taken.start if taken else 0, len(taken), taken.step if taken else 1)


def _index(x: Traced, axis: int, part: Any) -> int:
    extent = x._extents[axis]
    place = whole(part, "an index")
    if extent == ROWS:
        raise IndexError(
            f"one row cannot be picked from a value of shape {text_of(x._extents)}: operations "
            f"work on all rows, so index it as x[:, {part!r}]"
        )
    if not -extent <= place < extent:
        raise IndexError(f"index {place} is out of range for axis {axis} with extent {extent}")
    return place % extent


def getitem(x: Value, key: Any) -> Value:
    """Return ``x[key]``: slices, integers, None and an ellipsis, on axes other than the rows'."""
    parts = key if isinstance(key, tuple) else (key,)
    frozen: list[Any] = []
    for part in parts:
        if part is Ellipsis:
            if "..." in frozen:
                raise IndexError("an index can have one ellipsis")
            frozen.append("...")
        elif isinstance(part, slice):
            frozen.append((part.start, part.stop, part.step))
        elif part is None:
            frozen.append(None)
        elif isinstance(part, (list, np.ndarray, Traced, str)):
            raise TypeError(
                f"x[{part!r}]: an index is a slice, an integer, None or an ellipsis; "
                "laminar.ops.take picks by a list or by computed indices, where() by a condition"
            )
        else:
            frozen.append(whole(part, "an index"))
    return _getitem(x, tuple(frozen))


OPERATIONS["getitem"] = getitem


@operation(1)
def slice_(x: Value, start_indices: Sequence[int], shape: Sequence[int | None]) -> Value:
    """Return a block of the values.

    Parameters
    ----------
    x : value
        What the block is taken from.
    start_indices : sequence of int
        Where it begins, for each axis; 0 for that of the rows.
    shape : sequence of int or None
        How large it is; None for the axis of the rows.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.slice([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], (0, 1), (2, 2))
    array([[2., 3.],
           [5., 6.]], dtype=float32)
    """
    if not len(start_indices) == len(shape) == x.ndim:
        raise ValueError(
            f"slice: start_indices and shape must have {x.ndim} entries, one for each axis of "
            f"{text_of(x._extents)}, got {len(start_indices)} and {len(shape)}"
        )
    starts = [whole(i, "slice: start_indices") for i in start_indices]
    counts = [ROWS if e is None else whole(e, "slice: shape") for e in shape]
    return sliced(x, {i: (starts[i], counts[i], 1) for i in range(x.ndim)})


@operation(2, constants=True)
def take(x: Value, indices: Value, axis: int | None = None) -> Value:
    """Return the values at indices along an axis.

    Parameters
    ----------
    x : value
        What values are taken from: a table of embeddings for example.
    indices : value
        Whole numbers, of any shape; negative ones count from the end. Others give NaN.
    axis : int, optional
        Not that of the rows; by default all values count as one axis.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.take([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [2, 0], axis=-1)
    array([[3., 1.],
           [6., 4.]], dtype=float32)
    """
    if axis is None:
        x, place = flat(x, "take"), 0
    else:
        place = axis_of(axis, x.ndim, "take", x)
        check_not_rows(x, place, "take")
    extent = float(x._extents[place])
    from_end = where(indices < 0, indices + extent, indices)
    return record("take", x, _folded(indices, from_end, extent), integers=[place])


def _folded(indices: Traced, from_end: Traced, extent: float) -> Traced:
    """Return indices of which none is negative; constant ones are known now."""
    made = indices._trace.value(indices)
    if made.op != "constant":
        return from_end
    for index in made.numbers:
        if not -extent <= index < extent or index != int(index):
            raise ValueError(f"take: index {index:g} is none of an axis of {extent:g} values")
    folded = np.array([index + extent if index < 0 else index for index in made.numbers])
    if folded.size == 1:
        return record("constant", integers=made.shape, numbers=folded.tolist())
    return indices._trace.constant(folded.reshape(made.shape))


@operation(1)
def one_hot(x: Value, num_classes: int, axis: int = -1) -> Value:
    """Return rows of zeros with a one at the index: all zeros where it is out of range.

    Parameters
    ----------
    x : value
        Whole numbers, of any shape.
    num_classes : int
        How long the new axis is.
    axis : int
        Its position in the new shape.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    count = whole(num_classes, "one_hot: num_classes")
    place = axis_of(axis, x.ndim + 1, "one_hot", x)
    spread = formed(x, (*x._extents[:place], 1, *x._extents[place:]))
    classes = x._trace.constant(np.arange(count).reshape(-1, *(1,) * (x.ndim - place)))
    return record("equal", spread, classes)


@operation(1)
def argmax(x: Value, axis: int | None = None, keepdims: bool = False) -> Value:
    """Return the index of the largest value along an axis, the first of equal ones.

    Parameters
    ----------
    x : value
        What is looked through.
    axis : int, optional
        By default all values count as one axis.
    keepdims : bool
        Whether the axis stays, with extent 1.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.argmax([[1.0, 9.0, 3.0], [4.0, 2.0, 0.0]], axis=-1)
    array([1., 0.], dtype=float32)
    """
    source = flat(x, "argmax") if axis is None else x
    place = axis_of(0 if axis is None else axis, source.ndim, "argmax", x)
    found = record("argmax", source, integers=[place])
    if axis is None:
        return formed(found, (1,) * x.ndim if keepdims else ())
    extents = [e for i, e in enumerate(found._extents) if keepdims or i != place]
    return formed(found, extents)
