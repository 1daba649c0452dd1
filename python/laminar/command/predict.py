# SPDX-License-Identifier: Apache-2.0
"""``laminar predict MODEL DATA``: a CSV file with a line for each row of some files.

Its columns are those that training left out as names or keys, the target's name, and of a
classification the probability of each class. A row with a cell that is no number has no answer.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .._printable import printable
from .._tables import notes as column_notes
from .._tables.cells import said
from ..data._files import listed_files
from ._reading import (
    Rows,
    add_data_arguments,
    add_file_arguments,
    add_missing_argument,
    add_model_argument,
    files_of,
    loaded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from .._tables.table import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model_argument(parser)
    add_data_arguments(
        parser,
        "a CSV or Parquet file, a spreadsheet, a folder of them, or - for stdin; it may lack the "
        "target",
        "others, whose rows follow",
    )
    parser.add_argument("--output", metavar="CSV", help="the file to write, in place of stdout")
    parser.add_argument(
        "--pass",
        dest="passed",
        action="append",
        default=[],
        metavar="COLUMN",
        help="write this column of the data as well, as names and keys are; repeatable",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="stop at a cell that is no number, in place of leaving the row's answer empty",
    )
    add_missing_argument(parser)
    add_file_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the predictions."""
    model, table = loaded(arguments.model)
    table = table._replace(missing=(*table.missing, *arguments.missing))
    keys = [note.name for note in column_notes.of(model._texts) if note.kind == "id"]
    passed = list(dict.fromkeys([*keys, *arguments.passed]))
    rows = Rows(table, files_of(arguments), arguments, False, passed, not arguments.strict)
    absent = [name for name in arguments.passed if name not in (*rows.also, *table.needed())]
    if absent:
        raise ValueError(f"--pass: {rows.path} has no column {absent[0]!r}")
    empty = 0
    with contextlib.ExitStack() as stack:
        file: Any = sys.stdout
        # A terminal shows what cells hold; a file and a pipe get it as it is.
        shown: Callable[[str], str] = printable if file.isatty() else str
        if arguments.output is not None:
            shown = str
            _refuse_inputs(arguments)
            file = stack.enter_context(open(arguments.output, "w", encoding="utf-8", newline=""))
        writer = csv.writer(file, lineterminator="\n")
        probabilities = [shown(f"p({label})") for label in table.target.classes]
        before = [name for name in passed if name in (*rows.also, *table.needed())]
        writer.writerow([*map(shown, before), shown(table.target.name), *probabilities])
        nothing = [""] * (1 + len(probabilities))
        try:
            for block, x in rows.encoded(model.dtype):
                lines = list(lines_of(table.target, model.predict(x)))
                bad = rows.encoder.bad
                for row in np.flatnonzero(bad).tolist() if bad is not None else ():
                    lines[row] = nothing
                    empty += 1
                names = [said(block.cells[name]) for name in before]
                writer.writerows(
                    [*(shown(texts[i]) for texts in names), shown(first), *rest]
                    for i, (first, *rest) in enumerate(lines)
                )
            file.flush()
        except BrokenPipeError:  # the reader, head for example, has seen enough
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the flush at exit
    rows.say_notes()
    if empty:
        what = f"{empty} rows have no answer, the first since {rows.encoder.first_bad}"
        print(f"laminar: note: {printable(what)}; --strict stops there", file=sys.stderr)


def _refuse_inputs(arguments: argparse.Namespace) -> None:
    """Raise ValueError where the file to write is one that is read, which it would empty."""
    if not os.path.exists(arguments.output):
        return
    read = {"model": [arguments.model], "data": listed_files(files_of(arguments))}
    for what, files in read.items():
        if any(os.path.exists(f) and os.path.samefile(arguments.output, f) for f in files):
            raise ValueError(
                f"predict: --output {arguments.output!r} is the {what} itself; choose another file"
            )


def lines_of(target: Target, predicted: NDArray[Any]) -> Iterator[list[str]]:
    """Yield for each row what is predicted, and the probability of each class."""
    if target.kind == "number":
        for value in predicted[:, 0]:
            yield [f"{value:.7g}"]
        return
    if predicted.shape[1] == 1:
        predicted = np.hstack([1 - predicted, predicted])
        chosen = (predicted[:, 1] > 0.5).astype(int)  # as accuracy counts them
    else:
        chosen = predicted.argmax(axis=1)
    for place, row in zip(chosen, predicted, strict=True):
        yield [target.classes[place], *(f"{value:.6g}" for value in row)]
