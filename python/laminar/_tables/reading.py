# SPDX-License-Identifier: Apache-2.0
"""CSV and Parquet files in blocks of rows, read by pyarrow.

Cells of a CSV file are read as texts, since the type of a column is known only after its last row:
a reader that guesses by the first block fails, or errs, later. Spaces around a cell do not count.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .._printable import printable
from ..exchange._extras import required
from .cells import Cells, cells_of

_BLOCK_BYTES = 1 << 22
_BLOCK_ROWS = 1 << 15


class Block(NamedTuple):
    """Consecutive rows of a file."""

    first: int  # the number of its first row, counted from 1, the header not counted
    rows: int
    cells: dict[str, Cells]


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
    ) -> None:
        self._file, self.path = path, printable(path)  # to open, and for messages
        self.missing = tuple(missing)
        self._arrow = required("pyarrow", "tabular", "tables")
        if os.path.getsize(path) == 0:
            raise ValueError(f"{self.path} is empty")
        self._parquet = path.endswith(".parquet")
        self._delimiter = delimiter or ("\t" if path.endswith(".tsv") else ",")
        if len(self._delimiter) != 1:
            raise ValueError(f"{self.path}: a delimiter must be one character, got {delimiter!r}")
        self._skip = 0
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
        self, columns: Sequence[str] | None = None, row_group: int | None = None
    ) -> Iterator[Block]:
        """Yield all rows, or those of a row group, with the columns named or all of them.

        Raises
        ------
        ValueError
            Where the file has no rows, or a row has not as many cells as there are columns.
        """
        first = 1
        chosen = [name for name in self.names if columns is None or name in columns]
        batches = self._parquet_batches(chosen, row_group) if self._parquet else self._csv_batches()
        for batch in batches:
            cells = {
                name: cells_of(batch.column(name), f"{self.path}: column {name!r}", self.missing)
                for name in chosen
            }
            if batch.num_rows:
                yield Block(first, batch.num_rows, cells)
            first += batch.num_rows
        if first == 1 and row_group is None:
            raise ValueError(f"{self.path} has a header and no rows")

    def _header(
        self,
        header: Sequence[str] | None,
        fallback: Sequence[Sequence[str]],
        known: Sequence[str],
    ) -> tuple[str, ...]:
        line, cells = self._first_line()
        names = tuple(cell.strip() for cell in cells)
        if header is not None:
            if len(header) != len(names):
                raise ValueError(
                    f"{self.path}: the header given has {len(header)} names, "
                    f"the first row has {len(names)} cells"
                )
            self.has_header = tuple(header) == names
            self._skip = line + 1 if self.has_header else line
            return tuple(header)
        self.has_header = any(name in names for name in known)
        self.has_header = self.has_header or not any(_is_number(name) for name in names)
        if self.has_header:
            self._skip = line + 1
            return names
        self._skip = line
        for candidate in fallback:
            if len(candidate) == len(names):
                return tuple(candidate)
        if fallback:
            lengths = " or ".join(str(len(candidate)) for candidate in fallback)
            raise ValueError(
                f"{self.path} has no header, and {len(names)} columns where {lengths} are expected"
            )
        return tuple(f"column{i + 1}" for i in range(len(names)))

    def _first_line(self) -> tuple[int, list[str]]:
        try:
            with open(self._file, encoding="utf-8-sig", newline="") as file:
                for i, cells in enumerate(csv.reader(file, delimiter=self._delimiter)):
                    if cells:
                        return i, cells
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
        yield from self._opened_parquet().iter_batches(
            batch_size=_BLOCK_ROWS, row_groups=groups, columns=columns
        )

    def _csv_batches(self) -> Iterator[Any]:
        reading = required("pyarrow.csv", "tabular", "tables")
        odd: list[str] = []

        def on_odd_row(row: Any) -> str:
            place = "a row" if row.number is None else f"row {row.number - self._skip}"
            text = row.text if len(row.text) <= 60 else row.text[:60] + "…"
            odd.append(
                f"{self.path}: {place} has {row.actual_columns} cells where "
                f"{row.expected_columns} are expected: {text!r}"
            )
            return "error"

        text = self._arrow.string()
        try:
            yield from reading.open_csv(
                self._file,
                reading.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                    column_names=list(self.names),
                    skip_rows=self._skip,
                ),
                reading.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=on_odd_row,
                ),
                reading.ConvertOptions(column_types=dict.fromkeys(self.names, text)),
            )
        except self._arrow.ArrowInvalid as error:
            if not odd and "Empty CSV" in str(error):
                return
            raise ValueError(odd[0] if odd else f"{self.path}: {printable(error)}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
