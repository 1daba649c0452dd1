# SPDX-License-Identifier: Apache-2.0
"""The core encodes rows of texts as Python encodes columns, bit for bit; models take raw rows."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import laminar
from laminar import Sequential, _core, layers
from laminar._tables import Block, Column, Encoder, Source, Survey, Table, Target
from laminar._tables.cells import MISSING, cells_of
from laminar._tables.survey import Choices

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LAMINAR_TEST_DATA", ROOT.parent / "shared" / "data"))

TABLE = Table(
    ("size", "id", "city", "member", "kind", "class"),
    (
        Column("size", "number", 50.1, indicator=True),
        Column(
            "city", "category", categories=("Bern", "Zürich", "3", "a b", "NaN?"), indicator=True
        ),
        Column("member", "number", -1.3),
        Column("kind", "category", categories=("b", "a", "1.0")),
    ),
    Target("class", "class", ("cheap", "dear")),
    ("Not Given", " -1 ", "keine Änderung"),
)
# Between them everything that the grammar of numbers tells apart.
NUMBERS = """
0 -0 1 +3 -3.5 .5 +.5 -.5 1. 00012 1e5 1E+05 25e-1 1.e2 .1e1 0.1 0.30000000000000004 1e22 1e23
123456789012345 1234567890123456 9007199254740993 5e-324 1e-999 -1e-999 0e99999 1e38 -3.4e38
"""
NOT_NUMBERS = """
inf -inf infinity -nan +nan nan(1) 0x10 1_000 1,5 --1 +-1 -+1 ++1 + - . e5 1e 1e+ 1e5. 1f 1..2 truth
½ ٣ 1e999 -1e999 3.4028235e38 1e5e5
"""
SPACES = [chr(code) for code in range(0x110000) if chr(code).isspace()]
TEXTS = [
    "Bern",
    "Zürich",
    "zürich",
    "3",
    "3.0",
    "a b",
    "a  b",
    "a",
    "b",
    "B",
    "1.0",
    "1",
    "Rome",
    "ü",
]
NOTHING = [*MISSING, *(text.upper() for text in MISSING), "not given", "-1", "KEINE ÄNDERUNG"]


def by_pyarrow(table: Table, rows: list[list[str]], dtype: Any = np.float64) -> NDArray[Any]:
    """Return rows of cells as Python encodes columns of them."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    cells = {
        column.name: cells_of(arrow.array([row[i] for row in rows]), column.name, table.missing)
        for i, column in enumerate(table.columns)
    }
    out = np.full((len(rows), table.width), 7, dtype)
    return Encoder(table, "rows").inputs(Block(1, len(rows), cells), out)


def by_core(table: Table, rows: list[list[str]], dtype: Any = np.float64) -> NDArray[Any]:
    out = np.full((len(rows), table.width), 7, dtype)
    _core.Table(table.to_json()).encode(rows, out)
    return out


def assert_same(table: Table, rows: list[list[str]]) -> None:
    for dtype in (np.float32, np.float64):
        wanted, found = by_pyarrow(table, rows, dtype), by_core(table, rows, dtype)
        assert wanted.tobytes() == found.tobytes()


def test_every_kind_of_cell() -> None:
    spaced = [f"{a} 2.5 {b}" for a, b in zip(SPACES, reversed(SPACES), strict=True)]
    numbers = [*NUMBERS.split(), *NOTHING, *spaced]
    texts = [*TEXTS, *NOTHING, *NUMBERS.split(), *(f"{a}Bern{a}" for a in SPACES)]
    rows = [
        [a, b, c, d]
        for a, b, c, d in itertools.zip_longest(
            numbers, texts, numbers[::-1], texts[::-1], fillvalue="1"
        )
    ]
    assert_same(TABLE, rows)


def test_random_numbers() -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**63, 3000).view(np.float64)
    values = [
        *bits[np.abs(bits) < 3e38],
        *rng.normal(size=1000),
        *rng.integers(-999, 999, 100) / 100,
    ]
    texts = [repr(float(v)) for v in values] + [f"{v:.6g}" for v in values]
    table = Table(("x", "y"), (Column("x", "number"),), Target("y", "number"))
    assert_same(table, [[text] for text in texts])
    found = by_core(table, [[repr(float(v))] for v in values])[:, 0]
    assert found.tobytes() == np.array(values).tobytes()


@pytest.mark.parametrize("text", NOT_NUMBERS.split())
def test_both_refuse_what_is_no_number(text: str) -> None:
    rows = [["1", "Bern", "1", "a"], ["1", "Bern", text, "a"]]
    for encode in (by_core, by_pyarrow):
        with pytest.raises(
            ValueError, match=r"column 'member' must hold .*numbers, got .* in row 2"
        ):
            encode(TABLE, rows)


def test_the_core_writes_what_python_reads() -> None:
    assert Table.from_json(_core.Table(TABLE.to_json()).to_json()) == TABLE
    for change in ({"format": 3}, {"more": 1}, {"header": ["size"]}, {"missing": 3}):
        damaged = json.dumps({**json.loads(TABLE.to_json()), **change})
        with pytest.raises(ValueError, match="the description of a table is damaged"):
            Table.from_json(damaged)


