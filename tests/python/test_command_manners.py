# SPDX-License-Identifier: Apache-2.0
"""How the commands behave: where they speak, how they end, what is checked before the work."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import class_and_number

import laminar
from laminar import callbacks
from laminar.__main__ import main
from laminar.command import _report, train

pytest.importorskip("pyarrow", reason="pyarrow is not installed")

QUICK = ("--layers", "4", "--epochs", "2")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_and_number(tmp_path_factory.mktemp("data"), 200)


def ended(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt trainings in their third epoch, as Ctrl-C does."""

    def on_epoch_begin(self: object, epoch: int, logs: object = None) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.EarlyStopping, "on_epoch_begin", on_epoch_begin)


@pytest.mark.parametrize("target", ["y", "z"])
def test_json_is_one_object_and_nothing_else(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    model = tmp_path / "model.safetensors"
    assert ended("train", data, "--target", target, *QUICK, "--json", "--test", 0.2,
                 "--save", model) == 0  # fmt: skip
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.out.count("\n") == 1
    assert "200 rows" in printed.err
    assert found["laminar"] == laminar.__version__
    assert found["target"]["name"] == target
    assert found["target"]["task"] == {"y": "classification", "z": "regression"}[target]
    assert [column["name"] for column in found["columns"]] == ["a", "b", "y", "z"]
    assert found["rows"] == {"read": 200, "train": 140}
    assert found["test"]["rows"] == 40
    assert found["training"]["epochs"] == 2
    assert found["files"] == {"save": str(model)}
    assert "error" not in found
    assert ended("evaluate", model, data, "--json", "--quiet") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["rows"] == 200
    assert printed.err == ""


def test_json_has_no_numbers_that_json_has_not(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_report.Report, "values", lambda self: {"R2": float("nan")})
    assert ended("train", data, "--target", "y", *QUICK, "--json", "--quiet") == 0
    assert json.loads(capsys.readouterr().out)["validation"]["measures"] == {"R2": None}


def test_quiet_says_nothing_but_errors(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("train", data, "--target", "y", *QUICK, "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert ended("train", data, "--target", "x", *QUICK, "--quiet") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("laminar: ")


def test_errors_are_answers_for_programs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("train", data, "--target", "x", "--json") == 1
    printed = capsys.readouterr()
    assert "'x'" in json.loads(printed.out)["error"]
    assert "'x'" in printed.err


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["trian"], "unknown command 'trian'; did you mean 'train'?"),
        (
            ["train", "t.csv", "--traget", "y"],
            "unknown option '--traget'; did you mean '--target'?",
        ),
        (["train", "t.csv", "-target=y"], "did you mean '--target'?"),
        (["evaluate", "m", "t.csv", "--delimeter", ";"], "did you mean '--delimiter'?"),
        (["predict", "m", "t.csv", "--ouput=x"], "did you mean '--output'?"),
        (["train", "t.csv", "--xyzzy"], "laminar train --help lists the options"),
        (["--verison"], "did you mean '--version'?"),
    ],
)
def test_what_is_misspelt_is_suggested(
    arguments: list[str], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert advice in capsys.readouterr().err


def test_values_are_no_options(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("train", data, "--target", "y", *QUICK, "--missing", "-99", "--missing", "-") == 0
    assert ended("train", data, "--targ", "y", *QUICK) == 0  # argparse completes


@pytest.mark.parametrize("command", [[], ["train"], ["evaluate"]])
def test_help_tells_the_exit_status(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main([*command, "--help"])
    assert "Exit status: 0 where" in " ".join(capsys.readouterr().out.split())


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where training begins."""

    def refused(*_: object) -> Any:
        pytest.fail("training has begun")

    monkeypatch.setattr(train, "trained", refused)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("option", ["save", "plot", "report"])
def test_outputs_are_tested_before_training(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    ending = {"save": ".safetensors", "plot": ".png", "report": ".html"}[option]
    (tmp_path / f"folder{ending}").mkdir()
    long = tmp_path / ("x" * 300 + ending)
    (tmp_path / f"link{ending}").symlink_to(data)
    for path, wrong in [
        (tmp_path / "none" / f"x{ending}", f"--{option}: there is no folder"),
        (tmp_path / f"folder{ending}", "a folder"),
        (long, "cannot be written"),
        (tmp_path / f"link{ending}", "is what is read"),
    ]:
        assert ended("train", data, "--target", "y", f"--{option}", path) == 1
        assert wrong in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == [f"folder{ending}", f"link{ending}"]
    if option == "plot":
        assert ended("train", data, "--target", "y", "--plot", tmp_path / "x.html") == 1
        assert "must end as one of" in capsys.readouterr().err


@pytest.mark.usefixtures("untrained")
def test_a_test_file_is_looked_at_before_training(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    for path in ("t.csv", "none.csv"):
        assert ended("train", data, "--target", "y", "--test", tmp_path / path) == 1
        assert path in capsys.readouterr().err


def test_divergence_ends_with_advice(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = ended("train", data, "--target", "z", *QUICK, "--learning-rate", 1e30)
    printed = capsys.readouterr()
    assert code == 1
    assert "training diverged" in printed.err
    assert "--learning-rate 1e+29 in place of 1e+30" in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("target", ["y", "z"])
def test_what_is_no_better_than_a_constant_is_told(
    data: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    for rate, told in ((1e-7, True), (0.03, False)):
        assert ended("train", data, "--target", target, "--learning-rate", rate,
                     "--epochs", 5, "--ensemble", 1) == 0  # fmt: skip
        assert ("no better than a constant answer" in capsys.readouterr().err) == told


@pytest.mark.usefixtures("interrupted")
def test_an_interrupt_saves_the_best_so_far(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, whole = tmp_path / "model.safetensors", tmp_path / "whole.safetensors"
    rest = ("--target", "z", "--layers", "4", "--ensemble", 1, "--save")
    assert ended("train", data, *rest, path, "--epochs", 9, "--json") == 130
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["error"] == "interrupted"
    assert found["training"]["interrupted"]
    assert found["training"]["epochs"] == 2
    best = found["training"]["best_epoch"]
    assert printed.err.endswith(
        f"interrupted after 2 epochs; {path} holds the best weights, those of epoch {best}\n"
    )
    assert ended("train", data, *rest, whole, "--epochs", 2) == 0
    for one, other in zip(
        laminar.load_model(path).get_weights(), laminar.load_model(whole).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_an_interrupt_before_an_epoch_has_ended_saves_nothing(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def on_epoch_begin(self: object, epoch: int, logs: object = None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.EarlyStopping, "on_epoch_begin", on_epoch_begin)
    path = tmp_path / "model.safetensors"
    assert ended("train", data, "--target", "z", "--save", path) == 130
    assert "before the first epoch had ended; nothing is saved" in capsys.readouterr().err
    assert not path.exists()
