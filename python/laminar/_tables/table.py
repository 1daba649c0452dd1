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
from .cells import as_numbers, as_words, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .cells import Block, Cells

    Array = NDArray[Any]
    # A column as the core takes it: numbers, NaN where there is none; or the places of words, -1
    # where there is none, and which of the categories each word is, -1 where it is none of them.
    _Taken = Array | tuple[Array, Array]

FORMAT = 1
# The name of the table in a model's file.
TEXT = "table"
# Inputs that are passed on in pieces stay in a processor's cache.
_PIECE_BYTES = 1 << 19
_MOST = float(np.finfo(np.float32).max)


class Column(NamedTuple):
    """A column that a model reads."""

    name: str
    kind: str  # "number" or "category"
    mean: float = 0.0  # of numbers, in place of a missing one
    categories: tuple[str, ...] = ()
    indicator: bool = False  # the last input is for what is missing (or an unknown category)

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
        return [column.name for column in self.columns]

    def numbers(self) -> set[str]:
        """Return the names of the columns that hold numbers, the target perhaps among them."""
        names = {column.name for column in self.columns if column.kind == "number"}
        return names | ({self.target.name} if self.target.kind == "number" else set())

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(
            {
                "format": FORMAT,
                "header": self.header,
                "missing": self.missing,
                "columns": [column._asdict() for column in self.columns],
                "target": self.target._asdict(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Table:
        """Make it of text; ValueError where that is none of `to_json`, as the core has it."""
        _core.Table(text)
        found = json.loads(text)
        target = found["target"]
        return cls(
            tuple(found["header"]),
            tuple(
                Column(**{**fields, "categories": tuple(fields["categories"])})
                for fields in found["columns"]
            ),
            Target(**{**target, "classes": tuple(target["classes"])}),
            tuple(found["missing"]),
        )


class Encoder:
    """Rows as a model's inputs and targets.

    Parameters
    ----------
    table : Table
        How.
    path : str
        The file that they are of, for error messages.

    Attributes
    ----------
    unseen : dict
        {column: Counter of the categories that training has not seen}.
    filled : Counter
        {column: missing numbers where training had none}.
    """

    def __init__(self, table: Table, path: str) -> None:
        self.table, self.path = table, path
        self._core = _core.Table(table.to_json())
        self.unseen: dict[str, Counter[str]] = {}
        self.filled: Counter[str] = Counter()
        self.loose_labels: Counter[str] = Counter()

    def inputs(self, block: Block, out: Array) -> Array:
        """Fill ``out``, (rows, inputs), and return it."""
        self._fill(self._columns(block), slice(0, block.rows), block.first, out)
        return out

    def pieces(self, block: Block, dtype: np.dtype[Any]) -> Iterator[tuple[Array, Array]]:
        """Yield inputs and targets of a block's rows, some rows at a time."""
        columns, targets = self._columns(block), self.targets(block)
        width = self.table.width
        most = max(1, _PIECE_BYTES // (dtype.itemsize * width))
        for first in range(0, block.rows, most):
            y = targets[first : first + most]
            x = np.empty((len(y), width), dtype)
            self._fill(columns, slice(first, first + len(y)), block.first, x)
            yield x, y

    def _fill(self, columns: list[_Taken], rows: slice, first: int, out: Array) -> None:
        """Fill ``out`` with some rows of a block, the first of which has a number."""
        some = [
            (taken[0][rows], taken[1]) if isinstance(taken, tuple) else taken[rows]
            for taken in columns
        ]
        try:
            self._core.encode_columns(some, first + rows.start, out)
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
            row = block.first + int(np.argmax(cells.missing))
            raise ValueError(f"{name} has no value in row {row}")
        if target.kind == "number":
            numbers = _numbers(cells, name, block.first)
            _refuse_infinite(numbers, name, block.first)
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
                    f"{name} is {words[int(places[row])].as_py()!r} in row {block.first + row}, a "
                    f"class that training has not seen; it has seen {listed(target.classes[:10])}"
                )
            row = int(np.argmax(found < 0))
            self.loose_labels[words[int(places[row])].as_py()] += int((found < 0).sum())
            found = loose
        return found.astype(np.int32)

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
        return f"{self.path}: column {column.name!r}"

    def _columns(self, block: Block) -> list[_Taken]:
        return [
            (self._number if column.kind == "number" else self._category)(
                column, block.cells[column.name], block.first
            )
            for column in self.table.columns
        ]

    def _number(self, column: Column, cells: Cells, first: int) -> _Taken:
        numbers, missing = _numbers(cells, self._named(column), first), cells.missing
        if missing is not None and not column.indicator:
            self.filled[column.name] += int(np.count_nonzero(missing))
        return np.require(numbers, requirements=["C", "A"])

    def _category(self, column: Column, cells: Cells, first: int) -> _Taken:
        if cells.dates:
            raise ValueError(f"{self._named(column)} holds dates, but held categories in training")
        words, places = as_words(cells)
        known = _places(words, column.categories)
        if (known < 0).any():  # words without a cell perhaps, or without a value
            new = np.append(known, np.int32(0))[places] < 0
            if new.any():
                counts = self.unseen.setdefault(column.name, Counter())
                counts[words[int(places[np.argmax(new)])].as_py()] += 0  # the first is the example
                for word, number in counted(words, places[new]):
                    counts[word] += number
        return np.require(places, np.int32, ["C", "A"]), known


def _numbers(cells: Cells, name: str, first: int) -> Array:
    """Return cells as numbers, NaN where there is none; ValueError where one is something else."""
    if cells.dates:
        raise ValueError(f"{name} holds dates, but held numbers in training")
    numbers, broken = as_numbers(cells)
    if broken is not None:
        row = int(np.argmax(broken))
        raise ValueError(f"{name} must hold numbers, got {cells.text(row)!r} in row {first + row}")
    return numbers


def _refuse_infinite(numbers: Array, name: str, first: int) -> None:
    wrong = np.abs(numbers) >= _MOST
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name} must hold finite numbers, got {numbers[row]} in row {first + row}"
        )


def _places(words: Any, values: tuple[str, ...]) -> Array:
    """Return the position of each word among the values, -1 for others."""
    arrow = required("pyarrow", "tabular", "tables")
    compute = required("pyarrow.compute", "tabular", "tables")
    found = compute.index_in(words, value_set=arrow.array(values, arrow.string()), skip_nulls=True)
    positions: Array = found.fill_null(-1).to_numpy(zero_copy_only=False)
    return positions
