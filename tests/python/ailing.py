# SPDX-License-Identifier: Apache-2.0
"""Small tables as people have them, one for each ailment, and what `laminar train` says of each."""

# One case is one line, however long.
# ruff: noqa: E501
from __future__ import annotations

import bz2
import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from html import escape
from typing import NamedTuple

import numpy as np

ROWS = 40
_RNG = np.random.default_rng(0)
NUMBERS = [round(float(v), 2) for v in _RNG.normal(size=ROWS)]
LABELS = [["low", "high"][v > 0] for v in NUMBERS]
AMOUNTS = [1000 + round(500 * v) + i for i, v in enumerate(NUMBERS)]


class Ailing(NamedTuple):
    """A file, and what becomes of it."""

    name: str
    file: str  # its name
    data: bytes
    says: str = ""  # a pattern of what is said, in the error where it is refused
    refused: bool = False
    options: tuple[str, ...] = ()
    # Its cells, where these can be given by other routes as well.
    table: tuple[list[str], list[list[str]]] | None = None


def text_of(
    header: list[str] | None, rows: list[list[str]], mark: str = ",", end: str = "\n"
) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=mark, lineterminator=end)
    writer.writerows([header, *rows] if header else rows)
    return file.getvalue()


def zstandard(data: bytes) -> bytes:
    """Return data as the zst program packs it; nothing where pyarrow, which does it, is missing."""
    try:
        import pyarrow
    except ImportError:
        return b""
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def workbook(*sheets: list[list[object]]) -> bytes:
    """Return a spreadsheet: numbers as numbers, booleans as such, all else as text."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"

    def cell(value: object) -> str:
        if isinstance(value, bool):
            return f'<c t="b"><v>{value:d}</v></c>'
        if isinstance(value, (int, float)):
            return f"<c><v>{value!r}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    numbers = range(1, len(sheets) + 1)
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>'
            for n in numbers
        )
        + "</Relationships>",
    }
    for n, rows in zip(numbers, sheets, strict=True):
        lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/s{n}.xml"] = (
            f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return file.getvalue()


def column(
    name: str,
    cells: Callable[[int], object],
    says: str = "",
    refused: bool = False,
    options: tuple[str, ...] = (),
    called: str = "c",
    target: Callable[[int], object] | None = None,
) -> Ailing:
    """Return a table with a column of such cells, beside one of numbers and the target."""
    header = [called, "a", "y"]
    rows = [
        [str(cells(i)), str(NUMBERS[i]), str(target(i)) if target else LABELS[i]]
        for i in range(ROWS)
    ]
    data = text_of(header, rows).encode()
    return Ailing(name, "t.csv", data, says, refused, options, None if refused else (header, rows))


def target(name: str, cells: Callable[[int], object], says: str, refused: bool = False) -> Ailing:
    return column(name, lambda i: "uvw"[i % 3], says, refused, (), "c", cells)


def date(i: int) -> np.datetime64:
    return np.datetime64("2023-11-05") + i * 9


def columns() -> list[Ailing]:
    """Return tables with an odd column."""
    return [
        column("thousands", lambda i: f"{AMOUNTS[i]:,}", "'c': read as numbers .groups of digits"),
        column("percent", lambda i: f"{50 + NUMBERS[i]:.2f}%", "'c': read as numbers ..%' behind"),
        column("spaced percent", lambda i: f"{50 + NUMBERS[i]:.2f} %", "'%' behind"),
        column("dollars", lambda i: f"${AMOUNTS[i]:,.2f}", r"'\$' before"),
        column("euros", lambda i: f"{AMOUNTS[i] / 7:.2f} €", "'€' behind"),
        column("pounds", lambda i: f"£{AMOUNTS[i]:,}", "'£' before"),
        column("currency code", lambda i: f"USD {AMOUNTS[i]:,}", "'USD' before"),
        column("accounting", lambda i: f"({i}.50)" if i % 2 else f"{i}.25", "groups of digits"),
        column("millions", lambda i: f"€{i}.5M" if i % 2 else f"€{i + 1}K", "K, M and B as"),
        column("units", lambda i: f"{i} kg", "'kg' behind"),
        column("decimal commas", lambda i: f"{NUMBERS[i]:.2f}".replace(".", ","), "a comma before"),
        column(
            "points between thousands",
            lambda i: f"{1000 * AMOUNTS[i]:,}.5".replace(".", "#").replace(",", ".").replace("#", ","),
            "a comma before the fraction",
        ),
        column("apostrophes", lambda i: f"{AMOUNTS[i]:,}".replace(",", "'"), "groups of digits"),
        column("dash for missing", lambda i: "-" if i % 3 else NUMBERS[i], "'-' as missing"),
        column("mostly n.a.", lambda i: NUMBERS[i] if i % 8 == 0 else "n.a.", "'n.a.' as missing"),
        column("n/a", lambda i: "n/a" if i % 2 else NUMBERS[i]),
        column("question marks", lambda i: "?" if i % 2 else NUMBERS[i]),
        column("errors of Excel", lambda i: "#DIV/0!" if i % 9 == 0 else i / 7, "as missing"),
        column("numbers and codes", lambda i: "n" * (i % 5 == 0) + str(NUMBERS[i]), "'c': left out"),
        column("a text among numbers", lambda i: "about" if i == 9 else NUMBERS[i], "--missing", True),
        column("a text among amounts", lambda i: "free" if i == 9 else f"${i}", "--missing", True),
        column("a text among dates", lambda i: "soon" if i == 9 else date(i), "dates and 1", True),
        column("true and false", lambda i: NUMBERS[i] > 0),
        column("TRUE and FALSE", lambda i: str(NUMBERS[i] > 0).upper()),
        column("booleans as categories", lambda i: i % 2 == 0, options=("--categorical", "c")),
        column("numbers as categories", lambda i: f"{i % 4}.0", options=("--categorical", "c")),
        column("mixed spellings", lambda i: ["1", "1.0", "2"][i % 3], options=("--categorical", "c")),
        column("leading zeros", lambda i: f"0{i % 4}", options=("--categorical", "c")),
        column("names", lambda i: f"Mr. {chr(65 + i % 26)} No {i}x", "'c': left out: 40 different"),
        column("tickets", lambda i: f"A/{i}" if i % 2 else 100 + i, "'c': left out: 40 different"),
        column("index of pandas", lambda i: i, "'Unnamed: 0': left out: it numbers", called=""),
        column("an id", lambda i: 900 - 7 * i, "'id': left out: it numbers", called="id"),
        column("an id to keep", lambda i: 900 - 7 * i, options=("--keep", "id"), called="id"),
        column("no values", lambda i: "", "'c': left out: it has no values"),
        column("always the same", lambda i: 5),
        column("one category", lambda i: "x"),
        column("dates", date, "'c': read as dates: days since 2023-11-05"),
        column("day first", lambda i: f"{i % 28 + 1}.{i % 12 + 1}.2024", "read as dates"),
        column("month first", lambda i: f"{i % 12 + 1}/{i % 28 + 1}/24", "read as dates"),
        column("no day above 12", lambda i: f"{i % 9 + 1}/{i % 12 + 1}/24", "is a guess"),
        column("names of months", lambda i: f"{i % 28 + 1} Mar 20{10 + i % 9}", "read as dates"),
        column("months", lambda i: f"20{10 + i % 9}-0{i % 9 + 1}", "read as dates"),
        column("times of days", lambda i: f"{date(i)} {i % 24:02}:30:00", "weekday and hour"),
        column("zones", lambda i: f"{date(i)}T{i % 24:02}:30:00Z", "read as dates"),
        column("clock", lambda i: f"{i % 24:02}:{i:02}", "'c': read as times of day"),
        column("am and pm", lambda i: f"{i % 12 + 1}:{i:02} {'ap'[i % 2]}m", "read as times of day"),
        column("durations", lambda i: f"{i} days 0{i % 9}:30:00", "'c': read as durations"),
        column("hours and minutes", lambda i: f"{i}h {i}m", "'c': read as durations"),
        column("a key called Id", lambda i: 3 * i + 1, "left out: it numbers", called="OrderId"),
        target("a target is missing", lambda i: "" if i < 3 else LABELS[i], "3 rows have no target"),
        target("few different rows", lambda i: AMOUNTS[i], "whole numbers; --task classification"),
        target("classes as numbers", lambda i: i % 3, "only 3 different .*--task regression"),
        target("a target of amounts", lambda i: f"${AMOUNTS[i]:,}.50", "predicted as a number, read"),
        target("a target of booleans", lambda i: NUMBERS[i] > 0, "classification, False"),
        target("a constant target", lambda i: "x", "nothing to learn", True),
        target("a target of names", lambda i: f"n{i}", "too few of each", True),
        target("a target of dates", date, "must be a class or a number", True),
    ]  # fmt: skip


def files() -> list[Ailing]:
    """Return files that are odd as a whole; what they hold is the same."""
    header = ["a", "b", "y"]
    rows = [[str(NUMBERS[i]), "uvw"[i % 3], LABELS[i]] for i in range(ROWS)]
    text = text_of(header, rows)
    commas = [[row[0].replace(".", ","), *row[1:]] for row in rows]
    sentence = "# made by hand\n"
    latin = text.replace("u", "ü").encode("latin-1")
    years = text_of(["2019", "2020", "y"], [[r[0], r[0], r[2]] for r in rows])
    sheet: list[list[object]] = [[NUMBERS[i], "uvw"[i % 3], LABELS[i]] for i in range(ROWS)]
    switches: list[list[object]] = [[i % 3 == 0, i, LABELS[i]] for i in range(ROWS)]
    trailing = "\n".join(f"{line}," for line in text.splitlines()) + "\n"
    return [
        Ailing("semicolons", "t.csv", text_of(header, rows, ";").encode()),
        Ailing("semicolons and commas", "t.csv", text_of(header, commas, ";").encode(), "a comma"),
        Ailing("tabs", "t.txt", text_of(header, rows, "\t").encode()),
        Ailing("bars", "t.csv", text_of(header, rows, "|").encode()),
        Ailing("spaces", "t.txt", text_of(["a", "c", "y"], [[r[0], r[0], r[2]] for r in rows], " ").replace(" ", "   ").encode()),
        Ailing("comments", "t.csv", (sentence + text + sentence).encode()),
        Ailing("a commented header", "t.csv", ("# " + text).encode()),
        Ailing("UTF-16", "t.csv", text.encode("utf-16"), "read as utf-16"),
        Ailing("latin-1", "t.csv", latin, "read as cp1252"),
        Ailing("byte order mark", "t.csv", b"\xef\xbb\xbf" + text.encode()),
        Ailing("gzip", "t.csv.gz", gzip.compress(text.encode(), mtime=0)),
        Ailing("bzip2", "t.csv.bz2", bz2.compress(text.encode())),
        Ailing("Zstandard", "t.csv.zst", zstandard(text.encode())),
        Ailing("half of Zstandard", "t.csv.zst", zstandard(text.encode())[:60], "no whole file", True),
        Ailing("a spreadsheet", "t.xlsx", workbook([[*header], *sheet])),
        Ailing("a spreadsheet of several", "t.xlsx", workbook([[*header], *sheet], [["x"], [1]]), "the first of 2 sheets"),
        Ailing("a spreadsheet of booleans", "t.xlsx", workbook([["a", "b", "y"], *switches])),
        Ailing("no spreadsheet", "t.xlsx", text.encode(), "is no spreadsheet", True),
        Ailing("a damaged archive", "t.csv.gz", gzip.compress(text.encode())[:60], "no whole file", True),
        Ailing("old line ends", "t.csv", text.replace("\n", "\r").encode()),
        Ailing("numeric names", "t.csv", years.encode()),
        Ailing("double names", "t.csv", text.replace("a,b,y", "a,a,y", 1).encode(), "taken as 'a.1'"),
        Ailing("delimiters at the end", "t.csv", trailing.encode(), "'Unnamed: 3': left out"),
        Ailing("and not in the header", "t.csv", trailing.replace("y,", "y", 1).encode(), "Unnamed: 3"),
        Ailing("names of rows", "t.csv", text_of(header, [[f"r{i}", *r] for i, r in enumerate(rows)]).encode(), "names of rows"),
        Ailing("a header over another", "t.csv", text.replace("y", "z", 1).encode(), "in place of which", False, ("--header", "a,b,y")),
        Ailing("no header", "t.csv", text_of(None, rows).encode(), "--header", True),
        Ailing("no header, and named", "t.csv", text_of(None, rows).encode(), "", False, ("--header", "a,b,y")),
        Ailing("a wrong delimiter", "t.csv", text_of(header, rows).encode(), "leave the delimiter out", True, ("--delimiter", ";")),
        Ailing("empty", "t.csv", b"", "is empty", True),
        Ailing("a row that is short", "t.csv", (text + "1,u\n").encode(), "has 2 cells where 3", True),
    ]  # fmt: skip
