# SPDX-License-Identifier: Apache-2.0
"""``laminar export MODEL --to FORMAT``: a model for other programs.

What is written takes the numbers that a row becomes; ``laminar inspect`` lists them.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .. import exchange
from .._printable import printable, say
from .._quantizing import MODES
from ..models import load_model
from ._reading import Rows, add_file_arguments, loaded
from ._report import Report

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", help="a model's file")
    formats = dict.fromkeys(format for format, _ in exchange.WRITERS.values())
    parser.add_argument("--to", required=True, choices=list(formats), help="the format")
    parser.add_argument("--output", metavar="FILE", help="the file to write, in place of MODEL.TO")
    group = parser.add_argument_group("integers, for microcontrollers")
    group.add_argument(
        "--quantize",
        choices=[mode for mode in MODES if mode.startswith("int")],
        help="write C that computes with integers alone; needs --data",
    )
    group.add_argument(
        "--data",
        metavar="FILE",
        help="rows like those to come, with the target: they tell which numbers to expect, and on "
        "them floats and integers are compared",
    )
    add_file_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the file."""
    output = arguments.output
    if output is None:
        ending = next(e for e, (name, _) in exchange.WRITERS.items() if name == arguments.to)
        stem = os.path.splitext(arguments.model)[0]
        output = stem + (f"-{arguments.to}" if ending == ".safetensors" else "") + ending
    if os.path.exists(output) and os.path.samefile(output, arguments.model):
        raise ValueError(f"export: {output!r} is the model itself; choose another --output")
    if (arguments.quantize is None) != (arguments.data is None):
        raise ValueError("export: --quantize and --data need each other")
    if arguments.quantize is None:
        load_model(arguments.model).export(output, arguments.to)
        lines = []
    else:
        lines = _in_integers(arguments, output, arguments.quantize)
    say(printable(output) if sys.stdout.isatty() else output)
    for line in lines:
        say(line)


def _in_integers(arguments: argparse.Namespace, output: str, mode: Literal["int8"]) -> list[str]:
    """Write C of integers, and return what that changes."""
    model, table = loaded(arguments.model)
    rows = Rows(table, [arguments.data], arguments)
    parts: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (x, rows.encoder.targets(block)) for block, x in rows.encoded(model.dtype)
    ]
    x, y = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    program = model.export(output, arguments.to, quantize=mode, x=x)
    rows.say_notes()
    lines = []
    for name, predicted in (("floats", model.predict(x)), ("integers", program.predict(x))):
        report = Report(table.target)
        report.add(y, predicted)
        lines.append(f"{printable(arguments.data)}, {report.rows:,} rows, {name}: {report}")
    sizes = f"constants of {program.flash_bytes:,} bytes, {program.ram_bytes:,} of stack for values"
    return [*lines, sizes]
