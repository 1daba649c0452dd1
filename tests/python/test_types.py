# SPDX-License-Identifier: Apache-2.0
"""Programs of users before a type checker: right ones pass and run, wrong ones are found.

Right ones say with `assert_type` what they are given; lines of wrong ones name the error that mypy
must report there, ``# expect: attr-defined``, and no other line may have one.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import laminar

PROGRAMS = sorted((Path(__file__).parent / "typed").glob("*.py"))
RIGHT = [path for path in PROGRAMS if not path.name.startswith("wrong_")]
ERROR = re.compile(r"(?P<path>.*?):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")
EXPECTED = re.compile(r"  # expect: ([a-z-]+)$")

Errors = dict[str, set[tuple[int, str]]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Errors:
    """What mypy says of each program, with nothing of this project's own settings."""
    api = pytest.importorskip("mypy.api", reason="needs mypy")
    cache = tmp_path_factory.mktemp("cache")
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    out, errors, _ = api.run([*options, *map(str, PROGRAMS)])
    assert not errors
    by_file: Errors = {path.stem: set() for path in PROGRAMS}
    for line in out.splitlines():
        match = ERROR.match(line)
        if match:
            by_file[Path(match["path"]).stem].add((int(match["line"]), match["code"]))
    return by_file


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_mypy_finds_what_is_wrong_and_nothing_else(path: Path, found: Errors) -> None:
    lines = enumerate(path.read_text().splitlines(), 1)
    expected = {(i, match[1]) for i, line in lines if (match := EXPECTED.search(line))}
    assert found[path.stem] == expected
    assert bool(expected) == (path not in RIGHT)


def test_each_kind_of_program_is_there_right_and_wrong() -> None:
    kinds = {path.stem for path in RIGHT}
    assert kinds == {"keras_like", "sklearn_like", "own_layer", "c_export"}
    assert {path.stem for path in PROGRAMS} - kinds == {f"wrong_{kind}" for kind in kinds}


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_programs_run(path: Path) -> None:
    pytest.importorskip("typing_extensions", reason="needs typing_extensions")
    if path.stem == "sklearn_like":
        pytest.importorskip("sklearn", reason="needs scikit-learn")
    runpy.run_path(str(path), run_name="__main__")


def test_models_are_generic_for_type_checkers_alone() -> None:
    assert laminar.Model[list[int]] is laminar.Model  # as an annotation that is evaluated has it
    assert "Generic" not in [base.__name__ for base in laminar.Model.__mro__]
