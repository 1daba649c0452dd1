# SPDX-License-Identifier: Apache-2.0
"""Rows that are held out: their classes, that nothing is learned of them, and what they measure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_command_tables import error_of, laminar_command, output_of, table_of, write

import laminar
from laminar._tables import split

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

Capture = pytest.CaptureFixture[str]
HEADER = ["size", "town", "gap", "y"]
ROWS = 200


def parts_of(
    counts: list[int], held: list[int], seed: int = 0
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Return how many rows of each class each part has, and the places of all rows."""
    classes = np.random.default_rng(5).permutation(np.repeat(np.arange(len(counts)), counts))
    places = split.places(len(classes), held, np.random.default_rng(seed), classes)
    assert sorted(places) == list(range(len(classes)))
    ordered = np.empty_like(classes)
    ordered[places] = classes
    ends = np.cumsum([len(classes) - sum(held), *held])[:-1]
    return [np.bincount(part, minlength=len(counts)) for part in np.split(ordered, ends)], places


def test_parts_have_their_share_of_each_class() -> None:
    (train, validation, test), places = parts_of([100, 50, 30, 20], [20, 40])
    assert validation.tolist() == [10, 5, 3, 2]
    assert test.tolist() == [20, 10, 6, 4]
    assert train.tolist() == [70, 35, 21, 14]
    assert np.array_equal(parts_of([100, 50, 30, 20], [20, 40])[1], places)
    assert not np.array_equal(parts_of([100, 50, 30, 20], [20, 40], seed=1)[1], places)


def test_rare_classes_are_trained_on() -> None:
    for seed in range(20):
        (train, validation, test), _ = parts_of([1, 2, 3, 50, 1, 1], [20, 20], seed)
        assert train.min() >= 1
        assert (validation.sum(), test.sum()) == (20, 20)
        assert validation[3] >= 15  # the others have few to give
    (train, validation), _ = parts_of([1, 1, 1, 1], [2])  # where there are not enough for all
    assert (train.sum(), validation.sum()) == (2, 2)


def rows_of(y: list[str]) -> list[list[object]]:
    rng = np.random.default_rng(1)
    return [
        [f"{rng.normal(50, 9):.3f}", "uvw"[i % 3], "" if i % 9 == 0 else i % 5, answer]
        for i, answer in enumerate(y)
    ]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_held_out_have_no_part_in_a_model(task: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=ROWS)
    y = [f"{v:.4f}" if task == "regression" else ["no", "yes"][int(v > 1)] for v in numbers]
    rows = rows_of(y)
    classes = np.array([answer == "yes" for answer in y], int)
    places = split.places(
        ROWS, [0, 50], np.random.default_rng(0), None if task == "regression" else classes
    )
    others = [list(row) for row in rows]
    for i in np.flatnonzero(places >= 150):
        others[i][:3] = [["1e9", "elsewhere", ""], ["-7", "v", "8e8"], ["", "", "3"]][i % 3]
        if task == "regression":
            others[i][3] = "-1e5"
    files = []
    for name, some in (("as_they_are", rows), ("spoilt", others)):
        data = write(tmp_path / f"{name}.csv", HEADER, some)
        files.append(tmp_path / f"{name}.safetensors")
        laminar_command(
            "train", data, "--target", "y", "--validation", 0, "--test", 0.25, "--epochs", 3,
            "--layers", 8, "--save", files[-1],
        )  # fmt: skip
    assert table_of(files[0]) == table_of(files[1])
    weights = [laminar.load_model(file).get_weights() for file in files]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_training_has_not_seen(tmp_path: Path, capsys: Capture) -> None:
    """A column that is empty, and a target that is constant, in the rows that are trained on."""
    places = split.places(40, [0, 20], np.random.default_rng(0))
    numbers = [f"{i / 7:.3f}" for i in range(40)]
    held = places >= 20
    more = ("--target", "y", "--task", "regression", "--validation", 0, "--test", 0.5)
    rows = [[a, "u", "1", b] for a, b in zip(["x" * int(h) for h in held], numbers, strict=True)]
    text = output_of(capsys, "train", write(tmp_path / "t.csv", HEADER, rows), *more)
    assert "'size': left out: it has no values in the rows to train on" in text
    y = [str(1 + i * h) for i, h in enumerate(held)]
    rows = [[a, "u", "1", b] for a, b in zip(numbers, y, strict=True)]
    text = error_of(capsys, "train", write(tmp_path / "t.csv", HEADER, rows), *more)
    assert "always 1 in the 20 rows to train on" in text


def test_measures_of_one_class_are_not_defined(tmp_path: Path, capsys: Capture) -> None:
    rows = rows_of(["yes", *["no"] * 59])
    data = write(tmp_path / "t.csv", HEADER, rows)
    model = tmp_path / "m.safetensors"
    text = output_of(capsys, "train", data, "--target", "y", "--epochs", 1, "--save", model)
    assert "auc" not in text
    assert "validation, 6 rows: accuracy" in text
    assert "ROC AUC not defined, log loss" in text
    assert text.endswith(" (all targets are equal)\n")
    answer = json.loads(output_of(capsys, "train", data, "--target", "y", "--epochs", 1, "--json"))
    assert answer["validation"]["measures"]["ROC AUC"] is None
    assert "AUC not defined" not in output_of(capsys, "evaluate", model, data)
    numbers = [[*row[:3], f"{i / 3:.3f}"] for i, row in enumerate(rows)]
    data = write(tmp_path / "n.csv", HEADER, numbers)
    output_of(capsys, "train", data, "--target", "y", "--epochs", 1, "--save", model)
    one = write(tmp_path / "one.csv", HEADER, numbers[:1])
    assert ": R2 not defined, MAE " in output_of(capsys, "evaluate", model, one)
