# SPDX-License-Identifier: Apache-2.0
"""How the lines of a file are to be read: what separates cells, which are comments, the header."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from .cells import MISSING, is_plain
from .costumes import LIKELY_MISSING
from .csv_rows import BYTE_ORDER_MARK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .texts import Plain

_SAMPLE = 1 << 16  # characters that are looked at
_ROWS = 100
_DELIMITERS = ",\t;|"
_MOST = 0.9  # of the rows, which must have the same number of cells
SPACES = "spaces"


class Header(NamedTuple):
    """The names of a file's columns."""

    names: tuple[str, ...]
    there: bool  # whether the first row has them
    notes: tuple[str, ...] = ()


def sample(plain: Plain) -> list[str]:
    """Return the first lines that are not empty."""
    lines, size = [], 0
    for line in plain.lines():
        size += len(line)
        if line.strip():
            lines.append(line)
        if size > _SAMPLE or len(lines) > _ROWS:
            break
    return lines


def delimiter_of(lines: Sequence[str], first: str = ",") -> str | None:
    """Return what separates the cells of lines: a character, `SPACES`, or None for a single column.

    Parameters
    ----------
    lines : sequence of str
        Those that are no comments.
    first : str
        The one that is taken where several would do.
    """
    best, best_score = None, -1.0
    for mark in sorted(_DELIMITERS, key=lambda mark: mark != first):
        rows = rows_of(lines, mark)
        widths = Counter(map(len, rows))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width < 2 or count < _MOST * (len(rows) - 1):
            continue
        if len(rows[0]) != width and (len(rows[0]) < 2 or abs(len(rows[0]) - width) > 1):
            continue
        cells = [cell for row in rows[1:] or rows for cell in row]
        score = sum(_is_value(cell.strip()) for cell in cells) / len(cells)
        if score > best_score:
            best, best_score = mark, score
    if best is None:
        parts = [line.split() for line in lines]
        if parts and len(parts[0]) > 1 and len({len(row) for row in parts}) == 1:
            numbers = [is_plain(cell) for row in parts[1:] for cell in row]
            if sum(numbers) * 2 > len(numbers):  # or else they are sentences
                return SPACES
    return best


def rows_of(lines: Sequence[str], mark: str) -> list[list[str]]:
    """Return the cells of lines."""
    if mark == SPACES:
        return [line.split() for line in lines]
    try:
        rows = [row for row in csv.reader(lines, delimiter=mark) if row]
    except csv.Error:
        return []
    return rows[:-1] if len(lines) > _ROWS else rows  # the last one may go on


def first_line(plain: Plain, mark: str, path: str) -> tuple[int, int]:
    """Return the bytes at which the first row that is not empty begins and ends."""
    with open(plain.file, "rb") as file:
        marked = file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK
    begin = end = len(BYTE_ORDER_MARK) if marked else 0

    def lines() -> Iterator[str]:
        nonlocal end
        for line in plain.lines():
            end += len(line.encode())
            yield line

    try:
        for cells in csv.reader(lines(), delimiter=mark):
            if cells:
                break
            begin = end
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file: {error}") from None
    return begin, end


def is_comment(line: str) -> bool:
    """Whether a line begins as comments do."""
    return line.lstrip().startswith("#")


def without_comments(plain: Plain, mark: str, width: int) -> Iterator[list[str]]:
    """Yield the rows of a file, but for lines of comments.

    A line of them that has as many cells as rows have is a row, or before the first row the header.
    """
    begun = False
    waiting: str | None = None

    def lines() -> Iterator[str]:
        nonlocal begun, waiting
        for line in plain.lines():
            if is_comment(line) and len(_cells(line, mark)) != width:
                continue
            if is_comment(line) and not begun:
                waiting = line.lstrip().lstrip("#").lstrip()
                continue
            if waiting is not None:
                yield waiting
                waiting = None
            begun = begun or bool(line.strip())
            yield line

    if mark == SPACES:
        yield from (line.split() for line in lines() if line.strip())
    else:
        yield from (row for row in csv.reader(lines(), delimiter=mark) if row)


def _cells(line: str, mark: str) -> list[str]:
    text = line.lstrip().lstrip("#").strip()
    return text.split() if mark == SPACES else next(csv.reader([text], delimiter=mark), [])


def header_of(
    rows: Sequence[Sequence[str]], given: Sequence[str] | None, known: Collection[str], path: str
) -> Header:
    """Return the names of columns, by the first rows of a file.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first of them has the names, perhaps.
    given : sequence of str or None
        The names that a user gives.
    known : collection of str
        Columns one of which shows that the first row has names.
    path : str
        What to call the file in messages.
    """
    first = [cell.strip() for cell in rows[0]]
    rest = [[cell.strip() for cell in row] for row in itertools.islice(rows, 1, None)]
    if given is not None:
        if len(given) != len(first):
            raise ValueError(
                f"{path}: the header given has {len(given)} names, "
                f"the first row has {len(first)} cells"
            )
        named = list(given) == first
        replaced = not named and _above_numbers(first, rest)
        notes = (f"{path}: its first line has names, in place of which those given are taken",)
        return Header(tuple(given), named or replaced, notes if replaced else ())
    there = any(name in first for name in known)
    there = there or not any(map(_is_number, first)) or _above_numbers(first, rest)
    if not there:
        return Header(tuple(f"column{i + 1}" for i in range(len(first))), False)
    names, odd = _fitting(first, rest, path)
    return Header(*_different(names, odd, path))


def _fitting(names: list[str], rest: list[list[str]], path: str) -> tuple[list[str], list[str]]:
    """Return a name for each cell of the rows, where rows have one more or less than names."""
    width = Counter(map(len, rest)).most_common(1)[0][0] if rest else len(names)
    if width == len(names) - 1 and not names[-1]:
        return names[:-1], []
    if width != len(names) + 1:
        return names, []
    if all(not row[-1] for row in rest if len(row) == width):
        return [*names, ""], []
    note = f"{path}: rows have one cell more than names, so the first is taken for names of rows"
    return ["", *names], [note]


def _different(
    names: list[str], notes: list[str], path: str
) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    """Return names of which none is empty and none comes twice, as pandas calls such columns."""
    found: list[str] = []
    for i, given in enumerate(names):
        name = given or f"Unnamed: {i}"
        number = 0
        while name in found or (number and name in names):
            number += 1
            name = f"{given}.{number}"
        if number:
            notes.append(f"{path}: another column called {given!r} is taken as {name!r}")
        found.append(name)
    return tuple(found), True, tuple(notes)


def _above_numbers(first: list[str], rest: list[list[str]]) -> bool:
    """Whether a first row has a name above a column all of whose other cells are numbers."""
    for i, cell in enumerate(first):
        below = [row[i] for row in rest if len(row) > i and row[i].lower() not in MISSING]
        named = cell and not _is_number(cell) and cell.lower() not in (*MISSING, *LIKELY_MISSING)
        if named and below and all(map(_is_number, below)):
            return True
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_value(text: str) -> bool:
    """Whether a cell is a number, with a decimal comma perhaps, or says that there is none."""
    return is_plain(text) or is_plain(text.replace(",", ".", 1)) or text.lower() in MISSING
