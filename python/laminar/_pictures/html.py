# SPDX-License-Identifier: Apache-2.0
"""Elements of HTML and SVG, in which no text of a user's or a file is ever taken for markup.

What `tag` makes is `Html`; every other child and attribute is text, which it escapes.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from .._printable import printable

_LONGEST = 60  # characters of a name from a file


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def safe(value: object) -> Html:
    """Return markup as it is, and text escaped."""
    return value if isinstance(value, Html) else Html(html.escape(printable(value)))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """Return an element; ``class_`` is class, ``a_b`` is a-b, and None is no attribute."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{safe(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(map(safe, children))
    return Html(f"<{name}{written}>{inside}</{name}>")


def joined(parts: Iterable[object]) -> Html:
    """Return parts one after the other."""
    return Html("".join(map(safe, parts)))


def short(text: object, longest: int = _LONGEST) -> str:
    """Return a name, cut where it is very long."""
    whole = printable(text)
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


def name(text: object) -> Html:
    """Return a name of a file, as a name; the whole of it is shown where the mouse rests."""
    whole, cut = printable(text), short(text)
    return tag("b", cut, title=None if cut == whole else whole)


def paragraph(*children: object) -> Html:
    """Return a paragraph."""
    return tag("p", *children)


def section(identity: str, title: str, *children: object) -> Html:
    """Return a section of the page with its heading."""
    return tag("section", tag("h2", title), *children, id=identity)


def table(
    header: Sequence[object], rows: Iterable[Sequence[object]], class_: str | None = None
) -> Html:
    """Return a table; where the screen is narrow, a row shows the header's words beside its cells.

    The first cell of a row is its heading.
    """
    body = []
    for first, *cells in rows:
        beside = zip(header[1:], cells, strict=True)
        body.append(
            tag(
                "tr",
                tag("th", first, scope="row"),
                *(tag("td", cell, data_label=label) for label, cell in beside),
            )
        )
    head = tag("thead", tag("tr", *(tag("th", label, scope="col") for label in header)))
    return tag("table", head, tag("tbody", *body), class_=class_)


def legend(labels: Sequence[object]) -> Html:
    """Return what the colours of series mean, in their order."""
    keys = (tag("span", short(label, 30), class_=f"key k{i}") for i, label in enumerate(labels))
    return tag("p", *keys, class_="legend")


def figure(title: object, drawing: Html, labels: Sequence[object] = (), note: object = "") -> Html:
    """Return a drawing with its title above and words below."""
    below = (legend(labels) if labels else "", paragraph(note) if note else "")
    return tag("figure", tag("figcaption", title), drawing, *below)


def figures(made: Iterable[Html]) -> Html:
    """Return figures side by side, as many as the screen has room for."""
    return tag("div", *made, class_="figures")


def number(value: float) -> str:
    """Return a number for people: four digits, thousands apart."""
    if value != value:
        return "n/a"
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def score(value: float) -> str:
    """Return a measure: four digits after the point, as the command prints it."""
    return f"{value:.4f}" if abs(value) < 1000 else number(value)
