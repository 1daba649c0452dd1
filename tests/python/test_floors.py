# SPDX-License-Identifier: Apache-2.0
"""The folders of cpp/laminar are floors: each includes only what is below it.

So whoever reads a file, or changes it, need know nothing of what stands above.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "cpp" / "laminar"

# What a folder may include beside itself; "" is the library's root, the public face.
_OPERATIONS = {"base", "threads", "kernels"}
_CATALOGUE = _OPERATIONS | {"operations"}
_GRAPH = _CATALOGUE | {"catalogue"}
_DATA = _GRAPH | {"graph"}
_EXECUTION = _DATA | {"data"}
_TRAINING = _EXECUTION | {"execution"}
MAY_INCLUDE = {
    "base": set(),
    "threads": {"base"},
    "kernels": {"base"},
    "operations": _OPERATIONS,
    "catalogue": _CATALOGUE,
    "graph": _GRAPH,
    "data": _DATA,
    "execution": _EXECUTION,
    "training": _TRAINING,
    "files": _DATA,
    "": _TRAINING | {"training", "files"},
}
FILES = sorted(p.relative_to(LIBRARY) for p in LIBRARY.rglob("*.[hc]pp"))


def floor_of(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else ""


def includes(path: Path) -> list[str]:
    text = (LIBRARY / path).read_text("utf-8")
    return re.findall(r'^#include ["<]laminar/([^">]+)[">]', text, re.M)


def test_each_file_stands_on_a_floor() -> None:
    assert {floor_of(p) for p in FILES} == set(MAY_INCLUDE)


@pytest.mark.parametrize("floor", MAY_INCLUDE, ids=lambda f: f or "root")
def test_includes_go_downward(floor: str) -> None:
    allowed = MAY_INCLUDE[floor] | {floor}
    upward = [
        f"{path} includes {header}"
        for path in FILES
        if floor_of(path) == floor
        for header in includes(path)
        if floor_of(Path(header)) not in allowed
    ]
    assert not upward


def test_the_floors_have_an_order() -> None:
    left = {floor: set(below) for floor, below in MAY_INCLUDE.items()}
    while left:
        lowest = {floor for floor, below in left.items() if not below}
        assert lowest, f"these include each other: {sorted(left)}"
        left = {floor: below - lowest for floor, below in left.items() if floor not in lowest}


def test_model_hpp_reaches_nothing_that_runs_it() -> None:
    reached: set[str] = set()
    ahead = ["model.hpp"]
    while ahead:
        header = ahead.pop()
        if header not in reached:
            reached.add(header)
            ahead += includes(Path(header))
    assert "training/fit_options.hpp" in reached
    assert not [header for header in reached if header.startswith("execution/")]
    assert "training/trainer.hpp" not in reached
