# SPDX-License-Identifier: Apache-2.0
"""What the columns of a file hold, found in one pass: types, categories, means.

A column of which every value is a number is one of numbers; any other is one of categories, but for
what is probably a mistake, which is refused with a way out: dates, numbers with a few texts among
them, more categories than a network can learn much about.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from .._spelling import hint
from .cells import Block, Cells, as_numbers, as_words, counted
from .notes import ColumnNote
from .table import Column, Encoder, Table, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MAX_CATEGORIES = 1000
_MAX_COUNTED = 20_000  # distinct values of a column
_MAX_CLASSES_OF_NUMBERS = 20
_MOSTLY_NUMBERS = 0.9
_STRETCH = 1 << 15  # numbers whose moments are computed at once
_MOST_WAITING = 1 << 23  # numbers of all columns that wait for that
_RESOLVED = 1e-6  # of deviations beside the mean, those that float32 can tell
_ROUNDING = 1e-13  # and those that sums and products in float64 leave of a constant
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{4}/\d{1,2}/\d{1,2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}( .*)?"
)


class Readable(Protocol):
    """Rows that can be read: a `Source`, or several of them."""

    @property
    def path(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def has_header(self) -> bool: ...
    @property
    def missing(self) -> tuple[str, ...]: ...
    def blocks(
        self, columns: Sequence[str] | None = None, numbers: set[str] | None = None
    ) -> Iterator[Block]: ...
    def forget(self) -> None: ...


class Choices(NamedTuple):
    """What a user decides about columns; the rest follows from the values."""

    target: str
    task: str | None = None  # "classification" or "regression"
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    max_categories: int | None = None  # the most frequent ones that are kept; None refuses many
    from_command: bool = False  # they are flags of the command line, and messages shall say so

    def named(self, choice: str, value: str | list[str] | None = None) -> str:
        """Return a choice as the user would write it, a value of it included where one is given."""
        if not self.from_command:
            return choice if value is None else f"{choice}={value!r}"
        flag = "--" + choice.replace("_", "-")
        if isinstance(value, list):
            return f"{flag} {value[0]!r}"
        return flag if value is None else f"{flag} {value}"


class Survey:
    """One pass over a file: what it holds, and how a model takes it.

    Columns are read as numbers as long as they hold some: what each cell says is then not counted.
    Where such a column turns out to be one of categories, it is read once more, as texts.

    Attributes
    ----------
    rows : int
        The number of rows.
    table : Table
        How rows become inputs and targets.
    mean, variance : ndarray
        Of each input: 0 and 1 where it is already a zero or a one.
    classes : dict
        {class: rows} for a classification.
    target_moments : tuple
        Mean and standard deviation of a regression's target, otherwise (0, 1).
    notes : list of ColumnNote
        What is done with each column of the file, and why.

    Raises
    ------
    ValueError
        Where a column is of no use, which is named; see the head of this file.
    """

    def __init__(self, source: Readable, choices: Choices) -> None:
        self._source, self._choices = source, choices
        self.notes: list[ColumnNote] = []
        self._as_categories = set(choices.categorical)
        self._among = ""
        for what in (choices.target, *choices.drop, *choices.categorical):
            if what not in source.names:
                named = "" if source.has_header else "the file has no header; "
                raise ValueError(
                    f"{source.path} has no column {what!r}; {named}{hint(what, source.names)}"
                )
        for name in choices.drop:
            self._note(name, "left out", "left out", choices.named("drop"))
        if choices.target in choices.drop:
            raise ValueError(f"the target {choices.target!r} must not be dropped")
        used = [name for name in source.names if name not in choices.drop]
        if len(used) == 1:
            raise ValueError(f"{source.path} has no column beside the target {choices.target!r}")
        tallies = self._tallies(used)
        # A target of so many classes that it cannot be one of a classification is one of numbers.
        target = tallies[choices.target]
        numbers = set(used).difference(choices.categorical, [choices.target])
        self.rows = 0
        self._target_cells: list[Block] = []
        for block in source.blocks(used, numbers):
            overflowed = target.overflows
            for name, cells in block.cells.items():
                tallies[name].add(cells, block.first)
            self._target_cells.append(
                block._replace(cells={choices.target: block.cells[choices.target]})
            )
            self.rows += block.rows
            if target.overflows and not overflowed:
                numbers.add(choices.target)
        again = [name for name, tally in tallies.items() if tally.needs_counts]
        tallies.update(self._tallies(again))
        if again:
            source.forget()
            self._count_again(again, tallies)
        self.classes: dict[str, int] = {}
        self.target_moments = (0.0, 1.0)
        tally = tallies.pop(choices.target)
        tally.end()
        predicted = self._target(tally)
        columns = self._columns(tallies)
        self.table = Table(source.names, columns, predicted, source.missing)

    def targets(self) -> Array:
        """Return what each row predicts: class numbers, int32, or numbers, float64."""
        encoder = Encoder(self.table, self._source.path)
        return np.concatenate([encoder.targets(block) for block in self._target_cells])

    def take(self, training: Array) -> None:
        """Take categories, means and variances from some rows alone; kinds of columns stay.

        Parameters
        ----------
        training : ndarray
            Whether to take each row.
        """
        table = self.table
        self._as_categories.update(c.name for c in table.columns if c.kind == "category")
        self._among = " in the rows to train on"
        tallies = self._tallies(table.needed())
        rows = 0
        for block in self._source.blocks([*table.needed(), table.target.name], table.numbers()):
            some = training[rows : rows + block.rows]
            rows += block.rows
            if len(some) < block.rows:
                break
            for name, tally in tallies.items():
                tally.add(block.cells[name].chosen(some), block.first)
        self.refuse_others(rows)
        self.table = table._replace(columns=self._columns(tallies))

    def refuse_others(self, rows: int) -> None:
        """Raise ValueError where the file has now other rows."""
        if rows != self.rows:
            raise ValueError(
                f"{self._source.path} had {self.rows} rows and then {rows}: it has changed while "
                "it was read"
            )

    def _columns(self, tallies: Mapping[str, _Tally]) -> tuple[Column, ...]:
        """Return the columns, of which means and variances are noted."""
        columns, moments = [], []
        self.notes = [note for note in self.notes if note.name not in tallies]
        for name, tally in tallies.items():
            tally.end()
            columns.append(self._column(name, tally))
            moments += _moments(columns[-1], tally)
        self.mean, self.variance = np.array(moments).T
        places = {name: i for i, name in enumerate(self._source.names)}
        self.notes.sort(key=lambda note: places[note.name])
        return tuple(columns)

    def _note(self, name: str, kind: str, done: str, why: str = "", odd: bool = False) -> None:
        self.notes.append(ColumnNote(name, kind, done, why, odd))

    def _tallies(self, names: Sequence[str]) -> dict[str, _Tally]:
        choices, path = self._choices, self._source.path
        stretch = max(1 << 10, min(_STRETCH, _MOST_WAITING // len(self._source.names)))
        tallies = {}
        for name in names:
            target = name == choices.target
            counts = target or name in self._as_categories
            most = MAX_CATEGORIES if target else _MAX_COUNTED
            tallies[name] = _Tally(f"{path}: column {name!r}", stretch, counts, most)
        return tallies

    def _count_again(self, names: list[str], tallies: dict[str, _Tally]) -> None:
        """Read columns as texts."""
        rows = 0
        for block in self._source.blocks(names, set()):
            for name in names:
                tallies[name].add(block.cells[name], block.first)
            rows += block.rows
        self._source.forget()
        self.refuse_others(rows)

    def _column(self, name: str, tally: _Tally) -> Column:
        choices = self._choices
        drop = f"leave it out with {choices.named('drop', [name])}"
        tally.refuse_dates(f"split them into numbers before, or {drop}")
        if tally.values == 0:
            raise ValueError(f"{tally.name} has no values{self._among}; {drop}")
        if name not in self._as_categories and tally.other == 0:
            if 0 < math.sqrt(tally.variance) < _RESOLVED * abs(tally.mean):
                raise ValueError(
                    f"{tally.name}: its numbers differ by less than float32 can tell beside their "
                    f"mean, {tally.mean:g}; subtract that before, or {drop}"
                )
            gaps = f", {tally.missing:,} missing ones as the mean" if tally.missing else ""
            self._note(name, "number", f"standardized{gaps}")
            return Column(name, "number", tally.mean, indicator=tally.missing > 0)
        if name not in self._as_categories and tally.mostly_numbers:
            raise ValueError(
                f"{tally.name} holds numbers and {tally.other} texts, the first {tally.example}; "
                f"correct them, call such a text a missing value with {choices.named('missing')}, "
                f"take all as categories with {choices.named('categorical', [name])}, "
                f"or {drop}"
            )
        most = self._choices.max_categories
        found = len(tally.counts)
        if tally.overflows or (most is None and found > MAX_CATEGORIES):
            count = f"more than {_MAX_COUNTED:,}" if tally.overflows else f"{found:,}"
            most_frequent = f"keep the most frequent with {choices.named('max_categories')}, or "
            keep = "" if tally.overflows else most_frequent
            raise ValueError(
                f"{tally.name} has {count} distinct values; with more than {MAX_CATEGORIES:,} it "
                f"is more likely a name or a key than a category: {keep}{drop}"
            )
        ranked = sorted(tally.counts, key=lambda text: (-tally.counts[text], text))
        kept = tuple(sorted(ranked[:most]))
        others = f", the other {found - len(kept):,} as one" if len(kept) < found else ""
        why = choices.named("categorical") if name in choices.categorical else ""
        self._note(name, "category", f"an input for each of {len(kept):,} categories{others}", why)
        return Column(name, "category", 0.0, kept, tally.missing > 0 or len(kept) < found)

    def _target(self, tally: _Tally) -> Target:
        name, task = self._choices.target, self._choices.task
        tally.refuse_dates("a target must be a class or a number")
        if tally.missing:
            raise ValueError(
                f"{tally.name}, the target, has no value in {tally.missing} rows, the first is "
                f"row {tally.first_missing}; remove them before"
            )
        if len(tally.counts) == 1 or (tally.other == 0 and tally.variance == 0):
            only = next(iter(tally.counts))
            raise ValueError(f"{tally.name}, the target, is always {only!r}: nothing to learn")
        if task is None:
            few = not tally.overflows and len(tally.counts) <= _MAX_CLASSES_OF_NUMBERS
            if tally.mostly_numbers and tally.other:
                raise ValueError(
                    f"{tally.name}, the target, holds numbers and {tally.other} texts, the first "
                    f"{tally.example}; correct them, or take them as classes with "
                    + self._choices.named("task", "classification")
                )
            numbers = tally.other == 0 and not (few and tally.whole)
            task = "regression" if numbers else "classification"
        if task == "regression":
            if tally.other:
                raise ValueError(
                    f"{tally.name}, the target of a regression, must hold numbers, "
                    f"but holds {tally.example}"
                )
            self.target_moments = (tally.mean, math.sqrt(tally.variance))
            self._note(name, "target", "predicted as a number")
            return Target(name, "number")
        if tally.overflows or len(tally.counts) > MAX_CATEGORIES:
            raise ValueError(
                f"{tally.name}, the target, has more than {MAX_CATEGORIES:,} classes; "
                f"for numbers use {self._choices.named('task', 'regression')}"
            )
        classes = tuple(sorted(tally.counts, key=_natural))
        self.classes = {label: tally.counts[label] for label in classes}
        self._note(name, "target", f"predicted as one of {len(classes):,} classes")
        return Target(name, "class", classes)


class _Tally:
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
    """

    def __init__(self, name: str, stretch: int, counts: bool, most: int) -> None:
        self.name, self._stretch = name, stretch
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

    def add(self, cells: Cells, first: int) -> None:
        """Count cells, of which the first is in row ``first``."""
        gaps = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
        if cells.missing is not None and not self.missing:
            self.first_missing = first + int(np.argmax(cells.missing))
        self.missing += gaps
        self.values += cells.rows - gaps
        self.dates = self.dates or cells.dates
        if cells.dates:
            return
        numbers, broken = as_numbers(cells)
        if broken is not None:
            if not self.other:
                row = int(np.argmax(broken))
                self.example = f"{cells.text(row)!r} in row {first + row}"
            self.other += int(np.count_nonzero(broken))
            self.infinite += int(np.count_nonzero(np.isinf(numbers[broken])))
            numbers = np.where(broken, np.nan, numbers)
        missing = gaps > 0 or broken is not None
        self._add_numbers(numbers[~np.isnan(numbers)] if missing else numbers)
        if cells.numbers is not None and not self._counts_numbers:
            self._uncounted = True
        elif not self.overflows:
            for word, count in counted(*as_words(cells)):
                self.counts[word] += count
            self.overflows = len(self.counts) > self._most_counted

    def end(self) -> None:
        """Take into account what waits; ValueError where the numbers are not finite."""
        if self.infinite and self.infinite == self.other:
            self._refuse_infinite()
        self._take(np.concatenate([np.empty(0), *self._waiting]))

    def refuse_dates(self, cure: str) -> None:
        """Raise ValueError where all values are dates."""
        texts = self.other == self.values and bool(self.counts)
        if self.dates or (texts and all(_DATE.fullmatch(text) for text in self.counts)):
            raise ValueError(f"{self.name} holds dates, which a network cannot take; {cure}")

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


def _moments(column: Column, tally: _Tally) -> list[tuple[float, float]]:
    """Return mean and variance of each input; of a constant one the variance is 0.

    Zeros and ones stay as they are, but for the one input of a column that has always the same
    category: what another value of it would do is not known, and so is nothing.
    """
    if column.kind == "number":
        first = (tally.mean, tally.variance)
    else:
        first = (1.0, 0.0) if column.width == 1 else (0.0, 1.0)
    return [first] + [(0.0, 1.0)] * (column.width - 1)


def _natural(text: str) -> tuple[int, float, str]:
    """Return a key by which numbers come in their order, before texts."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
