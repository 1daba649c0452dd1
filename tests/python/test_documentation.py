# SPDX-License-Identifier: Apache-2.0
"""What the documentation shows runs: examples of docstrings, and the READMEs' Python and commands.

The README's program in C++ is built and run by tests/consumer/run.sh.
"""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar.__main__ import main

ROOT = Path(__file__).parents[2]
PACKAGE = Path(laminar.__file__).parent
TABLE = ROOT / "cpp/examples/rents.csv"


# Modules whose examples need a package, and what that wants in its environment: MLflow keeps runs
# in files where it is allowed to.
PACKAGES = {
    "laminar.callbacks._history": ("matplotlib", {}),
    "laminar.callbacks._mlflow": ("mlflow", {"MLFLOW_ALLOW_FILE_STORE": "true"}),
    "laminar.callbacks._optuna": ("optuna", {}),
    "laminar.callbacks._tensorboard": ("tensorboardX", {}),
}


def modules_with_examples() -> list[str]:
    """Return the modules whose text has examples; nothing is imported for that."""
    files = (p for p in PACKAGE.rglob("*.py") if re.search(r"^\s*>>> ", p.read_text("utf-8"), re.M))
    parts = (p.relative_to(PACKAGE.parent).with_suffix("").parts for p in files)
    return sorted(".".join(p).removesuffix(".__init__") for p in parts)


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of a language in a page."""
    text = (ROOT / page).read_text("utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for kind, block in found if kind == language]


def commands(page: str) -> list[str]:
    """Return the lines of a page that call laminar's command."""
    lines = [line for block in blocks(page, "") for line in block.splitlines()]
    return [line for line in lines if re.match(r"laminar [a-z]+ ", line)]


PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("*/README.md"))]


@pytest.mark.parametrize("name", modules_with_examples())
def test_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    package, environment = PACKAGES.get(name, ("numpy", {}))
    pytest.importorskip(package, reason=f"{package} is not installed")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    tests = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.tries > 0
    assert runner.failures == 0, "".join(report)


def test_docstrings_are_found() -> None:
    found = set(modules_with_examples())
    assert {"laminar", "laminar.data", "laminar.metrics", "laminar.sequential"} <= found


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_of_pages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the blocks of a page one after the other, as a reader does."""
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("sklearn", reason="sklearn is not installed")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)  # files for the model of the page, whose inputs are digits
    np.save("x.npy", rng.uniform(size=(600, 64)).astype(np.float32))
    np.save("y.npy", rng.integers(0, 10, 600).astype(np.int32))
    names: dict[str, Any] = {}
    for program in blocks(page, "python"):
        exec(compile(program, page, "exec"), names)
    if page == "README.md":
        assert names["accuracy"] > 0.9


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_of_pages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.chdir(tmp_path)
    shutil.copy(TABLE, "rents.csv")
    shutil.copy(TABLE, "new.csv")
    for command in commands(page):
        assert main(shlex.split(command)[1:]) in (None, 0), command


def test_pages_are_found() -> None:
    assert "README.md" in [page for page in PAGES if blocks(page, "python") and commands(page)]
