# SPDX-License-Identifier: Apache-2.0
"""What the documentation shows runs: examples of docstrings, and the READMEs' Python and commands.

The README's program in C++ is built and run by tests/consumer/run.sh.
"""

from __future__ import annotations

import ast
import doctest
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
    "callbacks/_history.py": ("matplotlib", {}),
    "callbacks/_mlflow.py": ("mlflow", {"MLFLOW_ALLOW_FILE_STORE": "true"}),
    "callbacks/_optuna.py": ("optuna", {}),
    "callbacks/_tensorboard.py": ("tensorboardX", {}),
}


def files_with_examples() -> list[str]:
    """Return the package's files whose text has examples."""
    files = (p for p in PACKAGE.rglob("*.py") if re.search(r"^\s*>>> ", p.read_text("utf-8"), re.M))
    return sorted(str(p.relative_to(PACKAGE)) for p in files)


def examples(file: str) -> list[tuple[str, str]]:
    """Return what has a docstring with examples in a file, and the docstring."""
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    texts = [(getattr(node, "name", file), ast.get_docstring(node) or "") for node in nodes]
    return [(name, text) for name, text in texts if ">>> " in text]


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


@pytest.mark.parametrize("file", files_with_examples())
def test_docstrings(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the examples of each docstring by themselves, as a reader does."""
    if file.startswith("sklearn"):
        pytest.importorskip("sklearn", reason="sklearn is not installed")
    monkeypatch.chdir(tmp_path)
    package, environment = PACKAGES.get(file, ("numpy", {}))
    pytest.importorskip(package, reason=f"{package} is not installed")
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    parser = doctest.DocTestParser()
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for name, text in examples(file):
        test = parser.get_doctest(text, {"__name__": "__main__"}, name, file, None)
        runner.run(test, out=report.append)
    assert runner.tries > 0
    assert runner.failures == 0, "".join(report)


def test_docstrings_are_found() -> None:
    found = set(files_with_examples())
    assert {"__init__.py", "data/_dataset.py", "metrics/__init__.py", "sequential.py"} <= found


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