def test_the_core_refuses_arrays_that_do_not_fit() -> None:
    table = _core.Table(TABLE.to_json())
    row = ["1", "Bern", "1", "a"]
    with pytest.raises(ValueError, match=r"out: expected shape \(1, 12\), got \(1, 11\)"):
        table.encode([row], np.empty((1, 11)))
    with pytest.raises(TypeError, match="out: expected dtype"):
        table.encode([row], np.empty((1, 12), np.int64))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out: expected a C-contiguous"):
        table.encode([row], np.empty((1, 24))[:, ::2])
    with pytest.raises(ValueError, match="a row must have 4 cells, got 3 in row 1"):
        table.encode([row[:3]], np.empty((1, 12)))


@pytest.mark.parametrize("name", ["adult-train.csv", "housing.csv"])
def test_real_tables(name: str) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    if not (DATA / name).exists():
        pytest.skip(f"{DATA} has no {name}")
    source = Source(str(DATA / name))
    table = Survey(source, Choices(source.names[-1])).table
    block = next(source.blocks())
    wanted = Encoder(table, name).inputs(block, np.empty((block.rows, table.width), np.float32))
    lines = [line for line in (DATA / name).read_text().splitlines() if line.strip()]
    cells = [line.split(",") for line in lines[source.has_header :][: block.rows]]
    places = [source.names.index(column) for column in table.needed()]
    found = by_core(table, [[row[i] for i in places] for row in cells], np.float32)
    assert wanted.tobytes() == found.tobytes()


# ---- Raw rows for predict.


@pytest.fixture
def model() -> Sequential:
    made = Sequential([layers.Input(TABLE.width), layers.Dense(1, "sigmoid")], seed=1)
    made._texts = {"table": TABLE.to_json()}
    return made


ROW = {"size": 1.5, "city": "Bern", "member": 1, "kind": "a"}


@pytest.mark.parametrize(
    ("column", "value", "cell"),
    [
        ("size", None, ""),
        ("size", float("nan"), ""),
        ("size", np.float32("nan"), ""),
        ("size", " 2.5 ", "2.5"),
        ("size", 0.1, "0.1"),
        ("size", -0.0, "-0"),
        ("size", np.float32(0.1), "0.10000000149011612"),
        ("size", True, "1"),
        ("size", np.bool_(False), "0"),
        ("size", np.int8(7), "7"),
        ("size", 2**60, str(2**60)),
        ("size", Decimal("1.25"), "1.25"),
        ("size", Fraction(1, 4), "0.25"),
        ("city", 3, "3"),
        ("city", 3.0, "3"),
        ("city", None, "?"),
        ("kind", 1.0, "1"),
        ("kind", "1.0", "1.0"),
    ],
)
def test_values_are_the_cells_of_a_file(
    model: Sequential, column: str, value: object, cell: str
) -> None:
    texts = {name: str(given) for name, given in ROW.items()} | {column: cell}
    x = by_core(TABLE, [[texts[name] for name in TABLE.needed()]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if (column, cell) == ("kind", "1") else "error")
        found = model.predict([{**ROW, column: value, "more": "is left out"}])
    assert found.tobytes() == model.predict(x).tobytes()


def test_dicts_and_frames_are_the_same(model: Sequential, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    model.save(tmp_path / "m.safetensors")
    loaded = laminar.load_model(tmp_path / "m.safetensors")
    rows = [ROW, {**ROW, "size": None, "city": None}, {**ROW, "member": 0, "kind": "b"}]
    found = loaded.predict(rows)
    assert found.tobytes() == loaded.predict(pandas.DataFrame(rows)).tobytes()
    assert found.tobytes() == loaded.predict(tuple(rows)).tobytes()


def test_faults_of_rows_are_named(model: Sequential) -> None:
    for fault, kind, message in (
        (
            {"size": "big"},
            ValueError,
            "predict: x: column 'size' must hold numbers, got 'big' in row 2",
        ),
        (
            {"size": 1e39},
            ValueError,
            "column 'size' must hold finite numbers, got '1e[+]39' in row 2",
        ),
        ({"size": 10**400}, ValueError, "row 2: column 'size' holds a number that is too large"),
        ({"city": "a\ud800"}, ValueError, "row 2: column 'city' holds half of a letter"),
        ({"size": 1j}, TypeError, "row 2: column 'size' must hold texts or numbers, got complex"),
        ({"city": datetime.date(2024, 1, 1)}, TypeError, "must hold texts or numbers, got date"),
    ):
        with pytest.raises(kind, match=message):
            model.predict([ROW, {**ROW, **fault}])
    with pytest.raises(
        ValueError, match="row 2 lacks column 'city', which the model reads; it has"
    ):
        model.predict([ROW, {"size": 1}])
    with pytest.raises(TypeError, match="row 2 must be a mapping as the first one is, got list"):
        model.predict([ROW, [1]])
    with pytest.warns(UserWarning, match="'city': 2 values are categories .*, 'Rome' for example"):
        model.predict([{**ROW, "city": "Rome"}, {**ROW, "city": "Oslo"}])
    with pytest.warns(UserWarning, match="'member': 1 numbers are missing, which none was"):
        model.predict([{**ROW, "member": None}])
    del model._texts
    with pytest.raises(TypeError, match="predict: x must hold booleans, integers or floats"):
        model.predict([ROW])
