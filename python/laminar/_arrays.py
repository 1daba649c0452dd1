# SPDX-License-Identifier: Apache-2.0
"""The one place where users' data become arrays.

What leaves here is C-contiguous, aligned, in native byte order, of exactly the wanted type, and
shares memory with what came in where that was already so. Values are never silently narrowed:
float64 and integers may be rounded to float32, as documented, all else is an error. Widths,
finiteness and the range of labels are checked by the core, which knows the model.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LABEL = np.dtype(np.int32)
MISSING_LABEL = int(np.iinfo(LABEL).min)  # in place of a class number that is missing
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_PIECE = 1 << 22  # elements that are converted at a time: between two pieces Ctrl-C is answered

_HINTS = {
    "O": "convert the columns to numbers first",
    "U": "encode strings as numbers first",
    "S": "encode bytes as numbers first",
    "T": "encode strings as numbers first",
    "c": "take the real part or pass real and imaginary parts as columns",
    "M": "convert times to numbers first",
    "m": "convert times to numbers first",
}


def features(value: object, name: str, dtype: np.dtype[Any]) -> Array:
    """Return samples as an array (n, features) of ``dtype``, n > 0; samples may have more axes.

    Parameters
    ----------
    value : array_like
        Booleans, integers or floats of two dimensions or more, of any layout and byte order; a
        table of pandas, polars or Arrow; or a sparse matrix, which becomes dense.
    name : str
        What to call it in an error message.
    dtype : dtype
        float32 or float64.

    Raises
    ------
    TypeError, ValueError
        For other kinds of values, other dimensions, and no rows.
    """
    if type(value) is np.ndarray and value.dtype == dtype and value.ndim > 1 and len(value):
        flags = value.flags
        if flags.c_contiguous and flags.aligned:
            return value
    array = _numeric(value, name, dtype)
    if array.ndim == 1 and array.size:
        raise ValueError(
            f"{name} must have two dimensions, (rows, features), got shape {array.shape}; "
            f"for one sample use reshape(1, -1), for one feature reshape(-1, 1)"
        )
    dimensions = range(2, max(array.ndim, 2) + 1)
    return _converted(_with_rows(array, name, dimensions, "(rows, features)"), name, dtype)


def targets(value: object, name: str, dtype: np.dtype[Any]) -> Array:
    """Return targets as an array (n, outputs) of ``dtype``; (n,) becomes (n, 1).

    Those of outputs with several axes have as many.
    """
    if value is None:
        raise ValueError(f"{name} is missing")
    array = _numeric(value, name, dtype)
    dimensions = range(1, max(array.ndim, 1) + 1)
    array = _with_rows(array, name, dimensions, "(rows,) or (rows, outputs)")
    return _converted(array if array.ndim > 1 else array[:, np.newaxis], name, dtype)


def labels(value: object, name: str, missing: bool = False) -> Array:
    """Return class numbers, integers of shape (n,) or (n, 1), as an int32 array (n,).

    With ``missing``, NaN becomes `MISSING_LABEL`.
    """
    if value is None:
        raise ValueError(f"{name} is missing")
    array = _with_rows(_numeric(value, name), name, (1, 2), "(rows,), one class number a row")
    if array.ndim == 2:
        if array.shape[1] != 1:
            raise ValueError(
                f"{name} must hold one class number a row, shape (rows,), got shape "
                f"{array.shape}; for one-hot rows use the loss categorical_crossentropy"
            )
        array = array[:, 0]
    if missing and array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.float64(MISSING_LABEL), array)
    if array.dtype.kind == "f":
        broken = ~(np.floor(array) == array)  # written so that NaN counts as broken
        if broken.any():
            row = int(np.argmax(broken))
            raise ValueError(f"{name} must hold whole class numbers, got {array[row]} in row {row}")
    limits = np.iinfo(LABEL)
    for extreme in (array.min().item(), array.max().item()):
        if not limits.min <= extreme <= limits.max:
            raise ValueError(f"{name} must hold class numbers, got {extreme}")
    return _converted(array, name, LABEL)


def row_weights(value: object, name: str, dtype: np.dtype[Any]) -> Array | None:
    """Return one weight a row as an array (n,) of ``dtype``; None stays None."""
    if value is None:
        return None
    array = _with_rows(_numeric(value, name), name, (1, 2), "(rows,), one weight a row")
    if array.ndim == 2:
        if array.shape[1] != 1:
            raise ValueError(
                f"{name} must hold one weight a row, shape (rows,), got shape {array.shape}"
            )
        array = array[:, 0]
    return _converted(array, name, dtype)


def outputs(value: object, name: str) -> Array:
    """Return outputs (…, k) as a float32 array where they are one, else as float64."""
    array = _numeric(value, name)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must have rows of outputs, got shape {array.shape}")
    single = array.dtype == np.float32
    return _converted(array, name, np.dtype(np.float32 if single else np.float64))


def are_ready(y_true: object, y_pred: object) -> bool:
    """Whether targets and outputs are matrices of one shape and type in the form that is needed."""
    if type(y_true) is not np.ndarray or type(y_pred) is not np.ndarray:
        return False
    flags, others = y_true.flags, y_pred.flags
    return (
        y_true.dtype == y_pred.dtype
        and y_true.shape == y_pred.shape
        and y_true.ndim == 2
        and y_true.size > 0
        and y_true.dtype in _FLOATS
        and flags.c_contiguous
        and flags.aligned
        and others.c_contiguous
        and others.aligned
    )


def targets_like(value: object, name: str, like: Array) -> Array:
    """Return targets for the outputs ``like`` as an array (rows, k) of the same type.

    A last axis of length 1 may be missing on one side.
    """
    array = _numeric(value, name)
    if like.shape not in (array.shape, (*array.shape, 1)) and array.shape != (*like.shape, 1):
        raise ValueError(f"{name} must have the shape of y_pred, {like.shape}, got {array.shape}")
    return _converted(array.reshape(-1, like.shape[-1]), name, like.dtype)


def labels_like(value: object, name: str, rows: tuple[int, ...]) -> Array:
    """Return class numbers for rows of any shape as an int32 array (rows,)."""
    array = _numeric(value, name)
    if array.shape not in (rows, (*rows, 1)):
        raise ValueError(
            f"{name} must hold one class number for each row of y_pred, shape {rows}, "
            f"got shape {array.shape}"
        )
    return labels(array.reshape(-1), name)


def weights_like(value: object, name: str, like: Array) -> Array | None:
    """Return weights for the rows of ``like`` as an array (rows,) of its type."""
    if value is None:
        return None
    rows = like.shape[:-1]
    array = _numeric(value, name)
    if array.ndim == like.ndim and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim > len(rows) or array.shape != rows[: array.ndim]:
        one = f"; y_pred of shape {like.shape} is one row, for {like.size} rows use reshape(-1, 1)"
        raise ValueError(
            f"{name} must have the shape of the rows of y_pred, {rows}, or of their first axes, "
            f"got {array.shape}" + (one if like.ndim == 1 else "")
        )
    spread = array.reshape(array.shape + (1,) * (len(rows) - array.ndim))
    return _converted(np.broadcast_to(spread, rows).reshape(-1), name, like.dtype)


def tensor(value: object, name: str, dtype: np.dtype[Any]) -> Array:
    """Return an array of any shape as ``dtype``, for weights."""
    return _converted(_numeric(value, name), name, dtype)


def real(value: object, name: str) -> Array:
    """Return an array of any shape as float32 if that holds its values, else as float64."""
    array = _numeric(value, name)
    narrow = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return _converted(array, name, np.dtype(np.float32 if narrow else np.float64))


def float_type(value: object, name: str) -> np.dtype[Any]:
    """Return the dtype that a user named, float32 for None; ValueError for other types."""
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        if value is None or value in (dtype, dtype.name, dtype.type):
            return dtype
    raise ValueError(f"{name} must be float32 or float64, got {value!r}")


def check_sample(array: Array, name: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless rows are of the shape, where one of the two has several axes.

    The core compares the widths of plain vectors, and can say more about them.
    """
    if array.shape[1:] != shape and (array.ndim > 2 or len(shape) > 1):
        expected = ", ".join(["rows", *map(str, shape)])
        raise ValueError(f"{name} must have shape ({expected}), got {array.shape}")


