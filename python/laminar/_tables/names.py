# SPDX-License-Identifier: Apache-2.0
"""Names of columns that number the rows of a table, or are keys of another."""

from __future__ import annotations

import re

# pandas calls the index "Unnamed: 0", and writes it under no name.
_KEYS = re.compile(
    r"unnamed: ?\d+|__index_level_\d+__|index|idx|level_\d+|row|no\.?|nr\.?|#|key|serial|"
    r"(.*[ _.-])?(id|ids|uuid|guid|key)|id[ _.-].*|rows?[ _.-]?(names?|ids?|num(ber)?s?|no|index)|"
    r"(s|sr|serial|sl|record|order|case)[ _.-]*(no|num|number|nr)\.?"
    r"|(record|sample|customer|passenger|user|patient|case|item|object|client|employee|order)id",
    re.IGNORECASE,
)


def looks_like_key(name: str) -> bool:
    """Whether a column is called as indices and keys are."""
    stripped = name.strip()
    camel = len(stripped) > 2 and stripped.endswith("Id")
    return not stripped or camel or _KEYS.fullmatch(stripped) is not None
