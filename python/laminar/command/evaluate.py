# SPDX-License-Identifier: Apache-2.0
"""``laminar evaluate MODEL DATA``: a trained model's measures on the rows of files."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .._printable import say
from ._manners import add_output_arguments, answering
from ._reading import (
    Rows,
    add_data_arguments,
    add_file_arguments,
    add_model_argument,
    files_of,
    loaded,
)
from ._report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .._base_model import BaseModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model_argument(parser)
    add_data_arguments(
        parser,
        "a CSV or Parquet file, a spreadsheet, a folder of them, or - for stdin; with the target",
        "others, measured together",
    )
    add_file_arguments(parser)
    add_output_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the measures."""
    with answering(arguments) as answer:
        model, table = loaded(arguments.model)
        files = files_of(arguments)
        rows = Rows(table, files, arguments)
        report = measured(model, rows)
        say(f"{rows.path}, {report.rows:,} rows: {report}")
        data = files if arguments.more else arguments.data
        answer.update(model=arguments.model, data=data, **report.answer())


def measured(
    model: BaseModel,
    rows: Rows,
    seen: Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], None] | None = None,
) -> Report:
    """Return the measures of rows; ``seen`` gets their inputs, targets, predictions by parts."""
    report = Report(rows.encoder.table.target)
    for block, x in rows.encoded(model.dtype):
        y, predicted = rows.encoder.targets(block), model.predict(x)
        report.add(y, predicted)
        if seen is not None:
            seen(x, y, predicted)
    rows.say_notes()
    return report
