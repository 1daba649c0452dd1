# SPDX-License-Identifier: Apache-2.0
"""Whether a target is a class or a number, where the user does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .form import numbers_of

if TYPE_CHECKING:
    from .guess import Guess
    from .tally import Tally

MAX_CLASSES = 1000
_FEW = 10  # different whole numbers, which are classes where each comes often enough
_MOST = 20  # and where they are labels, from 0 or 1 on, each about as often as the others
_ROWS_OF_EACH = 5
_EVEN = 5  # times as many rows of the most frequent one as of the least


def task_of(tally: Tally, guess: Guess | None) -> tuple[str, str]:
    """Return "classification" or "regression", and why, where it could be the other one."""
    if guess is not None:
        numbers, _ = numbers_of(list(tally.counts), guess.forms[0])
        whole = bool((numbers == np.floor(numbers)).all())
    elif tally.other:
        return "classification", ""
    else:
        whole = tally.whole
    if not whole:
        return "regression", ""
    different = len(tally.counts)
    if tally.overflows or different > _MOST:
        return "regression", f"more than {_MOST} different whole numbers"
    if different == tally.values:
        return "regression", "all numbers are different"
    if different == 2:
        return "classification", "two different numbers"
    if tally.values < _ROWS_OF_EACH * different:
        return "regression", f"only {tally.values} rows with {different} different whole numbers"
    if different > _FEW and not _labels(tally):
        return "regression", f"{different} different whole numbers, which come unequally often"
    return "classification", f"only {different} different whole numbers"


def _labels(tally: Tally) -> bool:
    """Whether numbers are consecutive ones from 0 or 1 on, each about as frequent as the others."""
    consecutive = tally.least in (0, 1) and tally.most - tally.least == len(tally.counts) - 1
    counts = tally.counts.values()
    return consecutive and max(counts) <= _EVEN * min(counts)


def natural(text: str) -> tuple[int, float, str]:
    """Return a key by which numbers come in their order, before texts."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
