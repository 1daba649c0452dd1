# SPDX-License-Identifier: Apache-2.0
"""Raw rows as dicts, as the model takes them that was trained on such a table; by the core alone.

A value becomes the text that a file would have of it, which the core reads as it reads a file's.
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from .. import _core, _frames
from .._printable import listed
from .cells import text_of
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
        if column.name not in row:
            has = listed(row)
            raise ValueError(
                f"{name} lacks column {column.name!r}, which the model reads; it has {has}"
            )
    return [_cell(row[column.name], name, column) for column in columns]


def _cell(value: object, name: str, column: Column) -> str:
    """Return the text that a value is in a file."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(
                f"{name}: column {column.name!r} holds half of a letter, got {value!r}"
            )
        return value
    if _frames.is_missing(value):
        return ""
    if not isinstance(value, (numbers.Real, Decimal, np.bool_)):
        raise TypeError(
            f"{name}: column {column.name!r} must hold texts or numbers, got {type(value).__name__}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(
            f"{name}: column {column.name!r} holds a number that is too large"
        ) from None
    if math.isnan(number):
        return ""
    return repr(number) if column.kind == "number" else text_of(number)
