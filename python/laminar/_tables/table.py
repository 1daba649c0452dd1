# SPDX-License-Identifier: Apache-2.0
"""How rows of a table become a model's inputs and targets; kept as JSON in the model's file.

The inputs of a row, column after column:

- a number, or the mean of the training data where it is missing; if it was ever missing there, one
  more input follows, which is 1 where it is missing and 0 elsewhere;
- a category as one input for each category, 1 at its own and 0 elsewhere; if the training data had
  missing values (or more categories than were kept), one more follows for all that are neither.

A category that training has not seen so sets that last input, or none. A missing number in a column
that never had one counts as the mean. Both are counted, so that a command can say so.

The core reads the same text and encodes rows (cpp/laminar/files/table.hpp), texts one by one, or
blocks of columns. For these it is found out here, with pyarrow, what their cells say.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core
from .._printable import listed
from ..exchange._extras import required
from .cells import as_numbers, as_words, counted, key
from .form import PLAIN, Form, in_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .cells import Block, Cells

    Array = NDArray[Any]
    # A column as the core takes it: numbers, NaN where there is none; or the places of words, -1
    # where there is none, and which of the categories each word is, -1 where it is none of them.
    _Taken = Array | tuple[Array, Array]

FORMAT = 1
_FORMAT_WITH_FORMS = 2  # which an older laminar would read wrongly
# The name of the table in a model's file.
TEXT = "table"
# Inputs that are passed on in pieces stay in a processor's cache.
_PIECE_BYTES = 1 << 20
# As in the core (Table::check_seen): fewer than about five values may be unseen by chance.
_LEAST_OTHERS = 0.05
_UNLIKELY = 1e-6
_MOST = float(np.finfo(np.float32).max)


class Column(NamedTuple):
    """A column that a model reads."""

    name: str
    kind: str  # "number" or "category"
    mean: float = 0.0  # of numbers, in place of a missing one
    categories: tuple[str, ...] = ()
    indicator: bool = False  # the last input is for what is missing (or an unknown category)
    source: str = ""  # the file's column, where it has another name
    form: Form = PLAIN  # how its texts are numbers
    others: float = 0.0  # the share of training's values that were none of the categories

    @property
    def file_name(self) -> str:
        """What the file calls it."""
        return self.source or self.name

    @property
    def width(self) -> int:
        """The number of its inputs."""
        return (1 if self.kind == "number" else len(self.categories)) + self.indicator

    def inputs(self) -> list[str]:
        """Return what each of its inputs is called."""
        names = [f"{self.name}={category}" for category in self.categories] or [self.name]
        if self.kind == "category":
            return names + [f"{self.name}=(other)"] * self.indicator
        return names + [f"{self.name} missing"] * self.indicator


class Target(NamedTuple):
    """What a model predicts."""

    name: str
    kind: str  # "number" or "class"
    classes: tuple[str, ...] = ()
    form: Form = PLAIN


class Table(NamedTuple):
    """The columns of a table, those that a model reads and the one that it predicts."""

    header: tuple[str, ...]
    columns: tuple[Column, ...]
    target: Target
    missing: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The number of a model's inputs."""
        return sum(column.width for column in self.columns)

    def inputs(self) -> list[str]:
        """Return what each input is called."""
        return [name for column in self.columns for name in column.inputs()]

    def headers(self) -> list[tuple[str, ...]]:
        """Return the headers that a file without one may have: with the target, and without."""
        without = tuple(name for name in self.header if name != self.target.name)
        return [self.header, without]

    def needed(self) -> list[str]:
        """Return the names of the columns that a prediction needs."""
        return list(dict.fromkeys(column.file_name for column in self.columns))

    def numbers(self) -> set[str]:
        """Return the names of columns that hold plain numbers, the target perhaps among them."""
        numbers = [column for column in self.columns if column.kind == "number"]
        names = {column.file_name for column in numbers if column.form == PLAIN}
        number = self.target.kind == "number" and self.target.form == PLAIN
        return names | ({self.target.name} if number else set())

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(
            {
                "format": _FORMAT_WITH_FORMS if self._has_more() else FORMAT,
                "header": self.header,
                "missing": self.missing,
                "columns": [_fields(column) for column in self.columns],
                "target": _fields(self.target),
            }
        )

    def _has_more(self) -> bool:
        later = [*(_fields(column) for column in self.columns), _fields(self.target)]
        return any(name in fields for fields in later for name in _LATER)

    @classmethod
    def from_json(cls, text: str) -> Table:
        """Make it of text; ValueError where that is none of `to_json`, as the core has it."""
        _core.Table(text)
        found = json.loads(text)
        target = found["target"]
        return cls(
            tuple(found["header"]),
            tuple(Column(**_values(fields, "categories")) for fields in found["columns"]),
            Target(**_values(target, "classes")),
            tuple(found["missing"]),
        )


# What columns and targets of tables did not have at first.
_LATER = ("source", "form", "others")


