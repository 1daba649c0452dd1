# SPDX-License-Identifier: Apache-2.0
"""``laminar inspect FILE``: what a model's file holds, its table included."""

from __future__ import annotations

import argparse

from .. import _inspect
from .._printable import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", help="a safetensors file")


def run(arguments: argparse.Namespace) -> None:
    """Print what it holds."""
    say(_inspect.described(arguments.file))
