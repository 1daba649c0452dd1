# SPDX-License-Identifier: Apache-2.0
"""The one type of numbers that operations compute with, and how to get it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arrays
from ._apply import Value
from ._trace import active
from ._traced import OPERATIONS, Operators

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
    """
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None:
        name = np.dtype(dtype).name
    if name not in _FLOATS:
        raise ValueError(
            f"cast: dtype must be float32 or float64, got {dtype!r}: operations compute with "
            "floats alone; conditions are 1 and 0, indices are whole numbers, and "
            "laminar.ops.floor rounds"
        )
    if active() is not None and isinstance(x, Operators):
        return x
    return _arrays.tensor(x, "cast: x", np.dtype("float64" if name == "float64" else "float32"))


OPERATIONS["cast"] = cast
