# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of the user's own, as programs that give one number for each row.

A function of ``(y_true, y_pred)`` may return such numbers, several for each row, which count by
their mean, or the mean over the rows: that is taken apart again, so that rows can have weights and
batches can be computed in parts. A number that comes about in another way from all rows is the loss
of each of them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from . import _core
from ._own_functions import Rows, UnfitError, name_of
from .ops._batch import taken_apart
from .ops._reductions import average
from .ops._shapes import formed, text_of
from .ops._trace import ROWS, Trace, value_of
from .ops._traced import Traced


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

    def readable(variable: Any) -> None:
        raise ValueError(
            f"{where}: reads {variable!r}, whose numbers would stay as they are now: it is made of "
            "y_true and y_pred alone. Regularizers of layers are penalties on weights; a loop with "
            "a laminar.GradientTape follows all that is read"
        )

    trace = Trace(readable)
    with trace.recording():
        inputs = [trace.input((ROWS, *shape)) for shape in (y_true, y_pred)]
        made = value_of(trace, function(*inputs), where)
        made = _of_rows(made, where, (1,) in (tuple(y_true), tuple(y_pred)))
    program = trace.description([made])
    if kind == "loss":
        _check_slope(program, where)
    return {"name": called, "program": program}


def added_losses(y_true: Any, y_pred: Any) -> Any:
    """Return 0 for each row: the loss of a model that is trained on what its layers add."""
    from . import ops  # needed by few programs

    return ops.mean(0.0 * ops.clip(y_pred, -1.0, 1.0), axis=tuple(range(1, y_pred.ndim)))


def _of_rows(made: Traced, where: str, columns: bool) -> Traced:
    extents = made._extents
    if extents[:1] == (ROWS,) and extents.count(ROWS) == 1:
        own = tuple(range(1, made.ndim))
        return formed(average(made, own), (ROWS,))
    if all(extent == 1 for extent in extents):
        number = formed(made, ())
        parts = taken_apart(number)
        if parts is None or parts.mean is None or parts.sum is not None:
            return number._trace.step("broadcast_to", [number], [ROWS])
        return parts.mean
    advice = "; reduce over axis=-1, not over axis 0, which is that of the rows"
    if ROWS in extents:
        advice = "; pairs of rows must be reduced to one number for each"
        if columns:
            advice += (
                "; a column, of shape (None, 1), beside numbers of rows, (None,), makes pairs: "
                "y_true[:, 0] or y_pred[:, 0] is a number a row"
            )
    raise UnfitError(
        f"{where}: must return a number for each row, of shape (None,), or their mean, got "
        f"{text_of(extents)}{advice}"
    )


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
