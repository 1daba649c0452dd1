# SPDX-License-Identifier: Apache-2.0
"""The weights of layers of the user's own, as values that operations compute with.

In a traced call a variable is a weight of the program. Elsewhere it stands for its numbers, which
the core's model holds once there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays, _core, constraints, initializers, regularizers
from .._component import flag
from .._tape.variable import Changing
from .._tape.variable import weights_of as tensors_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .base import Layer


class Variable(Changing):
    """A weight of a layer, which `add_weight` makes.

    Attributes
    ----------
    shape : tuple of int
        Its shape.
    name : str or None
        The given name; without one that of the attribute it is assigned to.
    trainable : bool
        Whether training changes it.
    """

    def __init__(
        self,
        layer: Layer,
        shape: tuple[int, ...],
        initializer: Any,
        regularizer: Any,
        constraint: Any,
        trainable: object,
        name: str | None,
    ) -> None:
        where = f"{type(layer).__name__}: add_weight"
        self._layer = layer
        self.shape = shape
        self.name = name
        self.trainable = flag(trainable, f"{where}: trainable")
        self._value: NDArray[Any] | None = None  # until a model has it
        self._initializer = initializers.get(
            "glorot_uniform" if initializer is None else initializer
        )
        self._regularizer = regularizers.optional(regularizer)
        self._constraint = constraints.optional(constraint)

    @property
    def dtype(self) -> str:
        """The type of its numbers."""
        return "float64" if isinstance(self._layer._model, _core.ModelFloat64) else "float32"

    def _numbers(self) -> NDArray[Any]:
        return self.numpy()

    def _store(self, value: NDArray[Any]) -> None:
        self.assign(value)

    def _itself(self) -> Changing:
        """Return the tensor of the model that has it."""
        layer = self._layer
        if layer._model is None:
            return self
        return tensors_of(layer)[self._position()]

    def _initial(self, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Return the value that it has before a model has one; None where the model draws it."""
        if self._value is None and self._initializer._of_user:
            self._value = self._initializer(self.shape, dtype)
        return None if self._value is None else self._value.astype(dtype)

    def numpy(self) -> NDArray[Any]:
        """Return a copy of its numbers."""
        layer = self._layer
        if layer._model is not None:
            return layer.get_weights()[self._position()]
        made = self._initial(np.dtype(np.float32))
        if made is None:  # whoever asks sees what the model will begin with
            made = self._value = self._initializer(self.shape)
        return np.array(made)

    def assign(self, value: ArrayLike) -> Variable:
        """Give it other numbers, of the same shape."""
        layer = self._layer
        where = f"{layer._label()}: assign to {self.name!r}"
        array = _arrays.tensor(value, where, np.dtype(np.float64))
        if array.shape != self.shape:
            raise ValueError(f"{where} takes shape {self.shape}, got {array.shape}")
        if layer._model is None:
            self._value = array.copy()
            return self
        weights = layer.get_weights()
        weights[self._position()] = array
        layer.set_weights(weights)
        return self

    def _position(self) -> int:
        from ._own import weights_of  # which imports this file

        return next(i for i, (_, each) in enumerate(weights_of(self._layer)) if each is self)

    def _spec(self, name: str) -> dict[str, Any]:
        """Return the description that the core takes."""
        spec: dict[str, Any] = {
            "name": name,
            "initializer": self._initializer._spec(),
            "trainable": self.trainable and self._layer.trainable,
        }
        if self._regularizer is not None:
            spec["regularizer"] = self._regularizer._config_for(self.shape)
        if self._constraint is not None:
            spec["constraint"] = self._constraint._config_for(self.shape)
        return spec

    def __repr__(self) -> str:
        return f"<variable {self.name or ''} of shape {self.shape}>".replace("  ", " ")
