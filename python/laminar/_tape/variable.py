# SPDX-License-Identifier: Apache-2.0
"""Numbers that change: a user's own, and the weights of models and layers."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _arrays
from .._component import flag
from ..ops._held import Held

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .._guard import CoreModel
    from .._layered import Layered
    from ..constraints import Constraint
    from ..layers._place import Placed


class Changing(Held):
    """A value whose numbers can be changed: the base of all variables."""

    name: str | None
    trainable: bool
    _constraint: Constraint | None = None

    def _store(self, value: NDArray[Any]) -> None:
        """Take over numbers of its shape and type."""
        raise NotImplementedError

    def _label(self) -> str:
        """Return what errors call it."""
        return f"variable {self.name!r}"

    def _given(self, value: Any, where: str) -> NDArray[Any]:
        """Return what is assigned as an array of its type and shape."""
        array = _arrays.tensor(value, f"{self._label()}: {where}", np.dtype(self.dtype))
        if array.shape != self.shape:
            raise ValueError(
                f"{self._label()}: {where} must be of shape {self.shape}, got {array.shape}"
            )
        return array

    def assign(self, value: ArrayLike) -> Any:
        """Give it other numbers, of the same shape; return the variable."""
        self._store(self._given(value, "what is assigned"))
        return self

    def assign_add(self, value: ArrayLike) -> Any:
        """Add numbers of the same shape; return the variable."""
        self._store(self._numbers() + self._given(value, "what is added"))
        return self

    def assign_sub(self, value: ArrayLike) -> Any:
        """Subtract numbers of the same shape; return the variable."""
        self._store(self._numbers() - self._given(value, "what is subtracted"))
        return self

    @property
    def value(self) -> Any:
        """The present numbers, as a value that a tape follows."""
        return self + 0.0

    def read_value(self) -> Any:
        """Return `value`."""
        return self.value


class Variable(Changing):
    """Numbers that a loop of one's own changes.

    Operations compute with it like with an array; a `GradientTape` follows it.

    Parameters
    ----------
    initial_value : array_like or callable
        Its numbers, or a function that returns them.
    trainable : bool
        Whether tapes follow it without being told to.
    name : str, optional
        Kept for the reader.
    dtype : {"float32", "float64"}, optional
        By default float64 where a float64 array is given, float32 elsewhere.

    Examples
    --------
    >>> import laminar
    >>> w = laminar.Variable([1.0, 2.0])
    >>> with laminar.GradientTape() as tape:
    ...     loss = laminar.ops.sum(w * w)
    >>> tape.gradient(loss, w).numpy()
    array([2., 4.], dtype=float32)
    """

    def __init__(
        self,
        initial_value: Any,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        given = initial_value() if callable(initial_value) else initial_value
        if dtype is None:
            dtype = "float64" if getattr(given, "dtype", None) == np.float64 else "float32"
        chosen = np.dtype(getattr(dtype, "name", dtype))
        if chosen.name not in ("float32", "float64"):
            raise ValueError(f"Variable: dtype must be float32 or float64, got {dtype!r}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Variable: name must be a string, got {name!r}")
        self.name = name
        self.trainable = flag(trainable, "Variable: trainable")
        self._value = np.array(_arrays.tensor(given, "Variable: initial_value", chosen))
        self.shape = self._value.shape

    @property
    def dtype(self) -> str:
        """The type of its numbers."""
        return "float32" if self._value.itemsize == 4 else "float64"

    def _numbers(self) -> NDArray[Any]:
        return self._value

    def _store(self, value: NDArray[Any]) -> None:
        # A new array: what a tape has recorded is of the numbers that were there.
        self._value = np.array(value, self._value.dtype)

    def _label(self) -> str:
        return f"Variable {self.name!r}" if self.name else "Variable"

    def __repr__(self) -> str:
        return f"<Variable {self.name or ''} of shape {self.shape}: {self._value}>".replace(
            "  ", " "
        )


class Weight(Changing):
    """A tensor of a model's or a layer's weights.

    There is one object for a tensor as long as anybody has it.
    """

    # How often the weights of core models have been changed through such variables.
    changes: ClassVar[weakref.WeakKeyDictionary[Any, int]] = weakref.WeakKeyDictionary()

    def __init__(self, core: CoreModel, index: int, dtype: str) -> None:
        facts = core.tensors()[index]
        self._core, self._index, self._dtype = core, index, dtype
        self._owner: weakref.ref[Layered] | None = None
        self._layer: weakref.ref[Placed] | None = None
        self.name = str(facts["name"])
        self.shape = tuple(facts["shape"])
        self.trainable = bool(facts["trainable"])

    @property
    def dtype(self) -> str:
        """The type of its numbers."""
        return self._dtype

    def _numbers(self) -> NDArray[Any]:
        return self._core.get_weights(self._index, self._index + 1)[0]

    def _store(self, value: NDArray[Any]) -> None:
        store(self, [np.ascontiguousarray(value, self._dtype)])

    def __repr__(self) -> str:
        return f"<weight {self.name} of shape {self.shape}>"


_weights: weakref.WeakValueDictionary[tuple[int, int], Weight] = weakref.WeakValueDictionary()


def weights_of(core: CoreModel, layer: Placed, first: int, last: int) -> list[Weight]:
    """Return the tensors of a layer in a core model."""
    from .. import _core  # for its two kinds of models

    dtype = "float64" if isinstance(core, _core.ModelFloat64) else "float32"
    found = []
    for index in range(first, last):
        weight = _weights.get((id(core), index))
        if weight is None:  # which keeps the core model, so that the number stays its own
            weight = _weights[id(core), index] = Weight(core, index, dtype)
            word = str(weight.name).rpartition("/")[2]
            weight._constraint = getattr(layer, f"{word}_constraint", None)
        weight._layer = weakref.ref(layer)
        owner = next((user for user in layer._living() if user._model is core), None)
        weight._owner = None if owner is None else weakref.ref(owner)
        found.append(weight)
    return found


def store(first: Weight, values: list[NDArray[Any]]) -> None:
    """Give tensors that follow each other in one model other numbers."""
    core = first._core
    Weight.changes[core] = Weight.changes.get(core, 0) + 1
    owner = None if first._owner is None else first._owner()
    if owner is not None and owner._model is core:
        owner._store_weights(core, values, first._index, "assign")
        return
    core.set_weights(values, first._index)
    layer = None if first._layer is None else first._layer()
    if layer is not None:
        layer._version += 1
