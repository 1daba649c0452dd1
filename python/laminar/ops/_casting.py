# SPDX-License-Identifier: Apache-2.0
"""The one type of numbers that operations compute with, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _arrays
from ._apply import Value
from ._held import Held, Tensor
from ._names import OPERATIONS
from ._tapes import record
from ._trace import active
from ._traced import Operators

_FLOATS = ("float32", "float64", "float16", "bfloat16", "float")


def cast(x: Value, dtype: Any) -> Value:
    """Return the values as floats.

    Parameters
    ----------
    x : value
        Numbers of any type.
    dtype : {"float32", "float64"}
        For arrays. In a layer or a loss all numbers are of the model's type, and stay so.

    Raises
    ------
    ValueError
        For other types: operations compute with floats alone.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.cast([1.0, 2.0], "float64")
    array([1., 2.])
    """
    name = _name_of(dtype, "cast")
    if active() is not None and isinstance(x, Operators):
        return x
    if isinstance(x, Held):
        return _held_as(x, name)
    return _arrays.tensor(x, "cast: x", np.dtype(name))


def _name_of(dtype: Any, where: str) -> str:
    """Return the type that is computed with where a type is asked for; ValueError for integers."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None:
        name = np.dtype(dtype).name
    if name not in _FLOATS:
        raise ValueError(
            f"{where}: dtype must be float32 or float64, got {dtype!r}: operations compute with "
            "floats alone; conditions are 1 and 0, indices are whole numbers, and "
            "laminar.ops.floor rounds"
        )
    return "float64" if name == "float64" else "float32"


def _held_as(x: Held, name: str) -> Value:
    if x.dtype == name:
        return x
    made = Tensor(x._numbers().astype(name))

    def slopes(d_outputs: Sequence[Tensor | None], wanted: Sequence[int]) -> list[Tensor | None]:
        return [cast(d_outputs[0], x.dtype)]

    record([x], [made], slopes)
    return made


def convert_to_tensor(x: Value, dtype: Any = None) -> Value:
    """Return numbers as a tensor, which a `laminar.GradientTape` can watch.

    Parameters
    ----------
    x : value
        Numbers of any type; a tensor stays itself, a variable's present numbers are taken.
    dtype : {"float32", "float64"}, optional
        By default float64 where x is a float64 array, float32 elsewhere.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.convert_to_tensor([1.0, 2.0])
    Tensor([1., 2.], dtype=float32)
    """
    if active() is not None and isinstance(x, Operators):
        return x
    if isinstance(x, Held):
        return cast(x, x.dtype if dtype is None else dtype)
    if dtype is None:
        dtype = "float64" if getattr(x, "dtype", None) == np.float64 else "float32"
    name = _name_of(dtype, "convert_to_tensor")
    return Tensor(np.array(_arrays.tensor(x, "convert_to_tensor: x", np.dtype(name))))


OPERATIONS["cast"] = cast
OPERATIONS["convert_to_tensor"] = convert_to_tensor
