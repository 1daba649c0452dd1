# SPDX-License-Identifier: Apache-2.0
"""Looks at every link within the built site: `python python/docs/extensions/links.py build/docs`.

Each must lead to a file that is there, and to a place that is on that page.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the places on it that links may lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what a tag leads to and what it is called."""
        for name, value in attrs:
            if value and name in ("id", "name"):
                self.places.add(value)
            elif value and name in ("href", "src"):
                self.links.add(value)


def broken(folder: Path) -> list[str]:
    """Return the links that lead nowhere, with their pages."""
    static = folder / "_static"  # the theme's own
    pages = {path: Page(path) for path in folder.rglob("*.html") if static not in path.parents}
    found = []
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name in ("search.html", "genindex.html"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            there = pages.get(folder.resolve() / target.relative_to(folder.resolve()))
            place = unquote(parts.fragment)
            if not target.exists() or (place and there and place not in there.places):
                found.append(f"{path.relative_to(folder)}: {link}")
    return found


def main() -> int:
    """Print the links that lead nowhere, and how many pages there are."""
    folder = Path(sys.argv[1]).resolve()
    found = broken(folder)
    print(*found, f"{len(list(folder.rglob('*.html')))} pages, {len(found)} broken links", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
