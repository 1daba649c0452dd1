# SPDX-License-Identifier: Apache-2.0
"""Every public name has a complete docstring with an example, which test_documentation runs."""

from __future__ import annotations

import doctest
import inspect
import sys
from pathlib import Path

import pytest
from site_pages import SITE
from test_documentation import examples, files_with_examples

pytest.importorskip("numpydoc", reason="numpydoc is not installed")
pytest.importorskip("sklearn", reason="sklearn is not installed")
sys.path.append(str(SITE / "extensions"))

import missing  # found by the line above
from numpydoc.validate import validate
from public_names import Name, documented, methods, modules

# What numpydoc is asked about: that a docstring begins with a summary, that its sections are known
# ones in their order, and its parameters those of the signature, each explained.
CHECKS = {"GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "SS01", "SS04", "SS05"}
CHECKS |= {"PR02", "PR05", "PR07", "PR10", "RT03"}


def paths() -> list[tuple[Name, str]]:
    """Return all public names with their paths, and the methods of classes with theirs."""
    found = []
    for name in documented():
        members = methods(name) if name.kind == "class" else []
        found += [(name, name.path), *((name, f"{name.path}.{member}") for member in members)]
    return found


def test_names_are_found() -> None:
    found = {name.path for name in documented()}
    assert {"laminar.Sequential", "laminar.layers.Dense", "laminar.ops.where"} <= found
    assert {"laminar.sklearn", "laminar.compat.tensorflow.math"} <= {m.__name__ for m in modules()}
    assert {"fit", "predict", "save", "summary"} <= set(
        methods(next(name for name in documented() if name.path == "laminar.Model"))
    )


def test_nothing_is_missing() -> None:
    assert missing.faults() == ([], [], [])


def test_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run those of functions too whose docstrings are put together and stand in no file."""
    monkeypatch.chdir(tmp_path)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    written = {text for file in files_with_examples() for _, text in examples(file)}
    report: list[str] = []
    for name in documented():
        text = inspect.getdoc(name.value) or ""
        if text not in written:
            test = parser.get_doctest(text, {"__name__": "__main__"}, name.path, None, None)
            runner.run(test, out=report.append)
    assert runner.tries > 0
    assert runner.failures == 0, "".join(report)


def test_docstrings_are_valid() -> None:
    found = []  # an optimizer's options are listed one by one, and explained by the base
    for _, path in paths():
        for code, text in validate(path)["errors"]:
            of_options = code == "PR02" and path.startswith("laminar.optimizers.")
            if code in CHECKS and not of_options:
                found.append(f"{path}: {code} {text}")
    assert found == []
