# SPDX-License-Identifier: Apache-2.0
"""A training as a table in a text file."""

from __future__ import annotations

import csv
import os

from .._component import flag
from .._spelling import keywords
from ._base import Callback, Logs


class CSVLogger(Callback):
    """Writes one line an epoch: its number, counted from 0, and what the logs hold.

    The file is whole after each epoch, also where training is broken off.

    Parameters
    ----------
    filename : str or path
        The file. The first line names the columns: epoch, then the keys in alphabetical order.
    separator : str
        One character between the columns.
    append : bool
        Go on with a file that is there already, whose columns must be the same, instead of
        starting anew.
    """

    @keywords()
    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename = os.fspath(filename)
        if len(separator) != 1:
            raise ValueError(f"CSVLogger: separator must be one character, got {separator!r}")
        self.separator = separator
        self.append = flag(append, "CSVLogger: append")
        self._columns: list[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Empty the file, or read its columns."""
        self._columns = None
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator), None)
        else:
            with open(self.filename, "w", encoding="utf-8"):
                pass

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a line; ValueError where the file that is appended to has other columns."""
        values = dict(logs or {})
        columns = ["epoch", *sorted(values)]
        lines: list[list[object]] = []
        if self._columns is None:
            self._columns = columns
            lines.append(list(columns))
        if self._columns != columns:
            raise ValueError(
                f"CSVLogger: {self.filename} has the columns {', '.join(self._columns)}, "
                f"now there are {', '.join(columns)}"
            )
        lines.append([epoch, *(values[name] for name in columns[1:])])
        with open(self.filename, "a", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.separator, lineterminator="\n").writerows(lines)
