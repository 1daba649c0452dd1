# SPDX-License-Identifier: Apache-2.0
"""Layers that read several symbols: sums, products, extremes, concatenation, dot products.

Each has a function beside it, ``add([a, b])`` for ``Add()([a, b])``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .._component import flag, integer
from .._spelling import keywords
from .base import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ops._held import Tensor
    from .symbol import Symbol

V = TypeVar("V", bound="Symbol | Tensor | NDArray[Any]")
Shapes = Sequence[tuple[int, ...]]


class Merging(Layer):
    """Base of the layers that read several symbols."""

    _merges = True
    _most: int | None = None  # inputs

    @keywords()
    def __init__(self, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name, trainable=trainable)

    def _check_number(self, count: int) -> None:
        """Raise ValueError where a number of inputs is none that the layer takes."""
        kind = type(self).__name__
        if count < 2 or (self._most is not None and count > self._most):
            wanted = "exactly 2" if self._most == 2 else "at least 2"
            raise ValueError(f"{kind} takes a list of {wanted} inputs, got {count}")

    def _output_shape(self, shapes: Shapes) -> tuple[int, ...]:
        """Return the one shape that all have; ValueError, with two of them, where they differ."""
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ValueError(
                    f"{self._label()}: inputs must be of one shape, got {shapes[0]} for the first "
                    f"and {shape} for input {i}"
                )
        return shapes[0]


class Add(Merging, entry="add"):
    """The sum of its inputs, value by value.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Add()([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[11., 22.]], dtype=float32)
    """


class Subtract(Merging, entry="subtract"):
    """The first of two inputs less the second, value by value.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Subtract()([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[-2., -2.]], dtype=float32)
    """

    _most = 2


class Multiply(Merging, entry="multiply"):
    """The product of its inputs, value by value.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Multiply()([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[3., 8.]], dtype=float32)
    """


class Average(Merging, entry="average"):
    """The mean of its inputs, value by value.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Average()([[[1.0, 2.0]], [[3.0, 6.0]]])
    array([[2., 4.]], dtype=float32)
    """


class Maximum(Merging, entry="maximum"):
    """The largest of its inputs, value by value.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Maximum()([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[3., 5.]], dtype=float32)
    """


class Minimum(Merging, entry="minimum"):
    """The least of its inputs, value by value.

    Parameters
    ----------
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Minimum()([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[1., 2.]], dtype=float32)
    """


class Concatenate(Merging, entry="concatenate"):
    """Its inputs side by side along the last axis.

    Parameters
    ----------
    axis : int
        -1, or the number of the last axis, which is 1 for vectors: the only one there is.
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Concatenate()([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]], dtype=float32)
    """

    @keywords()
    def __init__(self, axis: int = -1, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(name, trainable)
        self.axis = integer(axis, "Concatenate: axis", minimum=-1)

    def _output_shape(self, shapes: Shapes) -> tuple[int, ...]:
        if self.axis not in (-1, len(shapes[0])):
            raise ValueError(f"{self._label()}: axis must be -1, the last one, got {self.axis}")
        for i, shape in enumerate(shapes):
            if shape[:-1] != shapes[0][:-1]:
                raise ValueError(
                    f"{self._label()}: inputs must differ in the last axis alone, got "
                    f"{shapes[0]} for the first and {shape} for input {i}"
                )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def _options(self) -> dict[str, Any]:
        return {}


class Dot(Merging, entry="dot"):
    """The dot product of two vectors of equal length: one value a row.

    Parameters
    ----------
    axes : int or tuple of int
        1 or -1, or a pair of them: the axis of the features, the only one there is.
    normalize : bool
        Divide by both lengths: the cosine of the angle between the vectors.
    name : str, optional
        Unique within its model.
    trainable : bool
        Accepted for Keras's sake: it has no weights.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.Dot()([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[11.]], dtype=float32)
    """

    _most = 2

    @keywords()
    def __init__(
        self,
        axes: int | Sequence[int] = -1,
        normalize: bool = False,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, trainable)
        both = tuple(axes) if isinstance(axes, Sequence) else (axes, axes)
        if len(both) != 2 or any(isinstance(a, bool) or a not in (1, -1) for a in both):
            raise ValueError(f"Dot: axes must be 1 or -1, the features, got {axes!r}")
        self.axes = axes if isinstance(axes, int) else both
        self.normalize = flag(normalize, "Dot: normalize")

    def _output_shape(self, shapes: Shapes) -> tuple[int, ...]:
        if any(len(shape) > 1 for shape in shapes) or shapes[0] != shapes[1]:
            raise ValueError(
                f"{self._label()}: takes two vectors of one length, got shapes {shapes[0]} and "
                f"{shapes[1]}" + ("; Flatten comes before it" if _several_axes(shapes) else "")
            )
        return (1,)

    def _options(self) -> dict[str, Any]:
        return {"normalize": self.normalize}


def _several_axes(shapes: Shapes) -> bool:
    """Whether vectors of one length are hidden in shapes of several axes."""
    return math.prod(shapes[0]) == math.prod(shapes[1]) and any(len(s) > 1 for s in shapes)


def add(inputs: Sequence[V], name: str | None = None) -> V:
    """Return the sum of symbols or arrays; see `Add`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two or more of one shape.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.add([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[11., 22.]], dtype=float32)
    """
    made: V = Add(name)(inputs)
    return made


def subtract(inputs: Sequence[V], name: str | None = None) -> V:
    """Return the first of two symbols or arrays less the second; see `Subtract`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two of one shape.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.subtract([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[-2., -2.]], dtype=float32)
    """
    made: V = Subtract(name)(inputs)
    return made


def multiply(inputs: Sequence[V], name: str | None = None) -> V:
    """Return the product of symbols or arrays; see `Multiply`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two or more of one shape.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.multiply([[[1.0, 2.0]], [[3.0, 4.0]]])
    array([[3., 8.]], dtype=float32)
    """
    made: V = Multiply(name)(inputs)
    return made


def average(inputs: Sequence[V], name: str | None = None) -> V:
    """Return the mean of symbols or arrays; see `Average`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two or more of one shape.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.average([[[1.0, 2.0]], [[3.0, 6.0]]])
    array([[2., 4.]], dtype=float32)
    """
    made: V = Average(name)(inputs)
    return made


def maximum(inputs: Sequence[V], name: str | None = None) -> V:
    """Return the largest of symbols or arrays, value by value; see `Maximum`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two or more of one shape.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.maximum([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[3., 5.]], dtype=float32)
    """
    made: V = Maximum(name)(inputs)
    return made


def minimum(inputs: Sequence[V], name: str | None = None) -> V:
    """Return the least of symbols or arrays, value by value; see `Minimum`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two or more of one shape.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.minimum([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[1., 2.]], dtype=float32)
    """
    made: V = Minimum(name)(inputs)
    return made


def concatenate(inputs: Sequence[V], axis: int = -1, name: str | None = None) -> V:
    """Return symbols or arrays side by side; see `Concatenate`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two or more that differ in their last axis alone.
    axis : int
        The last axis, as -1 or by its number.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.concatenate([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]], dtype=float32)
    """
    made: V = Concatenate(axis, name)(inputs)
    return made


def dot(
    inputs: Sequence[V],
    axes: int | Sequence[int] = -1,
    normalize: bool = False,
    name: str | None = None,
) -> V:
    """Return the dot product of two symbols or arrays; see `Dot`.

    Parameters
    ----------
    inputs : list of symbols or arrays
        Two of one shape.
    axes : int
        The last axis, as -1 or by its number.
    normalize : bool
        Divide by the lengths, which gives the cosine.
    name : str, optional
        That of the layer.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.dot([[[3.0, 4.0]], [[6.0, 8.0]]], normalize=True).round(4)
    array([[1.]], dtype=float32)
    """
    made: V = Dot(axes, normalize, name)(inputs)
    return made
