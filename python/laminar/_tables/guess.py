# SPDX-License-Identifier: Apache-2.0
"""What the words of a column probably are, as numbers."""

from __future__ import annotations

from typing import NamedTuple

from .form import Form

ENOUGH = 0.9  # of the words, where what the others are is worth a question


class Guess(NamedTuple):
    """What the words of a column probably are."""

    forms: tuple[Form, ...]  # one for each input
    done: str
    why: str
