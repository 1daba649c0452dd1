# SPDX-License-Identifier: Apache-2.0
"""The line that shows a training, as much of it as there is room for.

The loss and the validation loss are on it however narrow the screen is; then come, as far as there
is room, the share that is done, the time that is left, other values in their order, the time that
has gone, and a bar in what remains.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

_FIRST = ("loss", "val_loss")
_SHORTEST_BAR = 8
_UNKNOWN_WIDTH = 80


class State(NamedTuple):
    """How far a training is.

    Attributes
    ----------
    epoch, epochs : int
        The one that is trained, counted from 1, and the last one.
    share : float
        Of all that is to be trained.
    seconds : float
        Since it began.
    values : mapping of str
        What the logs have, each in texts that are ever shorter.
    """

    epoch: int
    epochs: int
    share: float
    seconds: float
    values: Mapping[str, Sequence[str]]

    def percent(self) -> str:
        """Return the share as text."""
        return f"{math.floor(100 * self.share + 1e-9)}%"

    def left(self) -> str:
        """Return the time that is left as text."""
        if not self.share > 0:
            return "?"
        return clock(self.seconds * (1 - self.share) / self.share)


class Line(NamedTuple):
    """What stands before the bar and behind it; None is no bar."""

    before: str
    behind: str | None


def fitted(state: State, width: int | None) -> Line:
    """Return the line for a screen of so many columns; None where nobody knows how many."""
    room = (width or _UNKNOWN_WIDTH) - 1  # a full line makes some terminals begin another
    first = [key for key in _FIRST if key in state.values] or list(state.values)[:1]
    head, form, digits = next(
        (each for each in _forms(state) if columns(_text(each, state, first)) <= room),
        list(_forms(state))[-1],
    )
    percent = left = gone = ""
    shown = set(first)

    def text() -> str:
        times = f"{gone}<{left}" if gone else f"{left} left" if left else ""
        before = " ".join(part for part in (head, percent, times) if part)
        return _text((before, form, digits), state, [k for k in state.values if k in shown])

    def fits() -> bool:
        return columns(text()) <= room

    percent = state.percent()
    if not fits():
        percent = ""
    left = state.left() if percent else ""
    if left and not fits():
        left = ""
    for key in state.values:
        shown.add(key)
        if not fits() and key not in first:
            shown.discard(key)
    gone = clock(state.seconds) if left else ""
    if gone and not fits():
        gone = ""
    whole = text()
    if len(shown) < len(state.values) or not gone:
        return Line(whole, None)
    before, behind = f"{head} {percent:>4}|", f"| {whole.removeprefix(f'{head} {percent} ')}"
    barred = columns(before) + _SHORTEST_BAR + columns(behind) <= room
    return Line(before, behind) if barred else Line(whole, None)


def complete(state: State) -> str:
    """Return the whole line, however long it is."""
    before = f"Epoch {state.epoch}/{state.epochs} {state.percent()} {clock(state.seconds)}"
    return _text((before, " - ", 0), state, list(state.values))


def _forms(state: State) -> Iterator[tuple[str, str, int]]:
    """Return ways to write, ever shorter: a beginning, what separates values, their digits."""
    count = f"{state.epoch}/{state.epochs}"
    yield f"Epoch {count}", " - ", 0
    for digits, form in product((0, 1), (" - ", " ")):
        yield count, form, digits
    yield str(state.epoch), " ", 1


def _text(way: tuple[str, str, int], state: State, keys: Sequence[str]) -> str:
    before, separator, digits = way
    colon = ":" if separator == " - " else ""
    values = [f"{key}{colon} {state.values[key][digits]}" for key in keys]
    return separator.join([before, *values])


def columns(text: str) -> int:
    """Return how many columns a text takes: letters of Asian scripts take two."""
    if text.isascii():
        return len(text)
    return sum(1 + (unicodedata.east_asian_width(letter) in "FW") for letter in text)


def clock(seconds: float) -> str:
    """Return a time as 0:07, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
