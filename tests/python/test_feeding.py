# SPDX-License-Identifier: Apache-2.0
"""Files are read in blocks, by threads, as numbers where they hold some: none of it shows."""

from __future__ import annotations

import _thread
import csv
import io
import itertools
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import laminar
from laminar import Sequential, _core, layers
from laminar.__main__ import main
from laminar._tables import Choices, Encoder, Source, Survey, Table, cells, csv_rows, records
from laminar._tables import frames as tables
from laminar._tables.ahead import in_order
from laminar.data import Dataset

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

BLOCKS = (1, 150)  # bytes; each row its own, and a few of them


def lines(*rows: str, end: str = "\n") -> bytes:
    return end.join(("a,b,y", *rows, "")).encode()


def many(row: str, n: int = 60) -> list[str]:
    return [row.replace("#", str(i)) for i in range(n)]


PLAIN = many("#.5,u#,#")
FILES: dict[str, bytes] = {
    "plain": lines(*PLAIN),
    "spaces": lines(*many("\t #.25 , u,#"), "  7 ,\u3000v\u2003,1", "\u20038,v,2"),
    "missing": lines(*PLAIN, "nA,?,1", " NULL ,none,2", "\tn/a,,3", ",nan,4", "NaN,?,5"),
    "spelt": lines(*PLAIN, "+1,v,1", "+.5,v,2", "1.,v,3", "7E+1,v,4", "1e-320,w,5", "-0,w,6"),
    "huge": lines(*PLAIN, "12345678901234567890123,v,1", "-9007199254740993,v,2"),
    "quoted": lines(*many('"#","u, ""#""\nand more","#"'), '"","",9', '"1","\r\n",8'),
    "odd quotes": lines(*PLAIN, '1,5" pipe,2', '2,a"b"c,3', '3,"x"y,4', '4, "z",5', '5,"""",6'),
    "blank lines": lines("", *PLAIN, "", "", "1,v,2", ""),
    "carriage returns": lines(*PLAIN, '1,"v\nw",2', end="\r\n"),
    "old line ends": lines(*PLAIN, '1,"v\rw",2', end="\r"),
    "no last line end": lines(*PLAIN)[:-1],
    "byte order mark": b"\xef\xbb\xbf" + lines(*many("\ufeffk#,v,#")),
    "long cells": lines(*PLAIN, f"1,{'x' * 5000},2", f'2,"{"y, " * 2000}",3', f"{'0' * 3000}1,u,4"),
    "late texts": lines(*PLAIN, *many("w#,u,1", 64)),
    "infinite names": lines(*many("inf,u,#", 20), *many("low,u,#", 20)),
    "numbers as categories": lines(*many("#,u,#", 20), *many("k#,u,#", 40)),
}


def table_and_inputs(path: Path, **choices: Any) -> tuple[Table, Any, Any, Any, NDArray[Any]]:
    source = Source(str(path))
    keep = tuple(name for name in source.names if name != "y")  # names and keys as well
    survey = Survey(source, Choices("y", keep=keep, **choices))
    encoder = Encoder(survey.table, "rows")
    blocks = list(source.blocks(None, survey.table.numbers()))
    x = [encoder.inputs(b, np.full((b.rows, survey.table.width), 7, np.float32)) for b in blocks]
    y = [encoder.targets(b) for b in blocks]
    assert [b.first for b in blocks] == list(np.cumsum([1, *(b.rows for b in blocks[:-1])]))
    return (
        survey.table,
        survey.mean.tobytes(),
        survey.variance.tobytes(),
        np.concatenate(y).tobytes(),
        np.concatenate(x),
    )


def rows_of(data: bytes) -> list[dict[str, str]]:
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(text))


