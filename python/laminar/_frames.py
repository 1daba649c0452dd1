# SPDX-License-Identifier: Apache-2.0
"""Tables of other libraries as columns of numbers: pandas, polars, Arrow; and sparse matrices.

An object is known by what it can do, so that none of these packages is imported here, but pyarrow
for an object that offers nothing except Arrow's stream. Every column must be of numbers: one that
is not is refused by its name. A missing value becomes NaN, which training refuses by its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .exchange._extras import required

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_CURE = (
    "encode it as numbers first (laminar.layers.StringLookup, one-hot columns), or leave the "
    "column out"
)


_SMALL = 4096  # elements of a table that is taken as a whole
_EXACT = 2.0**53  # up to here float64 holds all integers


class Columns(NamedTuple):
    """The columns of a table, or a single one that has no name."""

    names: tuple[str, ...] | None
    arrays: list[Array]


def is_plain(value: object) -> bool:
    """Whether a value is surely neither a table nor a sparse matrix."""
    return isinstance(value, (np.ndarray, list, tuple, int, float, type(None)))


def matrix(value: Any) -> Array | None:
    """Return a small table of pandas's, all of whose columns are of numbers, as one array.

    Its type is that of the columns, float64 where they differ, if that holds all their numbers.
    None for all else, which `columns` looks at one by one.
    """
    if not hasattr(type(value), "iloc") or value.ndim != 2 or value.size > _SMALL:
        return None
    kinds = set(value.dtypes.array)
    if not all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in kinds):
        return None
    if len(kinds) == 1:
        return np.asarray(value.to_numpy())
    if any(kind.itemsize > 8 for kind in kinds):
        return None
    made: Array = value.to_numpy(dtype=np.float64)
    wide = any(kind.kind in "iu" and kind.itemsize == 8 for kind in kinds)
    return None if wide and bool((np.abs(made) > _EXACT).any()) else made


def is_missing(item: object) -> bool:
    """Whether a value says that there is none: None, or pandas's NA or NaT."""
    return item is None or type(item).__name__ in ("NAType", "NaTType")


def is_sparse(value: object) -> bool:
    """Whether a value is a sparse matrix or array of SciPy's kind."""
    # Tables of pandas take long to say that they lack an attribute.
    if is_plain(value) or hasattr(type(value), "iloc"):
        return False
    return hasattr(value, "toarray") and hasattr(value, "tocsr")


def names(value: object) -> tuple[str, ...] | None:
    """Return the names of a table's columns; None for what has none, or not texts only."""
    if is_plain(value) or is_sparse(value):
        return None
    found = _names(value)
    if found is None or not all(isinstance(name, str) for name in found):
        return None
    return tuple(found)


def check_names(found: tuple[str, ...] | None, name: str, trained: tuple[str, ...] | None) -> None:
    """Raise ValueError where a table has other columns than the one that a model has seen.

    Columns that only stand in another order would be taken for each other in silence.
    """
    if trained is None or found is None or found == trained:
        return
    known = "the model was trained with (model.feature_names)"
    for label in trained:
        if label not in found:
            raise ValueError(f"{name}: lacks column {label!r}, which {known}")
    for label in found:
        if label not in trained:
            raise ValueError(f"{name}: has column {label!r}, which is not among those {known}")
    i = next(i for i, pair in enumerate(zip(found, trained, strict=False)) if pair[0] != pair[1])
    raise ValueError(
        f"{name}: has the columns that {known} in another order: column {i} is {found[i]!r}, "
        f"not {trained[i]!r}"
    )


def columns(value: object, name: str) -> Columns | None:
    """Return the columns of a table, or of one column; None for anything else.

    Parameters
    ----------
    value : object
        What the user passed.
    name : str
        What to call it in an error message.

    Raises
    ------
    TypeError
        For a column that does not hold booleans, integers or floats.
    ImportError
        For a stream of Arrow's where pyarrow is missing.
    """
    if is_plain(value) or is_sparse(value):
        return None
    found: Any = value
    labels = _names(found)
    if labels is None:
        arrow = hasattr(found, "__arrow_c_stream__") or hasattr(found, "__arrow_c_array__")
        if hasattr(found, "to_numpy") and (arrow or hasattr(found, "iloc")):
            return Columns(None, [_numbers(found, name)])
        if not arrow:
            return None
        found = required("pyarrow", "tabular", name).table(found)
        labels = found.column_names
    take = _taker(found)
    arrays = [_numbers(take(i), f"{name}: column {label!r}") for i, label in enumerate(labels)]
    return Columns(tuple(map(str, labels)), arrays)


def dense(value: Any, name: str, dtype: np.dtype[Any]) -> Array:
    """Return a sparse matrix as an array in C order; the values are converted before they spread.

    Raises
    ------
    TypeError, ValueError
        Where it does not hold booleans, integers or floats, or one is too large for ``dtype``.
    """
    if value.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must hold booleans, integers or floats, got a sparse matrix of {value.dtype}"
        )
    try:
        with np.errstate(over="raise"):
            rows = value.tocsr().astype(dtype)
    except FloatingPointError:
        raise ValueError(f"{name} holds a value too large for {dtype}") from None
    array: Array = rows.toarray(order="C")
    return array


def _names(value: Any) -> Sequence[Any] | None:
    """Return the labels of a table's columns; None where it is no table."""
    if hasattr(type(value), "iloc"):  # pandas
        return list(value.columns) if hasattr(type(value), "columns") else None
    if hasattr(value, "column_names"):  # Arrow
        return list(value.column_names)
    if hasattr(value, "to_numpy") and hasattr(value, "columns"):  # pandas, polars
        return list(value.columns)
    return None


def _taker(table: Any) -> Callable[[int], Any]:
    """Return the function that takes a table's column by its position."""
    if hasattr(table, "iloc"):
        return lambda i: table.iloc[:, i]
    if hasattr(table, "to_series"):
        return lambda i: table.to_series(i)
    return lambda i: table.column(i)


def _numbers(column: Any, name: str) -> Array:
    """Return one column as an array of numbers, NaN where a value is missing."""
    kind = str(getattr(column, "dtype", getattr(column, "type", "")))
    array = None
    if not kind.lower().startswith(("category", "categorical", "dictionary", "enum")):
        array = as_array(column)
        if array.dtype.kind == "O":
            array = _without_missing(array)
    if array is None or array.dtype.kind not in "biuf" or array.ndim != 1:
        raise TypeError(f"{name} holds {kind or 'other things'}, not numbers; {_CURE}")
    return array


def as_array(column: Any) -> Array:
    """Return a column as its library makes an array of it, by copy where it must."""
    if hasattr(column, "__arrow_c_array__") and not hasattr(column, "to_list"):  # Arrow's Array
        return np.asarray(column.to_numpy(zero_copy_only=False))
    return np.asarray(column.to_numpy())


def _without_missing(array: Array) -> Array | None:
    """Return an array of objects as floats if it holds numbers and missing values alone."""
    missing = np.array([is_missing(item) for item in array])
    present = array[~missing]
    if not all(isinstance(item, (bool, int, float, np.number, np.bool_)) for item in present):
        return None
    result = np.full(array.shape, np.nan)
    result[~missing] = present.astype(np.float64)
    return result
