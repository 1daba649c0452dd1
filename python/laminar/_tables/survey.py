# SPDX-License-Identifier: Apache-2.0
"""What the columns of a file hold, found in one pass: types, categories, means.

A column of which every value is a number is one of numbers, in whatever form (costumes.py); any
other is one of categories. What tells nothing is left out: names and keys (names.py), columns
without values. What is probably a mistake is refused with a way out: numbers with a few texts among
them. Each decision is noted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from .._spelling import hint
from .cells import Block
from .costumes import Odd, form_of
from .form import PLAIN, Form
from .guess import Guess
from .names import looks_like_key
from .notes import ColumnNote
from .table import Column, Encoder, Table, Target
from .tally import Tally
from .task import MAX_CLASSES, natural, task_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MAX_CATEGORIES = 1000
_KEPT_CATEGORIES = 200  # the most frequent ones, where there are more than so many
_MAX_COUNTED = 20_000  # distinct values of a column
_MANY_NUMBERS = 20  # that make a column of texts a mistake, where they are half of the words
_STRETCH = 1 << 15  # numbers whose moments are computed at once
_MOST_WAITING = 1 << 23  # numbers of all columns that wait for that
_RESOLVED = 1e-6  # of deviations beside the mean, those that float32 can tell


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
    max_categories: int | None = None  # the most frequent ones that are kept, of any column
    from_command: bool = False  # they are flags of the command line, and messages shall say so
    keep: tuple[str, ...] = ()  # columns to be used even if they look like names or keys

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
        for what in (choices.target, *choices.drop, *choices.categorical, *choices.keep):
            if what not in source.names:
                named = ""
                if not source.has_header:
                    named = f"the file has no header, name them with {choices.named('header')}; "
                elif len(source.names) == 1:
                    named = (
                        "it has a single column; what separates cells can be said with "
                        f"{choices.named('delimiter')}; "
                    )
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
        # {column of the file: what it becomes, and how}
        self._columns_of: dict[str, list[tuple[str, Form]]] = {n: [(n, PLAIN)] for n in used}
        self._target_note: ColumnNote | None = None
        tallies = self._tallies(used)
        # A target of so many classes that it cannot be one of a classification is one of numbers.
        target = tallies[choices.target]
        numbers = set(used).difference(choices.categorical, [choices.target])
        self.rows = 0
        self._target_cells: list[Block] = []
        for block in source.blocks(used, numbers):
            overflowed = target.overflows
            self._add(block, tallies, used)
            self._target_cells.append(
                block._replace(cells={choices.target: block.cells[choices.target]})
            )
            self.rows += block.rows
            if target.overflows and not overflowed:
                numbers.add(choices.target)
        guesses = {name: self._guess(name, tally) for name, tally in tallies.items()}
        self._columns_of = {name: _parts(name, guess) for name, guess in guesses.items()}
        self._columns_of[choices.target] = [(choices.target, PLAIN)]
        self._guesses = {name: g for name, g in guesses.items() if isinstance(g, Guess)}
        self._odd = {name: g for name, g in guesses.items() if isinstance(g, Odd)}
        counted = {name for name, tally in tallies.items() if tally.needs_counts}
        again = [name for name in used if name in counted or name in self._guesses]
        again = [name for name in again if name != choices.target]
        if again:
            source.forget()
            parts = self._tallies(again)
            self._count_again(again, parts)
            made = [part for name in used for part, _ in self._columns_of[name]]
            tallies = {part: parts[part] if part in parts else tallies[part] for part in made}
        self.classes: dict[str, int] = {}
        self.target_moments = (0.0, 1.0)
        tally = tallies.pop(choices.target)
        tally.end()
        predicted = self._target(tally)
        columns = self._columns(tallies)
        self.table = Table(source.names, columns, predicted, source.missing)
        if predicted.form != PLAIN:
            given = self.targets()
            self.target_moments = float(given.mean()), float(given.std())
            self._refuse_constant_target(f"{given[0]:g}", bool((given == given[0]).all()))

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
        self._columns_of = {name: [] for name in table.needed()}
        for column in table.columns:
            self._columns_of[column.file_name].append((column.name, column.form))
        tallies = self._tallies(table.needed())
        rows = 0
        for block in self._source.blocks([*table.needed(), table.target.name], table.numbers()):
            some = training[rows : rows + block.rows]
            rows += block.rows
            if len(some) < block.rows:
                break
            self._add(block, tallies, table.needed(), some)
        self.refuse_others(rows)
        self.table = table._replace(columns=self._columns(tallies))

    def _add(
        self,
        block: Block,
        tallies: Mapping[str, Tally],
        names: Sequence[str],
        some: Array | None = None,
    ) -> None:
        """Count the cells of a block, or of some rows of it."""
        for name in names:
            cells = block.cells[name] if some is None else block.cells[name].chosen(some)
            for part, _ in self._columns_of[name]:
                tallies[part].add(cells, block.place)

    def refuse_others(self, rows: int) -> None:
        """Raise ValueError where the file has now other rows."""
        if rows != self.rows:
            raise ValueError(
                f"{self._source.path} had {self.rows} rows and then {rows}: it has changed while "
                "it was read"
            )

    def _columns(self, tallies: Mapping[str, Tally]) -> tuple[Column, ...]:
        """Return the columns, of which means and variances are noted."""
        columns, moments = [], []
        known = {*self._columns_of, self._choices.target}
        self.notes = [note for note in self.notes if note.name not in known]
        for name, parts in self._columns_of.items():
            if name == self._choices.target:
                continue
            found = self._left_out_as(name, [tallies[part] for part, _ in parts])
            if found is not None:
                self.notes.append(found)
                continue
            for part, form in parts:
                tally = tallies[part]
                tally.end()
                if len(parts) > 1 and tally.variance == 0 and not self._among:
                    continue  # of a date what is always the same
                # That it is missing is said once, by the first of its parts.
                missing = tally.missing > 0 and (part, form) == parts[0]
                columns.append(self._column(name, part, form, tally, missing))
                moments += _moments(columns[-1], tally)
        if not columns:
            raise ValueError(
                f"{self._source.path}: no column is left to predict "
                f"{self._choices.target!r} from: "
                + "; ".join(str(note) for note in self.notes if note.kind in ("id", "left out"))
            )
        self.mean, self.variance = np.array(moments).T
        if self._target_note is not None:
            self.notes.append(self._target_note)
        places = {name: i for i, name in enumerate(self._source.names)}
        self.notes.sort(key=lambda note: places[note.name])
        return tuple(columns)

    def _left_out_as(self, name: str, tallies: Sequence[Tally]) -> ColumnNote | None:
        """Return why a column is left out, if it is."""
        choices, tally = self._choices, _end(tallies[0])
        if tally.values == 0:
            return ColumnNote(
                name, "left out", f"left out: it has no values{self._among}", odd=True
            )
        wanted = name in choices.keep or name in choices.categorical
        if self._among or wanted or name in self._guesses:
            several = len(tallies) > 1 and all(_end(part).variance == 0 for part in tallies)
            if several and not self._among:
                return ColumnNote(name, "left out", "left out: it is always the same", odd=True)
            return None
        way = f"{choices.named('keep', [name])} takes it all the same"
        texts = tally.other > tally.infinite and not tally.mostly_numbers
        if texts and tally.near_unique and choices.max_categories is None:
            if name in self._odd:
                self._refuse_mixed(name, tally)
            count = f"more than {_MAX_COUNTED:,}" if tally.overflows else f"{len(tally.counts):,}"
            done = f"left out: {count} different texts in {tally.values:,} rows, names or keys"
            return ColumnNote(name, "id", done, way, odd=True)
        if looks_like_key(name) and not tally.other and tally.whole and tally.near_unique:
            done = "left out: it numbers the rows, or is a key"
            return ColumnNote(name, "id", done, way, odd=True)
        return None

    def _note(self, name: str, kind: str, done: str, why: str = "", odd: bool = False) -> None:
        self.notes.append(ColumnNote(name, kind, done, why, odd))

    def _tallies(self, names: Sequence[str]) -> dict[str, Tally]:
        """Return something to count with for each of the columns that these of the file make."""
        choices, path = self._choices, self._source.path
        stretch = max(1 << 10, min(_STRETCH, _MOST_WAITING // len(self._source.names)))
        tallies = {}
        for name in names:
            target = name == choices.target
            counts = target or name in self._as_categories or looks_like_key(name)
            most = MAX_CLASSES if target else _MAX_COUNTED
            for part, form in self._columns_of[name]:
                tallies[part] = Tally(f"{path}: column {name!r}", stretch, counts, most, form)
        return tallies

    def _guess(self, name: str, tally: Tally) -> Guess | Odd | None:
        """Return what the texts of a column are as numbers, if they are not to be categories."""
        if name in self._choices.categorical or not (tally.other or tally.dates):
            return None
        if name == self._choices.target and self._choices.task == "classification":
            return None
        return form_of(list(tally.counts), tally.dates)

    def _count_again(self, names: list[str], tallies: dict[str, Tally]) -> None:
        """Read columns as texts."""
        rows = 0
        for block in self._source.blocks(names, set()):
            self._add(block, tallies, names)
            rows += block.rows
        self._source.forget()
        self.refuse_others(rows)

    def _column(self, name: str, part: str, form: Form, tally: Tally, missing: bool) -> Column:
        choices = self._choices
        source = "" if part == name else name
        guess = self._guesses.get(name)
        if form != PLAIN and tally.other:
            self._refuse_texts(name, form.held(), tally.other, tally.example)
        if form != PLAIN or (name not in self._as_categories and tally.other == 0):
            if 0 < math.sqrt(tally.variance) < _RESOLVED * abs(tally.mean):
                raise ValueError(
                    f"{tally.name}: its numbers differ by less than float32 can tell beside their "
                    f"mean, {tally.mean:g}; subtract that before, or leave it out with "
                    f"{choices.named('drop', [name])}"
                )
            gaps = f", {tally.missing:,} missing ones as the mean" if tally.missing else ""
            if guess is None:
                self._note(name, "number", f"standardized{gaps}")
            elif part == self._columns_of[name][0][0]:
                kind = form.kind if form.kind in ("date", "time", "duration") else "number"
                self._note(name, kind, f"{guess.done}{gaps}", guess.why, odd=True)
            return Column(part, "number", tally.mean, (), missing, source, form)
        self._refuse_mixed(name, tally)
        most = choices.max_categories
        found = len(tally.counts)
        if most is None and (tally.overflows or found > MAX_CATEGORIES):
            most = _KEPT_CATEGORIES
        ranked = sorted(tally.counts, key=lambda text: (-tally.counts[text], text))
        kept = tuple(sorted(ranked[:most]))
        rare = len(kept) < found
        others = f", the other {found - len(kept):,} as one" if rare else ""
        if tally.overflows:
            others = ", all others as one"
        why = choices.named("categorical") if name in choices.categorical else ""
        if rare and choices.max_categories is None:
            why = f"those that come most; {choices.named('max_categories')} says how many"
        odd = rare and choices.max_categories is None
        self._note(
            name, "category", f"an input for each of {len(kept):,} categories{others}", why, odd
        )
        share = 0.0
        if rare:
            share = 1 - sum(tally.counts[text] for text in kept) / tally.values
        return Column(
            part, "category", 0.0, kept, tally.missing > 0 or rare, source, others=max(share, 0.0)
        )

    def _refuse_mixed(self, name: str, tally: Tally) -> None:
        """Raise ValueError where a column of categories is rather one of numbers, or of dates."""
        if name in self._choices.categorical or self._among:
            return
        odd = self._odd.get(name)
        if odd is not None:
            self._refuse_texts(name, odd.held, odd.others, repr(odd.example))
        if tally.mostly_numbers or (
            len(tally.counts) > _MANY_NUMBERS and tally.numeric_words() >= len(tally.counts) / 2
        ):
            self._refuse_texts(name, "numbers", tally.other, tally.example)

    def _refuse_texts(self, name: str, held: str, others: int, example: str) -> None:
        choices = self._choices
        raise ValueError(
            f"{self._source.path}: column {name!r} holds {held} and {others} texts, the first "
            f"{example}; correct them, call such a text a missing value with "
            f"{choices.named('missing')}, take all as categories with "
            f"{choices.named('categorical', [name])}, or leave it out with "
            f"{choices.named('drop', [name])}"
        )

    def _refuse_constant_target(self, value: str, constant: bool) -> None:
        if constant:
            raise ValueError(
                f"{self._source.path}: column {self._choices.target!r}, the target, is always "
                f"{value!r}: nothing to learn"
            )

    def _target(self, tally: Tally) -> Target:
        choices = self._choices
        name = choices.target
        guess, odd = self._guesses.get(name), self._odd.get(name)
        if guess is not None and guess.forms[0].moment:
            raise ValueError(
                f"{tally.name} holds {guess.forms[0].held()}; a target must be a class or a number"
            )
        if tally.missing:
            raise ValueError(
                f"{tally.name}, the target, has no value in {tally.missing} rows, the first is "
                f"{tally.first_missing}; remove them before"
            )
        constant = len(tally.counts) == 1 or (tally.other == 0 and tally.variance == 0)
        self._refuse_constant_target(next(iter(tally.counts), ""), constant)
        mixed = tally.other > 0 and guess is None
        if choices.task is None and (odd is not None or (mixed and tally.mostly_numbers)):
            held, others = (odd.held, odd.others) if odd is not None else ("numbers", tally.other)
            example = repr(odd.example) if odd is not None else tally.example
            raise ValueError(
                f"{tally.name}, the target, holds {held} and {others} texts, the first {example}; "
                f"correct them, call such a text a missing value with {choices.named('missing')}, "
                f"or take them as classes with {choices.named('task', 'classification')}"
            )
        task, why = task_of(tally, guess)
        if choices.task is not None:
            task, why = choices.task, choices.named("task", choices.task)
        elif why:
            other = "regression" if task == "classification" else "classification"
            why += f"; {choices.named('task', other)} takes it otherwise"
        noted = choices.task is None and bool(why or guess)
        if task == "regression":
            if mixed:
                raise ValueError(
                    f"{tally.name}, the target of a regression, must hold numbers, "
                    f"but holds {tally.example}"
                )
            self.target_moments = (tally.mean, math.sqrt(tally.variance))
            done = "predicted as a number" + (f", {guess.done}" if guess is not None else "")
            self._target_note = ColumnNote(name, "target", done, why, noted)
            return Target(name, "number", (), guess.forms[0] if guess is not None else PLAIN)
        if tally.overflows or len(tally.counts) > MAX_CLASSES:
            raise ValueError(
                f"{tally.name}, the target, has more than {MAX_CLASSES:,} classes; "
                f"for numbers use {choices.named('task', 'regression')}"
            )
        if choices.task is None and tally.near_unique:
            raise ValueError(
                f"{tally.name}, the target, has {len(tally.counts):,} classes in "
                f"{tally.values:,} rows: too few of each to learn from; choose another column, or "
                f"insist with {choices.named('task', 'classification')}"
            )
        classes = tuple(sorted(tally.counts, key=natural))
        self.classes = {label: tally.counts[label] for label in classes}
        done = f"predicted as one of {len(classes):,} classes"
        self._target_note = ColumnNote(name, "target", done, why, noted)
        return Target(name, "class", classes)


def _end(tally: Tally) -> Tally:
    tally.end()
    return tally


def _parts(name: str, guess: Guess | Odd | None) -> list[tuple[str, Form]]:
    """Return what a column of the file becomes."""
    if not isinstance(guess, Guess):
        return [(name, PLAIN)]
    several = len(guess.forms) > 1
    return [(f"{name}: {form.part}" if several else name, form) for form in guess.forms]


def _moments(column: Column, tally: Tally) -> list[tuple[float, float]]:
    """Return mean and variance of each input; of a constant one the variance is 0.

    Zeros and ones stay as they are, but for the one input of a column that has always the same
    category: what another value of it would do is not known, and so is nothing.
    """
    if column.kind == "number":
        first = (tally.mean, tally.variance)
    else:
        first = (1.0, 0.0) if column.width == 1 else (0.0, 1.0)
    return [first] + [(0.0, 1.0)] * (column.width - 1)
