# SPDX-License-Identifier: Apache-2.0
"""Losses that a layer of the user's own adds to those of its model.

As in Keras a value counts by the sum of its elements. What is a mean or a sum over the batch is
taken apart into numbers of rows, which become further outputs of the layer's program: of one the
core adds the mean over the batch to the loss, of the other the sum.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from ..ops._batch import Parts, behind, of_batch, taken_apart
from ..ops._shapes import formed, text_of
from ..ops._trace import ROWS, Trace, active
from ..ops._traced import Traced

if TYPE_CHECKING:
    from .base import Layer

# Operations behind which no slope leads.
_FLAT = frozenset(
    [
        "sign",
        "floor",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "equal",
        "not_equal",
        "argmax",
        "stop_gradient",
    ]
)


def add(layer: Layer, loss: Any, calling: bool) -> None:
    """Add a loss, or several, to what a call that is traced adds.

    Raises
    ------
    RuntimeError
        Where no call is traced.
    TypeError, ValueError
        Where it is no number or value, mixes rows in another way than by a mean or sum, or has no
        slope.
    """
    where = f"{layer._label()}: add_loss"
    trace = active()
    if trace is None or not calling:
        raise RuntimeError(
            f"{where} belongs into call, whose values it adds; regularizers "
            "are arguments of weights"
        )
    for each in _each(loss):
        if each is None:
            raise TypeError(f"{where}: loss must be a value, got None")
        trace.added.append(_rows_of(trace, trace.lift(each, where), where))


def _each(loss: Any) -> Iterator[Any]:
    if isinstance(loss, (list, tuple)):
        for part in loss:
            yield from _each(part)
    elif isinstance(loss, dict):
        for part in loss.values():
            yield from _each(part)
    else:
        yield loss


def _rows_of(trace: Trace, value: Traced, where: str) -> Parts:
    """Return what a loss is the mean and the sum of: a number for each row."""
    _check_slope(value, where)
    extents = value._extents
    if extents[:1] == (ROWS,) and extents.count(ROWS) == 1:
        parts: Parts | None = Parts(sum=value)
    elif ROWS in extents:
        raise ValueError(
            f"{where}: pairs of rows, of shape {text_of(extents)}, must be reduced to one number "
            "for each row"
        )
    else:
        parts = taken_apart(_total(value))
    if parts is not None:
        parts = parts.each(_number_a_row)
        if not any(_mixes(trace, rows) for rows in parts if rows is not None):
            return parts
    raise ValueError(
        f"{where}: is neither a mean nor a sum over the rows of the batch of numbers that each "
        "follow from one row, as laminar.ops.mean(x) and sum(x) are: what rows do to each other "
        "belongs into a loss that compile is given"
    )


def _total(value: Traced) -> Traced:
    """Return the sum of all elements of a value that has no rows."""
    if value.ndim == 0:
        return value
    return formed(value._trace.step("sum", [value], range(value.ndim)), ())


def _number_a_row(rows: Traced) -> Traced:
    own = range(1, rows.ndim)
    return formed(rows._trace.step("sum", [rows], own) if own else rows, (ROWS,))


def _mixes(trace: Trace, rows: Traced) -> bool:
    program = trace.description([rows], trace._variables)
    whole = any(step["op"] == "batch_rows" for step in program["steps"])
    return whole or _core.Program(json.dumps(program)).mixes_rows()


def _check_slope(value: Traced, where: str) -> None:
    """Raise ValueError where a loss that follows from inputs or weights has no slope by them."""
    sources = ("input", "weight")
    if any(op in sources for op in behind(value, _FLAT.__contains__)):
        return
    if of_batch(value) or "weight" in behind(value):
        raise ValueError(
            f"{where}: has no slope, so that nothing could be trained by it: it depends on inputs "
            "and weights through operations alone that have none (comparisons, argmax, one_hot, "
            "sign, floor, stop_gradient)"
        )


def outputs(trace: Trace) -> list[Traced]:
    """Return what a traced call adds: numbers whose mean counts, and numbers whose sum does."""
    return [
        _sum_of(trace, [getattr(parts, kind) for parts in trace.added]) for kind in Parts._fields
    ]


def total(trace: Trace, parts: Parts) -> Traced:
    """Return one loss as a number."""
    found = []
    if parts.mean is not None:
        added = formed(trace.step("sum", [parts.mean], [0]), ())
        found.append(trace.step("divide", [added, trace.step("batch_rows")]))
    if parts.sum is not None:
        found.append(formed(trace.step("sum", [parts.sum], [0]), ()))
    return found[0] if len(found) == 1 else trace.step("add", found)


def _sum_of(trace: Trace, parts: Sequence[Traced | None]) -> Traced:
    known = [part for part in parts if part is not None]
    total = known[0] if known else trace.step("broadcast_to", [trace.constant(0.0)], [ROWS])
    for part in known[1:]:
        total = trace.step("add", [total, part])
    return total
