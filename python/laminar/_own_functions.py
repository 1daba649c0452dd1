# SPDX-License-Identifier: Apache-2.0
"""Functions of targets and outputs that are losses or metrics: their names, shapes and values."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _arrays, _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Rows = Callable[[Any, Any], Any]
Shape = tuple[int, ...]


class UnfitError(ValueError):
    """What a function has returned is no loss or metric."""


def config_of(part: Any, y_true: Shape, y_pred: Shape) -> dict[str, Any]:
    """Return the configuration of a loss or metric of the user's own, for targets of a shape.

    Raises
    ------
    TypeError, ValueError
        See `traced`; and where a program, of which nobody knows the function, has other shapes.
    """
    from ._own_losses import traced  # operations are needed by few programs
    from .ops._shapes import text_of
    from .ops._trace import ROWS

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


def name_of(function: Callable[..., Any], kind: str) -> str:
    """Return what a function is called."""
    given = getattr(function, "__name__", None) or getattr(function, "name", None)
    if given is None:  # an object that is called, or a part of a function
        given = type(function).__name__ if not hasattr(function, "func") else ""
    return given if given and given.isidentifier() else kind
