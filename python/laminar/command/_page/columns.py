# SPDX-License-Identifier: Apache-2.0
"""What was done with each column of the file, and why."""

from __future__ import annotations

from collections import Counter

from ..._pictures.html import Html, name, paragraph, section, table, tag
from .facts import Facts

_LISTED = 500
# Where the note says nothing, since nothing else could have been done.
_WHY = {"number": "every value is a number", "category": "its values are texts"}


def columns(facts: Facts) -> Html:
    """Return the section."""
    notes = facts.survey.notes
    widths = {read.name: len(read.inputs) for read in facts.columns()}
    rows = [
        [
            name(note.name),
            tag("span", note.kind, class_="odd" if note.odd else None),
            note.done,
            note.why or _WHY.get(note.kind, ""),
            f"{widths[note.name]:,}" if note.name in widths else "",
        ]
        for note in notes[:_LISTED]
    ]
    counts = Counter(note.kind for note in notes)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))
    words = (
        f"{len(notes):,} columns ({kinds}) make {facts.survey.table.width:,} inputs. Numbers are "
        "standardized by the first layer of the model, which so takes them as they are."
    )
    content = [
        paragraph(words),
        table(["column", "kind", "what was done", "why", "inputs"], rows, "stacked"),
    ]
    if len(notes) > _LISTED:
        content.append(paragraph(f"And {len(notes) - _LISTED:,} more columns."))
    return section("columns", "Columns", *content)
