# SPDX-License-Identifier: Apache-2.0
"""What `laminar train` decides about a training that nobody has decided."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import layers
from laminar.__main__ import main
from laminar.command._choices import BINS, planned

pytest.importorskip("pyarrow")


def said(**options: Any) -> argparse.Namespace:
    given = {"epochs": None, "patience": None, "bins": None, "batch_size": 128, **options}
    return argparse.Namespace(**given)


def test_small_tables_have_patience_in_updates() -> None:
    small = planned(said(), 256, 60, 0)
    assert small.epochs * 2 == 5000 and small.patience * 2 == 300
    large = planned(said(), 90_000, 10_000, 0)
    assert (large.epochs, large.patience) == (100, 10)


def test_few_rows_held_out_cannot_ask_a_classifier_for_patience() -> None:
    assert planned(said(), 256, 49, 3).patience == 10
    assert planned(said(), 256, 50, 3).patience == 150
    assert planned(said(), 256, 49, 0).patience == 150


def test_numbers_are_taken_apart_where_rows_fill_the_bins() -> None:
    assert planned(said(), 8999, 1000, 0).bins == 0
    assert planned(said(), 9000, 1000, 0).bins == BINS
    assert planned(said(), 9000, 1000, 2).bins == 0  # which gains nothing on the whole


def test_what_a_user_says_goes() -> None:
    plan = planned(said(epochs=3, patience=2, bins=0), 50_000, 1000, 2)
    assert plan == (3, 2, 0)
    assert planned(said(bins=4), 100, 10, 0).bins == 4


@pytest.fixture
def waves(tmp_path: Path, rng: np.random.Generator) -> Path:
    x = rng.uniform(0, 1, 1500)
    few, color = rng.integers(0, 5, 1500), rng.choice(["red", "blue"], 1500)
    y = np.sign(np.sin(40 * x)) + few
    rows = zip(x, few, color, y, strict=True)
    lines = ["x,few,color,y", *(",".join(map(str, row)) for row in rows)]
    path = tmp_path / "waves.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_number_of_many_values_is_taken_apart(waves: Path, tmp_path: Path) -> None:
    scores = []
    for bins in (0, 32):
        path = tmp_path / f"{bins}.safetensors"
        words = [
            "train",
            waves,
            "--target",
            "y",
            "--task",
            "regression",
            "--epochs",
            30,
            "--bins",
            bins,
            "--save",
            path,
        ]
        assert main([str(word) for word in [*words, "--quiet"]]) == 0
        model = laminar.load_model(path)
        rows = np.loadtxt(waves, delimiter=",", skiprows=1, usecols=(0, 1, 3))
        color = np.loadtxt(waves, delimiter=",", skiprows=1, usecols=2, dtype=str)
        x = np.column_stack([rows[:, :2], color == "blue", color == "red"])
        scores.append(np.mean((model.predict(x)[:, 0] - rows[:, 2]) ** 2))
        found = [e for e in model.layers if isinstance(e, layers.PiecewiseLinearEncoding)]
        assert len(found) == (bins > 0)
        if found:
            assert found[0].edges is not None
            assert [len(edges) - 1 for edges in found[0].edges] == [32, 1, 1, 1]
    assert scores[1] < 0.5 * scores[0]


def test_bins_must_be_a_number_of_pieces(waves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(waves), "--target", "y", "--bins", "-1"]) != 0
    assert "--bins must be at least 0, got -1" in capsys.readouterr().err


def test_the_report_tells_of_it(waves: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = ["train", waves, "--target", "y", "--epochs", 1, "--layers", 4, "--report", page]
    for bins in (0, 4):
        assert main([str(word) for word in [*words, "--bins", bins, "--quiet"]]) == 0
        assert ("Numbers are cut into pieces" in page.read_text()) == (bins > 0)
