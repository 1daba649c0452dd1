# SPDX-License-Identifier: Apache-2.0
"""What the repository says of itself holds: versions, supported Pythons, paths in its policies."""

from __future__ import annotations

import re
from pathlib import Path

import laminar

ROOT = Path(__file__).resolve().parents[2]


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def test_who_cites_laminar_names_this_version() -> None:
    citation = text("CITATION.cff")
    fields = dict(re.findall(r"^([a-z-]+): (.+)$", citation, re.M))
    assert fields["version"] == laminar.__version__
    assert fields["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "type"} <= set(fields)
    assert re.search(r"^authors:\n  - name: ", citation, re.M)


def test_the_policy_on_security_names_tests_that_are_there() -> None:
    policy = text(".github/SECURITY.md")
    paths = set(re.findall(r"`((?:tests|cpp|python)/[\w./]+)`", policy))
    assert len(paths) >= 12
    assert not [path for path in paths if not (ROOT / path).exists()]
    assert "How to report" in policy


def test_pythons_are_the_same_everywhere() -> None:
    project, workflow = text("pyproject.toml"), text(".github/workflows/ci.yml")
    built = {f"3.{minor}" for minor in re.findall(r'"cp3(\d+)-\*"', project)}
    tried = set(re.findall(r'"(3\.\d+)"', workflow.partition("matrix:")[2]))
    assert built == tried
    tested = set(re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project))
    assert tested <= built
    (first,) = re.findall(r'requires-python = ">=(3\.\d+)"', project)
    assert first == min(tested, key=lambda version: int(version[2:]))
