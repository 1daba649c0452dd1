# SPDX-License-Identifier: Apache-2.0
"""What the commands share: arguments that say how a file is read, and models with their tables."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _saving
from .._printable import printable
from .._tables.cells import MISSING
from .._tables.labelled import Labelled
from .._tables.table import TEXT, Encoder, Table
from ..data._files import Sources
from ..models import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from .._tables import Block
    from .._tables.survey import Readable


def add_file_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says how a file is read."""
    parser.add_argument(
        "--header",
        type=_names,
        metavar="NAME,NAME,...",
        help="the columns of a CSV file whose first line does not name them",
    )
    parser.add_argument(
        "--delimiter",
        metavar="CHARACTER",
        help="what separates the cells of a CSV file, where its first lines do not show it",
    )


def add_data_arguments(parser: argparse.ArgumentParser, data: str, more: str) -> None:
    """Add the files of rows, with what is said of the first one and of others."""
    parser.add_argument("data", help=data)
    parser.add_argument("more", nargs="*", metavar="FILE", help=more)


def files_of(arguments: argparse.Namespace) -> list[str]:
    """Return the files of `add_data_arguments`."""
    return [arguments.data, *arguments.more]


def add_missing_argument(parser: argparse.ArgumentParser) -> None:
    """Add what says which cells hold no value."""
    known = ", ".join(repr(text) for text in MISSING)
    parser.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help=f"a cell that means that there is no value, besides {known} in any case; repeatable",
    )


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """Add the model's file."""
    parser.add_argument("model", help="a model's file, of laminar train")


def loaded(path: str) -> tuple[BaseModel, Table]:
    """Return a model and the table that it was trained on.

    Raises
    ------
    ValueError, OSError
        Where the file is none, or its model was not trained on a table.
    """
    name = printable(path)
    model = _saving.load(_saving.checked_path(path, "model"), kind_of)
    if TEXT not in model._texts:
        raise ValueError(
            f"{name}: the model was not trained by laminar train, and knows of no table; "
            "use laminar.load_model in Python"
        )
    table = Table.from_json(model._texts[TEXT])
    if model.input_shape != (None, table.width):
        raise ValueError(
            f"{name}: the table makes {table.width} inputs, the model takes {model.input_shape}"
        )
    return model, table


class Rows:
    """The rows of files as a trained model reads them.

    Parameters
    ----------
    table : Table
        The model's.
    files : sequence of str
        The files, or folders of them.
    arguments : Namespace
        Those of `add_file_arguments`.
    target : bool
        Whether the target is wanted, and rows without it are left out.
    also : sequence of str
        Other columns that are wanted, those of them that are there.
    lenient : bool
        As in `Encoder`.

    Raises
    ------
    ValueError, OSError
        Where one lacks a column that the model needs, or the target where that is wanted.
    """

    def __init__(
        self,
        table: Table,
        files: Sequence[str],
        arguments: argparse.Namespace,
        target: bool = True,
        also: Sequence[str] = (),
        lenient: bool = False,
    ) -> None:
        self._columns = table.needed() + [table.target.name] * target
        source = Sources(
            files, arguments.header, arguments.delimiter, (), table, 0, needed=self._columns
        )
        self.path = source.path
        self.encoder = Encoder(table, self.path, lenient)
        shared = set.intersection(*(set(each.names) for each in source.each))
        self.also = [name for name in also if name in shared and name not in self._columns]
        self._notes = source.notes
        self._source: Readable = Labelled(source, table.target.name) if target else source

    def encoded(self, dtype: Any) -> Iterator[tuple[Block, NDArray[Any]]]:
        """Yield the rows in blocks, and their inputs.

        Before the last one it is an error if a column had no category that training has seen.
        """
        encoder = self.encoder
        columns = [*self._columns, *self.also]
        last: Block | None = None
        for block in self._source.blocks(columns, encoder.table.numbers()):
            if last is not None:
                yield last, self._inputs(last, dtype)
            last = block
        if last is not None:
            x = self._inputs(last, dtype)
            encoder.refuse_unseen()
            yield last, x

    def _inputs(self, block: Block, dtype: Any) -> NDArray[Any]:
        return self.encoder.inputs(block, np.empty((block.rows, self.encoder.table.width), dtype))

    def say_notes(self) -> None:
        """Say on stderr what a user should know of the rows."""
        notes = [*self._notes, *self.encoder.notes()]
        if isinstance(self._source, Labelled) and self._source.without:
            rows = self._source.without
            notes.append(f"{self.path}: {rows} rows have no target and are left out")
        for line in notes:
            print(f"laminar: note: {printable(line)}", file=sys.stderr)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([text]))]
    if "" in names:
        raise argparse.ArgumentTypeError(f"a name is empty in {text!r}")
    return names
