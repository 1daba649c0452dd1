# SPDX-License-Identifier: Apache-2.0
"""What the cells of one column are, block by block: numbers, texts, how often each comes."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .cells import (
    BOOLEANS,
    Cells,
    as_words,
    canonical,
    counted,
    counts_of,
    is_plain,
    numbers_of_words,
)
from .form import PLAIN, Form, in_form

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

_MOSTLY_NUMBERS = 0.9
_ROUNDING = 1e-13  # of deviations beside the mean, those that sums and products leave of a constant
_FEW_NAMES = 10  # different values that may be as many as there are rows


class Tally:
    """What the cells of one column have been so far.

    Parameters
    ----------
    name : str
        What to call it in messages.
    stretch : int
        How many numbers the moments are computed of at once. It is no number of cells or of blocks,
        so that where these end changes no bit.
    counts : bool
        Whether numbers are counted as well: texts are.
    most : int
        Distinct values that are counted at most.
    form : Form
        Of the column; cells are counted as the numbers that they are by it.
    """

    def __init__(
        self, name: str, stretch: int, counts: bool, most: int, form: Form = PLAIN
    ) -> None:
        self.name, self._moments, self._form = name, _core.Moments(stretch), form
        self._counts_numbers, self._most_counted = counts, most
        self._uncounted = False
        self._numbers = 0  # in the moments
        self._rounding = _ROUNDING  # of those, beside their mean
        self.missing = 0
        self.first_missing = ""  # which row
        self.values = self.other = 0  # cells that hold something, and those that hold no number
        self.infinite = 0  # of the latter, those that are called so
        self.example = ""
        self.whole = True
        self.dates = False
        self.mean = self._squares = 0.0
        self.least, self.most = math.inf, -math.inf  # of the numbers
        self.counts: Counter[str] = Counter()
        self.overflows = False
        self._counted_values = 0  # until then

    @property
    def variance(self) -> float:
        # Of a constant, what the mean is off by rounding is no variance, nor what its numbers are.
        if self.least == self.most or not self._numbers:
            return 0.0
        variance = self._squares / self._numbers
        return variance if math.sqrt(variance) > self._rounding * abs(self.mean) else 0.0

    @property
    def mostly_numbers(self) -> bool:
        return self.other < (1 - _MOSTLY_NUMBERS) * self.values

    @property
    def needs_counts(self) -> bool:
        """Whether it is a column of categories, some of which were not counted."""
        return self._uncounted and self.other > self.infinite and not self.mostly_numbers

    @property
    def near_unique(self) -> bool:
        """Whether so many values are different that each is rather a name of its row."""
        values = self._counted_values if self.overflows else self.values
        return len(self.counts) > max(_FEW_NAMES, values / 2)

    def numeric_words(self) -> int:
        """Return how many of the different values that were counted are plain numbers."""
        return sum(map(is_plain, self.counts))

    def add(self, cells: Cells, place: Callable[[int], str]) -> None:
        """Count cells; ``place`` tells what to call the row of each."""
        self.dates = self.dates or cells.dates
        words, broken = cells, None
        if self._form != PLAIN:
            cells, broken = in_form(cells, self._form)
            assert cells.numbers is not None
        gaps = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
        if cells.missing is not None and not self.missing:
            self.first_missing = place(int(np.argmax(cells.missing)))
        self.missing += gaps
        self.values += cells.rows - gaps
        if cells.numbers is None:
            self._add_words(cells, place)
        elif broken is None:
            self._add_numbers(cells.numbers)
        else:
            self._note_others(words, broken, int(np.count_nonzero(broken)), place)
            self._add_numbers(np.where(broken, np.nan, cells.numbers))
        if self._form != PLAIN:
            return
        if cells.numbers is not None and not self._counts_numbers:
            self._uncounted = True
        elif not self.overflows:
            self._counted_values += cells.rows - gaps
            for word, count in counted(*as_words(cells)):
                self.counts[word] += count
            self.overflows = len(self.counts) > self._most_counted
        elif cells.numbers is None and not self.near_unique:  # those that are known go on
            for word, count in counted(*as_words(cells)):
                if word in self.counts:
                    self.counts[word] += count

    def end(self) -> None:
        """Take into account what waits; ValueError where the numbers are not finite."""
        if self.infinite and self.infinite == self.other:
            self._refuse_infinite()
        moments = self._moments.end()
        self._numbers, self.mean, self._squares, self.least, self.most, self.whole = moments
        found: Counter[str] = Counter()
        for text, count in self.counts.items():
            found[canonical(text)] += count
        for number, text in enumerate(BOOLEANS):
            if str(number) in found and text in found:
                found[str(number)] += found.pop(text)
        self.counts = found

    def _add_words(self, cells: Cells, place: Callable[[int], str]) -> None:
        """Add the numbers among the words, each of which is looked at once."""
        assert cells.places is not None
        numbers, broken = numbers_of_words(cells.words)
        counts = counts_of(cells.places, len(cells.words))
        if broken is not None and (others := int(counts[broken].sum())):
            self._note_others(cells, np.append(broken, False)[cells.places], others, place)
            self.infinite += int(counts[broken & np.isinf(numbers)].sum())
        if broken is not None:
            numbers = np.where(broken, np.nan, numbers)
        if counts[~np.isnan(numbers)].any():
            self._add_numbers(np.append(numbers, np.nan)[cells.places])

    def _note_others(
        self, cells: Cells, broken: Array, others: int, place: Callable[[int], str]
    ) -> None:
        """Count cells that hold no number."""
        if not self.other:
            row = int(np.argmax(broken))
            self.example = f"{cells.said(row)!r} in {place(row)}"
        self.other += others

    def _add_numbers(self, numbers: Array) -> None:
        if numbers.dtype == np.float32:
            self._rounding = 4 * float(np.finfo(np.float32).eps)
        if not self._moments.add(np.require(numbers, requirements=["C", "A"])):
            self._refuse_infinite()

    def _refuse_infinite(self) -> None:
        raise ValueError(f"{self.name} holds a number that is infinite")
