# SPDX-License-Identifier: Apache-2.0
"""Numbers of a batch taken apart into numbers of its rows.

What a user writes as a mean or a sum over the batch is, row by row, what that adds up: so rows can
have weights, and batches can be computed in parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ._trace import ROWS, Trace
from ._traced import Traced


class Parts(NamedTuple):
    """What a value is the mean over the rows of, and what it is their sum of; either may lack.

    Both have an axis of rows before the axes of the value.
    """

    mean: Traced | None = None
    sum: Traced | None = None

    def each(self, function: Callable[[Traced], Traced]) -> Parts:
        """Return the parts of what a linear function makes of the value."""
        return Parts(*(None if part is None else function(part) for part in self))


def reads_of(value: Traced) -> list[Traced]:
    """Return what the step that makes a value reads."""
    trace = value._trace
    step = trace.value(value)
    return [trace.operand(step, i) for i in range(len(step.reads))]


def behind(value: Traced, stops: Callable[[str], bool] = lambda op: False) -> Iterator[str]:
    """Yield the operations that a value comes from, itself among them, not those behind stops."""
    waiting, met = [value], {value._index}
    while waiting:
        here = waiting.pop()
        op = here._trace.value(here).op
        yield op
        if stops(op):
            continue
        for read in reads_of(here):
            if read._index not in met:
                met.add(read._index)
                waiting.append(read)


def of_batch(value: Traced) -> bool:
    """Whether a value depends on the rows of a batch, or on their number."""
    return any(op in ("input", "batch_rows", "random") for op in behind(value))


def taken_apart(value: Traced) -> Parts | None:
    """Return the parts of a value without an axis of rows; None where it has none."""
    trace, extents = value._trace, value._extents
    if not of_batch(value):
        return Parts(mean=trace.step("broadcast_to", [value], [ROWS, *extents]))
    op, reads = trace.value(value).op, reads_of(value)
    if op == "sum":
        return _of_sum(value, reads[0])
    if op == "reshape":
        parts = _parts(reads[0])
        return parts and parts.each(lambda rows: trace.step("reshape", [rows], [ROWS, *extents]))
    if op == "negative":
        parts = _parts(reads[0])
        return parts and parts.each(lambda rows: trace.step(op, [rows]))
    if op in ("add", "subtract"):
        return _of_two(op, value, reads)
    if op == "divide" and trace.value(reads[1]).op == "batch_rows":
        parts = _parts(reads[0])
        return Parts(mean=parts.sum) if parts and parts.mean is None else None
    if op in ("multiply", "divide"):
        return _of_factor(op, value, reads)
    return None


def _parts(value: Traced) -> Parts | None:
    return None if ROWS in value._extents else taken_apart(value)


def _of_sum(value: Traced, read: Traced) -> Parts | None:
    trace, axes = value._trace, value._trace.value(value).integers
    if ROWS not in read._extents:
        parts = taken_apart(read)
        return parts and parts.each(
            lambda rows: trace.step("sum", [rows], [axis + 1 for axis in axes])
        )
    if read._extents[0] != ROWS or read._extents.count(ROWS) > 1:
        return None
    own = [axis for axis in axes if axis > 0]
    rows = trace.step("sum", [read], own) if own else read
    return Parts(sum=trace.step("reshape", [rows], [ROWS, *value._extents]))


def _of_two(op: str, value: Traced, reads: list[Traced]) -> Parts | None:
    trace = value._trace
    left, right = _parts(reads[0]), _parts(reads[1])
    if left is None or right is None:
        return None
    left, right = (
        each.each(lambda rows: _aligned(trace, rows, value.ndim)) for each in (left, right)
    )
    made: list[Traced | None] = []
    for a, b in zip(left, right, strict=True):
        if a is not None and b is not None:
            made.append(trace.step(op, [a, b]))
        elif b is not None and op == "subtract":
            made.append(trace.step("negative", [b]))
        else:
            made.append(b if a is None else a)
    # What one of them alone has may be of fewer values than both together.
    whole = [ROWS, *value._extents]
    return Parts(*made).each(
        lambda rows: (
            rows if list(rows._extents) == whole else trace.step("broadcast_to", [rows], whole)
        )
    )


def _of_factor(op: str, value: Traced, reads: list[Traced]) -> Parts | None:
    trace = value._trace
    varies = [of_batch(read) for read in reads]
    if all(varies) or (op == "divide" and varies[1]):
        return None
    place = varies.index(True)
    parts, factor = _parts(reads[place]), reads[1 - place]
    if parts is None:
        return None

    def scaled(rows: Traced) -> Traced:
        rows = _aligned(trace, rows, value.ndim)
        return trace.step(op, [rows, factor] if place == 0 else [factor, rows])

    return parts.each(scaled)


def _aligned(trace: Trace, rows: Traced, ndim: int) -> Traced:
    """Return parts with as many axes behind that of the rows as another value has."""
    own = rows._extents[1:]
    if len(own) == ndim:
        return rows
    return trace.step("reshape", [rows], [ROWS, *[1] * (ndim - len(own)), *own])
