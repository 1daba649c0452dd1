# SPDX-License-Identifier: Apache-2.0
"""A CSV file's rows: cut into blocks of bytes, each of which pyarrow parses by itself.

What a cell says depends on nothing outside its block, so blocks are parsed by several threads, and
where they end changes no value. pyarrow never guesses a type: a column is read as texts or, where
that is asked for, as numbers; if one of its cells is not plainly a number, those of the block are
texts after all, and `cells` decides what they say.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core
from .._printable import printable
from ..exchange._extras import required
from .cells import MISSING, Cells, cells_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

# The first ones are small, and show what is a number before many are read.
_FIRST_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 22
_MOST_BYTES = 1 << 26  # of a row: in one that is longer, a quote is not closed
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def blocks_of(file: str, path: str, start: int, delimiter: str) -> Iterator[memoryview]:
    """Yield a file's bytes from ``start`` on, in blocks that begin and end where rows do.

    Raises
    ------
    ValueError, OSError
        Where a row does not end, or reading fails.
    """
    with open(file, "rb") as opened:
        opened.seek(start)
        rest, size = memoryview(b""), min(_FIRST_BYTES, _BLOCK_BYTES)
        while True:
            had = len(rest)
            block = np.empty(had + max(size, had), np.uint8).data  # doubled until a row ends
            block[:had] = rest
            read = opened.readinto(block[had:])
            if not read:
                break
            block = block[: had + read]
            end = _core.end_of_rows(block, delimiter)
            if end:
                yield block[:end]
                size = min(4 * size, _BLOCK_BYTES)
            start += end
            rest = block[end:]
            if len(rest) > _MOST_BYTES:
                raise ValueError(
                    f"{path}: the row that begins at byte {start} is longer than {_MOST_BYTES:,} "
                    "bytes; is a quote in it not closed?"
                )
        if rest:
            yield rest


class Parsed(NamedTuple):
    """The rows of a block."""

    rows: int
    cells: dict[str, Cells]
    texts: set[str]  # columns that were to be numbers, but are not plainly so


class OddRowError(ValueError):
    """A row of a block, counted from 1, that has not as many cells as there are columns."""

    def __init__(self, row: int, what: str) -> None:
        super().__init__(what)
        self.row = row


class Parser:
    """Blocks as cells; several threads may use one.

    Parameters
    ----------
    path : str
        What to call the file in messages.
    names, chosen : sequence of str
        All columns, and those that are wanted.
    delimiter : str
        What separates cells.
    missing : sequence of str
        Texts that mean that there is no value, besides `cells.MISSING`.
    """

    def __init__(
        self,
        path: str,
        names: Sequence[str],
        chosen: Sequence[str],
        delimiter: str,
        missing: Sequence[str],
    ) -> None:
        self._path, self._names, self._chosen = path, list(names), list(chosen)
        self._delimiter, self._missing = delimiter, missing
        words = {text.strip() for text in (*MISSING, *missing)}
        self._nothing = _spellings(words)
        # Those that are numbers: pyarrow compares cells with the spaces around them, so that a
        # number which is equal may be one of them.
        self._doubtful = np.array(sorted({float(word) for word in words if _is_finite(word)}))

    def parsed(self, block: memoryview, numbers: Collection[str]) -> Parsed:
        """Return the rows of a block, with some columns as numbers, if they plainly are.

        Raises
        ------
        OddRowError, ValueError
            Where a row has a wrong number of cells, or a cell is not UTF-8.
        """
        arrow = required("pyarrow", "tabular", "tables")
        wanted = [name for name in self._chosen if name in numbers]
        try:
            table = self._read(block, dict.fromkeys(wanted, arrow.float64()))
        except arrow.ArrowInvalid:
            table = None
        cells: dict[str, Cells] = {}
        for name in wanted if table is not None else ():
            found = self._finite(table.column(name).combine_chunks())
            if found is None:
                break
            cells[name] = found
        if table is None or len(cells) < len(wanted):
            return self._as_texts(block, wanted)
        for name in self._chosen:
            if name not in cells:
                cells[name] = self._texts(table, name)
        return Parsed(table.num_rows, cells, set())

    def _as_texts(self, block: memoryview, wanted: Collection[str]) -> Parsed:
        """Return a block where not all columns that are wanted so are plainly numbers."""
        arrow = required("pyarrow", "tabular", "tables")
        try:
            table = self._read(block, dict.fromkeys(wanted, arrow.string()))
        except arrow.ArrowInvalid as error:
            raise ValueError(f"{self._path}: {printable(error)}") from None
        cells: dict[str, Cells] = {}
        texts = set()
        for name in self._chosen:
            found = self._plain(table.column(name).combine_chunks()) if name in wanted else None
            if found is None and name in wanted:
                texts.add(name)
            cells[name] = found or self._texts(table, name)
        return Parsed(table.num_rows, cells, texts)

    def _texts(self, table: Any, name: str) -> Cells:
        column = table.column(name).combine_chunks()
        return cells_of(column, f"{self._path}: column {name!r}", self._missing)

    def _plain(self, texts: Any) -> Cells | None:
        """Return cells as numbers if the parser would have."""
        arrow = required("pyarrow", "tabular", "tables")
        compute = required("pyarrow.compute", "tabular", "tables")
        none = compute.is_in(texts, value_set=arrow.array(self._nothing))
        cells = compute.if_else(none, arrow.scalar(None, texts.type), texts)
        try:
            return self._finite(compute.ascii_trim(cells, " \t").cast(arrow.float64()))
        except arrow.ArrowInvalid:
            return None

    def _finite(self, column: Any) -> Cells | None:
        """Return float64 as cells; None where one is infinite, or may mean that there is none."""
        numbers = column.to_numpy(zero_copy_only=False)
        if int(np.count_nonzero(np.isfinite(numbers))) < numbers.size - column.null_count:
            return None
        if self._doubtful.size and np.isin(numbers, self._doubtful).any():
            return None
        missing = np.isnan(numbers) if column.null_count else None
        return Cells(numbers.size, missing, numbers=numbers)

    def _read(self, block: memoryview, types: dict[str, Any]) -> Any:
        """Return a table of a block: the types given, else each different text of a column once."""
        arrow = required("pyarrow", "tabular", "tables")
        reading = required("pyarrow.csv", "tabular", "tables")
        if block[:3] == BYTE_ORDER_MARK:  # which is one at the begin of a file alone
            block = memoryview(b"\n" + block)
        odd: list[OddRowError] = []

        def on_odd_row(row: Any) -> str:
            text = row.text if len(row.text) <= 60 else row.text[:60] + "…"
            what = (
                f"has {row.actual_columns} cells where {row.expected_columns} are expected: "
                f"{text!r}"
            )
            odd.append(OddRowError(row.number, what))
            return "error"

        words = arrow.dictionary(arrow.int32(), arrow.string())
        types = {**dict.fromkeys(self._chosen, words), **types}
        try:
            return reading.read_csv(
                arrow.BufferReader(arrow.py_buffer(block)),
                reading.ReadOptions(
                    use_threads=False, block_size=len(block), column_names=self._names
                ),
                reading.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=on_odd_row,
                ),
                reading.ConvertOptions(
                    column_types=types,
                    include_columns=self._chosen,
                    null_values=self._nothing,
                ),
            )
        except arrow.ArrowInvalid as error:
            if odd:
                raise odd[0] from None
            if "Empty CSV" in str(error):
                return arrow.table({name: arrow.array([], kind) for name, kind in types.items()})
            raise


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _spellings(words: Collection[str]) -> list[str]:
    """Return the usual spellings of cells without a value; any other is found as a text."""
    spelt = {change(word) for word in words for change in (str, str.lower, str.upper, str.title)}
    return sorted({space + word for word in spelt if word.isascii() for space in ("", " ")})
