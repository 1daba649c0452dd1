# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of the user's own, as programs that give one number for each row.

A function of ``(y_true, y_pred)`` may return such numbers, several for each row, which count by
their mean, or the mean over the rows: that is taken apart again, so that rows can have weights and
batches can be computed in parts. A number that comes about in another way from all rows is the loss
of each of them.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _arrays, _core
from .ops._reductions import average
from .ops._shapes import formed, text_of
from .ops._trace import ROWS, Step, Trace, value_of
from .ops._traced import Traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Rows = Callable[[Any, Any], Any]
Shape = tuple[int, ...]


class UnfitError(ValueError):
    """What a function has returned is no loss or metric."""


def traced(
    function: Rows,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    kind: str = "loss",
    name: str | None = None,
) -> dict[str, Any]:
    """Return the configuration of a function of targets and outputs.

    Parameters
    ----------
    function : callable
        Takes two batches without numbers, and returns what operations make of them.
    y_true, y_pred : shape
        Of one row of targets and of outputs.
    kind : {"loss", "metric"}
        What it is; a loss must have a slope.
    name : str, optional
        What logs call it; by default the function's own name.

    Returns
    -------
    dict
        ``name``, and ``program`` with one number a row, (None,).

    Raises
    ------
    TypeError, ValueError
        Where it returns nothing of the kind; errors of its own come through.
    """
    called = name or name_of(function, kind)
    where = f"{kind} {called!r}"
    trace = Trace()
    with trace.recording():
        inputs = [trace.input((ROWS, *shape)) for shape in (y_true, y_pred)]
        made = value_of(trace, function(*inputs), where)
        made = _of_rows(made, where)
    program = trace.description([made])
    if kind == "loss":
        _check_slope(program, where)
    return {"name": called, "program": program}


def config_of(part: Any, y_true: Shape, y_pred: Shape) -> dict[str, Any]:
    """Return the configuration of a loss or metric of the user's own, for targets of a shape.

    Raises
    ------
    TypeError, ValueError
        See `traced`; and where a program, of which nobody knows the function, has other shapes.
    """
    program = getattr(part, "program", None)
    if program is None:
        return traced(part.call, y_true, y_pred, part._family, part.name)
    shapes = [tuple(shape[1:]) for shape in program["inputs"]]
    for argument, known, given in zip(("y_true", "y_pred"), shapes, (y_true, y_pred), strict=True):
        if known != tuple(given):
            raise ValueError(
                f"{part._family} {part.name!r}: was made for {argument} of shape "
                f"{text_of((ROWS, *known))}, got {text_of((ROWS, *given))}; give compile its "
                "function for another"
            )
    return {"name": part.name, "program": program}


def targets_of(part: Any) -> Shape | None:
    """Return the shape of a row of targets that a part was made for, if its function is gone."""
    program = getattr(part, "program", None)
    return None if program is None else tuple(program["inputs"][0][1:])


class Compared(NamedTuple):
    """What a function makes of arrays: a number for each row, and how much each counts."""

    rows: Array
    weights: Array


def compared(part: Any, y_true: object, y_pred: object, weight: object) -> Compared:
    """Return what a loss or metric of the user's own makes of arrays.

    Raises
    ------
    TypeError, ValueError
        Where arrays do not fit.
    """
    where = type(part).__name__
    outputs = _arrays.real(y_pred, f"{where}: y_pred")
    outputs = _arrays.targets(outputs, f"{where}: y_pred", outputs.dtype)
    targets = _arrays.targets(y_true, f"{where}: y_true", outputs.dtype)
    weights = _arrays.row_weights(weight, f"{where}: sample_weight", outputs.dtype)
    for name, array in (("y_true", targets), ("sample_weight", weights)):
        if array is not None and len(array) != len(outputs):
            raise ValueError(f"{where}: y_pred has {len(outputs)} rows, {name} has {len(array)}")
    config = config_of(part, targets.shape[1:], outputs.shape[1:])
    program = _core.Program(json.dumps(config["program"]))
    rows = program.run([targets, outputs], [], len(outputs), outputs.dtype.name)[0]
    return Compared(rows, np.ones(len(rows), rows.dtype) if weights is None else weights)


