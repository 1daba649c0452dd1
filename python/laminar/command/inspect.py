# SPDX-License-Identifier: Apache-2.0
"""``laminar inspect FILE``: what a model's file holds, its table included."""

from __future__ import annotations

import argparse

from .. import _core, _inspect
from .._tables.table import TEXT, Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", help="a safetensors file")


def run(arguments: argparse.Namespace) -> None:
    """Print what it holds."""
    print(_inspect.described(arguments.file))
    metadata, _ = _core.inspect_safetensors(arguments.file)
    if TEXT in metadata:
        print(f"\n{described(Table.from_json(metadata[TEXT]))}")


def described(table: Table) -> str:
    """Return a table's columns as text, with the numbers of the inputs that each becomes."""
    kind = "a number" if table.target.kind == "number" else ", ".join(table.target.classes)
    lines = [f"target {table.target.name}: {kind}", f"inputs: {table.width}"]
    start = 0
    for column in table.columns:
        end = start + column.width
        places = str(start) if end == start + 1 else f"{start}-{end - 1}"
        what = "number" if column.kind == "number" else ", ".join(column.categories)
        rest = ""
        if column.indicator:
            rest = ", and whether it is missing" if column.kind == "number" else ", (other)"
        lines.append(f"  {places:>9}  {column.name}: {what}{rest}")
        start = end
    return "\n".join(lines)
