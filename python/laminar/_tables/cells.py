# SPDX-License-Identifier: Apache-2.0
"""Some cells of one column, as numbers or as texts, whichever a use needs.

What a text says is defined once more in the core, for rows (cpp/laminar/files/cells.hpp), and a
test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..exchange._extras import required

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

# Cells that mean that there is no value, whatever the case of the letters A to Z.
MISSING = ("", "?", "na", "n/a", "nan", "null", "none")


class Cells(NamedTuple):
    """Some cells of one column."""

    missing: Array  # bool
    texts: Any  # a pyarrow array of strings, null where missing; None in a column of numbers
    numbers: Array | None  # float64, NaN where missing; None in a column of texts
    dates: bool = False  # of a type that is a date or a time


def cells_of(column: Any, name: str, missing: Sequence[str]) -> Cells:
    """Return a pyarrow column as cells; ValueError for a type that holds neither text nor number.

    Parameters
    ----------
    column : pyarrow.Array
        The column.
    name : str
        What to call it in an error message.
    missing : sequence of str
        Texts that mean that there is no value, besides `MISSING`.
    """
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    types = arrow.types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if any(holds(kind) for holds in (types.is_string, types.is_large_string, types.is_null)) or (
        str(kind) == "string_view"
    ):
        words = arrow.array(sorted({_lower(text.strip()) for text in (*MISSING, *missing)}))
        texts = compute.utf8_trim_whitespace(column.cast(arrow.string()))
        none = compute.is_in(compute.ascii_lower(texts), value_set=words)
        none = compute.or_(compute.is_null(texts), none)
        texts = compute.if_else(none, arrow.scalar(None, texts.type), texts)
        return Cells(none.to_numpy(zero_copy_only=False), texts, None)
    gaps = compute.is_null(column).to_numpy(zero_copy_only=False)
    if types.is_temporal(kind):
        return Cells(gaps, None, None, True)
    if types.is_boolean(kind):
        column = column.cast(arrow.uint8())
    elif not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise ValueError(f"{name} holds {kind}; columns must hold texts or numbers")
    numbers = column.cast(arrow.float64(), safe=False).to_numpy(zero_copy_only=False)
    return Cells(gaps | np.isnan(numbers), None, numbers)


def as_numbers(cells: Cells) -> tuple[Array, Array]:
    """Return cells as float64, NaN where there is none, and where they hold something else."""
    if cells.numbers is not None:
        return cells.numbers, np.zeros(cells.missing.shape, bool)
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    texts = compute.replace_substring_regex(cells.texts, r"^\+([0-9.])", r"\1")
    broken = np.zeros(cells.missing.shape, bool)
    try:
        numbers = texts.cast(arrow.float64())
    except arrow.ArrowInvalid:
        good = compute.match_substring_regex(texts, r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
        broken = compute.equal(good, False).fill_null(False).to_numpy(zero_copy_only=False)
        numbers = compute.if_else(good, texts, arrow.scalar(None, texts.type))
        numbers = numbers.cast(arrow.float64())
    return numbers.to_numpy(zero_copy_only=False), broken


def as_texts(cells: Cells) -> Any:
    """Return cells as a pyarrow array of strings, null where there is none; 3.0 becomes "3"."""
    if cells.texts is not None:
        return cells.texts
    arrow = required("pyarrow", "tabular", "tables")
    assert cells.numbers is not None
    values, where = np.unique(cells.numbers, return_inverse=True)
    words = arrow.array([text_of(value) for value in values.tolist()], arrow.string())
    found = words.take(arrow.array(where.reshape(-1)))
    none = arrow.scalar(None, arrow.string())
    return required("pyarrow.compute", "tabular", "tables").if_else(
        arrow.array(cells.missing), none, found
    )


def text_of(number: float) -> str:
    """Return a number as a category is called: 3.0 is "3"."""
    whole = abs(number) < 1e15 and number == int(number)
    return str(int(number)) if whole else repr(number)


def _lower(text: str) -> str:
    return text.encode().lower().decode()  # of bytes, that is, the letters A to Z
