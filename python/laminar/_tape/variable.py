# SPDX-License-Identifier: Apache-2.0
"""Numbers that change: a user's own, and the weights of models and layers."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np

from .. import _arrays, _core
from .._component import flag
from ..ops._held import Held
from ..ops._tapes import listening
from ..ops._trace import active

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from .._guard import CoreModel
    from ..constraints import Constraint
    from ..layers import Layer
    from ..layers._place import Placed
    from ..ops._held import Tensor


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

    def assign(self, value: ArrayLike) -> Self:
        """Give it other numbers, of the same shape; return the variable.

        Parameters
        ----------
        value : array_like
            Of the same shape.
        """
        self._store(self._given(value, "what is assigned"))
        return self

    def assign_add(self, value: ArrayLike) -> Self:
        """Add numbers of the same shape; return the variable.

        Parameters
        ----------
        value : array_like
            Of the same shape.
        """
        self._store(self._numbers() + self._given(value, "what is added"))
        return self

    def assign_sub(self, value: ArrayLike) -> Self:
        """Subtract numbers of the same shape; return the variable.

        Parameters
        ----------
        value : array_like
            Of the same shape.
        """
        self._store(self._numbers() - self._given(value, "what is subtracted"))
        return self

    @property
    def value(self) -> Tensor:
        """The present numbers, as a value that a tape follows."""
        return self + 0.0

    def read_value(self) -> Tensor:
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
    """A tensor of a layer's weights, wherever they are.

    There is one object for a tensor as long as anybody has it.

    Parameters
    ----------
    layer : Layer
        The layer, which is inside no other.
    number : int
        Which of its tensors.
    """

    def __init__(self, layer: Placed, number: int) -> None:
        self._layer, self._number = layer, number
        self._known: tuple[CoreModel, int, int] | None = None  # where it was last

    def _take(self, core: CoreModel, index: int, facts: Mapping[str, Any]) -> None:
        """Be the tensor of a core model that has the newest numbers."""
        self._known = core, self._layer._index, index
        self.name = str(facts["name"])
        self.shape = tuple(facts["shape"])
        self.trainable = bool(facts["trainable"])
        self._constraint = _constraint_of(self._layer, self._number, self.name)

    def _place(self) -> tuple[CoreModel, int]:
        """Return the core model that has the newest numbers, and where they are there."""
        layer = self._layer
        core = layer._built()
        known = self._known
        if known is None or known[0] is not core or known[1] != layer._index:
            first = layer._part()[0] + self._number
            self._take(core, first, core.tensors()[first])
            return core, first
        return core, known[2]

    @property
    def dtype(self) -> str:
        """The type of its numbers."""
        return "float64" if isinstance(self._layer._built(), _core.ModelFloat64) else "float32"

    def _numbers(self) -> NDArray[Any]:
        core, index = self._place()
        return core.get_weights(index, index + 1)[0]

    def _store(self, value: NDArray[Any]) -> None:
        store(self, [np.ascontiguousarray(value, self.dtype)])

    def __getitem__(self, key: Any) -> Any:
        each = key if isinstance(key, tuple) else (key,)
        if listening() or active() is not None or all(map(_is_plain, each)):
            return super().__getitem__(key)
        return self._numbers()[key]  # by lists and masks, which operations do not know

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise ValueError(
            f"{self._label()}: its parts are read-only; assign gives it other numbers, all of them"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return np.array, (self._numbers(),)  # without the layer that it is of

    def __copy__(self) -> NDArray[Any]:
        return np.array(self._numbers())

    def __deepcopy__(self, memo: object) -> NDArray[Any]:
        return np.array(self._numbers())

    def __repr__(self) -> str:
        return f"<weight {self.name} of shape {self.shape}>"


def _is_plain(index: object) -> bool:
    return index is None or index is Ellipsis or isinstance(index, (int, slice, np.integer))


def _constraint_of(layer: Placed, number: int, name: str) -> Constraint | None:
    """Return what holds after each update of a layer's tensor."""
    if getattr(layer, "_own", False):
        from ..layers import _own  # which imports this file

        own = _own.weights_of(cast("Layer", layer))
        return own[number][1]._constraint if number < len(own) else None
    return getattr(layer, f"{name.rpartition('/')[2]}_constraint", None)


_weights: weakref.WeakValueDictionary[tuple[int, int], Weight] = weakref.WeakValueDictionary()


def weights_of(
    layer: Placed,
    core: CoreModel | None = None,
    tensors: Sequence[Mapping[str, Any]] | None = None,
) -> list[Weight]:
    """Return the tensors of a layer that has some, or of one inside such a layer.

    Parameters
    ----------
    layer : Layer
        The layer.
    core : CoreModel, optional
        A model that it is in.
    tensors : sequence of mapping, optional
        What that says of its tensors, where it is known.
    """
    top, first = layer, 0
    begin, end = layer._part()
    if layer._inside is not None and layer._outer is not None:
        outer = layer._outer()
        if outer is not None:
            top, first = outer, layer._inside[0]
    home = top._built()
    if tensors is None or core is not home:
        tensors = home.tensors()[begin:end]
    found = []
    for i, facts in enumerate(tensors):
        number = first + i
        weight = _weights.get((id(top), number))
        if weight is None:  # which keeps the layer, so that the number stays its own
            weight = _weights[id(top), number] = Weight(top, number)
        known = weight._known
        if known is None or known[0] is not home or known[1] != top._index:
            weight._take(home, begin + i, facts)
        weight.trainable = bool(facts["trainable"])  # some may have been frozen or freed since
        found.append(weight)
    return found


def store(first: Weight, values: list[NDArray[Any]]) -> None:
    """Give tensors that follow each other in one model other numbers."""
    layer = first._layer
    core, index = first._place()
    for living in layer._users:
        user = living()
        if user is not None and user._model is core:
            if user._sharing:
                user._build_if_known()  # which takes over what other models have changed
            user._store_weights(core, values, index, "assign")
            return
    core.set_weights(values, index)
    layer._changed()