def check_signature(function: Any, kind: str) -> None:
    """Raise TypeError where a function cannot be called with targets and outputs."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of what is written in C nothing is known
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise TypeError(
            f"{kind} {name_of(function, kind)!r}: must be a function of (y_true, y_pred), got one "
            f"of {signature}"
        ) from None


def snake_case(name: str) -> str:
    """Return the name of a class as logs have it."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower().lstrip("_")


def is_program(identifier: object) -> bool:
    """Whether a mapping describes a part that was a function of a user's."""
    return isinstance(identifier, Mapping) and "program" in identifier


def name_of(function: Rows, kind: str) -> str:
    """Return what a function is called."""
    given = getattr(function, "__name__", None) or getattr(function, "name", None)
    if given is None:  # an object that is called, or a part of a function
        given = type(function).__name__ if not hasattr(function, "func") else ""
    return given if given and given.isidentifier() else kind


def _of_rows(made: Traced, where: str) -> Traced:
    extents = made._extents
    if extents[:1] == (ROWS,) and extents.count(ROWS) == 1:
        own = tuple(range(1, made.ndim))
        return formed(average(made, own), (ROWS,))
    if all(extent == 1 for extent in extents):
        number = formed(made, ())
        rows = _taken_apart(number)
        if rows is None:
            rows = number._trace.step("broadcast_to", [number], [ROWS])
        return rows
    advice = "; reduce over axis=-1, not over axis 0, which is that of the rows"
    if ROWS in extents:
        advice = "; pairs of rows must be reduced to one number for each"
    raise UnfitError(
        f"{where}: must return a number for each row, of shape (None,), or their mean, got "
        f"{text_of(extents)}{advice}"
    )


def _taken_apart(number: Traced) -> Traced | None:
    """Return the rows of which a number is the mean; None where it is none."""
    trace = number._trace
    step = _formless(number)
    if _is_constant(trace, step):
        return trace.step("broadcast_to", [formed(number, ())], [ROWS])
    reads = [trace.operand(step, i) for i in range(len(step.reads))]
    if step.op == "divide" and trace.value(reads[1]).op == "batch_rows":
        total = _formless(reads[0])
        summed = trace.operand(total, 0) if total.op == "sum" else None
        if summed is not None and total.integers == (0,) and _one_a_row(summed):
            return formed(summed, (ROWS,))
    if step.op == "negative":
        parts = [_taken_apart(reads[0])]
    elif step.op in ("add", "subtract"):
        parts = [_taken_apart(read) for read in reads]
    elif step.op == "multiply":
        fixed = [_is_constant(trace, _formless(read)) for read in reads]
        parts = [_taken_apart(read) for read in reads] if any(fixed) else [None]
    elif step.op == "divide":
        fixed = [_is_constant(trace, _formless(reads[1]))]
        parts = [_taken_apart(read) for read in reads] if fixed[0] else [None]
    else:
        parts = [None]
    known = [part for part in parts if part is not None]
    return trace.step(step.op, known) if len(known) == len(parts) else None


def _formless(value: Traced) -> Step:
    """Return what makes a number, whatever its axes."""
    trace = value._trace
    step = trace.value(value)
    while step.op == "reshape":
        step = trace.value(trace.operand(step, 0))
    return step


def _one_a_row(value: Traced) -> bool:
    return value._extents[0] == ROWS and all(extent == 1 for extent in value._extents[1:])


def _is_constant(trace: Trace, step: Step) -> bool:
    return step.op == "constant" and len(step.numbers) == 1 and ROWS not in step.shape


def _check_slope(program: dict[str, Any], where: str) -> None:
    """Raise UnfitError where no slope reaches the outputs."""
    slopes = json.loads(_core.Program(json.dumps(program)).with_gradients(0, [1]).description())
    place = slopes["outputs"][1] - len(slopes["inputs"]) - len(slopes["weights"])
    if place >= 0 and slopes["steps"][place]["op"] == "constant":
        raise UnfitError(
            f"{where}: has no slope by y_pred, so that nothing could be trained: it does not "
            "depend on it, or through operations alone that have none (comparisons, argmax, "
            "one_hot, sign, floor, stop_gradient)"
        )
