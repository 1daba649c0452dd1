# SPDX-License-Identifier: Apache-2.0
"""Cells of columns, as numbers or as texts, whichever a use needs.

What a text says is defined once more in the core, for rows (cpp/laminar/files/cells.hpp), and a
test compares the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core
from ..exchange._extras import required

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

# Cells that mean that there is no value, whatever the case of the letters A to Z.
MISSING = ("", "?", "na", "n/a", "nan", "null", "none")
BOOLEANS = ("False", "True")  # as numbers 0 and 1, whatever the case of the letters
_IN_A_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|true|false", re.I | re.A)


class Cells(NamedTuple):
    """Some cells of one column: numbers, or places in a list of words, or dates."""

    rows: int
    missing: Array | None = None  # bool; None where none is
    words: Any = None  # a pyarrow array of strings, null where one means that there is no value
    places: Array | None = None  # of each cell's word, -1 where it is missing
    numbers: Array | None = None  # float32 or float64, NaN where missing; None in one of texts
    dates: bool = False  # of a type that is a date, a time or a duration; then it has words

    def text(self, row: int) -> str:
        """Return what a cell of texts says."""
        assert self.places is not None
        return str(self.words[int(self.places[row])].as_py())

    def said(self, row: int) -> str:
        """Return what a cell says, of texts or of numbers."""
        if self.places is not None:
            return self.text(row)
        assert self.numbers is not None
        return text_of(self.numbers[row])

    def chosen(self, rows: Array) -> Cells:
        """Return the cells of some rows, given as one truth value for each of all."""

        def some(values: Array | None) -> Array | None:
            return None if values is None else values[rows]

        missing = some(self.missing)
        return self._replace(
            rows=int(np.count_nonzero(rows)),
            missing=missing if missing is None else _some(missing),
            places=some(self.places),
            numbers=some(self.numbers),
        )

    def parts(self) -> list[Any]:
        """Return the arrays, which have ``nbytes``."""
        parts = (self.missing, self.words, self.places, self.numbers)
        return [part for part in parts if part is not None]


class Block(NamedTuple):
    """Consecutive rows of a file."""

    first: int  # the number of its first row, counted from 1, the header not counted
    rows: int
    cells: dict[str, Cells]
    at: Array | None = None  # the numbers of its rows, where rows between them are left out
    file: str = ""  # where it is one of several

    def at_rows(self) -> Sequence[int]:
        """Return the number of each row in its file."""
        return range(self.first, self.first + self.rows) if self.at is None else self.at.tolist()

    def place(self, row: int) -> str:
        """Return what a message calls a row of the block."""
        number = self.at_rows()[row]
        return f"row {number} of {self.file}" if self.file else f"row {number}"

    def bytes(self) -> int:
        """Return about how much memory it takes."""
        parts = [part for cells in self.cells.values() for part in cells.parts()]
        return sum(int(part.nbytes) for part in parts)


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
    types = arrow.types
    if types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        column = column.dictionary_decode()
    kind = column.type
    if types.is_dictionary(kind) or types.is_null(kind) or _is_text(kind):
        return _texts(column, missing)
    if types.is_temporal(kind):
        return _texts(_moments(column), ())._replace(dates=True)
    if types.is_boolean(kind):
        words = arrow.array(BOOLEANS)
        return _texts(arrow.DictionaryArray.from_arrays(column.cast(arrow.int8()), words), ())
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
        raise ValueError(f"{name} holds {kind}; columns must hold texts or numbers")
    if not types.is_float32(kind):
        column = column.cast(arrow.float64(), safe=False)
    numbers = column.to_numpy(zero_copy_only=False)
    return Cells(len(column), _some(np.isnan(numbers)), numbers=numbers)


def _moments(column: Any) -> Any:
    """Return dates and times as a file has them, durations in seconds."""
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    different = column.dictionary_encode()
    words = different.dictionary
    if arrow.types.is_duration(column.type):
        seconds = words.cast(arrow.int64()).cast(arrow.float64(), safe=False)
        words = compute.divide(seconds, _IN_A_SECOND[column.type.unit])
    return arrow.DictionaryArray.from_arrays(different.indices, words.cast(arrow.string()))


def _some(missing: Array) -> Array | None:
    return missing if missing.any() else None


def _is_text(kind: Any) -> bool:
    types = required("pyarrow", "tabular", "tables").types
    return types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view"


def _texts(column: Any, missing: Sequence[str]) -> Cells:
    """Return texts as cells; what follows has to look at each different one once."""
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    if not arrow.types.is_dictionary(column.type):
        column = column.cast(arrow.string()).dictionary_encode()
    nothing = arrow.array(sorted({_lower(text.strip()) for text in (*MISSING, *missing)}))
    words = compute.utf8_trim_whitespace(column.dictionary.cast(arrow.string()))
    none = compute.is_in(compute.ascii_lower(words), value_set=nothing)
    none = compute.or_(compute.is_null(words), none)
    words = compute.if_else(none, arrow.scalar(None, words.type), words)
    places = column.indices.cast(arrow.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    gaps = np.append(none.to_numpy(zero_copy_only=False), True)[places]
    if not gaps.any():
        return Cells(len(column), None, words, places)
    return Cells(len(column), gaps, words, np.where(gaps, np.int32(-1), places))


def as_numbers(cells: Cells) -> tuple[Array, Array | None]:
    """Return cells as floats, NaN where there is none, and where they hold something else, if any.

    Of the latter those that are called infinite are so in the numbers.
    """
    if cells.numbers is not None:
        return cells.numbers, None
    assert cells.places is not None
    numbers, broken = numbers_of_words(cells.words)
    numbers = np.append(numbers, np.nan)[cells.places]
    if broken is not None:
        broken = _some(np.append(broken, False)[cells.places])
    return numbers, broken


def numbers_of_words(words: Any) -> tuple[Array, Array | None]:
    """Return what `as_numbers` does, of words."""
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    texts = compute.replace_substring_regex(words, r"^\+([0-9.])", r"\1")
    try:
        numbers = texts.cast(arrow.float64())
    except arrow.ArrowInvalid:
        numbers = None
    if numbers is not None and compute.all(compute.is_finite(numbers)).as_py() is not False:
        return numbers.to_numpy(zero_copy_only=False), None
    good = compute.match_substring_regex(texts, r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    named = compute.match_substring_regex(texts, r"^[+-]?inf(inity)?$", ignore_case=True)
    broken = compute.equal(good, False).fill_null(False).to_numpy(zero_copy_only=False)
    numbers = compute.if_else(good, texts, arrow.scalar(None, texts.type)).cast(arrow.float64())
    numbers = compute.if_else(named, np.inf, numbers)
    lower = [word.lower() for word in BOOLEANS]
    truth = compute.index_in(compute.ascii_lower(texts), value_set=arrow.array(lower))
    numbers = compute.coalesce(numbers, truth.cast(arrow.float64()))
    broken &= truth.is_null().to_numpy(zero_copy_only=False)
    if not broken.any():
        return numbers.to_numpy(zero_copy_only=False), None
    return numbers.to_numpy(zero_copy_only=False), broken


def as_words(cells: Cells) -> tuple[Any, Array]:
    """Return cells as words and the places of each cell's, -1 where there is none; 3.0 is "3"."""
    if cells.places is not None:
        return cells.words, cells.places
    arrow = required("pyarrow", "tabular", "tables")
    assert cells.numbers is not None
    values, where = np.unique(cells.numbers, return_inverse=True)
    words = arrow.array([text_of(value) for value in values], arrow.string())
    where = where.reshape(-1)
    return words, where if cells.missing is None else np.where(cells.missing, -1, where)


