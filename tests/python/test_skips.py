# SPDX-License-Identifier: Apache-2.0
"""A skip that nobody expects fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import skips

TESTS = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="tables need polars")
def test_needs_a_package():
    pass
"""


def test_the_list_can_be_read() -> None:
    assert len(skips.rules(skips.LIST.read_text())) > 3


def test_rules_are_patterns_of_tests_and_reasons() -> None:
    allowed = skips.rules("# why\ntest_a.py::test_x* | no file *\n")
    assert allowed == [("test_a.py::test_x*", "no file *")]
    listed = [("test_a.py::test_x[1]", "no file there")]
    others = [("test_a.py::test_y", "no file there"), ("test_a.py::test_x", "nothing")]
    assert skips.unlisted(listed + others, allowed, []) == [f"{t}: {r}" for t, r in others]
    assert skips.unlisted([("t", "onnx is not installed")], [], ["onnxruntime"]) != []
    assert skips.unlisted([("t", "onnx is not installed")], [], ["onnx"]) == []


@pytest.mark.parametrize(
    ("environment", "code"),
    [({}, 0), ({"LAMINAR_CHECK_SKIPS": "1"}, 1),
     ({"LAMINAR_CHECK_SKIPS": "1", "LAMINAR_LEFT_OUT": "torch polars"}, 0)],
)  # fmt: skip
def test_a_run_fails_by_an_unlisted_skip(
    environment: dict[str, str], code: int, tmp_path: Path
) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LAMINAR_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "skips", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(Path(__file__).parent), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("test_needs_a_package: tables need polars" in done.stdout) == (code == 1)
