# SPDX-License-Identifier: Apache-2.0
"""Raw rows as dicts, as the model takes them that was trained on such a table; by the core alone.

A value becomes the text that a file would have of it, which the core reads as it reads a file's.
"""

from __future__ import annotations

import datetime
import math
import numbers
import warnings
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from .. import _core, _frames
from .._printable import listed
from .cells import BOOLEANS, text_of
from .table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Record = Mapping[str, Any]


def are_records(value: object) -> TypeGuard[Sequence[Record]]:
    """Whether a value is a sequence of dicts."""
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], Mapping)


def encoded(rows: Sequence[Record], name: str, text: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return rows as inputs.

    Parameters
    ----------
    rows : sequence of mapping
        Each from the columns that the model reads, and perhaps others, to texts, numbers, or None
        where there is no value.
    name : str
        What to call them in an error message.
    text : str
        The description of the table that the model was trained on.
    dtype : dtype
        The model's.

    Raises
    ------
    TypeError, ValueError
        Where a row is no mapping or lacks a column, or holds other things than in training.

    Warns
    -----
    UserWarning
        Where there are values that training has not seen.
    """
    table = Table.from_json(text)
    cells = [_cells(row, f"{name}: row {i}", table.columns) for i, row in enumerate(rows, 1)]
    out = np.empty((len(rows), table.width), dtype)
    try:
        notes = _core.Table(text).encode(cells, out)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    for note in notes:
        warnings.warn(f"{name}: {note}", UserWarning, stacklevel=4)
    return out


def _cells(row: object, name: str, columns: Sequence[Column]) -> list[str]:
    if not isinstance(row, Mapping):
        raise TypeError(f"{name} must be a mapping as the first one is, got {type(row).__name__}")
    for column in columns:
        if column.file_name not in row:
            has = listed(row)
            raise ValueError(
                f"{name} lacks column {column.file_name!r}, which the model reads; it has {has}"
            )
    return [_cell(row[column.file_name], name, column) for column in columns]


def _cell(value: object, name: str, column: Column) -> str:
    """Return the text that a value is in a file."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(
                f"{name}: column {column.file_name!r} holds half of a letter, got {value!r}"
            )
        return value
    if _frames.is_missing(value):
        return ""
    if column.form.kind in ("date", "time", "duration"):
        value = moment_text(value)
        if isinstance(value, str):
            return value
    if not isinstance(value, (numbers.Real, Decimal, np.bool_)):
        raise TypeError(
            f"{name}: column {column.file_name!r} must hold texts or numbers, "
            f"got {type(value).__name__}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(
            f"{name}: column {column.file_name!r} holds a number that is too large"
        ) from None
    if math.isnan(number):
        return ""
    if column.kind == "category":
        if isinstance(value, (bool, np.bool_)):
            return BOOLEANS[bool(value)]
        single: Any = value
        return text_of(single if isinstance(single, np.float32) else number)
    return repr(number) if column.form.decimal == "." else repr(number).replace(".", ",")


def moment_text(value: Any) -> Any:
    """Return a date, a time or a duration as a file has it; anything else as it is."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return repr(value.total_seconds())
    kind = getattr(value, "dtype", np.dtype(object)).kind
    if kind in "mM" and np.isnat(value):
        return ""
    if kind == "m":
        return repr(float(value / np.timedelta64(1, "ns")) / 1e9)
    return str(value) if kind == "M" else value
