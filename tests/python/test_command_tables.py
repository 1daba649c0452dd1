# SPDX-License-Identifier: Apache-2.0
"""The commands that train on tables and use what was trained."""

from __future__ import annotations

import csv
import io
import os
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar.__main__ import main
from laminar._tables import Table, csv_rows, notes, reading, split
from laminar.command import COMMANDS_ON_FILES, _parts

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LAMINAR_TEST_DATA", ROOT.parent / "shared" / "data"))
ADULT = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,"
    "capital-gain,capital-loss,hours-per-week,native-country,income"
)


def laminar_command(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        if header:
            writer.writerow(header)
        writer.writerows(rows)
    return path


def shop(rows: int = 400, seed: int = 0) -> tuple[list[str], list[list[object]]]:
    """Return rows of all kinds of columns, from which the last two can be predicted."""
    rng = np.random.default_rng(seed)
    made: list[list[object]] = []
    for _ in range(rows):
        size, city = rng.normal(50, 10), rng.choice(["Bonn", "Graz", "Bern"])
        member = rng.integers(0, 2)
        price = 1000 + 20 * size + {"Bonn": 0, "Graz": 300, "Bern": -300}[city] + 90 * member
        known = rng.random() > 0.1
        made.append(
            [
                f"{size:.3f}" if known else "NA",
                city if rng.random() > 0.1 else " ?",
                member,
                f"{price:.2f}",
                "dear" if price > 2000 else "cheap",
            ]
        )
    return ["size", "city", "member", "price", "class"], made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the data, and models for a class and for a number."""
    folder = tmp_path_factory.mktemp("shop")
    data = write(folder / "shop.csv", *shop())
    files = {"data": data}
    for target, other in (("class", "price"), ("price", "class")):
        files[target] = folder / f"shop_{target}.safetensors"
        laminar_command(
            "train", data, "--target", target, "--drop", other, "--layers", "16", "--epochs", 60,
            "--batch-size", 16, "--save", files[target],
        )  # fmt: skip
    return files


def measures(line: str) -> dict[str, float]:
    """Return the measures of the last part of a line."""
    words = line.strip().rpartition(": ")[2].split(", ")
    return {name: float(value) for name, _, value in (word.rpartition(" ") for word in words)}


def output_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    laminar_command(*arguments)
    return capsys.readouterr().out


def error_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("laminar: ")
    return printed.err


def test_evaluation_has_the_measures_of_the_task(
    trained: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = measures(output_of(capsys, "evaluate", trained["class"], trained["data"]))
    assert list(found) == ["accuracy", "ROC AUC", "log loss"]
    assert found["accuracy"] > 0.85
    found = measures(output_of(capsys, "evaluate", trained["price"], trained["data"]))
    assert list(found) == ["R2", "MAE", "RMSE"]
    assert found["R2"] > 0.8


def test_predictions_are_those_that_were_measured(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, rows = shop()
    inputs = write(tmp_path / "new.csv", header[:3], [row[:3] for row in rows])
    text = output_of(capsys, "predict", trained["class"], inputs)
    found = list(csv.DictReader(io.StringIO(text)))
    assert list(found[0]) == ["class", "p(cheap)", "p(dear)"]
    right = np.mean([line["class"] == row[4] for line, row in zip(found, rows, strict=True)])
    said = measures(output_of(capsys, "evaluate", trained["class"], trained["data"]))
    assert said["accuracy"] == pytest.approx(right, abs=1e-4)
    probabilities = np.array([[float(v) for v in list(line.values())[1:]] for line in found])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    laminar_command("predict", trained["price"], inputs, "--output", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        prices = np.array([float(line["price"]) for line in csv.DictReader(file)])
    wanted = np.array([float(str(row[3])) for row in rows])
    said = measures(output_of(capsys, "evaluate", trained["price"], trained["data"]))
    assert said["MAE"] == pytest.approx(np.abs(prices - wanted).mean(), rel=1e-4)


def test_the_same_file_gives_the_same_model(trained: dict[str, Path], tmp_path: Path) -> None:
    laminar_command(
        "train", trained["data"], "--target", "class", "--drop", "price", "--layers", "16",
        "--epochs", 60, "--batch-size", 16, "--save", tmp_path / "again.safetensors",
    )  # fmt: skip
    first, second = (
        laminar.load_model(path).get_weights()
        for path in (trained["class"], tmp_path / "again.safetensors")
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parquet_and_csv_are_the_same(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyarrow import parquet

    header, rows = shop()
    columns: dict[str, Any] = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    columns["size"] = [None if v == "NA" else float(v) for v in columns["size"]]
    columns["city"] = pyarrow.array(
        [None if v == " ?" else v for v in columns["city"]]
    ).dictionary_encode()
    columns["price"] = [float(v) for v in columns["price"]]
    parquet.write_table(pyarrow.table(columns), tmp_path / "shop.parquet")
    for target in ("class", "price"):
        assert measures(
            output_of(capsys, "evaluate", trained[target], tmp_path / "shop.parquet")
        ) == measures(output_of(capsys, "evaluate", trained[target], trained["data"]))
    laminar_command(
        "train", tmp_path / "shop.parquet", "--target", "class", "--drop", "price", "--epochs", 1,
        "--save", tmp_path / "m.safetensors",
    )  # fmt: skip
    same, csv_s = (table_of(tmp_path / "m.safetensors"), table_of(trained["class"]))
    assert same == csv_s


def table_of(path: Path) -> Table:
    return Table.from_json(laminar.load_model(path)._texts["table"])


def test_the_model_carries_the_table(trained: dict[str, Path], tmp_path: Path) -> None:
    table = table_of(trained["class"])
    assert table.inputs() == [
        "size", "size missing", "city=Bern", "city=Bonn", "city=Graz", "city=(other)", "member",
    ]  # fmt: skip
    assert table.target.classes == ("cheap", "dear")
    model = laminar.load_model(trained["class"])
    model.save(tmp_path / "copy.safetensors")
    assert table_of(tmp_path / "copy.safetensors") == table
    means, variances = model.layers[0].get_weights()
    assert (means[[1, 2, 3, 4, 5]] == 0).all()
    assert (variances[[1, 2, 3, 4, 5]] == 1).all()
    rows = shop()[1]
    classes = np.array([row[4] == "dear" for row in rows], int)
    places = split.places(len(rows), [40, 0], np.random.default_rng(0), classes)
    trained_on = [row for row, place in zip(rows, places, strict=True) if place < 360]
    sizes = [float(str(row[0])) for row in trained_on if row[0] != "NA"]
    assert means[0] == pytest.approx(np.mean(sizes))
    assert table.columns[0].mean == pytest.approx(np.mean(sizes))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_a_loaded_model_takes_raw_rows(
    trained: dict[str, Path], capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    package = pytest.importorskip(kind, reason=f"{kind} is not installed")
    model = laminar.load_model(trained["price"])
    text = output_of(capsys, "predict", trained["price"], trained["data"])
    wanted = [float(line) for line in text.splitlines()[1:]]
    _, rows = shop()
    values = list(zip(*rows, strict=True))
    sizes = [None if v == "NA" else float(str(v)) for v in values[0]]
    columns = {"city": list(values[1]), "size": sizes, "member": list(values[2])}
    make = package.table if kind == "pyarrow" else package.DataFrame
    np.testing.assert_allclose(model.predict(make(columns))[:, 0], wanted, rtol=1e-6)
    with pytest.warns(UserWarning, match="'city': 1 values are categories .*, 'Rome'"):
        model.predict(make({**columns, "city": ["Rome", *columns["city"][1:]]}))
    with pytest.raises(ValueError, match="'city' has 400 values, and training has seen none"):
        model.predict(make({**columns, "city": ["Rome"] * len(rows)}))
    with pytest.raises(ValueError, match="predict: x: lacks column 'city'"):
        model.predict(make({"size": sizes, "member": list(values[2])}))
    with pytest.raises(ValueError, match="column 'member' must hold numbers, got 'no' in row 1"):
        model.predict(make({**columns, "member": ["no"] * len(rows)}))


def test_rows_that_exceed_memory_go_through_a_file(
    trained: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1000, 1000))
    laminar_command(
        "train", trained["data"], "--target", "class", "--drop", "price", "--layers", "16",
        "--epochs", 60, "--batch-size", 16, "--save", tmp_path / "m.safetensors",
    )  # fmt: skip
    assert isinstance(_parts.rows_array(100, 10), np.memmap)
    for one, other in zip(
        laminar.load_model(tmp_path / "m.safetensors").get_weights(),
        laminar.load_model(trained["class"]).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_picture_is_drawn(trained: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "curve.png"
    laminar_command(
        "train", trained["data"], "--target", "class", "--epochs", 2, "--plot", picture
    )  # fmt: skip
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_size_of_blocks_changes_nothing(
    trained: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluated = output_of(capsys, "evaluate", trained["class"], trained["data"])
    predicted = output_of(capsys, "predict", trained["class"], trained["data"])
    monkeypatch.setattr(csv_rows, "_BLOCK_BYTES", 300)
    blocks = list(reading.Source(str(trained["data"])).blocks())
    assert len(blocks) > 20
    assert [b.first for b in blocks[1:]] == list(np.cumsum([b.rows for b in blocks])[:-1] + 1)
    assert output_of(capsys, "predict", trained["class"], trained["data"]) == predicted
    assert measures(output_of(capsys, "evaluate", trained["class"], trained["data"])) == measures(
        evaluated
    )
    laminar_command(
        "train", trained["data"], "--target", "class", "--drop", "price", "--epochs", 0,
        "--save", tmp_path / "m.safetensors",
    )  # fmt: skip
    assert table_of(tmp_path / "m.safetensors") == table_of(trained["class"])
    for ours, theirs in zip(
        laminar.load_model(tmp_path / "m.safetensors").layers[0].get_weights(),
        laminar.load_model(trained["class"]).layers[0].get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_delimiters_quotes_and_lines_within_cells(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = measures(output_of(capsys, "evaluate", trained["class"], trained["data"]))
    _, rows = shop()
    for name, mark in (("shop.tsv", "\t"), ("shop.txt", ";")):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.writer(file, delimiter=mark, quoting=csv.QUOTE_ALL)
            writer.writerow(["note", "class", "member", "city", "size"])
            for i, (size, city, member, _, label) in enumerate(rows):
                writer.writerow([f"{mark}{i}\nand more", label, member, city, size])
        more = ("--delimiter", mark) if mark == ";" else ()
        assert (
            measures(output_of(capsys, "evaluate", trained["class"], tmp_path / name, *more))
            == expected
        )


def test_files_without_a_header(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, rows = shop()
    bare = write(tmp_path / "bare.csv", [], rows[1:])
    with_names = write(tmp_path / "names.csv", header, rows[1:])
    expected = measures(output_of(capsys, "evaluate", trained["class"], with_names))
    assert measures(output_of(capsys, "evaluate", trained["class"], bare)) == expected
    given = output_of(capsys, "evaluate", trained["class"], bare, "--header", ",".join(header))
    assert measures(given) == expected
    text = output_of(
        capsys, "train", bare, "--target", "column5", "--drop", "column4", "--epochs", 1
    )
    assert "target column5: classification, cheap" in text
    assert "(count" not in text
    wrong = error_of(capsys, "train", bare, "--target", "class", "--header", "a,b")
    assert "the header given has 2 names, the first row has 5 cells" in wrong
    assert "the file has no header" in error_of(capsys, "train", bare, "--target", "class")


def test_a_share_of_the_rows_tests(
    trained: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    text = output_of(
        capsys, "train", trained["data"], "--target", "price", "--drop", "class", "--epochs", 1,
        "--test", 0.25, "--validation", 0.1,
    )  # fmt: skip
    assert "\nvalidation, 40 rows: R2" in text
    assert "\ntest, 100 rows: R2" in text
    text = output_of(
        capsys, "train", trained["data"], "--target", "price", "--drop", "class", "--epochs", 2,
        "--test", trained["data"], "--validation", 0,
    )  # fmt: skip
    assert "val_" not in text
    assert f"\ntest, {trained['data']}, 400 rows: R2" in text


def test_inspect_and_export(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = output_of(capsys, "inspect", trained["class"])
    assert "target class: cheap, dear\ninputs: 7\n" in text
    assert "2-5  city: Bern, Bonn, Graz, (other)" in text
    assert "0-1  size: number, and whether it is missing" in text
    assert "dense_0/kernel" in text  # of the first of five networks
    out = tmp_path / "model.c"
    assert output_of(capsys, "export", trained["class"], "--to", "c", "--output", out) == f"{out}\n"
    assert "model_predict" in out.read_text()
    laminar_command("export", trained["class"], "--to", "hpp")
    assert trained["class"].with_suffix(".hpp").exists()
    assert "is the model itself" in error_of(
        capsys, "export", trained["class"], "--to", "c", "--output", trained["class"]
    )
    assert "Normalization" in error_of(capsys, "export", trained["class"], "--to", "torch")


def test_numbers_of_a_few_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    rows = [[f"{v:.3f}", int(v) % 3] for v in rng.uniform(0, 9, 200)]
    data = write(tmp_path / "thirds.csv", ["v", "third"], rows)
    save = ("--save", tmp_path / "m.safetensors")
    text = output_of(capsys, "train", data, "--target", "third", "--epochs", 1, *save)
    assert "target third: classification, 0 " in text
    assert list(measures(text.splitlines()[-1])) == ["accuracy", "log loss"]
    found = output_of(capsys, "predict", tmp_path / "m.safetensors", data).splitlines()
    assert found[0] == "third,p(0),p(1),p(2)"
    text = output_of(capsys, "train", data, "--target", "third", "--task", "regression",
                     "--epochs", 1)  # fmt: skip
    assert "target third: regression" in text


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS_ON_FILES:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert f"laminar {name}" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["train", "x.csv", "--target", "y", "--layers", "8,no"])
    assert "expected numbers such as 128,64" in capsys.readouterr().err


def test_adult(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not (DATA / "adult-train.csv").exists():
        pytest.skip(f"{DATA} has no adult-train.csv")
    text = output_of(
        capsys, "train", DATA / "adult-train.csv", "--target", "income", "--header", ADULT,
        "--test", DATA / "adult-test.csv", "--epochs", 3,
    )  # fmt: skip
    found = measures(text.splitlines()[-1])
    assert found["accuracy"] >= 0.85
    assert found["ROC AUC"] >= 0.905


def test_housing(capsys: pytest.CaptureFixture[str]) -> None:
    if not (DATA / "housing.csv").exists():
        pytest.skip(f"{DATA} has no housing.csv")
    text = output_of(
        capsys, "train", DATA / "housing.csv", "--target", "median_house_value", "--test", 0.1,
        "--epochs", 12, "--learning-rate", 0.003, "--seed", 1,
    )  # fmt: skip
    assert measures(text.splitlines()[-1])["R2"] >= 0.78


def test_the_model_says_what_was_done_with_each_column(trained: dict[str, Path]) -> None:
    found = notes.from_json(laminar.load_model(trained["class"])._texts[notes.TEXT])
    assert [(note.name, note.kind) for note in found] == [
        ("size", "number"), ("city", "category"), ("member", "number"), ("price", "left out"),
        ("class", "target"),
    ]  # fmt: skip
    assert str(found[3]) == "column 'price': left out (--drop)"


def test_export_in_integers(
    trained: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "one.safetensors", tmp_path / "one.c"
    output_of(capsys, "train", trained["data"], "--target", "class", "--drop", "price",
              "--epochs", 3, "--ensemble", 1, "--save", model)  # fmt: skip
    integers = ("export", model, "--to", "c", "--output", out, "--quantize", "int8")
    lines = output_of(capsys, *integers, "--data", trained["data"]).splitlines()
    assert lines[0] == str(out)
    floats, whole = (measures(line.partition("rows, ")[2]) for line in lines[1:3])
    assert list(floats) == ["accuracy", "ROC AUC", "log loss"]
    assert whole["accuracy"] == pytest.approx(floats["accuracy"], abs=0.02)
    assert "rows, integers: accuracy" in lines[2]
    assert "bytes" in lines[3]
    assert "int8_t" in out.read_text()
    assert "need each other" in error_of(capsys, *integers)
    assert "need each other" in error_of(
        capsys, "export", model, "--to", "c", "--data", trained["data"]
    )
    assert "writes C alone" in error_of(
        capsys, "export", model, "--to", "hpp", *integers[4:], "--data", trained["data"]
    )
    assert "chain of layers" in error_of(
        capsys, "export", trained["class"], *integers[2:], "--data", trained["data"]
    )