def _fields(part: Column | Target) -> dict[str, Any]:
    """Return what JSON has of it; what is as it always was is left out."""
    usual = type(part)._field_defaults
    fields = {
        name: value
        for name, value in part._asdict().items()
        if name not in _LATER or value != usual[name]
    }
    if "form" in fields:
        fields["form"] = part.form.fields()
    return fields


def _values(fields: dict[str, Any], texts: str) -> dict[str, Any]:
    """Return the fields that JSON has, as Python has them."""
    values = {**fields, texts: tuple(fields[texts])}
    if "form" in fields:
        form = fields["form"]
        values["form"] = Form(**{**form, "missing": tuple(form.get("missing", ()))})
    return values


class Encoder:
    """Rows as a model's inputs and targets.

    Parameters
    ----------
    table : Table
        How.
    path : str
        The file that they are of, for error messages.
    lenient : bool
        Whether to go on where a cell is no number: rows that have one are noted as bad.

    Attributes
    ----------
    unseen : dict
        {column: Counter of the categories that training has not seen}.
    filled : Counter
        {column: missing numbers where training had none}.
    bad : ndarray or None
        Whether each row of the last block has a cell that is no number; None where none has.
    first_bad : str
        What is wrong with the first one.
    """

    def __init__(self, table: Table, path: str, lenient: bool = False) -> None:
        self.table, self.path = table, path
        self._lenient = lenient
        self.bad: Array | None = None
        self.first_bad = ""
        self._core = _core.Table(table.to_json())
        self.unseen: dict[str, Counter[str]] = {}
        self.filled: Counter[str] = Counter()
        self.loose_labels: Counter[str] = Counter()
        self._values: Counter[str] = Counter()  # of columns of categories, those that are there

    def inputs(self, block: Block, out: Array) -> Array:
        """Fill ``out``, (rows, inputs), and return it."""
        self._fill(self._columns(block), slice(0, block.rows), block, out)
        return out

    def pieces(self, block: Block, dtype: np.dtype[Any]) -> Iterator[tuple[Array, Array]]:
        """Yield inputs and targets of a block's rows, some rows at a time."""
        columns, targets = self._columns(block), self.targets(block)
        width = self.table.width
        most = max(1, _PIECE_BYTES // (dtype.itemsize * width))
        for first in range(0, block.rows, most):
            y = targets[first : first + most]
            x = np.empty((len(y), width), dtype)
            self._fill(columns, slice(first, first + len(y)), block, x)
            yield x, y

    def _fill(self, columns: list[_Taken], rows: slice, block: Block, out: Array) -> None:
        """Fill ``out`` with some rows of a block."""
        some = [
            (taken[0][rows], taken[1]) if isinstance(taken, tuple) else taken[rows]
            for taken in columns
        ]
        try:
            self._core.encode_columns(some, block.first + rows.start, out)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None

    def targets(self, block: Block) -> Array:
        """Return the class numbers, int32, or the numbers, float64, of the rows' targets.

        Raises
        ------
        ValueError
            Where one is missing, no number, or a class that training has not seen. A class with a
            full stop after it, as the UCI repository's test files have them, counts as the class.
        """
        target = self.table.target
        cells = block.cells[target.name]
        name = f"{self.path}: the target {target.name!r}"
        if cells.missing is not None:
            where = block.place(int(np.argmax(cells.missing)))
            raise ValueError(f"{name} has no value in {where}")
        if target.kind == "number":
            numbers = _numbers(cells, target.form, name, block)
            _refuse_infinite(numbers, name, block)
            return numbers.astype(np.float64)
        words, places = as_words(cells)
        known = _places(words, target.classes)
        found = known[places]
        if (found < 0).any():
            compute = required("pyarrow.compute", "tabular", "tables")
            loose = _places(compute.utf8_rtrim(words, "."), target.classes)[places]
            if (loose < 0).any():
                row = int(np.argmax(loose < 0))
                raise ValueError(
                    f"{name} is {words[int(places[row])].as_py()!r} in {block.place(row)}, "
                    f"a class that training has not seen; it has seen {listed(target.classes[:10])}"
                )
            row = int(np.argmax(found < 0))
            self.loose_labels[words[int(places[row])].as_py()] += int((found < 0).sum())
            found = loose
        return found.astype(np.int32)

    def refuse_unseen(self) -> None:
        """Raise ValueError where a column has had no category that training has seen.

        So many that this is hardly so by chance: then they are written in another way.
        """
        for column in self.table.columns:
            counts, values = self.unseen.get(column.name, Counter()), self._values[column.name]
            if not values or counts.total() < values:
                continue
            if max(column.others, _LEAST_OTHERS) ** values < _UNLIKELY:
                raise ValueError(
                    f"{self._named(column)} has {values} values, and training has seen none of "
                    f"them, {next(iter(counts))!r} for example; it has seen "
                    f"{listed(column.categories[:5])}; write them as they were in training, or "
                    "leave the cells empty where they are not known"
                )

    def notes(self) -> list[str]:
        """Return a line for each thing that a user should know of the rows so far."""
        lines = []
        for name, counts in self.unseen.items():
            example, total = next(iter(counts)), sum(counts.values())
            lines.append(
                f"column {name!r}: {total} values are categories that training has not seen, "
                f"{example!r} for example"
            )
        for name, total in self.filled.items():
            lines.append(
                f"column {name!r}: {total} numbers are missing, which none was in training; "
                "they count as its mean"
            )
        if self.loose_labels:
            example = next(iter(self.loose_labels))
            lines.append(
                f"the target: {example!r} and the like were taken for the class without the full "
                "stop"
            )
        return [f"{self.path}: {line}" for line in lines]

    def _named(self, column: Column) -> str:
        return f"{self.path}: column {column.file_name!r}"

    def _columns(self, block: Block) -> list[_Taken]:
        self.bad = None
        return [
            (self._number if column.kind == "number" else self._category)(
                column, block.cells[column.file_name], block
            )
            for column in self.table.columns
        ]

    def _number(self, column: Column, cells: Cells, block: Block) -> _Taken:
        numbers, missing, broken = _in_numbers(cells, column.form, self._named(column))
        if self._lenient:
            infinite = np.abs(numbers) >= _MOST
            broken = infinite if broken is None else infinite | broken
        if broken is not None and broken.any():
            what = f"{self._named(column)} must hold {column.form.held()}"
            if not self._lenient:
                raise ValueError(_wrong(cells, broken, what, block))
            self.first_bad = self.first_bad or _wrong(cells, broken, what, block)
            self.bad = broken if self.bad is None else self.bad | broken
            numbers = np.where(broken, np.nan, numbers)
        if block.at is not None or block.file:  # of which the core knows nothing
            _refuse_infinite(numbers, self._named(column), block)
        if missing is not None and not column.indicator:
            self.filled[column.name] += int(np.count_nonzero(missing))
        return np.require(numbers, requirements=["C", "A"])

    def _category(self, column: Column, cells: Cells, _: Block) -> _Taken:
        if cells.dates:
            raise ValueError(f"{self._named(column)} holds dates, but held categories in training")
        words, places = as_words(cells)
        gaps = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
        self._values[column.name] += cells.rows - gaps
        known = _places(words, column.categories)
        if (known < 0).any():  # words without a cell perhaps, or without a value
            new = np.append(known, np.int32(0))[places] < 0
            if new.any():
                counts = self.unseen.setdefault(column.name, Counter())
                counts[words[int(places[np.argmax(new)])].as_py()] += 0  # the first is the example
                for word, number in counted(words, places[new]):
                    counts[word] += number
        return np.require(places, np.int32, ["C", "A"]), known


def _in_numbers(cells: Cells, form: Form, name: str) -> tuple[Array, Array | None, Array | None]:
    """Return cells as numbers, where they are missing, and where they are something else."""
    if form != PLAIN:
        found, broken = in_form(cells, form)
        assert found.numbers is not None
        return found.numbers, found.missing, broken
    if cells.dates:
        raise ValueError(f"{name} holds dates, but held numbers in training")
    numbers, broken = as_numbers(cells)
    return numbers, cells.missing, broken


def _wrong(cells: Cells, broken: Array, what: str, block: Block) -> str:
    """Return which cell of a block is no number."""
    row = int(np.argmax(broken))
    return f"{what}, got {cells.said(row)!r} in {block.place(row)}"


def _numbers(cells: Cells, form: Form, name: str, block: Block) -> Array:
    """Return cells as numbers, NaN where there is none; ValueError where one is something else."""
    numbers, _, broken = _in_numbers(cells, form, name)
    if broken is not None:
        raise ValueError(_wrong(cells, broken, f"{name} must hold {form.held()}", block))
    return numbers


def _refuse_infinite(numbers: Array, name: str, block: Block) -> None:
    wrong = np.abs(numbers) >= _MOST
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name} must hold finite numbers, got {numbers[row]} in {block.place(row)}"
        )


def _places(words: Any, values: tuple[str, ...]) -> Array:
    """Return the position of each word among the values, -1 for others."""
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    found = compute.index_in(words, value_set=arrow.array(values, arrow.string()), skip_nulls=True)
    positions: Array = found.fill_null(-1).to_numpy(zero_copy_only=False)
    rest = np.flatnonzero(positions < 0)
    if rest.size and values:  # they may be the same as numbers
        positions = positions.copy()
        keys: dict[float | str, int] = {}
        for place, value in enumerate(values):
            keys.setdefault(key(value), place)
        texts = words.take(arrow.array(rest)).to_pylist()
        for place, word in zip(rest.tolist(), texts, strict=True):
            positions[place] = -1 if word is None else keys.get(key(word), -1)
    return positions
