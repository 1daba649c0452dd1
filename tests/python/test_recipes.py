# SPDX-License-Identifier: Apache-2.0
"""Every recipe runs, and finds what it says it expects."""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path

import pytest

import laminar

FOLDER = Path(__file__).resolve().parents[2] / "python" / "examples" / "recipes"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    laminar.set_num_threads(1)  # the nets are small, and threads do not change results


def test_every_recipe_is_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"[{name}.py]({name}.py)" not in listed] == []


PACKAGES = {"shapley": "shap"}  # which a recipe needs


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_finds_what_it_expects(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name in PACKAGES:
        package = PACKAGES[name]
        pytest.importorskip(package, reason=f"{package} is not installed")
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert "(expected " in capsys.readouterr().out


@pytest.mark.parametrize("measured", [0.9, float("nan")])
def test_a_check_that_does_not_hold_is_an_error(measured: float) -> None:
    check = importlib.import_module("_recipe").check
    check("a share", 0.7, above=0.6, below=0.8)
    with pytest.raises(ValueError, match=r"a share: .* \(expected above 0.6 and below 0.8\)"):
        check("a share", measured, above=0.6, below=0.8)