def said(cells: Cells) -> list[str]:
    """Return what each cell says, as a file has it; nothing where it is missing."""
    words, places = as_words(cells)
    texts = [text or "" for text in words.to_pylist()] + [""]
    return [texts[place] for place in places.tolist()]


def counts_of(places: Array, words: int) -> Array:
    """Return how often each of so many words comes."""
    return _core.counts_of(np.require(places, np.int32, ["C", "A"]), words)


def counted(words: Any, places: Array) -> list[tuple[str, int]]:
    """Return the words that cells have, and how often each comes."""
    counts = counts_of(places, len(words))
    used = np.flatnonzero(counts)
    texts = words.take(required("pyarrow", "tabular", "tables").array(used)).to_pylist()
    return list(zip(texts, counts[used].tolist(), strict=True))


def text_of(number: float | np.floating[Any]) -> str:
    """Return a number as a category is called: 3.0 is "3"; one of float32 has its few digits."""
    value = float(number)
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return str(number) if isinstance(number, np.float32) else repr(value)


def is_plain(text: str) -> bool:
    """Whether a text is a number as every column may have it, booleans included."""
    return _PLAIN.fullmatch(text) is not None


def canonical(text: str) -> str:
    """Return what a category is called that a file writes so: "3.0" is "3", "TRUE" is "True".

    Leading zeros stay: where they are written, they are part of a name. What is the same as a
    number is the same category all the same (`key`).
    """
    if not text or not (text[-1].isdigit() or text[-1] in ".eE") or not is_plain(text):
        return text
    if text[0] in "tTfF":
        return text.title()
    if (len(text) > 1 and text[0] == "0" and text[1].isdigit()) or (
        text.isdigit() and len(text) < 16
    ):
        return text
    value = float(text)
    return text_of(value) if abs(value) < float("inf") else text


def key(text: str) -> float | str:
    """Return what texts have in common that are the same category."""
    if not is_plain(text):
        return text
    return float(text.lower() == "true") if text[0] in "tTfF" else float(text)


def _lower(text: str) -> str:
    return text.encode().lower().decode()  # of bytes, that is, the letters A to Z