@pytest.mark.parametrize("name", FILES)
def test_awkward_files_are_the_same_by_every_route(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(FILES[name])
    table, *wanted, x = table_and_inputs(path)
    for size in BLOCKS:
        monkeypatch.setattr(csv_rows, "_BLOCK_BYTES", size)
        other, *found, same = table_and_inputs(path)
        assert (other, found) == (table, wanted), size
        assert same.tobytes() == x.tobytes(), size
    with monkeypatch.context() as patched:  # no column as numbers
        parsed = csv_rows.Parser.parsed
        patched.setattr(csv_rows.Parser, "parsed", lambda self, block, _: parsed(self, block, ()))
        other, *found, same = table_and_inputs(path)
        assert (other, found) == (table, wanted)
        assert same.tobytes() == x.tobytes()

    rows = rows_of(FILES[name])
    columns = {column: [row[column] for row in rows] for column in "aby"}
    by_records = records.encoded(rows, "x", table.to_json(), np.dtype(np.float32))
    assert by_records.tobytes() == x.tobytes()
    given = [pyarrow.table(columns)]
    for kind in (pyarrow.large_string(), pyarrow.dictionary(pyarrow.int8(), pyarrow.string())):
        given.append(given[0].set_column(0, "a", pyarrow.array(columns["a"]).cast(kind)))
    for package in ("pandas", "polars"):
        if package in sys.modules or pytest.importorskip(package):
            given.append(sys.modules[package].DataFrame(columns))
    for frame in given:
        by_frame = tables.encoded(frame, "x", table.to_json(), np.dtype(np.float32))
        assert by_frame.tobytes() == x.tobytes(), type(frame)

    parquet = pytest.importorskip("pyarrow.parquet")
    for frame in given[:3]:
        parquet.write_table(frame, tmp_path / "t.parquet", row_group_size=17)
        other, mean, variance, y, same = table_and_inputs(tmp_path / "t.parquet")
        assert other == table
        assert [mean, variance, y] == wanted
        assert same.tobytes() == x.tobytes()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    by_core = records.encoded(rows, "x", table.to_json(), np.dtype(np.float32))
    assert by_core.tobytes() == x.tobytes()


def test_types_of_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    values = [None, *range(99)]
    for kind in ("float32", "float64", "float16", "int8", "uint64", "decimal128(9, 2)", "bool"):
        made = [None if v is None else float(v) for v in values]
        column = pyarrow.array(
            [None if v is None else v % 2 == 0 for v in values]
            if kind == "bool"
            else np.array(made, np.float16)
            if kind == "float16"
            else values,
            pyarrow.decimal128(9, 2)
            if kind.startswith("decimal")
            else getattr(pyarrow, kind)()
            if hasattr(pyarrow, kind)
            else pyarrow.bool_(),
        )
        table = pyarrow.table({"a": column, "b": ["u", "v"] * 50, "y": np.arange(100) / 8})
        parquet.write_table(table, tmp_path / "t.parquet", row_group_size=30)
        found, *_, x = table_and_inputs(tmp_path / "t.parquet")
        assert found.columns[0].kind == "number"
        assert found.columns[0].indicator
        numbers = [v % 2 == 0 if kind == "bool" else v for v in range(99)]
        assert found.columns[0].mean == np.mean(numbers)
        np.testing.assert_array_equal(x[1:, 0], numbers)
        np.testing.assert_array_equal(x[:, 1], [1] + [0] * 99)


@pytest.mark.parametrize("missing", ["-1", "-999.5"])
def test_a_number_that_means_nothing_may_have_spaces(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.csv").write_bytes(
        lines(*PLAIN, *(f"{a}{missing}{b},u,1" for a in ("", " ", "\t", "  ") for b in ("", " ")))
    )
    for size in (*BLOCKS, 1 << 22):
        monkeypatch.setattr(csv_rows, "_BLOCK_BYTES", size)
        data = Dataset.from_files(tmp_path / "t.csv", "y", task="regression", missing=[missing])
        assert data.mean is not None
        assert data.mean[0] == np.mean(np.arange(60) + 0.5)
        x = np.concatenate([batch[0] for batch in data.batches(shuffle=False)])
        np.testing.assert_array_equal(x[:, 1], [0] * 60 + [1] * 8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_are_numpys_of_each_stretch(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    for count in (1, 5, 8, 9, 100, 129, 1000):
        numbers = rng.normal(3, 2, count).astype(dtype)
        exact = numbers.astype(np.float64)
        wanted = (exact.mean(), ((exact - exact.mean()) ** 2).sum(), exact.min(), exact.max())
        for size in (1, 7, count):  # of the pieces that they come in
            moments = _core.Moments(count)
            for first in range(0, count, size):
                assert moments.add(np.append(numbers[first : first + size], dtype("nan")))
            assert moments.end() == (count, *wanted, False)
    many = _core.Moments(64)
    assert many.add(np.arange(1000, dtype=dtype))
    count, mean, squares, least, most, whole = many.end()
    assert (count, least, most, whole) == (1000, 0, 999, True)
    np.testing.assert_allclose([mean, squares], [499.5, 1000 * (1000**2 - 1) / 12], rtol=1e-12)
    assert not many.add(np.array([1, -np.inf], dtype))
    with pytest.raises(ValueError, match="a stretch must have 1 number or more, got 0"):
        _core.Moments(0)
    with pytest.raises(ValueError, match="places: expected some below 2, got 2"):
        _core.counts_of(np.array([1, -1, 2], np.int32), 2)


def test_blocks_end_where_rows_do() -> None:
    """Random texts: the blocks have the rows, or the odd row, that pyarrow finds in the whole."""
    rng = random.Random(1)
    parser = csv_rows.Parser("t", ["a", "b"], ["a", "b"], ",", ())
    for _ in range(150):
        text = "".join(rng.choices('",\n\rxy', (3, 2, 2, 1, 2, 1), k=rng.randrange(1, 60))).encode()
        cells = ",".join(rng.choices(['"p\nq"', '"""', "r", '"",s"', "t\n"], k=8)).encode()
        for data in (text, cells):
            blocks = []
            start = 0
            while start < len(data):
                size = rng.randrange(1, 20)
                end = 0
                while start + size < len(data) and end == 0:
                    end = _core.end_of_rows(data[start : start + size], ",")
                    size += 5
                blocks.append(data[start : start + end] if end else data[start:])
                start += end or len(data)
            assert b"".join(blocks) == data
            assert outcome(parser, blocks) == outcome(parser, [data]), blocks


def outcome(parser: csv_rows.Parser, blocks: list[bytes]) -> Any:
    rows: list[Any] = []
    for block in blocks:
        try:
            rows += parser._read(memoryview(block), {}).to_pylist()
        except csv_rows.OddRowError as error:
            return f"row {len(rows) + error.row} {error}"
    return rows


def test_odd_rows_are_counted_over_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(lines(*PLAIN[:40], "", "1,2", *PLAIN))
    for size in (*BLOCKS, 1 << 22):
        monkeypatch.setattr(csv_rows, "_BLOCK_BYTES", size)
        with pytest.raises(ValueError, match=r"t.csv: row 41 has 2 cells where 3 .*: '1,2'"):
            Dataset.from_files(path, "y")
    path.write_bytes(lines(*PLAIN, '1,"u,2', *PLAIN))
    monkeypatch.setattr(csv_rows, "_MOST_BYTES", 100)
    with pytest.raises(ValueError, match=r"t.csv: the row that begins at byte \d+ is longer than"):
        Dataset.from_files(path, "y")
    path.write_bytes(lines(*PLAIN * 20) + b"1,\xff,3\n")
    assert "is no UTF-8 and is read as cp1252" in Source(str(path)).notes[0]
    for mark in ('"', "\n", "§"):
        with pytest.raises(ValueError, match="a delimiter must be an ASCII character"):
            Source(str(path), delimiter=mark)


def test_a_header_may_have_line_ends(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('\n"a\n1",b,y\n' + "1,u,2\n" * 30 + "2,v,3\n")
    source = Source(str(tmp_path / "t.csv"))
    assert source.names == ("a\n1", "b", "y")
    assert sum(block.rows for block in source.blocks()) == 31


def test_numbers_of_parquet_are_not_made_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {name: np.random.default_rng(0).normal(size=2000) for name in "ab"}
    columns["y"] = np.arange(2000) % 3
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    written: list[float] = []
    text_of = cells.text_of
    monkeypatch.setattr(
        cells, "text_of", lambda number: (written.append(number), text_of(number))[1]
    )
    assert Dataset.from_files(tmp_path / "t.parquet", "y").classes == ("0", "1", "2")
    assert len(written) == 3


def model() -> Sequential:
    made = Sequential([layers.Dense(4, "tanh"), layers.Dense(1)], seed=1)
    made.compile("adam", "mse")
    return made


def reading_counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    files: list[str] = []
    blocks_of = csv_rows.blocks_of

    def counted(file: str, *arguments: Any) -> Any:
        files.append(file)
        return blocks_of(file, *arguments)

    monkeypatch.setattr("laminar._tables.reading.blocks_of", counted)
    return files


def test_what_fits_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(lines(*many("#.5,u,#", 600)))
    files = reading_counted(monkeypatch)
    weights = []
    for size in ("1MB", "8KB"):
        data = Dataset.from_files(path, "y", task="regression", buffer_size=size)
        network = model()
        network.fit(data, epochs=2, batch_size=8, shuffle=False, verbose=0)
        weights.append(network.get_weights())
        assert (len(files) == 1) == (size == "1MB")
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_changes_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(lines(*many("#.5,u,#")))
    data = Dataset.from_files(path, "y", task="regression")
    path.write_bytes(lines(*many("#.25,u,#")))
    x = np.concatenate([batch[0] for batch in data.batches(shuffle=False)])
    np.testing.assert_array_equal(x[:, 0], np.arange(60) + 0.25)
    path.write_bytes(lines(*many("#.25,u,#", 50)))
    with pytest.raises(ValueError, match="says that it has 60 rows, but gave 50"):
        model().fit(data, verbose=0)
    for rows in (50, 70):
        path.write_bytes(lines(*many("#.5,u,#")))
        survey = Survey.__init__

        def changes(*arguments: Any, survey: Any = survey, rows: int = rows) -> None:
            survey(*arguments)
            path.write_bytes(lines(*many("#.5,u,#", rows)))

        with monkeypatch.context() as patched:
            patched.setattr(Survey, "__init__", changes)
            assert main(["train", str(path), "--target", "y", "--epochs", "1"]) == 1
        text = capsys.readouterr().err
        assert f"t.csv had 60 rows and then {rows}: it has changed while it was read" in text


def test_results_come_in_order_and_not_far_ahead() -> None:
    before = threading.active_count()
    given: list[int] = []

    def items() -> Iterator[int]:
        for i in itertools.count():
            given.append(i)
            yield i

    def work(i: int) -> int:
        time.sleep(0.002 * (i % 3))
        if i == 40:
            raise LookupError("the fortieth")
        return i

    with pytest.raises(LookupError, match="the fortieth"):
        for wanted, found in enumerate(in_order(work, items())):
            assert found == wanted
            assert len(given) <= found + laminar.get_num_threads() + 3
    results = in_order(work, items())
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert list(in_order(work, [])) == []
    assert list(in_order(work, range(5))) == [0, 1, 2, 3, 4]
    assert threading.active_count() == before


def test_an_interrupt_ends_reading_and_its_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threading.active_count()
    (tmp_path / "t.csv").write_bytes(lines(*many("#.5,u,#", 3000)))
    monkeypatch.setattr(csv_rows, "_BLOCK_BYTES", 20)
    threading.Timer(0.1, _thread.interrupt_main).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        while time.monotonic() < start + 30:
            Dataset.from_files(tmp_path / "t.csv", "y", task="regression")
    while threading.active_count() > before:  # one that was told to end may still have to
        assert time.monotonic() < start + 20
        time.sleep(0.01)
    (tmp_path / "t.csv").unlink()
