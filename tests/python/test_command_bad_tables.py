# SPDX-License-Identifier: Apache-2.0
"""Tables as they come: each fault has a message that names it, or a documented behaviour."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from test_command_tables import error_of, laminar_command, output_of, table_of, write

import laminar
from laminar import layers
from laminar._tables import Table
from laminar.data import Dataset

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

Capture = pytest.CaptureFixture[str]
HEADER = ["a", "b", "y"]


def rows(n: int = 60) -> list[list[object]]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=n)
    return [[f"{v:.3f}", "uvw"[i % 3], ["no", "yes"][int(v > 0)]] for i, v in enumerate(values)]


def train(data: Path, *more: object) -> tuple[object, ...]:
    return ("train", data, "--target", "y", "--epochs", 1, *more)


def test_a_missing_target(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", ["a", "b", "income"], rows())
    text = error_of(capsys, "train", data, "--target", "incme")
    assert "t.csv has no column 'incme'" in text
    assert "did you mean 'income'" in text
    text = error_of(capsys, *train(data, "--drop", "x"))
    assert "no column 'y'" in text


def test_a_constant_target(tmp_path: Path, capsys: Capture) -> None:
    for value in ("yes", "1.5"):
        data = write(tmp_path / "t.csv", HEADER, [[*row[:2], value] for row in rows()])
        text = error_of(capsys, *train(data))
        assert f"column 'y', the target, is always '{value}': nothing to learn" in text
    same = [[*row[:2], ("1.5", "1.50")[i % 2]] for i, row in enumerate(rows())]
    text = error_of(capsys, *train(write(tmp_path / "t.csv", HEADER, same)))
    assert "column 'y', the target, is always '1.5': nothing to learn" in text


def test_a_target_without_value(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", HEADER, [*rows(), [1, "u", "?"], [1, "u", ""]])
    assert "2 rows have no target and are left out" in output_of(capsys, *train(data))


def test_a_target_that_is_no_number(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", HEADER, rows())
    text = error_of(capsys, *train(data, "--task", "regression"))
    assert "must hold numbers, but holds 'yes' in row 1" in text


def test_unseen_and_missing_values(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", HEADER, rows())
    model = tmp_path / "m.safetensors"
    laminar_command(*train(data, "--save", model))
    assert table_of(model).inputs() == ["a", "b=u", "b=v", "b=w"]
    mean = table_of(model).columns[0].mean
    new = write(tmp_path / "n.csv", ["b", "a"], [["x", 1], ["", 1], ["u", "NA"]])
    capsys.readouterr()
    laminar_command("predict", model, new)
    printed = capsys.readouterr()
    assert "column 'b': 1 values are categories that training has not seen, 'x'" in printed.err
    assert "column 'a': 1 numbers are missing, which none was in training" in printed.err
    x = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [mean, 1, 0, 0]])
    found = [float(line.split(",")[2]) for line in printed.out.splitlines()[1:]]
    np.testing.assert_allclose(found, laminar.load_model(model).predict(x)[:, 0], rtol=1e-5)


def test_missing_values_have_inputs_of_their_own(tmp_path: Path, capsys: Capture) -> None:
    data = write(
        tmp_path / "t.csv", HEADER, [*rows(), ["", "?", "yes"], ["none given", "n/A", "no"]]
    )
    model = tmp_path / "m.safetensors"
    laminar_command(*train(data, "--missing", "None given", "--save", model))
    assert table_of(model).inputs() == ["a", "a missing", "b=u", "b=v", "b=w", "b=(other)"]
    new = write(tmp_path / "n.csv", ["a", "b"], [["NONE GIVEN", "x"], [1, "u"]])
    found = output_of(capsys, "predict", model, new).splitlines()[1:]
    x = np.array([[table_of(model).columns[0].mean, 1, 0, 0, 0, 1], [1, 0, 1, 0, 0, 0]])
    expected = laminar.load_model(model).predict(x)[:, 0]
    np.testing.assert_allclose([float(line.split(",")[2]) for line in found], expected, rtol=1e-5)


def test_unseen_classes(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", HEADER, rows())
    model = tmp_path / "m.safetensors"
    laminar_command(*train(data, "--save", model))
    other = write(tmp_path / "o.csv", HEADER, [*rows(), [1, "u", "perhaps"]])
    text = error_of(capsys, "evaluate", model, other)
    assert "the target 'y' is 'perhaps' in row 61, a class that training has not seen" in text
    assert "it has seen no, yes" in text
    stops = write(tmp_path / "s.csv", HEADER, [[*row[:2], f"{row[2]}."] for row in rows()])
    capsys.readouterr()
    laminar_command("evaluate", model, stops)
    printed = capsys.readouterr()
    assert "were taken for the class without the full stop" in printed.err
    assert (
        printed.out.partition(": ")[2]
        == output_of(capsys, "evaluate", model, data).partition(": ")[2]
    )


@pytest.mark.parametrize(
    "date",
    [
        "2024-01-{:02}",
        "2024-01-{:02} 12:30:00",
        "2024-01-{:02}T12:30:00Z",
        "{:02}.01.2024",
        "1/{:02}/24",
    ],
)
def test_dates(tmp_path: Path, capsys: Capture, date: str) -> None:
    table = [[date.format(i % 28 + 1), *row[1:]] for i, row in enumerate(rows())]
    data = write(tmp_path / "t.csv", HEADER, table)
    model = tmp_path / "m.safetensors"
    text = output_of(capsys, *train(data, "--save", model))
    assert "column 'a': read as dates: days since 2024-01-01" in text
    assert {c.name for c in table_of(model).columns} >= {"a: days", "a: weekday sin"}
    wrong = write(tmp_path / "w.csv", HEADER, [["soon", *row[1:]] for row in rows()])
    message = error_of(capsys, "evaluate", model, wrong)
    assert "column 'a' must hold dates, got 'soon' in row 1" in message


def test_dates_of_parquet(tmp_path: Path, capsys: Capture) -> None:
    from pyarrow import parquet

    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    table = pyarrow.table({"when": days, "y": np.arange(len(days)) % 2, "a": np.arange(len(days))})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert "column 'when': read as dates" in output_of(capsys, *train(tmp_path / "t.parquet"))
    nested = table.append_column("l", pyarrow.array([[1]] * len(days)))
    parquet.write_table(nested, tmp_path / "t.parquet")
    assert "column 'l' holds list<" in error_of(capsys, *train(tmp_path / "t.parquet"))


def test_mixed_types(tmp_path: Path, capsys: Capture) -> None:
    table = rows()
    table[40][0] = "about 3"
    data = write(tmp_path / "t.csv", HEADER, table)
    text = error_of(capsys, *train(data))
    assert "column 'a' holds numbers and 1 texts, the first 'about 3' in row 41" in text
    assert "--missing" in text
    laminar_command(*train(data, "--missing", "about 3"))
    laminar_command(*train(data, "--categorical", "a"))
    model = tmp_path / "m.safetensors"
    laminar_command(*train(write(tmp_path / "good.csv", HEADER, rows()), "--save", model))
    text = error_of(capsys, "evaluate", model, data)
    assert "column 'a' must hold numbers, got 'about 3' in row 41" in text


def test_numbers_of_every_spelling(tmp_path: Path) -> None:
    spelt = ["1", "+2", "-3.5", "4.", ".5", "6e1", "7E-1", " 8 "]
    table = [[spelt[i % 8], *row[1:]] for i, row in enumerate(rows(80))]
    data = write(tmp_path / "t.csv", HEADER, table)
    laminar_command(*train(data, "--validation", 0, "--save", tmp_path / "m.safetensors"))
    column = table_of(tmp_path / "m.safetensors").columns[0]
    assert column.kind == "number"
    assert column.mean == pytest.approx(np.mean([1, 2, -3.5, 4, 0.5, 60, 0.7, 8]))


def test_empty_files(tmp_path: Path, capsys: Capture) -> None:
    for text, message in (
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b,y\n", "has a header and no rows"),
        ("y\n1\n", "has no column beside the target 'y'"),
    ):
        (tmp_path / "t.csv").write_text(text)
        assert message in error_of(capsys, *train(tmp_path / "t.csv"))
    assert "No such file" in error_of(capsys, *train(tmp_path / "none.csv"))
    (tmp_path / "t.parquet").write_text("no")
    assert "is no Parquet file" in error_of(capsys, *train(tmp_path / "t.parquet"))


def test_a_file_that_ends_within_a_row(tmp_path: Path, capsys: Capture) -> None:
    whole = write(tmp_path / "w.csv", HEADER, rows()).read_text()
    (tmp_path / "t.csv").write_text(whole + "0.5,u")
    text = error_of(capsys, *train(tmp_path / "t.csv"))
    assert "row 61 has 2 cells where 3 are expected: '0.5,u'" in text
    (tmp_path / "t.csv").write_text(whole + '0.5,"u')
    assert "t.csv" in error_of(capsys, *train(tmp_path / "t.csv"))


def test_ten_thousand_categories(tmp_path: Path, capsys: Capture) -> None:
    table = [[f"n{i}" if i % 2 else "u", i, i % 2] for i in range(20_000)]
    data = write(tmp_path / "t.csv", HEADER, table)
    text = output_of(capsys, *train(data))
    assert "column 'a': left out: 10,001 different texts in 20,000 rows" in text
    assert "--keep 'a'" in text
    text = output_of(capsys, *train(data, "--keep", "a"))
    assert "column 'a': an input for each of 200 categories, the other " in text
    assert "--max-categories" in text
    laminar_command(*train(data, "--max-categories", 3, "--save", tmp_path / "m.safetensors"))
    column = table_of(tmp_path / "m.safetensors").columns[0]
    assert column.categories == ("n1", "n10001", "u") or "u" in column.categories
    assert len(column.categories) == 3
    assert column.indicator


def test_columns_that_tell_nothing(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", HEADER, [["", *row[1:]] for row in rows()])
    assert "column 'a': left out: it has no values" in output_of(capsys, *train(data))
    data = write(tmp_path / "t.csv", HEADER, [["inf", *row[1:]] for row in rows()])
    assert "column 'a' holds a number that is infinite" in error_of(capsys, *train(data))
    far = [[1e12 + i, *row[1:]] for i, row in enumerate(rows())]
    data = write(tmp_path / "t.csv", HEADER, far)
    assert "differ by less than float32 can tell" in error_of(capsys, *train(data))


def normalization_of(model: laminar.Sequential | laminar.Model) -> layers.Normalization:
    (found,) = [one for one in model.layers if isinstance(one, layers.Normalization)]
    return found


ALMOST = ("0.3", "0.30000000000000004", "0.29999999999999999")  # what sums leave of a constant


@pytest.mark.parametrize("column", [("5",), ("0.1",), ALMOST, ("x",)], ids=lambda one: str(one[0]))
def test_a_constant_column_has_no_effect(column: tuple[str, ...], tmp_path: Path) -> None:
    some = [[column[i % len(column)], *row] for i, row in enumerate(rows(70))]
    data = write(tmp_path / "t.csv", ["c", *HEADER], some)
    laminar_command(*train(data, "--save", tmp_path / "m.safetensors"))
    model = laminar.load_model(tmp_path / "m.safetensors")
    assert isinstance(model, laminar.Model)
    variance = normalization_of(model).variance
    assert variance is not None
    assert variance[0] == 0
    seen = model.predict([{"c": column[0], "a": 0.5, "b": "u"}])
    others = (1000, -1e9, None) if column != ("x",) else ("y", None, "1e6")
    for other in others:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a category that is new
            found = model.predict([{"c": other, "a": 0.5, "b": "u"}])
        np.testing.assert_array_equal(found, seen)
    by_dataset = Dataset.from_files(data, "y")
    assert by_dataset.variance is not None
    np.testing.assert_array_equal(by_dataset.variance[:1], 0)


def test_a_constant_column_of_float32(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    near = np.float32(0.1) * np.ones(70, np.float32)
    near[::3] = np.nextafter(near[0], np.float32(1))
    columns = {"c": near, "a": np.arange(70.0), "y": ["no", "yes"] * 35}
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    data = Dataset.from_files(tmp_path / "t.parquet", "y")
    assert data.variance is not None
    assert data.variance[0] == 0
    assert data.variance[1] > 1


def test_a_file_of_another_table(tmp_path: Path, capsys: Capture) -> None:
    model = tmp_path / "m.safetensors"
    laminar_command(*train(write(tmp_path / "t.csv", HEADER, rows()), "--save", model))
    other = write(tmp_path / "o.csv", ["a", "c", "y"], rows())
    assert "o.csv lacks column 'b'; it has a, c, y" in error_of(capsys, "predict", model, other)
    short = write(tmp_path / "o.csv", ["a", "b"], rows_without_target())
    assert "lacks the target 'y'" in error_of(capsys, "evaluate", model, short)
    bare = write(tmp_path / "o.csv", [], [[1, 2, 3, 4]])
    text = error_of(capsys, "predict", model, bare)
    assert "has no header, and 4 columns where 3 or 2 are expected" in text


def rows_without_target() -> list[list[object]]:
    return [row[:2] for row in rows()]


def test_models_without_a_table(tmp_path: Path, capsys: Capture) -> None:
    model = laminar.Sequential([laminar.layers.Input(2), laminar.layers.Dense(1)])
    model.save(tmp_path / "m.safetensors")
    data = write(tmp_path / "t.csv", HEADER, rows())
    text = error_of(capsys, "predict", tmp_path / "m.safetensors", data)
    assert "was not trained by laminar train" in text
    for damaged in ("no", "{}", '{"format": 9}', '{"format": 1, "header": 3}'):
        with pytest.raises(ValueError, match="description of a table is damaged"):
            Table.from_json(damaged)


def test_shares_that_leave_nothing(tmp_path: Path, capsys: Capture) -> None:
    data = write(tmp_path / "t.csv", HEADER, rows(6))
    assert "of 6 rows 6 are left to train on" in error_of(
        capsys, *train(data, "--validation", 0.01)
    )
    assert "--validation must be at least 0 and less than 0.5, got 0.5" in error_of(
        capsys, *train(data, "--validation", 0.5, "--test", 0.5)
    )
    assert "no folder" in error_of(capsys, *train(data, "--save", "/none/m.safetensors"))
    assert ".safetensors" in error_of(capsys, *train(data, "--save", "m.bin"))


def test_without_pyarrow(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path / "t.csv", HEADER, rows())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    text = error_of(capsys, *train(data))
    assert "needs pyarrow, which is not installed; pip install laminar[tabular]" in text


def test_a_damaged_model(tmp_path: Path, capsys: Capture) -> None:
    model = tmp_path / "m.safetensors"
    data = write(tmp_path / "t.csv", HEADER, rows())
    laminar_command(*train(data, "--save", model))
    damaged = laminar.load_model(model)
    table = table_of(model)
    damaged._texts = {"table": table._replace(columns=table.columns[:1]).to_json()}
    damaged.save(model)
    assert "the table makes 1 inputs, the model takes (None, 4)" in error_of(
        capsys, "predict", model, data
    )
    model.write_bytes(model.read_bytes()[:-5])
    assert "m.safetensors" in error_of(capsys, "predict", model, data)
