# SPDX-License-Identifier: Apache-2.0
"""Which tests may be skipped: tests/allowed_skips.txt names them, and any other skip fails the run.

That is so where LAMINAR_CHECK_SKIPS is set, as tests/run.sh does. LAMINAR_LEFT_OUT lists packages
that could not be installed there, and which it names at its end: what needs them may be skipped.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

LIST = Path(__file__).parent.parent / "allowed_skips.txt"


def rules(text: str) -> list[tuple[str, str]]:
    """Return the patterns of tests and reasons that a list holds."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split(" | ") for line in lines if line and not line.startswith("#"))
    return [(test, reason) for test, reason in pairs]


def unlisted(
    skips: Iterable[tuple[str, str]], allowed: Sequence[tuple[str, str]], left_out: Sequence[str]
) -> list[str]:
    """Return the skips that are not allowed, each a test and a reason."""

    def fits(test: str, reason: str) -> bool:
        if any(re.search(rf"\b{package}\b", reason) for package in left_out):
            return True
        return any(
            fnmatch.fnmatchcase(test, t) and fnmatch.fnmatchcase(reason, r) for t, r in allowed
        )

    return [f"{test}: {reason}" for test, reason in skips if not fits(test, reason)]


def _unlisted_skips(config: Any) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("LAMINAR_CHECK_SKIPS"):
        return []
    skips = []
    for report in reporter.stats.get("skipped", []):
        *_, reason = report.longrepr
        skips.append(
            (report.nodeid.removeprefix("tests/python/"), reason.removeprefix("Skipped: "))
        )
    left_out = os.environ.get("LAMINAR_LEFT_OUT", "").split()
    return unlisted(skips, rules(LIST.read_text()), left_out)


def pytest_sessionfinish(session: Any) -> None:
    """Let a run with other skips fail."""
    if session.exitstatus == 0 and _unlisted_skips(session.config):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """Name them."""
    found = _unlisted_skips(config)
    if found:
        terminalreporter.section("skipped, but not named in tests/allowed_skips.txt", red=True)
        for line in found:
            terminalreporter.write_line(line)
