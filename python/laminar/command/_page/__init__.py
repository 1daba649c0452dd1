# SPDX-License-Identifier: Apache-2.0
"""The page that ``laminar train --report`` writes. A file for each of its sections.

It is imported where a page is asked for, and computed in NumPy from the predictions of rows that
were held out. The same training gives the same bytes.
"""

from __future__ import annotations

from .facts import Facts, Seen
from .page import written

__all__ = ["Facts", "Seen", "write"]


def write(path: str, facts: Facts) -> None:
    """Write the page to a file."""
    text = written(facts)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
