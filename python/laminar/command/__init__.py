# SPDX-License-Identifier: Apache-2.0
"""The commands of ``laminar`` that read files: a network for a table, and what can be done with it.

One module each, with ``add_arguments(parser)`` and ``run(arguments)``. They import what is large,
pyarrow for example, when they run.
"""

from __future__ import annotations

from types import ModuleType

from . import evaluate, export, inspect, predict, train

__all__ = ["COMMANDS_ON_FILES"]

# {command: (its line in the help, its module)}
COMMANDS_ON_FILES: dict[str, tuple[str, ModuleType]] = {
    "train": ("train a network on a CSV or Parquet file", train),
    "evaluate": ("measure a trained model on a file", evaluate),
    "predict": ("predict the rows of a file", predict),
    "inspect": ("print what a model's file holds", inspect),
    "export": ("write a model for other programs", export),
}
