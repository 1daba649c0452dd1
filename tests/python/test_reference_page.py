# SPDX-License-Identifier: Apache-2.0
"""The reference page says what the package says."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    page = runpy.run_path(str(ROOT / "tests" / "reference_page.py"))["page"]()
    written = (ROOT / "python" / "README.md").read_text(encoding="utf-8")
    assert written == page, "run: python tests/reference_page.py > python/README.md"
