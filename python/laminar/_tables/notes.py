# SPDX-License-Identifier: Apache-2.0
"""What was done with each column of a table, and why, for people to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The name of the notes among the texts of a model's file.
TEXT = "columns"


class ColumnNote(NamedTuple):
    """What was done with a column."""

    name: str
    # "number", "category", "date", "duration", "target", or "left out"
    kind: str
    done: str  # such as "standardized", "one input for each of 5 categories"
    why: str = ""  # where something else could have been done as well
    # Whether people did not expect it: it is said while they watch.
    odd: bool = False

    def __str__(self) -> str:
        return f"column {self.name!r}: {self.done}" + (f" ({self.why})" if self.why else "")


def to_json(notes: Iterable[ColumnNote]) -> str:
    """Return notes as text, for a model's file."""
    return json.dumps([note._asdict() for note in notes])


def of(texts: Mapping[str, str]) -> list[ColumnNote]:
    """Return the notes among the texts of a model's file; none in one that has none."""
    return from_json(texts[TEXT]) if TEXT in texts else []


def from_json(text: str) -> list[ColumnNote]:
    """Make notes of text."""
    return [ColumnNote(**fields) for fields in json.loads(text)]
