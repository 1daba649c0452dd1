# SPDX-License-Identifier: Apache-2.0
"""What the cells of one column are, block by block: numbers, texts, how often each comes."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import BOOLEANS, Cells, as_numbers, as_words, canonical, counted, is_plain
from .form import PLAIN, Form, in_form

if TYPE_CHECKING:
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
        self.name, self._stretch, self._form = name, stretch, form
        self._counts_numbers, self._most_counted = counts, most
        self._uncounted = False
        self._waiting: list[Array] = []  # numbers, so many:
        self._waits = 0
        self._numbers = 0  # in the moments
        self._rounding = _ROUNDING  # of those, beside their mean
        self.missing = self.first_missing = 0
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

    def add(self, cells: Cells, first: int) -> None:
        """Count cells, of which the first is in row ``first``."""
        self.dates = self.dates or cells.dates
        words, broken = cells, None
        if self._form != PLAIN:
            cells, broken = in_form(cells, self._form)
        gaps = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
        if cells.missing is not None and not self.missing:
            self.first_missing = first + int(np.argmax(cells.missing))
        self.missing += gaps
        self.values += cells.rows - gaps
        if self._form == PLAIN:
            numbers, broken = as_numbers(cells)
        else:
            assert cells.numbers is not None
            numbers = cells.numbers
        if broken is not None:
            if not self.other:
                row = int(np.argmax(broken))
                self.example = f"{words.said(row)!r} in row {first + row}"
            self.other += int(np.count_nonzero(broken))
            self.infinite += int(np.count_nonzero(np.isinf(numbers[broken])))
            numbers = np.where(broken, np.nan, numbers)
        missing = gaps > 0 or broken is not None
        self._add_numbers(numbers[~np.isnan(numbers)] if missing else numbers)
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
        self._take(np.concatenate([np.empty(0), *self._waiting]))
        self._waiting = []
        found: Counter[str] = Counter()
        for text, count in self.counts.items():
            found[canonical(text)] += count
        for number, text in enumerate(BOOLEANS):
            if str(number) in found and text in found:
                found[str(number)] += found.pop(text)
        self.counts = found

    def _add_numbers(self, numbers: Array) -> None:
        if not np.isfinite(numbers).all():
            self._refuse_infinite()
        if numbers.dtype == np.float32:
            self._rounding = 4 * float(np.finfo(np.float32).eps)
        self._waiting.append(numbers.astype(np.float64, copy=False))
        self._waits += numbers.size
        if self._waits < self._stretch:
            return
        numbers = np.concatenate(self._waiting)
        whole = numbers.size // self._stretch * self._stretch
        for stretch in numbers[:whole].reshape(-1, self._stretch):
            self._take(stretch)
        self._waiting = [numbers[whole:].copy()]
        self._waits -= whole

    def _take(self, numbers: Array) -> None:
        """Add to the moments, by the formula of Chan, Golub and LeVeque (1979)."""
        if not numbers.size:
            return
        self.whole = self.whole and bool((np.floor(numbers) == numbers).all())
        before, after = self._numbers, self._numbers + numbers.size
        mean = float(numbers.mean())
        distance = mean - self.mean
        self.mean += distance * numbers.size / after
        self._squares += float(((numbers - mean) ** 2).sum())
        self._squares += distance**2 * before * numbers.size / after
        self.least = min(self.least, float(numbers.min()))
        self.most = max(self.most, float(numbers.max()))
        self._numbers = after

    def _refuse_infinite(self) -> None:
        raise ValueError(f"{self.name} holds a number that is infinite")
