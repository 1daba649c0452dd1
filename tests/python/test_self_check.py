# SPDX-License-Identifier: Apache-2.0
"""``python -m laminar.test``: it passes here, and finds what is broken."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

import laminar

check = importlib.import_module("laminar.test")


def test_it_passes_for_each_instruction_set() -> None:
    command = [sys.executable, "-W", "error", "-m", "laminar.test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all is well\n")
    for isa in laminar.show_config()["isas"]:
        assert f"{isa}:\n" in done.stdout
    assert done.stdout.count(": ok\n") == len(check.CHECKS) * len(laminar.show_config()["isas"])


def shifted(method: Any) -> Any:
    return lambda *arguments, **options: method(*arguments, **options) + 1e-3


@pytest.mark.parametrize(
    ("broken", "attribute", "finds"),
    [
        (laminar.Sequential, "predict", "products"),
        (laminar.activations.Activation, "__call__", "functions"),
        (laminar.losses.Loss, "__call__", "updates"),
    ],
)
def test_it_finds_what_is_broken(
    broken: type[Any],
    attribute: str,
    finds: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(broken, attribute, shifted(getattr(broken, attribute)))
    monkeypatch.setattr(check, "CHECKS", (check.package, getattr(check, finds)))
    assert check.main(["--this-isa"]) == 1
    told = capsys.readouterr().out
    assert "  package: ok\n" in told
    assert f"  {finds}: FAILED: " in told
    assert "from NumPy's result" in told


def test_it_finds_other_bits_and_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = iter(range(9))
    seeded = check._trained

    def trained(threads: int) -> Any:
        model = seeded(threads)
        first, *others = model.get_weights()
        model.set_weights([first + next(models), *others])
        return model

    def fails() -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(check, "_trained", trained)
    monkeypatch.setattr(laminar, "load_model", lambda path: seeded(1))
    monkeypatch.setattr(check, "CHECKS", (check.training, check.files, fails))
    assert check.main(["--this-isa"]) == 1
    told = capsys.readouterr().out
    assert "threads lead to other bits than one" in told
    assert "  files: FAILED: a loaded model predicts other bits" in told
    assert "RuntimeError: no such kernel" in told


def test_a_failure_of_one_instruction_set_is_one_of_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: list[str] = []

    def process(command: list[str], env: dict[str, str], check: bool) -> Any:
        run.append(env["LAMINAR_ISA"])
        return subprocess.CompletedProcess(command, env["LAMINAR_ISA"] == "baseline")

    monkeypatch.setattr(check.subprocess, "run", process)
    assert check.main([]) == 1
    assert run == laminar.show_config()["isas"]
    assert capsys.readouterr().out.endswith("FAILED: baseline\n")
