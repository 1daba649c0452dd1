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
from laminar.command._choices import BINS, MANY_BINS, planned

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


@pytest.mark.parametrize("classes", [0, 2])
def test_numbers_are_taken_apart_where_rows_fill_the_bins(classes: int) -> None:
    assert planned(said(), 399, 100, classes).bins == 0
    for rows, bins in ((400, BINS), (9899, BINS), (9900, MANY_BINS)):
        plan = planned(said(), rows, 100, classes)
        assert (plan.bins, plan.all_apart) == (bins, bins == MANY_BINS)


def test_what_a_user_says_goes() -> None:
    plan = planned(said(epochs=3, patience=2, bins=0), 50_000, 1000, 2)
    assert plan == (3, 2, 0, True)
    said_of = [planned(said(), rows, 0, 0).described(5, True) for rows in (2000, 20_000)]
    assert [text.endswith("16 pieces in every other network") for text in said_of] == [True, False]
    assert planned(said(bins=4), 100, 10, 0)[2:] == (4, True)


def test_of_small_tables_every_other_network_takes_numbers_apart(
    waves: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m.safetensors"
    words = ["train", waves, "--target", "y", "--epochs", 1, "--layers", 4, "--save", model]
    for options, apart in ((["--ensemble", 5], 3), (["--ensemble", 4, "--bins", 4], 4)):
        assert main([str(word) for word in [*words, *options, "--quiet"]]) == 0
        graph = laminar.load_model(model)
        dense = [layer for layer in graph.layers if isinstance(layer, layers.Dense)]
        widths = sorted(layer.get_weights()[0].shape[0] for layer in dense[::2])
        assert len(widths) == options[1]
        assert widths.count(4) == len(widths) - apart  # x, few, and two colors


@pytest.mark.parametrize("bins", [0, 8])
def test_whatever_the_inputs_are_no_wrong_cell_goes_far(
    bins: int, waves: Path, tmp_path: Path
) -> None:
    """They are bent, in every network; taken apart, what nobody has seen has bins of its own."""
    path = tmp_path / "m.safetensors"
    words = ["train", waves, "--target", "y", "--epochs", 20, "--ensemble", 2, "--bins", bins]
    assert main([str(word) for word in [*words, "--save", path, "--quiet"]]) == 0
    model = laminar.load_model(path)
    assert any(isinstance(layer, layers.SmoothClip) for layer in model.layers)
    rows = [{"x": x, "few": 2, "color": "red"} for x in (1e3, -1e3, 1e30, -1e30, 30, 1)]
    found = model.predict(rows)[:, 0]
    np.testing.assert_allclose(found[:2], found[2:4], rtol=0.01)  # there is a limit
    if bins:
        assert np.abs(found - found[-1]).max() < 2


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
            assert [len(edges) - 1 for edges in found[0].edges] == [34, 1, 1, 1]
            ends = np.array(found[0].edges[0])[[0, -1]]
            assert ends.tolist() == [-8, 8]
    assert scores[1] < 0.5 * scores[0]


def test_bins_must_be_a_number_of_pieces(waves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(waves), "--target", "y", "--bins", "-1"]) != 0
    assert "--bins must be at least 0, got -1" in capsys.readouterr().err


def test_the_report_tells_of_it(waves: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = ["train", waves, "--target", "y", "--epochs", 1, "--layers", 4, "--report", page]
    for bins in (0, 4):
        assert main([str(word) for word in [*words, "--bins", bins, "--quiet"]]) == 0
        assert ("Numbers are cut into pieces (" in page.read_text()) == (bins > 0)
    for options, cut in (([], "in 2 of them ("), (["--bins", 4], "(")):
        assert main([str(word) for word in [*words, "--ensemble", 3, *options, "--quiet"]]) == 0
        assert f"Numbers are cut into pieces {cut}" in page.read_text()
