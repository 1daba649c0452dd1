# SPDX-License-Identifier: Apache-2.0
"""What an optimizer does to variables by their gradients."""

from __future__ import annotations

import operator
import warnings
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..ops._held import Held, Tensor
from .variable import Changing, Weight, store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._guard import CoreModel
    from .._layered import Layered
    from ..layers._place import Placed
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
    known: Known | None = optimizer._applied_to
    pairs = list(zip(gradients, variables, strict=True))
    if known is not None and known.updated(optimizer._updater, pairs) is not None:
        return
    if known is None or type(None) in map(type, gradients) or not known.are(variables):
        gradients, own_ones = _with_gradients(kind, gradients, variables)
        if known is None:
            known = Known(own_ones, optimizer._dtype or _dtype(kind, own_ones))
        elif not known.are(own_ones):
            raise ValueError(
                f"{kind}: has state for the {len(known.variables)} variables of its first call, "
                f"got {len(own_ones)} that are not the same; make an optimizer for each list"
            )
    dtype, updater, runs = known.dtype, optimizer._updater, known.runs()
    ready = [
        gradient._value
        if type(gradient) is Tensor
        and gradient.shape == variable.shape
        and gradient._value.dtype is dtype
        else _gradient(kind, gradient, variable, dtype)
        for gradient, variable in zip(gradients, known.variables, strict=True)
    ]
    arrays = runs[0].numbers()
    for run in runs[1:]:
        arrays += run.numbers()
    if updater is None:
        updater = optimizer._made(dtype, arrays, _names(known.variables))
    updater.apply(ready, arrays)
    if optimizer._applied_to is None:
        optimizer._updater, optimizer._dtype, optimizer._applied_to = updater, dtype, known
    for run in runs:
        run.store(arrays[: len(run.variables)], dtype)
        del arrays[: len(run.variables)]


class _Run(NamedTuple):
    """Variables that follow each other in one model, or one alone."""

    variables: Sequence[Changing]
    core: CoreModel | None  # the model, None for variables that are in none
    first: int  # where the first one is there
    layers: list[tuple[Placed, int]]  # those that have them, and their numbers there
    constrained: list[int]  # which of them have a constraint

    def holds(self) -> bool:
        """Whether they are where they were."""
        for layer, index in self.layers:
            if layer._model is not self.core or layer._index != index:
                return False
        return True

    def numbers(self) -> list[NDArray[Any]]:
        """Return copies of their numbers."""
        if self.core is not None:
            return self.core.get_weights(self.first, self.first + len(self.variables))
        return [np.array(each._numbers()) for each in self.variables]

    def store(self, values: list[NDArray[Any]], dtype: np.dtype[Any]) -> None:
        """Give them other numbers, as their constraints let them be."""
        for i in self.constrained:
            constraint = self.variables[i]._constraint
            assert constraint is not None
            values[i] = np.ascontiguousarray(constraint(values[i]), dtype)
        first = self.variables[0]
        if isinstance(first, Weight):
            store(first, values)
        else:
            first._store(values[0])


class Known:
    """The variables of an optimizer, and where they were last."""

    def __init__(self, variables: Sequence[Changing], dtype: np.dtype[Any]) -> None:
        self.variables, self.dtype = list(variables), dtype
        self._runs: list[_Run] | None = None
        self._home: _Home | None = None

    def updated(self, updater: Any, pairs: list[Any]) -> int | None:
        """Update them by pairs of gradients and variables; return the number of updates.

        Returns None, and has changed nothing, where they are others, or not all of one model that
        has them for itself and no constraints, or gradients are not tensors of their shapes.
        """
        home = self._home
        if home is None or not home.holds():
            home = self._home = _home(self.runs())
            if home is None:
                return None
        model = home.model()
        if model is None or model._sharing:
            return None
        with model._lock:
            if model._trainer is not None and model._trained_elsewhere():
                model._not_in_training("assign")
            if not updater.apply_in(home.core, home.places, pairs, self.variables):
                return None
            for layer in model._layers:
                vars(layer)["_version"] = layer._version + 1
        return int(updater.iterations)

    def are(self, variables: Sequence[Any]) -> bool:
        """Whether they are these."""
        own = self.variables
        return len(own) == len(variables) and all(map(operator.is_, own, variables))

    def runs(self) -> list[_Run]:
        """Return them, those together that follow each other in one model."""
        known = self._runs
        if known is not None:
            for run in known:
                if not run.holds():
                    break
            else:
                return known
        self._runs = _runs(self.variables)
        return self._runs


class _Home(NamedTuple):
    """The one model that all variables of an optimizer are in."""

    model: weakref.ref[Layered]
    core: CoreModel
    places: list[int]  # their numbers there
    layers: list[tuple[Placed, int]]

    def holds(self) -> bool:
        """Whether they are where they were."""
        core = self.core
        for layer, index in self.layers:
            if layer._model is not core or layer._index != index:
                return False
        return True


def _home(runs: Sequence[_Run]) -> _Home | None:
    """Return the model that has all variables; None where there are several, or constraints."""
    core = runs[0].core
    if core is None or any(run.core is not core or run.constrained for run in runs):
        return None
    layers = list(dict.fromkeys(each for run in runs for each in run.layers))
    places = [run.first + i for run in runs for i in range(len(run.variables))]
    for living in layers[0][0]._users:
        user = living()
        if user is not None and user._model is core:
            return _Home(living, core, places, layers)
    return None


def _with_gradients(
    kind: str, gradients: Sequence[Any], variables: Sequence[Any]
) -> tuple[list[Any], list[Changing]]:
    """Return the gradients that there are, and their variables as they stand on tapes."""
    found: list[Any] = []
    own_ones: list[Changing] = []
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
            found.append(gradient)
            own_ones.append(own)
    if not found:
        raise ValueError(
            f"{kind}: no variable has a gradient: the loss does not depend on them through "
            "operations of laminar.ops, models and losses in the tape's with block"
        )
    if lacking:
        warnings.warn(f"{kind}: no gradient of {', '.join(lacking)}", stacklevel=5)
    return found, own_ones


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
    if value.shape == variable.shape and value.dtype == dtype:
        flags = value.flags
        if flags.c_contiguous and flags.aligned:
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


def _runs(variables: Sequence[Changing]) -> list[_Run]:
    runs: list[_Run] = []
    members: list[Changing] = []
    last: tuple[object, int] = (None, 0)
    for variable in variables:
        core, index = variable._place() if isinstance(variable, Weight) else (None, 0)
        if core is not None and core is not last[0] and core.quantization is not None:
            raise RuntimeError(
                f"apply_gradients: {variable._label()} is {core.quantization} since quantize, for "
                "inference alone; train the model before, or a copy of it"
            )
        if core is None or core is not last[0] or index != last[1] + 1:
            members = []
            runs.append(_Run(members, core, index, [], []))
        members.append(variable)
        last = core, index
    for run in runs:
        layers = [each._layer for each in run.variables if isinstance(each, Weight)]
        run.layers.extend((each, each._index) for each in dict.fromkeys(layers))
        run.constrained.extend(i for i, v in enumerate(run.variables) if v._constraint is not None)
    return runs


def _names(variables: Sequence[Changing]) -> list[str]:
    """Return names for the core, each once."""
    names: list[str] = []
    for i, variable in enumerate(variables):
        name = variable.name or f"variable_{i}"
        names.append(name if name not in names else f"{name}_{i}")
    return names
