# SPDX-License-Identifier: Apache-2.0
"""What an optimizer does to variables by their gradients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ops._held import Held
from .variable import Changing, Weight, store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..optimizers import Optimizer


def apply(optimizer: Optimizer, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
    """Update variables by their gradients; those without one stay as they are.

    Raises
    ------
    TypeError, ValueError
        Where they do not fit each other, or the variables of earlier calls; nothing has changed
        then.
    """
    kind = type(optimizer).__name__
    if len(gradients) != len(variables):
        raise ValueError(f"{kind}: {len(variables)} variables but {len(gradients)} gradients")
    pairs = []
    lacking = []
    for i, (gradient, variable) in enumerate(zip(gradients, variables, strict=True)):
        if not isinstance(variable, Changing):
            raise TypeError(
                f"{kind}: variable {i} must be a variable like the others, got "
                f"{type(variable).__name__}"
            )
        own = variable._itself()
        assert isinstance(own, Changing)
        if gradient is None:
            lacking.append(variable._label())
        else:
            pairs.append((gradient, own))
    if not pairs:
        raise ValueError(
            f"{kind}: no variable has a gradient: the loss does not depend on them through "
            "operations of laminar.ops, models and losses in the tape's with block"
        )
    if lacking:
        warnings.warn(f"{kind}: no gradient of {', '.join(lacking)}", stacklevel=4)
    own_ones = [variable for _, variable in pairs]
    known = optimizer._applied_to
    if known is not None and [id(each) for each in known] != [id(each) for each in own_ones]:
        raise ValueError(
            f"{kind}: has state for the {len(known)} variables of its first call, got "
            f"{len(own_ones)} that are not the same; make an optimizer for each list"
        )
    dtype = optimizer._dtype
    if known is None or dtype is None:
        dtype = _dtype(kind, own_ones)
    ready = [_gradient(kind, gradient, variable, dtype) for gradient, variable in pairs]
    runs = _runs(own_ones)
    arrays = [array for run in runs for array in _numbers(run)]
    updater = optimizer._updater
    if updater is None:
        updater = optimizer._made(dtype, arrays, _names(own_ones))
    updater.apply(ready, arrays)
    if known is None:
        optimizer._updater, optimizer._dtype, optimizer._applied_to = updater, dtype, own_ones
    place = 0
    for run in runs:
        values = arrays[place : place + len(run)]
        place += len(run)
        for i, variable in enumerate(run):
            if variable._constraint is not None:
                values[i] = np.ascontiguousarray(variable._constraint(values[i]), dtype)
        if isinstance(run[0], Weight):
            store(run[0], values)
        else:
            run[0]._store(values[0])


def _dtype(kind: str, variables: Sequence[Changing]) -> np.dtype[Any]:
    first = variables[0].dtype
    for variable in variables:
        if variable.dtype != first:
            raise TypeError(
                f"{kind}: {variable._label()} is {variable.dtype}, "
                f"{variables[0]._label()} is {first}; make an optimizer for each type"
            )
    return np.dtype(first)


def _gradient(kind: str, gradient: Any, variable: Changing, dtype: np.dtype[Any]) -> NDArray[Any]:
    value = gradient._numbers() if isinstance(gradient, Held) else np.asarray(gradient)
    ready = value.flags.c_contiguous and value.dtype == dtype
    if ready and value.shape == variable.shape and value.flags.aligned:
        return value
    if value.dtype.kind not in "fiu":
        raise TypeError(
            f"{kind}: the gradient of {variable._label()} must hold numbers, got {gradient!r}"
        )
    if value.shape != variable.shape:
        raise ValueError(
            f"{kind}: the gradient of {variable._label()} must be of shape {variable.shape}, got "
            f"{value.shape}"
        )
    return np.require(value, dtype, ["C", "A"])


def _runs(variables: Sequence[Changing]) -> list[list[Changing]]:
    """Return the variables, those together that follow each other in one model."""
    runs: list[list[Changing]] = []
    last: tuple[object, int] = (None, 0)
    for variable in variables:
        core, index = variable._place() if isinstance(variable, Weight) else (None, 0)
        if core is not None and core is last[0] and index == last[1] + 1:
            runs[-1].append(variable)
        else:
            runs.append([variable])
        last = core, index
    return runs


def _numbers(run: Sequence[Changing]) -> list[NDArray[Any]]:
    """Return copies of the numbers of variables that follow each other."""
    first = run[0]
    if isinstance(first, Weight):
        core, index = first._place()
        return core.get_weights(index, index + len(run))
    return [np.array(first._numbers())]


def _names(variables: Sequence[Changing]) -> list[str]:
    """Return names for the core, each once."""
    names: list[str] = []
    for i, variable in enumerate(variables):
        name = variable.name or f"variable_{i}"
        names.append(name if name not in names else f"{name}_{i}")
    return names
