# SPDX-License-Identifier: Apache-2.0
"""Gradients of values of a traced call: the core writes their steps, which are recorded as well."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .. import _core
from ._trace import Trace
from ._traced import Traced


def gradients(target: Traced, start: Traced, sources: Sequence[Traced]) -> list[Traced | None]:
    """Return the gradients of the sum of ``start * target`` by values of the same trace.

    Parameters
    ----------
    target : Traced
        What is differentiated.
    start : Traced
        What its elements are weighed by, in its shape.
    sources : sequence of Traced
        By what; they may be computed from each other.

    Returns
    -------
    list of Traced or None
        In the shapes of the sources; None where the target does not depend on one.

    Raises
    ------
    ValueError
        Where an operation on the way has no gradient.
    """
    trace = target._trace
    description, known = trace.numbered([target, *sources])
    program = _core.Program(json.dumps(description))
    by = description["outputs"][1:]
    made = json.loads(program.with_gradients(0, by).description())
    # The gradient of the target is a further input, and so lies before the weights.
    place = len(description["inputs"])
    values = [*known[:place], start, *known[place:]]
    steps = made["steps"]
    for step in steps[len(values) - place - 1 - len(description["weights"]) :]:
        values.append(_recorded(trace, step, values))
    found = [values[i] for i in made["outputs"][-len(sources) :]]
    return [None if _is_nothing(trace, value) else value for value in found]


def _recorded(trace: Trace, step: dict[str, Any], values: Sequence[Traced]) -> Traced:
    """Return the value of a step in the core's form."""
    reads: list[Traced] = [values[i] for i in step.get("reads", ())]
    if "activation" in step:
        integers, numbers = _core.activation_operation(json.dumps(step["activation"]))
        return trace.step(step["op"], reads, integers, numbers)
    if step["op"] == "multiply":  # the first slope of all is 1
        a, b = reads
        if a._extents == b._extents and _is_constant(trace, a, 1.0):
            return b
        if a._extents == b._extents and _is_constant(trace, b, 1.0):
            return a
    numbers = [float(number) for number in step.get("numbers", ())]  # "inf" among them
    return trace.step(step["op"], reads, step.get("integers", ()), numbers)


def _is_constant(trace: Trace, value: Traced, number: float) -> bool:
    step = trace.value(value)
    return step.op == "constant" and step.numbers == (number,)


def _is_nothing(trace: Trace, value: Traced) -> bool:
    """Whether a gradient is 0 because nothing depends on its source."""
    return _is_constant(trace, value, 0.0)
