# SPDX-License-Identifier: Apache-2.0
"""CSV and Parquet files in blocks of rows, read by pyarrow, in threads ahead of who asks for them.

What else files are (compressed, spreadsheets, of another encoding, cells between spaces) is made
CSV before (texts.py); how lines are to be read is guessed by the first of them (layout.py).

The type of a CSV file's column is known only after its last row: a reader that guesses by the first
block fails, or errs, later. So a user says what it looks for, and cells that are not of the kind
come as the texts that they are. Spaces around a cell do not count.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

from .._printable import printable
from ..exchange._extras import required
from .ahead import in_order
from .cells import Block, cells_of
from .csv_rows import OddRowError, Parsed, Parser, blocks_of
from .kept import Kept
from .layout import (
    SPACES,
    delimiter_of,
    first_line,
    header_of,
    is_comment,
    rows_of,
    sample,
    without_comments,
)
from .texts import Plain

_BLOCK_ROWS = 1 << 15  # of a Parquet file, fewer where there are many columns
_BLOCK_CELLS = 1 << 22


class Source:
    """A file of rows, which can be read several times.

    Parameters
    ----------
    path : str
        Ends in ``.parquet``, or is a CSV file or what `texts.Plain` makes one; ``-`` is what
        standard input has.
    header : sequence of str, optional
        The names of a CSV file's columns. Without them its first line has the names, if none of
        its cells is a number, or one is above numbers; else columns are called column1, column2, …
    delimiter : str, optional
        What separates cells; without it what the first lines show.
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
        self._plain = Plain(path)
        self._file = self._plain.file
        self.path = printable(path) if path != "-" else "standard input"
        self.notes = self._plain.notes  # what people may not expect, for them to read
        self.missing = tuple(missing)
        self._arrow = required("pyarrow", "tabular", "tables")
        if os.path.getsize(self._file) == 0:
            raise ValueError(f"{self.path} is empty")
        self._parquet = self._plain.name.endswith(".parquet")
        self._start = 0  # the byte at which rows begin
        self.has_header = True
        if self._parquet:
            if header is not None:
                raise ValueError(f"{self.path}: a Parquet file names its columns; header must not")
            self.names = tuple(self._opened_parquet().schema_arrow.names)
        else:
            self._delimiter = self._layout(delimiter)
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

    def _layout(self, delimiter: str | None) -> str:
        """Return what separates cells, of a file without what are no rows."""
        if delimiter is not None and len(delimiter) != 1:
            raise ValueError(f"{self.path}: a delimiter must be one character, got {delimiter!r}")
        if delimiter is not None and (not delimiter.isascii() or delimiter in '"\r\n'):
            raise ValueError(
                f"{self.path}: a delimiter must be an ASCII character other than quotes and line "
                f"ends, got {delimiter!r}"
            )
        lines = sample(self._plain)
        if not lines:
            raise ValueError(f"{self.path} is empty")
        rows = [line for line in lines if not is_comment(line)] or lines
        usual = "\t" if self._plain.name.endswith(".tsv") else ","
        guess = delimiter_of(rows, usual)
        mark = delimiter or guess or usual
        width = len(next(iter(rows_of(rows[-1:], mark)), [""]))
        if delimiter is not None and width == 1 and guess not in (None, delimiter):
            shown = "spaces" if guess == SPACES else repr(guess)
            raise ValueError(
                f"{self.path} has a single column where {delimiter!r} separates cells; its lines "
                f"show {shown}: leave the delimiter out, or give that"
            )
        comments = any(map(is_comment, lines)) and any(
            len(next(iter(rows_of([line], mark)), [])) != width
            for line in lines
            if is_comment(line)
        )
        if comments or is_comment(lines[0]) or mark == SPACES:
            self._plain.rewrite(without_comments(self._plain, mark, width))
            self._file = self._plain.file
            return ","
        return mark

    def _header(
        self,
        header: Sequence[str] | None,
        fallback: Sequence[Sequence[str]],
        known: Sequence[str],
    ) -> tuple[str, ...]:
        begin, end = first_line(self._plain, self._delimiter, self.path)
        rows = rows_of(sample(self._plain), self._delimiter)
        found = header_of(rows, header, known, self.path)
        self.has_header = found.there
        self._start = end if found.there else begin
        self.notes = [*self.notes, *found.notes]
        if found.there or header is not None:
            return found.names
        for candidate in fallback:
            if len(candidate) == len(found.names):
                return tuple(candidate)
        if fallback:
            lengths = " or ".join(str(len(candidate)) for candidate in fallback)
            raise ValueError(
                f"{self.path} has no header, and {len(found.names)} columns where {lengths} are "
                "expected"
            )
        return found.names

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
