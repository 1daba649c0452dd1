# SPDX-License-Identifier: Apache-2.0
"""Every block of code on the documentation site runs, in Python, C++ and on the command line."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from site_pages import ROOT, SITE, blocks, commands, pages

import laminar
from laminar.__main__ import main

TABLE = ROOT / "cpp/examples/rents.csv"
# What pages import that is not always installed, and what they need without importing it.
EXTRAS = ("keras", "onnxruntime", "pandas", "safetensors", "sklearn", "torch")
NEEDS = {
    "guide/shipping.md": ("onnx",),
    "guide/tables.md": ("pyarrow", "matplotlib"),
    "migrate/keras.md": ("h5py",),
}


# Keras's own, of its PyTorch backend.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", pages("python"))
def test_python_and_commands(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what stands on a page from its top to its bottom, as a reader does."""
    page = SITE / name
    programs = blocks(page, "python")
    imported = set(re.findall(r"^(?:import|from) (\w+)", "\n".join(programs), re.MULTILINE))
    monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "torch"))
    for package in (*sorted(imported & set(EXTRAS)), *NEEDS.get(name, ())):
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    for table in ("rents.csv", "new.csv"):
        shutil.copy(TABLE, table)
    if name == "guide/tables.md":  # its commands make what its programs need
        run_commands(page)
    names: dict[str, Any] = {"__name__": "__main__"}
    for i, program in enumerate(programs):
        exec(compile(program, f"{name}, block {i + 1}", "exec"), names)
    if name != "guide/tables.md":
        run_commands(page)


def run_commands(page: Path) -> None:
    for command in commands(page):
        assert main(shlex.split(command)[1:]) in (None, 0), command


def as_one(programs: list[str]) -> str:
    """Return one program that runs each of several: what they include is then compiled once."""
    included: set[str] = set()
    parts = []
    for i, program in enumerate(programs):
        included |= set(re.findall(r"^#include .*$", program, re.MULTILINE))
        body = re.sub(r"^#include .*\n", "", program, flags=re.MULTILINE)
        assert body.count("int main()") == 1
        parts.append(f"namespace program_{i} {{\n{body.replace('int main()', 'int run()')}}}\n")
    calls = [f"if (program_{i}::run() != 0) return {i + 1};" for i in range(len(programs))]
    return "\n".join([*sorted(included), *parts, "int main() {", *calls, "}\n"])


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is called as on Unix")
def test_cpp(tmp_path: Path) -> None:
    """Compile and run the programs of all pages; each says by its value whether it was right."""
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    folder = Path(laminar.get_include()).parent / "lib"
    library = next(folder.glob("liblaminar.so*"), None)
    if library is None:
        pytest.skip("the package has no shared library")
    source, made = tmp_path / "pages.cpp", tmp_path / "pages"
    programs = [program for name in pages("cpp") for program in blocks(SITE / name, "cpp")]
    source.write_text(as_one(programs), "utf-8")
    flags = ["-std=c++20", "-O0", "-Wall", "-Wextra", "-Werror", "-I", laminar.get_include()]
    linked = [str(library), f"-Wl,-rpath,{folder}", "-pthread"]
    subprocess.run([compiler, *flags, str(source), "-o", str(made), *linked], check=True)
    done = subprocess.run([str(made)], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"program {done.returncode} of {pages('cpp')}: {done.stdout}"


def test_pages_are_found() -> None:
    assert len(pages("python")) > 15
    assert len(pages("cpp")) > 3


def test_examples_without_their_packages_are_shown_unrun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SITE / "extensions"))
    import examples

    program = tmp_path / "needy.py"
    program.write_text('"""Ask for much.\n\nIn vain.\n"""\nimport json\n\nimport no_such_package\n')
    assert examples.absent(program) == ["no_such_package"]
    examples.run(program)
    assert "Not run for this page: no_such_package is not installed." in examples.shown(program)
