# SPDX-License-Identifier: Apache-2.0
"""The reference page says what the package says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "python"


def test_the_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("reference_page", FOLDER / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert written == module.page(), "run: python python/reference.py > python/README.md"
