# SPDX-License-Identifier: Apache-2.0
"""``laminar export MODEL --to FORMAT``: a model for other programs.

What is written takes the numbers that a row becomes; ``laminar inspect`` lists them.
"""

from __future__ import annotations

import argparse
import os
import sys

from .. import exchange
from .._printable import printable, say
from ..models import load_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", help="a model's file")
    formats = dict.fromkeys(format for format, _ in exchange.WRITERS.values())
    parser.add_argument("--to", required=True, choices=list(formats), help="the format")
    parser.add_argument("--output", metavar="FILE", help="the file to write, in place of MODEL.TO")


def run(arguments: argparse.Namespace) -> None:
    """Write the file."""
    output = arguments.output
    if output is None:
        ending = next(e for e, (name, _) in exchange.WRITERS.items() if name == arguments.to)
        stem = os.path.splitext(arguments.model)[0]
        output = stem + (f"-{arguments.to}" if ending == ".safetensors" else "") + ending
    if os.path.exists(output) and os.path.samefile(output, arguments.model):
        raise ValueError(f"export: {output!r} is the model itself; choose another --output")
    load_model(arguments.model).export(output, arguments.to)
    say(printable(output) if sys.stdout.isatty() else output)
