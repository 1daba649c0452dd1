# SPDX-License-Identifier: Apache-2.0
"""``laminar train --ensemble``: several networks, one file, the mean of what they predict."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import class_and_number

import laminar
from laminar import callbacks, layers
from laminar.__main__ import main
from laminar.command import _ensemble
from laminar.command._choices import Plan

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

QUICK = ("--layers", "6,4", "--epochs", "3")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_and_number(tmp_path_factory.mktemp("data"), 150)


def trained(data: Path, path: Path, *options: object) -> Any:
    """Return the model of a training."""
    given = ("train", data, *QUICK, "--save", path, *options)
    assert main([str(argument) for argument in given]) == 0
    return laminar.load_model(path)


@pytest.mark.parametrize("target", ["y", "z"])
def test_the_first_network_is_that_of_a_training_of_one(
    data: Path, tmp_path: Path, target: str
) -> None:
    found = []
    for threads in (1, 2):
        laminar.set_num_threads(threads)
        options = ("--target", target, "--ensemble", 3)
        found.append(trained(data, tmp_path / f"{threads}.safetensors", *options))
    one = trained(data, tmp_path / "one.safetensors", "--target", target, "--ensemble", 1)
    many, other = found
    assert isinstance(one, laminar.Sequential)
    dense = [layer for layer in many.layers if isinstance(layer, layers.Dense)]
    assert len(dense) == 9
    for mine, alone in zip(dense[:3], one.layers[2:], strict=True):
        for a, b in zip(mine.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert len({layer.get_weights()[0].tobytes() for layer in dense[::3]}) == 3
    for a, b in zip(many.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    row = [{"a": 0.5, "b": -1.0, "y": "no", "z": 1.5}]
    assert many.predict(row).shape == (1, 1)
    assert many.predict(row) != one.predict(row)


def test_one_file_goes_where_all_go(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.safetensors"
    trained(data, path, "--target", "y", "--ensemble", 2, "--test", 0.2)
    text = capsys.readouterr().out
    assert "Model 1/2 - 3 epochs" in text
    assert "test, 30 rows: accuracy" in text
    for arguments in [
        ("evaluate", path, data),
        ("predict", path, data),
        ("inspect", path),
        ("export", path, "--to", "c", "--output", tmp_path / "m.c"),
    ]:
        assert main([str(argument) for argument in arguments]) == 0


def test_how_many_there_are(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", str(data), "--target", "z", *QUICK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["training"]["networks"] == 5
    assert main(["train", str(data), "--target", "z", "--ensemble", "0"]) == 1
    assert "--ensemble must be at least 1, got 0" in capsys.readouterr().err
    plan = Plan(epochs=100, patience=10, bins=0)
    automatic = argparse.Namespace(ensemble=None, layers=[128, 64])
    assert _ensemble.members(automatic, plan, 50_000, 100, 1) == 5
    assert _ensemble.members(automatic, plan, 500_000, 100, 1) == 1
    asked = argparse.Namespace(ensemble=7, layers=[128, 64])
    assert _ensemble.members(asked, plan, 10**9, 100, 1) == 7
    seeds = {_ensemble.seed_of(i, seed) for i in range(5) for seed in range(5)}
    assert len(seeds) == 25
    assert _ensemble.seed_of(0, 3) == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_the_networks_that_are_trained(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
) -> None:
    laminar.set_num_threads(threads)
    ended: list[object] = []

    def on_train_end(self: Any, logs: object = None) -> None:
        ended.append(self)

    def on_epoch_begin(self: Any, epoch: int, logs: object = None) -> None:
        if len(ended) == 2:  # the third network begins
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.EarlyStopping, "on_train_end", on_train_end)
    monkeypatch.setattr(callbacks.EarlyStopping, "on_epoch_begin", on_epoch_begin)
    monkeypatch.setattr(_ensemble, "_MUCH_WORSE", 9.0)  # after so few epochs they differ
    path = tmp_path / "m.safetensors"
    given = ("train", data, *QUICK, "--target", "z", "--ensemble", 4, "--save", path)
    assert main([str(argument) for argument in given]) == 130
    printed = capsys.readouterr()
    assert f"{path} holds the mean of " in printed.err
    dense = [e for e in laminar.load_model(path).layers if isinstance(e, layers.Dense)]
    assert len(dense) in (6, 9)