def check_output(out: object, name: str, shape: tuple[int, ...], rows: Array) -> None:
    """Raise TypeError or ValueError unless ``out`` can receive results computed from ``rows``."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be an array, got {type(out).__name__}")
    flags = out.flags
    if out.dtype != rows.dtype or out.shape != shape:
        raise ValueError(
            f"{name} must be of shape {shape} and {rows.dtype}, got {out.shape} and {out.dtype}"
        )
    if not (flags.c_contiguous and flags.aligned and flags.writeable):
        raise ValueError(f"{name} must be C-contiguous, aligned and writeable")
    if np.may_share_memory(out, rows):
        raise ValueError(f"{name} must not share memory with x")


def _numeric(value: object, name: str, dtype: np.dtype[Any] | None = None) -> Array:
    """Return ``value`` as a plain numpy array of real numbers.

    Tables and sparse matrices become ``dtype`` on the way, so that no second copy is made.
    """
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        return value
    if _frames.is_sparse(value):
        return _frames.dense(value, name, dtype or np.dtype(np.float64))
    table = _frames.columns(value, name)
    if table is not None:
        return _side_by_side(table, name, dtype)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} has masked values; fill or drop them first")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from None
    if array.dtype.kind not in "biuf":
        hint = _HINTS.get(array.dtype.kind, "")
        raise TypeError(
            f"{name} must hold booleans, integers or floats, got dtype {array.dtype}"
            + (f"; {hint}" if hint else "")
        )
    return array


def _side_by_side(table: _frames.Columns, name: str, dtype: np.dtype[Any] | None) -> Array:
    """Return the columns of a table as one array; a column without a name stays a vector."""
    if table.names is None:
        return table.arrays[0]
    rows = len(table.arrays[0]) if table.arrays else 0
    kinds = [column.dtype for column in table.arrays]
    result = np.empty((rows, len(kinds)), dtype or np.result_type(np.bool_, *kinds))
    for i, column in enumerate(table.arrays):
        result[:, i] = _converted(column, f"{name}: column {table.names[i]!r}", result.dtype)
    return result


def _with_rows(array: Array, name: str, dimensions: Collection[int], expected: str) -> Array:
    """Return ``array`` if it has one of the numbers of dimensions and at least one row."""
    if array.ndim and array.shape[0] == 0:
        raise ValueError(f"{name} has no rows, shape {array.shape}")
    if array.ndim not in dimensions:
        raise ValueError(f"{name} must have shape {expected}, got shape {array.shape}")
    return array


def _converted(array: Array, name: str, dtype: np.dtype[Any]) -> Array:
    """Return ``array`` in the one form that the core takes, itself if it has it."""
    flags = array.flags
    if array.dtype == dtype and flags.c_contiguous and flags.aligned:
        return array
    try:
        with np.errstate(over="raise"):
            if array.size <= _PIECE or array.ndim == 0:
                return array.astype(dtype, order="C", copy=True)
            result = np.empty(array.shape, dtype)
            rows = max(1, _PIECE * len(array) // array.size)
            for first in range(0, len(array), rows):
                result[first : first + rows] = array[first : first + rows]
            return result
    except FloatingPointError:
        raise ValueError(f"{name} holds a value too large for {dtype}") from None
