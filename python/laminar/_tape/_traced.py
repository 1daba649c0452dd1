# SPDX-License-Identifier: Apache-2.0
"""Gradients that a tape returns in a call that is traced: they are recorded like all else there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ops._gradients import gradients
from ..ops._trace import Trace, active
from ..ops._traced import Operators, Traced


def gradient(
    targets: Sequence[Any],
    sources: Sequence[Any],
    starts: Any,
    watched: Sequence[Any],
    variables: bool,
) -> list[Traced | None]:
    """Return the gradients of the sum of targets; None by what a tape has not followed.

    Parameters
    ----------
    targets, sources : sequence
        Traced values, and what can be one.
    starts : value, or a list of as many as targets; or None
        The gradients of something else by the targets.
    watched : sequence
        What the tape has been told of: traced values and variables.
    variables : bool
        Whether it follows those that are trainable.
    """
    trace = active()
    if trace is None:
        value = next(each for each in [*targets, *sources] if isinstance(each, Traced))
        raise ValueError(
            f"gradient: {value!r} belongs to a call that is over; values cannot be kept from one "
            "call to the next"
        )
    ends = [trace.lift(each, "gradient: target") for each in targets]
    for each in sources:
        if not isinstance(each, Operators):
            raise TypeError(
                "gradient: sources must be variables and tensors, or values of the traced call, "
                f"got {type(each).__name__}"
            )
    wanted = [trace.lift(each, "gradient: sources") for each in sources]
    followed = _followed(trace, watched, variables)
    total: list[Traced | None] = [None] * len(wanted)
    places = [i for i, value in enumerate(wanted) if value._index in followed]
    if not places:
        return total
    for end, start in zip(ends, _starts(trace, ends, starts), strict=True):
        made = gradients(end, start, [wanted[i] for i in places])
        for i, each in zip(places, made, strict=True):
            before: Any = total[i]
            if each is not None:
                total[i] = each if before is None else before + each
    return total


def _followed(trace: Trace, watched: Sequence[Any], variables: bool) -> set[int]:
    """Return the numbers of the values that depend on what a tape follows."""
    told = [each for each in watched if isinstance(each, Traced)]
    found = {trace.lift(each, "gradient: what is watched")._index for each in told}
    known = {id(each) for each in watched}
    for index, step in enumerate(trace.values()):
        if step.op == "weight":
            variable = trace.variable(step)
            if (variables and variable.trainable) or id(variable._itself()) in known:
                found.add(index)
        elif any(read in found for read in step.reads):
            found.add(index)
    return found


def _starts(trace: Trace, targets: Sequence[Traced], given: Any) -> list[Traced]:
    if given is None:
        return [filled(target, 1.0) for target in targets]
    each = list(given) if isinstance(given, (list, tuple)) and len(targets) > 1 else [given]
    if len(each) != len(targets):
        raise ValueError(
            f"gradient: output_gradients must be a list of {len(targets)}, got {len(each)}"
        )
    starts = []
    for target, value in zip(targets, each, strict=True):
        start = trace.lift(value, "gradient: output_gradients")
        if start._extents != target._extents:
            raise ValueError(
                f"gradient: output_gradients must be of the target's shape {target.shape}, got "
                f"{start.shape}"
            )
        starts.append(start)
    return starts


def filled(value: Any, number: float) -> Traced:
    """Return a number in the shape of a value."""
    trace = active()
    assert trace is not None
    like = trace.lift(value, "gradient: sources")
    return trace.step("constant", [], like._extents, [number])
