# SPDX-License-Identifier: Apache-2.0
"""Rows of a file that have a target: nothing is learned or measured on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .cells import Block
    from .survey import Readable


class Labelled:
    """A source without the rows that lack a target.

    Parameters
    ----------
    source : Source
        All rows.
    target : str
        The column that rows must have a value of.

    Attributes
    ----------
    without : int
        Rows that lacked it when they were last read.
    """

    def __init__(self, source: Readable, target: str) -> None:
        self._source, self._target = source, target
        self.path, self.names, self.missing = source.path, source.names, source.missing
        self.has_header = source.has_header
        self.without = 0

    def blocks(
        self, columns: Sequence[str] | None = None, numbers: set[str] | None = None
    ) -> Iterator[Block]:
        """Yield the rows, the target among the columns."""
        self.without = 0
        wanted = None if columns is None else [*columns, self._target]
        for block in self._source.blocks(wanted, numbers):
            gaps = block.cells[self._target].missing
            if gaps is None:
                yield block
                continue
            there = ~gaps
            rows = int(np.count_nonzero(there))
            self.without += block.rows - rows
            if rows:
                cells = {name: cells.chosen(there) for name, cells in block.cells.items()}
                at = block.first + np.flatnonzero(there)
                yield block._replace(rows=rows, cells=cells, at=at)

    def forget(self) -> None:
        """Read blocks anew the next time."""
        self._source.forget()
