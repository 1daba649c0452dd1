# SPDX-License-Identifier: Apache-2.0
"""Files as parts of a data set: CSV files, and row groups of Parquet files."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .._component import integer
from .._printable import listed
from .._tables import Block, Choices, Encoder, Kept, Source, Survey, Table
from .._tables.texts import ENDINGS, without_packing
from ._pieces import Piece, Pieces


class Sources:
    """Files with the same columns, as one that can be surveyed.

    Parameters
    ----------
    paths : sequence of paths
        Files, or one folder.
    header, delimiter, missing
        As in `_tables.Source`.
    table : Table or None
        What a model reads, where that is known.
    kept_bytes : int
        How much of what has been read is kept for the next time.
    known : sequence of str
        As in `_tables.Source`, where there is no table.
    needed : sequence of str, optional
        The columns that each file must have; without it all that the first one has, or those of
        the table and its target.
    """

    def __init__(
        self,
        paths: Sequence[Any],
        header: Sequence[str] | None,
        delimiter: str | None,
        missing: Sequence[str],
        table: Table | None,
        kept_bytes: int,
        known: Sequence[str] = (),
        needed: Sequence[str] | None = None,
    ) -> None:
        files = listed_files(paths)
        if not files:
            raise ValueError("files must name at least one file")
        fallback: Sequence[Sequence[str]] = ()
        if table is not None:
            needed = [*table.needed(), table.target.name] if needed is None else needed
            fallback, known, missing = table.headers(), needed, table.missing
        self._kept = Kept(kept_bytes)
        self.each = [
            Source(f, header, delimiter, missing, fallback, known, self._kept) for f in files
        ]
        first = self.each[0]
        others = len(files) - 1
        self.path = f"{first.path} and {others} other{'s' * (others > 1)}" if others else first.path
        self.names, self.missing = first.names, first.missing
        self.has_header = first.has_header
        self.notes = [note for source in self.each for note in source.notes]
        for source in self.each:
            lacking = [name for name in needed or first.names if name not in source.names]
            if lacking:
                target = table is not None and lacking[0] == table.target.name
                what = "the target" if target else "column"
                raise ValueError(
                    f"{source.path} lacks {what} {lacking[0]!r}; it has {listed(source.names)}"
                )

    def counted(self) -> int | None:
        """Return the rows of all files, where these tell; CSV files do not."""
        counts = [source.rows() for source in self.each]
        return None if None in counts else sum(count or 0 for count in counts)

    def blocks(
        self, columns: Sequence[str] | None = None, numbers: set[str] | None = None
    ) -> Iterator[Block]:
        """Yield the rows of all files, each numbered from 1."""
        several = len(self.each) > 1
        for source in self.each:
            first = 1
            for group in source.row_groups():
                for block in source.blocks(columns, numbers, group):
                    yield block._replace(first=first, file=source.path if several else "")
                    first += block.rows
            if first == 1:
                raise ValueError(f"{source.path} has a header and no rows")

    def forget(self) -> None:
        """Read blocks anew the next time."""
        self._kept.forget()


def surveyed(
    sources: Sources,
    target: str,
    task: str | None,
    drop: Sequence[str],
    categorical: Sequence[str],
    max_categories: int | None,
    keep: Sequence[str] = (),
) -> Survey:
    """Return what the files hold; ValueError where a column is of no use."""
    if task not in (None, "classification", "regression"):
        raise ValueError(
            f"Dataset.from_files: task must be 'classification' or 'regression', got {task!r}"
        )
    most = max_categories
    if most is not None:
        most = integer(most, "Dataset.from_files: max_categories", minimum=1)
    for name, names in (("drop", drop), ("categorical", categorical), ("keep", keep)):
        if isinstance(names, str):
            raise TypeError(f"Dataset.from_files: {name} must be a list of columns, got {names!r}")
    choices = Choices(target, task, tuple(drop), tuple(categorical), most, keep=tuple(keep))
    return Survey(sources, choices)


class Encoded(Pieces):
    """The rows of files as a table's inputs and targets."""

    def __init__(self, sources: Sources, table: Table, rows: int | None) -> None:
        self._table = table
        self.rows = sources.counted() if rows is None else rows
        self._parts = [(source, group) for source in sources.each for group in source.row_groups()]
        self.parts = len(self._parts)
        self._dtype: np.dtype[Any] = np.dtype(np.float64)

    def in_dtype(self, dtype: np.dtype[Any]) -> Encoded:
        """Return the same with the inputs rounded at once."""
        other = copy.copy(self)
        other.__dict__.pop("first", None)
        other._dtype = dtype
        return other

    def open(self, part: int) -> Iterator[Piece]:
        """Yield the rows of a file, or of a row group."""
        source, group = self._parts[part]
        table, dtype = self._table, self._dtype

        encoder = Encoder(table, source.path)
        for block in source.blocks([*table.needed(), table.target.name], table.numbers(), group):
            for x, y in encoder.pieces(block, dtype):
                yield Piece(x, y)

    def name(self, part: int) -> str:
        """Return the file, and which row group of it."""
        source, group = self._parts[part]
        return source.path if group is None else f"{source.path}, row group {group}"


def listed_files(paths: Sequence[Any]) -> list[str]:
    """Return files, of folders those that tables may be in."""
    return [file for path in paths for file in _listed(os.fspath(path))]


def _listed(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    found = sorted(name for name in os.listdir(path) if without_packing(name).endswith(ENDINGS))
    if not found:
        raise ValueError(f"{path!r} holds no {', '.join(ENDINGS)} files")
    return [os.path.join(path, name) for name in found]
