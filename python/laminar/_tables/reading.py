# SPDX-License-Identifier: Apache-2.0
"""CSV and Parquet files in blocks of rows, read by pyarrow, in threads ahead of who asks for them.

The type of a CSV file's column is known only after its last row: a reader that guesses by the first
block fails, or errs, later. So a user says what it looks for, and cells that are not of the kind
come as the texts that they are. Spaces around a cell do not count.
"""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

from .._printable import printable
from ..exchange._extras import required
from .ahead import in_order
from .cells import Block, cells_of
from .csv_rows import BYTE_ORDER_MARK, OddRowError, Parsed, Parser, blocks_of
from .kept import Kept

_BLOCK_ROWS = 1 << 15  # of a Parquet file, fewer where there are many columns
_BLOCK_CELLS = 1 << 22


class Source:
    """A file of rows, which can be read several times.

    Parameters
    ----------
    path : str
        Ends in ``.parquet``, or is a CSV file.
    header : sequence of str, optional
        The names of a CSV file's columns. Without them its first line has the names, if none of
        its cells is a number; else columns are called column1, column2, …
    delimiter : str, optional
        What separates cells; without it tabs in ``.tsv`` files, and commas in others.
    missing : sequence of str
        Cells that mean that there is no value, besides `cells.MISSING`.
    fallback : sequence of sequence of str
        Headers for a file without one, of which the one with the right length is taken.
    known : sequence of str
        Columns one of which shows that a first line is a header, even if another is a number.
    kept : Kept, optional
        Where blocks are kept for the next time; without it they are read anew.

    Raises
    ------
    ValueError, OSError, ImportError
        Where the file is empty, not of such a format or not there, or pyarrow is missing.
    """

    def __init__(
        self,
        path: str,
        header: Sequence[str] | None = None,
        delimiter: str | None = None,
        missing: Sequence[str] = (),
        fallback: Sequence[Sequence[str]] = (),
        known: Sequence[str] = (),
        kept: Kept | None = None,
    ) -> None:
        self._kept = Kept() if kept is None else kept
        self._file, self.path = path, printable(path)  # to open, and for messages
        self.missing = tuple(missing)
        self._arrow = required("pyarrow", "tabular", "tables")
        if os.path.getsize(path) == 0:
            raise ValueError(f"{self.path} is empty")
        self._parquet = path.endswith(".parquet")
        self._delimiter = delimiter or ("\t" if path.endswith(".tsv") else ",")
        if len(self._delimiter) != 1:
            raise ValueError(f"{self.path}: a delimiter must be one character, got {delimiter!r}")
        if not self._delimiter.isascii() or self._delimiter in '"\r\n':
            raise ValueError(
                f"{self.path}: a delimiter must be an ASCII character other than quotes and line "
                f"ends, got {delimiter!r}"
            )
        self._start = 0  # the byte at which rows begin
        self.has_header = True
        if self._parquet:
            if header is not None:
                raise ValueError(f"{self.path}: a Parquet file names its columns; header must not")
            self.names = tuple(self._opened_parquet().schema_arrow.names)
        else:
            self.names = self._header(header, fallback, known)
        double = [name for i, name in enumerate(self.names) if name in self.names[:i]]
        if double:
            raise ValueError(f"{self.path}: two columns are called {double[0]!r}")

    def rows(self) -> int | None:
        """Return how many rows a Parquet file has; None of a CSV file, which must be read first."""
        return int(self._opened_parquet().metadata.num_rows) if self._parquet else None

    def row_groups(self) -> Sequence[int | None]:
        """Return the numbers of a Parquet file's row groups; None, for all rows, of a CSV file."""
        return range(self._opened_parquet().num_row_groups) if self._parquet else (None,)

    def blocks(
        self,
        columns: Sequence[str] | None = None,
        numbers: set[str] | None = None,
        row_group: int | None = None,
    ) -> Iterator[Block]:
        """Yield all rows, or those of a row group, with the columns named or all of them.

        Parameters
        ----------
        columns : sequence of str, optional
            Those that are wanted.
        numbers : set of str, optional
            Columns of a CSV file that are wanted as numbers, as far as they hold some: cells of a
            block come as texts where one of them is something else. Such a column is then taken out
            of the set, which may also change otherwise between blocks.
        row_group : int, optional
            One of `row_groups`.

        Raises
        ------
        ValueError
            Where the file has no rows, or a row has not as many cells as there are columns.
        """
        chosen = [name for name in self.names if columns is None or name in columns]
        key = (self._file, row_group, *chosen)
        kept = self._kept.blocks(key, self._file)
        if kept is None:
            read = self._read(chosen, set() if numbers is None else numbers, row_group)
            yield from self._kept.filled(key, self._file, read)
        else:
            yield from kept

    def forget(self) -> None:
        """Read blocks anew the next time."""
        self._kept.forget()

    def _read(self, chosen: list[str], numbers: set[str], row_group: int | None) -> Iterator[Block]:
        if self._parquet:
            parsed = in_order(self._of_parquet, self._parquet_batches(chosen, row_group))
        else:
            parsed = self._parsed_csv(chosen, numbers)
        first = 1
        try:
            for rows, cells, texts in parsed:
                numbers.difference_update(texts)
                if rows:
                    yield Block(first, rows, cells)
                first += rows
        except OddRowError as error:
            raise ValueError(f"{self.path}: row {first - 1 + error.row} {error}") from None
        if first == 1 and row_group is None:
            raise ValueError(f"{self.path} has a header and no rows")

    def _parsed_csv(self, chosen: list[str], numbers: set[str]) -> Iterator[Parsed]:
        parser = Parser(self.path, self.names, chosen, self._delimiter, self.missing)
        blocks = blocks_of(self._file, self.path, self._start, self._delimiter)
        for few in itertools.islice(blocks, 1):  # their columns of texts are known to the others
            yield parser.parsed(few, numbers)
        yield from in_order(lambda block: parser.parsed(block, numbers), blocks)

    def _of_parquet(self, batch: Any) -> Parsed:
        named = zip(batch.schema.names, batch.columns, strict=True)
        cells = {
            name: cells_of(column, f"{self.path}: column {name!r}", self.missing)
            for name, column in named
        }
        return Parsed(batch.num_rows, cells, set())

    def _header(
        self,
        header: Sequence[str] | None,
        fallback: Sequence[Sequence[str]],
        known: Sequence[str],
    ) -> tuple[str, ...]:
        begin, end, cells = self._first_line()
        names = tuple(cell.strip() for cell in cells)
        if header is not None:
            if len(header) != len(names):
                raise ValueError(
                    f"{self.path}: the header given has {len(header)} names, "
                    f"the first row has {len(names)} cells"
                )
            self.has_header = tuple(header) == names
            self._start = end if self.has_header else begin
            return tuple(header)
        self.has_header = any(name in names for name in known)
        self.has_header = self.has_header or not any(_is_number(name) for name in names)
        self._start = end if self.has_header else begin
        if self.has_header:
            return names
        for candidate in fallback:
            if len(candidate) == len(names):
                return tuple(candidate)
        if fallback:
            lengths = " or ".join(str(len(candidate)) for candidate in fallback)
            raise ValueError(
                f"{self.path} has no header, and {len(names)} columns where {lengths} are expected"
            )
        return tuple(f"column{i + 1}" for i in range(len(names)))

    def _first_line(self) -> tuple[int, int, list[str]]:
        """Return the first row that is not empty, and the bytes at which it begins and ends."""
        try:
            with open(self._file, encoding="utf-8-sig", newline="") as file:
                end = len(BYTE_ORDER_MARK) if _has_mark(self._file) else 0

                def lines() -> Iterator[str]:
                    nonlocal end
                    for line in file:
                        end += len(line.encode())
                        yield line

                begin = end
                for cells in csv.reader(lines(), delimiter=self._delimiter):
                    if cells:
                        return begin, end, cells
                    begin = end
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{self.path} is no CSV file in UTF-8: {error}") from None
        raise ValueError(f"{self.path} is empty")

    def _opened_parquet(self) -> Any:
        parquet = required("pyarrow.parquet", "tabular", "tables")
        try:
            return parquet.ParquetFile(self._file)
        except self._arrow.ArrowInvalid as error:
            raise ValueError(f"{self.path} is no Parquet file: {printable(error)}") from None

    def _parquet_batches(self, columns: list[str], row_group: int | None) -> Iterator[Any]:
        groups = None if row_group is None else [row_group]
        rows = max(1 << 8, min(_BLOCK_ROWS, _BLOCK_CELLS // max(1, len(columns))))
        yield from self._opened_parquet().iter_batches(
            batch_size=rows, row_groups=groups, columns=columns
        )


def _has_mark(file: str) -> bool:
    with open(file, "rb") as opened:
        return opened.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
