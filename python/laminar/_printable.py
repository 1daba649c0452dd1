# SPDX-License-Identifier: Apache-2.0
"""Texts that others have chosen, as a terminal may have them.

Names of layers, columns and classes, and paths, come from files. What would move a terminal's
cursor, change its colours or turn the direction of writing is shown as an escape, not obeyed.
Messages that quote such a text by its ``repr`` need nothing more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from . import _core


def printable(text: object) -> str:
    """Return a text with control characters and marks of direction as escapes, in one line."""
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    return _core.printable(plain.encode("utf-8", "surrogatepass"))


def listed(texts: Iterable[object]) -> str:
    """Return texts one after the other, made printable."""
    return ", ".join(map(printable, texts))


def lines(text: str) -> str:
    """Return a text of several lines with each of them made printable."""
    return "\n".join(map(printable, text.split("\n")))


def say(text: str) -> None:
    """Print lines; what the output's encoding lacks, as lines and dots of tables, becomes plain."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.replace("─", "-").replace("…", "...")
        text = plain.encode(encoding, "backslashreplace").decode(encoding)
    print(text)
