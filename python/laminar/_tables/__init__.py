# SPDX-License-Identifier: Apache-2.0
"""Raw tables, CSV and Parquet, as the numbers that a model takes.

Where the border lies: a `Table`, kept as JSON beside the model in its file, turns a row of texts
and numbers into a vector. It looks categories up and puts in what is missing, which takes no
arithmetic, so that a reader in another language is short. Everything with numbers is the model's
own: its first layer, a Normalization, standardizes them and passes zeros and ones on.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .cells import Block
from .table import Column, Encoder, Table, Target

if TYPE_CHECKING:
    from .kept import Kept
    from .reading import Source
    from .survey import Choices, Survey

__all__ = [
    "Block",
    "Choices",
    "Column",
    "Encoder",
    "Kept",
    "Source",
    "Survey",
    "Table",
    "Target",
]

# What reads files, which most programs never do, is imported when it is used.
_READING = {"Choices": "survey", "Kept": "kept", "Source": "reading", "Survey": "survey"}


def __getattr__(name: str) -> Any:
    if name not in _READING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_READING[name]}", __name__), name)
