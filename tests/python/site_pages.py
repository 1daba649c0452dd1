# SPDX-License-Identifier: Apache-2.0
"""The pages of the documentation site, and the blocks of code in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = ROOT / "python/docs"


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language in a page."""
    found = re.findall(
        r"^```([^`\n]*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return [block for kind, block in found if kind == language]


def commands(page: Path) -> list[str]:
    """Return the lines of a page that call laminar's command."""
    lines = [line for block in blocks(page, "") for line in block.splitlines()]
    return [line for line in lines if re.match(r"laminar [a-z]+ ", line)]


def pages(language: str) -> list[str]:
    """Return the written pages that have blocks of a language, by their places in the site."""
    written = (p for p in SITE.rglob("*.md") if "generated" not in p.relative_to(SITE).parts)
    return sorted(str(p.relative_to(SITE)) for p in written if blocks(p, language))
