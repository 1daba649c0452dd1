# SPDX-License-Identifier: Apache-2.0
"""What Windows lacks or has otherwise, taken away here: the package and its command must do."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import run_python

import laminar

# Modules of Python that Windows does not have.
_UNIX_ONLY = {"crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "resource", "spwd", "syslog"}
_UNIX_ONLY |= {"termios", "tty"}
_PACKAGE = Path(laminar.__file__).parent


@pytest.mark.parametrize("path", sorted(_PACKAGE.rglob("*.py")), ids=lambda p: p.stem)
def test_no_module_imports_what_windows_lacks(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module or "")
        assert not _UNIX_ONLY & {name.partition(".")[0] for name in names}, path


def test_the_command_trains_without_what_windows_lacks(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    lines = ["a,b,y", *(f"{i % 7},{i % 5},{'yes' if i % 7 > 3 else 'no'}" for i in range(200))]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(lines))
    save = str(tmp_path / "m.safetensors")
    run = run_python(
        f"""
import sys, os, json
import numpy, pyarrow, pyarrow.csv, tqdm, subprocess, tempfile, shutil
for name in {sorted(_UNIX_ONLY)!r}:
    sys.modules[name] = None
for name in ("sysconf", "posix_fallocate", "fork", "getuid", "geteuid", "pread", "uname"):
    if hasattr(os, name):
        delattr(os, name)
from laminar.__main__ import main
assert main(["train", {str(table)!r}, "--target", "y", "--epochs", "2", "--save", {save!r}]) == 0
assert main(["evaluate", {save!r}, {str(table)!r}]) == 0
assert main(["predict", {save!r}, {str(table)!r}, "--output", {str(tmp_path / "p.csv")!r}]) == 0
assert main(["inspect", {save!r}]) == 0
assert main(["config"]) == 0
"""
    )
    assert run.returncode == 0, run.stderr + run.stdout


def test_tables_are_printed_where_the_encoding_lacks_their_lines(tmp_path: Path) -> None:
    """Output that goes to a file or a pipe is encoded in cp1252 there."""
    path = tmp_path / "m.safetensors"
    model = laminar.Sequential([laminar.Input(3), laminar.layers.Dense(2, name="ü→")])
    model.save(path)
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    for arguments in (
        ["-m", "laminar", "inspect", str(path)],
        ["-c", f"import laminar; laminar.load_model({json.dumps(str(path))}).summary()"],
    ):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            env=environment,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode("cp1252")
        assert "ü\\u2192 (Dense)" in text
        assert "-----" in text
