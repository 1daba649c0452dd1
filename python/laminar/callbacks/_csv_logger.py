# SPDX-License-Identifier: Apache-2.0
"""A training as a table in a text file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping

from .._component import flag
from .._spelling import keywords
from ._base import Callback, Logs


class CSVLogger(Callback):
    """Writes one line an epoch: its number, counted from 0, and what the logs hold.

    The file is whole after each epoch, also where training is broken off.

    Parameters
    ----------
    filename : str or path
        The file. The first line names the columns: epoch, then the keys in alphabetical order, and
        after them keys that a callback adds in a later epoch. What an epoch lacks is left empty.
    separator : str
        One character between the columns.
    append : bool
        Go on with a file that is there already, whose columns must be the same, instead of
        starting anew.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> log = laminar.callbacks.CSVLogger("log.csv")
    >>> history = model.fit(x, y, epochs=2, callbacks=[log], verbose=0)
    >>> import pathlib
    >>> pathlib.Path("log.csv").read_text().splitlines()[0]
    'epoch,loss'
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
        self._own = False  # whether this training has written them

    def on_train_begin(self, logs: Logs = None) -> None:
        """Empty the file, or read its columns."""
        self._columns, self._own = None, False
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator), None)
        else:
            with open(self.filename, "w", encoding="utf-8"):
                pass

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a line; ValueError where the file that is appended to lacks a column."""
        values = {"epoch": epoch, **(logs or {})}
        if self._columns is None:
            self._own, self._columns = True, ["epoch", *sorted(logs or {})]
            self._write("a", [dict(zip(self._columns, self._columns, strict=True))])
        new = sorted(values.keys() - set(self._columns))
        if new and not self._own:
            raise ValueError(
                f"CSVLogger: {self.filename} has the columns {', '.join(self._columns)}, "
                f"now there are epoch, {', '.join(sorted(logs or {}))}"
            )
        if new:  # which a callback has added late, or the first validation
            with open(self.filename, newline="", encoding="utf-8") as file:
                earlier = list(csv.DictReader(file, delimiter=self.separator))
            self._columns += new
            self._write("w", [dict(zip(self._columns, self._columns, strict=True)), *earlier])
        self._write("a", [values])

    def _write(self, mode: str, lines: Iterable[Mapping[str, object]]) -> None:
        """Write lines, with an empty cell for what one lacks."""
        assert self._columns is not None
        with open(self.filename, mode, newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, self._columns, delimiter=self.separator, lineterminator="\n"
            )
            writer.writerows(lines)
