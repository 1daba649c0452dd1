# SPDX-License-Identifier: Apache-2.0
"""Each small table with an ailment trains, or is refused with its cure; by every route the same."""

from __future__ import annotations

import io
import os
import re
import warnings
from pathlib import Path
from typing import Any

import ailing
import numpy as np
import pytest
from ailing import Ailing

import laminar
from laminar.__main__ import main

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

COLUMNS, FILES = ailing.columns(), ailing.files()
TRAINING = ("--target", "y", "--epochs", "1", "--layers", "3", "--ensemble", "1")
Capture = pytest.CaptureFixture[str]


def trained(case: Ailing, folder: Path, capsys: Capture) -> Any:
    """Return the model of a table, None where it is refused; what is said is looked at."""
    if case.file.endswith(".xlsx"):
        pytest.importorskip("python_calamine", reason="python-calamine is not installed")
    (folder / case.file).write_bytes(case.data)
    model = folder / "m.safetensors"
    capsys.readouterr()
    code = main(["train", str(folder / case.file), *TRAINING, *case.options, "--save", str(model)])
    printed = capsys.readouterr()
    said = printed.err if case.refused else printed.out
    assert code == (1 if case.refused else 0), printed.err
    assert re.search(case.says, said), said
    return None if case.refused else laminar.load_model(model)


def answers(file: Path, capsys: Capture) -> str:
    """Return what is predicted for a file."""
    capsys.readouterr()
    assert main(["predict", str(file.parent / "m.safetensors"), str(file)]) == 0
    return capsys.readouterr().out


def test_there_are_enough() -> None:
    names = [case.name for case in [*COLUMNS, *FILES]]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize("case", COLUMNS, ids=lambda case: case.name)
def test_a_column(case: Ailing, tmp_path: Path, capsys: Capture) -> None:
    model = trained(case, tmp_path, capsys)
    if case.table is None:
        return
    expected = answers(tmp_path / case.file, capsys)
    from pyarrow import parquet

    header, rows = case.table
    names = [name or "Unnamed: 0" for name in header]
    texts = pyarrow.table([list(cells) for cells in zip(*rows, strict=True)], names)
    found = [*by_every_route(model, texts), *by_every_route(model, typed(case))]
    assert len({part.tobytes() for part in found}) == 1
    parquet.write_table(typed(case), tmp_path / "t.parquet")
    assert answers(tmp_path / "t.parquet", capsys) == expected
    values = found[0][:, -1]
    ours = [line.split(",")[-1] for line in expected.splitlines()[1:]]
    np.testing.assert_allclose(values, np.array(ours, float), rtol=1e-5, atol=1e-6)


def typed(case: Ailing) -> Any:
    """Return a table with the types that pyarrow takes its cells to be of."""
    from pyarrow import csv

    known = ["", "?", "n/a"]
    options = csv.ConvertOptions(null_values=known, strings_can_be_null=True)
    table = csv.read_csv(io.BytesIO(case.data), convert_options=options)
    return table.rename_columns([name or "Unnamed: 0" for name in table.column_names])


def by_every_route(model: Any, table: Any) -> list[Any]:
    """Return the predictions for a table of pyarrow's, a frame of others, and dicts."""
    given = [table, table.to_pylist()]
    for name in ("pandas", "polars"):
        package = pytest.importorskip(name, reason=f"{name} is not installed")
        given.append(table.to_pandas() if name == "pandas" else package.from_arrow(table))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [model.predict(rows) for rows in given]


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_a_file(case: Ailing, tmp_path: Path, capsys: Capture) -> None:
    if trained(case, tmp_path, capsys) is None:
        return
    if "--header" in case.options:
        return
    lines = answers(tmp_path / case.file, capsys).splitlines()
    assert len(lines) == ailing.ROWS + 1


# Wrappings that packages unwrap.
MORE = ("Zstandard", "a spreadsheet")


def test_the_same_table_in_any_wrapping(tmp_path: Path, capsys: Capture) -> None:
    found = {}
    for name in (
        "semicolons",
        "tabs",
        "bars",
        "comments",
        "UTF-16",
        "gzip",
        "byte order mark",
        *MORE,
    ):
        (case,) = [case for case in FILES if case.name == name]
        trained(case, tmp_path, capsys)
        found[name] = answers(tmp_path / case.file, capsys)
    assert len(set(found.values())) == 1


def test_standard_input_several_files_and_a_folder(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case,) = [case for case in FILES if case.name == "byte order mark"]
    lines = case.data[3:].splitlines(keepends=True)
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, part in (("1.csv", lines[:20]), ("2.csv", [lines[0], *lines[20:]])):
        (folder / name).write_bytes(b"".join(part))
    (tmp_path / "t.csv").write_bytes(b"".join(lines))
    read, write = os.pipe()
    os.write(write, b"".join(lines))
    os.close(write)
    stdin = io.TextIOWrapper(os.fdopen(read, "rb"))
    monkeypatch.setattr("sys.stdin", stdin)
    model = tmp_path / "m.safetensors"
    weights = set()
    for files in (
        [tmp_path / "t.csv"], ["-"], [folder], [folder / "1.csv", folder / "2.csv"]
    ):  # fmt: skip
        assert main(["train", *map(str, files), *TRAINING, "--save", str(model)]) == 0
        weights.add(b"".join(w.tobytes() for w in laminar.load_model(model).get_weights()))
    stdin.close()
    assert len(weights) == 1
    capsys.readouterr()


def test_predictions_go_past_bad_cells_and_pass_keys(tmp_path: Path, capsys: Capture) -> None:
    (case,) = [case for case in COLUMNS if case.name == "an id"]
    trained(case, tmp_path, capsys)
    (tmp_path / "n.csv").write_text("id,a\n007,1.5\nx8,bad\n9,none given\n")
    model = str(tmp_path / "m.safetensors")
    arguments = ["predict", model, str(tmp_path / "n.csv"), "--missing", "none given"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith("id,y,p(high)")
    assert [line.split(",")[0] for line in lines[1:]] == ["007", "x8", "9"]
    assert lines[2] == "x8,,,"
    assert "1 rows have no answer, the first since" in printed.err
    assert "'a' must hold numbers, got 'bad' in row 2" in printed.err
    assert main([*arguments, "--strict"]) == 1
    assert "got 'bad' in row 2" in capsys.readouterr().err
    assert main([*arguments, "--pass", "a"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("007,1.5,")


def test_a_column_of_which_nothing_was_seen(tmp_path: Path, capsys: Capture) -> None:
    (case,) = [case for case in FILES if case.name == "byte order mark"]
    model = trained(case, tmp_path, capsys)
    rows = [{"a": 1.0, "b": "Rome"}] * 5
    with pytest.raises(ValueError, match="column 'b' has 5 values, and training has seen none"):
        model.predict(rows)
    with pytest.raises(ValueError, match="column 'b' has 5 values, and training has seen none"):
        model.predict(pyarrow.Table.from_pylist(rows))
    with pytest.warns(UserWarning, match="4 values are categories"):
        model.predict(rows[:4])
    (tmp_path / "n.csv").write_text("a,b\n" + "1,Rome\n" * 5)
    assert main(["predict", str(tmp_path / "m.safetensors"), str(tmp_path / "n.csv")]) == 1
    assert "training has seen none of them, 'Rome'" in capsys.readouterr().err
