# SPDX-License-Identifier: Apache-2.0
"""``laminar train --folds``: cross-validation, its spread, and the predictions out of fold."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from test_command_tables import error_of, laminar_command, output_of, write

from laminar import callbacks
from laminar.__main__ import main

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

Capture = pytest.CaptureFixture[str]
ROWS = 60
QUICK = ("--layers", "4", "--epochs", 2, "--ensemble", 1)
TARGETS = ("number", "two", "three")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(4)
    rows: list[list[object]] = []
    for i in range(ROWS):
        x = rng.normal()
        cells = [f"{x:.3f}", "uv"[i % 2], f"{2 * x:.3f}", ["no", "yes"][x > 0], "abc"[i % 3]]
        rows.append([*cells[:2], *(["", "", ""] if i == 7 else cells[2:])])
    return write(tmp_path / "t.csv", ["x", "kind", *TARGETS], rows)


def options_of(target: str) -> list[object]:
    others = [f"--drop={name}" for name in TARGETS if name != target]
    task = "regression" if target == "number" else "classification"
    return ["--target", target, "--task", task, *others, *QUICK]


@pytest.mark.parametrize("target", TARGETS)
def test_each_row_is_predicted_without_it(
    target: str, data: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out.csv"
    arguments = ["train", data, *options_of(target), "--folds", 3, "--repeats", 2]
    answer = json.loads(output_of(capsys, *arguments, "--out-of-fold", out, "--json"))
    folds = answer["folds"]
    assert sorted(one["rows"] for one in folds["each"]) == [19, 19, 20, 20, 20, 20]
    assert folds["out of fold"]["rows"] == answer["rows"]["read"] == ROWS - 1
    for name, mean in folds["mean"].items():
        values = [one["measures"][name] for one in folds["each"]]
        assert mean == pytest.approx(np.mean(values))
        assert folds["standard deviation"][name] == pytest.approx(np.std(values, ddof=1))
    lines = list(csv.DictReader(out.read_text().splitlines()))
    assert [int(line["row"]) for line in lines] == [i + 1 for i in range(ROWS) if i != 7]
    truth = [row[target] for row in csv.DictReader(data.read_text().splitlines()) if row[target]]
    found = folds["out of fold"]["measures"]
    if target == "number":
        assert list(lines[0]) == ["row", target]
        off = [abs(float(a[target]) - float(b)) for a, b in zip(lines, truth, strict=True)]
        assert np.mean(off) == pytest.approx(found["MAE"], rel=1e-4)
    else:
        assert list(lines[0])[:3] == ["row", target, f"p({min(truth)})"]
        right = [a[target] == b for a, b in zip(lines, truth, strict=True)]
        assert np.mean(right) == pytest.approx(found["accuracy"])


def test_a_fold_is_what_a_training_without_its_rows_predicts(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    """Nothing of them, be it a mean or a category, has a part in their predictions."""
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    rows = list(csv.reader(data.read_text().splitlines()))
    for out in (first, second):
        laminar_command(
            "train", data, *options_of("number"), "--folds", 4, "--validation", 0,
            "--out-of-fold", out,
        )  # fmt: skip
        rows[10][0] = "1e6"  # of one row the inputs
        rows[10][1] = "new"
        write(data, [], rows)
    lines = [list(csv.DictReader(path.read_text().splitlines())) for path in (first, second)]
    same = [a == b for a, b in zip(*lines, strict=True)]
    assert sum(same) >= (ROWS - 1) // 4 - 1  # those of its fold but itself
    assert not all(same)


def test_a_model_is_trained_on_all_rows_where_one_is_wanted(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    plain, folds = tmp_path / "plain.safetensors", tmp_path / "folds.safetensors"
    laminar_command("train", data, *options_of("two"), "--save", plain)
    text = output_of(capsys, "train", data, *options_of("two"), "--folds", 2, "--save", folds)
    assert "2 folds: accuracy " in text
    assert " ± " in text
    assert plain.read_bytes() == folds.read_bytes()
    out = tmp_path / "out.csv"
    part = write(tmp_path / "more.csv", [], list(csv.reader(data.read_text().splitlines())))
    arguments = [data, part, *options_of("three"), "--folds", 2, "--out-of-fold", out]
    laminar_command("train", *arguments)
    lines = list(csv.DictReader(out.read_text().splitlines()))
    assert [line["file"] for line in lines] == [str(data)] * (ROWS - 1) + [str(part)] * (ROWS - 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--folds", 1], "--folds must be at least 2, got 1"),
        (["--folds", 200], "59 rows cannot be shared out into 200 folds"),
        (["--folds", 3, "--test", 0.2], "leave --test out"),
        (["--folds", 3, "--repeats", 0], "--repeats must be at least 1, got 0"),
        (["--repeats", 3], "--repeats is of use with --folds alone"),
        (["--out-of-fold", "o.csv"], "--out-of-fold is of use with --folds alone"),
        (["--folds", 3, "--out-of-fold", "no/o.csv"], "--out-of-fold: there is no folder 'no'"),
    ],
)
def test_what_is_refused(options: list[object], says: str, data: Path, capsys: Capture) -> None:
    assert says in error_of(capsys, "train", data, *options_of("two"), *options)


def test_ctrl_c_ends_all_folds(
    data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, epoch: int, logs: object = None) -> None:
        if epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.EarlyStopping, "on_epoch_begin", interrupt)
    arguments = ["train", data, *options_of("two"), "--folds", 3]
    assert main([str(argument) for argument in arguments]) == 130
    assert "interrupted while cross-validating" in capsys.readouterr().err
