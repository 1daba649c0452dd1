# SPDX-License-Identifier: Apache-2.0
"""``laminar evaluate MODEL DATA``: a trained model's measures on the rows of a file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from .._printable import printable, say
from ._reading import Rows, add_file_arguments, add_model_argument, loaded
from ._report import Report

if TYPE_CHECKING:
    from .._base_model import BaseModel
    from .._tables.table import Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model_argument(parser)
    parser.add_argument("data", help="a CSV or Parquet file that has the target as well")
    add_file_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the measures."""
    model, table = loaded(arguments.model)
    say(measured(model, table, arguments.data, arguments))


def measured(model: BaseModel, table: Table, path: str, arguments: argparse.Namespace) -> str:
    """Return the measures of a file as a line of text."""
    rows = Rows(table, path, arguments)
    report = Report(table.target)
    for block in rows.blocks():
        x = rows.encoder.inputs(block, np.empty((block.rows, table.width), model.dtype))
        report.add(rows.encoder.targets(block), model.predict(x))
    rows.say_notes()
    return f"{printable(path)}, {report.rows:,} rows: {report}"
