# SPDX-License-Identifier: Apache-2.0
"""``laminar inspect FILE``: what a model's file holds, its table included."""

from __future__ import annotations

import argparse

from .. import _inspect
from .._printable import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", help="a model's file: of laminar, Keras or ONNX, C or C++")
    parser.add_argument("--weights", metavar="FILE", help="of a configuration of Keras in JSON")


def run(arguments: argparse.Namespace) -> None:
    """Print what it holds."""
    say(_inspect.described(arguments.file, arguments.weights))
