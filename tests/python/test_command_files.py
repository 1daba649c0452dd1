# SPDX-License-Identifier: Apache-2.0
"""Several files in the commands, and which row a message names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_command_tables import error_of, laminar_command, measures, output_of, write

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

Capture = pytest.CaptureFixture[str]
HEADER = ["a", "b", "y"]


def rows_of(first: int, last: int) -> list[list[object]]:
    return [[i / 7, "uvw"[i % 3], i % 5 + i / 100] for i in range(first, last)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    data = write(tmp_path / "train.csv", HEADER, rows_of(0, 60))
    path = tmp_path / "m.safetensors"
    laminar_command(
        "train", data, "--target", "y", "--epochs", 1, "--layers", 3, "--ensemble", 1,
        "--save", path,
    )  # fmt: skip
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the rows 0 to 20 in three files."""
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, first, last in (("1", 0, 12), ("2", 12, 13), ("3", 13, 20)):
        write(folder / f"{name}.csv", HEADER, rows_of(first, last))
    return folder


def test_predict_and_evaluate_take_several_files_and_folders(
    model: Path, folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    whole = write(tmp_path / "whole.csv", HEADER, rows_of(0, 20))
    parts = sorted(folder.iterdir())
    expected = output_of(capsys, "predict", model, whole)
    assert len(expected.splitlines()) == 21
    for files in ([folder], parts):
        assert output_of(capsys, "predict", model, *files) == expected
    found = measures(output_of(capsys, "evaluate", model, whole))
    for files in ([folder], parts):
        said = output_of(capsys, "evaluate", model, *files)
        assert said.startswith(f"{parts[0]} and 2 others, 20 rows: ")
        assert measures(said) == pytest.approx(found, abs=2e-4)
    answer = json.loads(output_of(capsys, "evaluate", model, *parts, "--json"))
    assert answer["data"] == [str(path) for path in parts]
    for output in (parts[2], model):
        said = error_of(capsys, "predict", model, folder, "--output", output)
        assert "itself; choose another file" in said
    write(folder / "3.csv", ["a", "y"], [[1, 2]])
    assert "3.csv lacks column 'b'; it has a, y" in error_of(capsys, "predict", model, folder)
    write(folder / "3.csv", ["a", "b"], [[1, "u"]])
    assert "3.csv lacks the target 'y'" in error_of(capsys, "evaluate", model, folder)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        (0, "1e40", "'a' must hold finite numbers, got 1e+40 in"),
        (0, "bad", "'a' must hold numbers, got 'bad' in"),
        (2, "bad", "the target 'y' must hold numbers, got 'bad' in"),
    ],
)
def test_messages_name_the_row_of_the_file(
    column: int, cell: str, said: str, model: Path, folder: Path, capsys: Capture
) -> None:
    """Whatever rows before it are left out, and of several files the file as well."""
    rows = rows_of(0, 9)
    rows[2][2] = rows[4][2] = ""
    rows[6][column] = cell
    data = write(folder / "3.csv", HEADER, rows)
    assert f"{said} row 7\n" in error_of(capsys, "evaluate", model, data)
    assert f"{said} row 7 of {data}\n" in error_of(capsys, "evaluate", model, folder)
    if column == 0:
        text = error_of(capsys, "predict", model, folder, "--strict")
        assert f"{said} row 7 of {data}\n" in text


def test_training_names_it_too(tmp_path: Path, capsys: Capture) -> None:
    rows = rows_of(0, 60)
    rows[2][2], rows[6][2] = "", "bad"
    data = write(tmp_path / "t.csv", HEADER, rows)
    said = error_of(capsys, "train", data, "--target", "y", "--task", "regression")
    assert said.endswith("but holds 'bad' in row 7\n")
