# SPDX-License-Identifier: Apache-2.0
"""Symbols: the values that a model will compute, before there is any number.

`Input` is the first of them, and a layer that is called on symbols returns the next. A symbol knows
the layer that computes it and the symbols that this reads, so that `Model` finds its graph by going
back from the outputs; a cycle cannot be written down.
"""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

import numpy as np

from .._attributes import Attributes
from .._component import integer
from .._spelling import keywords

if TYPE_CHECKING:
    from .base import Layer

Shape: TypeAlias = "int | Sequence[int]"
Symbols: TypeAlias = "Symbol | Sequence[Symbol] | Mapping[str, Symbol]"

_serial = itertools.count()


def sample_shape(shape: Any, where: str) -> tuple[int, ...]:
    """Return the shape of one sample as a tuple; an error where an extent is not positive."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        if isinstance(shape, numbers.Integral):
            return (integer(shape, where, minimum=1),)
        raise TypeError(
            f"{where} must be an integer or a tuple of integers, such as (features,), got {shape!r}"
        )
    if not shape:
        raise ValueError(
            f"{where} must be the shape of one sample, such as (features,), or (1,) where that is "
            f"one number, got {shape!r}"
        )
    if any(extent is None for extent in shape):
        raise ValueError(
            f"{where} must have a size for each axis of one sample, without the rows, got {shape!r}"
        )
    return tuple(integer(extent, where, minimum=1) for extent in shape)


class Symbol(Attributes):
    """A value of a graph: what a layer will make of what it reads.

    ``a + b``, ``a - b`` and ``a * b`` of two symbols are the layers `Add`, `Subtract` and
    `Multiply` where shapes are equal; the other operators, and those of a symbol and a number or
    an array, are operations of `laminar.ops`.

    Attributes
    ----------
    shape : tuple of int
        The shape of one sample, without the rows.
    name : str or None
        The name of an `Input`, or of the layer that computes the symbol.
    """

    shape: tuple[int, ...]
    _symbolic = True
    _of_batch = False  # of all rows together, see ops/_symbols.py
    __array_ufunc__ = None  # so that NumPy leaves array + symbol to the symbol

    _layer: Layer | None = None  # that computes it; None for an input
    _reads: tuple[Symbol, ...] = ()

    def __init__(self, layer: Layer, reads: Sequence[Symbol], shape: tuple[int, ...]) -> None:
        self._layer, self._reads = layer, tuple(reads)
        self._order = next(_serial)  # what a symbol reads was made before it
        self.shape = shape

    @property
    def name(self) -> str | None:
        """The name of the layer that computes it."""
        assert self._layer is not None
        return self._layer.name

    def _change(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}: {name} cannot be changed; make another one")

    def __add__(self, other: Any) -> Symbol:
        return _merged("Add", self, other)

    def __sub__(self, other: Any) -> Symbol:
        return _merged("Subtract", self, other)

    def __mul__(self, other: Any) -> Symbol:
        return _merged("Multiply", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return _merged("Add", other, self)

    def __rsub__(self, other: Any) -> Symbol:
        return _merged("Subtract", other, self)

    def __rmul__(self, other: Any) -> Symbol:
        return _merged("Multiply", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return _operated("divide", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return _operated("divide", other, self)

    def __pow__(self, other: Any) -> Symbol:
        return _operated("power", self, other)

    def __rpow__(self, other: Any) -> Symbol:
        return _operated("power", other, self)

    def __matmul__(self, other: Any) -> Symbol:
        return _operated("matmul", self, other)

    def __neg__(self) -> Symbol:
        return _operated("negative", self)

    def __abs__(self) -> Symbol:
        return _operated("abs", self)

    def __lt__(self, other: Any) -> Symbol:
        return _operated("less", self, other)

    def __le__(self, other: Any) -> Symbol:
        return _operated("less_equal", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return _operated("greater", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return _operated("greater_equal", self, other)

    def __getitem__(self, key: Any) -> Symbol:
        return _operated("getitem", self, key)

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} stands for a batch: its rows cannot be gone through")

    def __bool__(self) -> bool:
        raise TypeError("a symbol is neither true nor false: it has no value yet")

    def __repr__(self) -> str:
        kind = "" if self._layer is None else f" of {type(self._layer).__name__}"
        return f"<{type(self).__name__} {self.shape}{kind}>"


def _of_numbers(dtype: Any) -> bool:
    if dtype == "bfloat16":
        return True
    try:
        return np.dtype(dtype).kind in "biuf"
    except TypeError:
        return False


def _merged(kind: str, left: Any, right: Any) -> Symbol:
    """Return the sum, difference or product: the layer of two symbols, or an operation."""
    symbols = isinstance(left, Symbol) and isinstance(right, Symbol)
    if symbols and not (left._of_batch or right._of_batch):
        spread = len(left.shape) != len(right.shape) or 1 in (*left.shape, *right.shape)
        if left.shape == right.shape or not spread:
            from . import merging  # which imports this file

            made: Symbol = getattr(merging, kind)()([left, right])
            return made
    return _operated(kind.lower(), left, right)


def _operated(name: str, *operands: Any) -> Symbol:
    """Return what an operation makes of a symbol and something else."""
    from .. import ops  # noqa: F401  # fills the list
    from ..ops._names import OPERATIONS  # which few programs need

    made: Any = OPERATIONS[name](*operands)
    return cast("Symbol", made)


class Input(Symbol):
    """The shape of one sample, and the symbol that a graph of layers starts from.

    A `Sequential` that starts with it is built at once; for a `Model`, layers are called on it.

    Parameters
    ----------
    shape : tuple of int or int
        ``(features,)``; several axes, such as ``(28, 28)``, need a `Flatten` before a `Dense`.
    name : str, optional
        The key of its array where a model's data are a dict; otherwise kept for the reader.
    dtype : str, optional
        Accepted for Keras's sake: data of any type of numbers become the model's.

    Examples
    --------
    >>> import laminar
    >>> start = laminar.Input((4,), name="numbers")
    >>> start.shape
    (4,)
    >>> laminar.Model(start, laminar.layers.Dense(2)(start)).output_shape
    (None, 2)
    """

    @keywords(input_shape="shape", input_dim="shape")
    def __init__(self, shape: Shape, name: str | None = None, dtype: object = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Input: name must be a string, got {name!r}")
        if dtype is not None and not _of_numbers(dtype):
            raise ValueError(
                f"Input: dtype must be a type of numbers, got {dtype!r}; encode texts first"
            )
        self._order = next(_serial)
        self.shape = sample_shape(shape, "Input: shape")
        self._name = name
        self.dtype = dtype

    @property
    def name(self) -> str | None:
        """The given name."""
        return self._name

    def __repr__(self) -> str:
        return f"Input(shape={self.shape!r})"
