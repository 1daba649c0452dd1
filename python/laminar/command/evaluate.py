# SPDX-License-Identifier: Apache-2.0
"""``laminar evaluate MODEL DATA``: a trained model's measures on the rows of a file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .._printable import printable, say
from ._manners import add_output_arguments, answering
from ._reading import Rows, add_file_arguments, add_model_argument, loaded
from ._report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .._base_model import BaseModel
    from .._tables.table import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model_argument(parser)
    parser.add_argument("data", help="a CSV or Parquet file that has the target as well")
    add_file_arguments(parser)
    add_output_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the measures."""
    with answering(arguments) as answer:
        model, table = loaded(arguments.model)
        report = measured(model, table, arguments.data, arguments)
        say(f"{printable(arguments.data)}, {report.rows:,} rows: {report}")
        answer.update(model=arguments.model, data=arguments.data, **report.answer())


def measured(
    model: BaseModel,
    table: Table,
    path: str,
    arguments: argparse.Namespace,
    seen: Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], None] | None = None,
) -> Report:
    """Return the measures of a file; ``seen`` gets its inputs, targets and predictions by parts."""
    rows = Rows(table, path, arguments)
    report = Report(table.target)
    for block, x in rows.encoded(model.dtype):
        y, predicted = rows.encoder.targets(block), model.predict(x)
        report.add(y, predicted)
        if seen is not None:
            seen(x, y, predicted)
    rows.say_notes()
    return report
