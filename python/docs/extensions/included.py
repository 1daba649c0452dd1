# SPDX-License-Identifier: Apache-2.0
"""Pages that stand elsewhere in the repository, so that nothing is written twice.

Links to files of the repository, which are no pages here, become their text; pictures come along.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]
TARGET = HERE / "generated"
PAGES = {"benchmarks.md": "bench/README.md", "changes.md": "CHANGELOG.md"}


def adapted(text: str) -> str:
    """Return a page without links to what is not here, its pictures beside it."""
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)[^)]*/([^)/]+\))", r"\1\2", text)
    text = re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]+\)", r"`\1`", text)
    return text.replace("``", "`")


def write_pages() -> None:
    """Write all pages, where they differ from what is there."""
    TARGET.mkdir(exist_ok=True)
    for page, source in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        for picture in re.findall(r"!\[[^\]]*\]\((?!https?:)([^)]+)\)", text):
            shutil.copy((ROOT / source).parent / picture, TARGET / Path(picture).name)
        path, text = TARGET / page, adapted(text)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Write the pages first."""
    app.connect("builder-inited", lambda app: write_pages(), priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
