# SPDX-License-Identifier: Apache-2.0
"""What a notebook is given: HTML that brings its style along, and plain text where that is lost.

A notebook's page may be light or dark and does not say so in one way. Letters and frames therefore
take the colour that text has around them, and the colours of series are seen on both. A notebook
that is not trusted loses the style and shows the text: the rest is ``hidden``, which the style
overrides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .html import Html, tag
from .style import charts

_SCOPE = ".laminar-view "
# Of these each has a contrast of more than 3 to 1 to white and to #111.
COLORS = ("#2a7de1", "#d0611b", "#0f9068", "#a85cc4", "#9a7b00", "#7b8794")
_SOFT = "color-mix(in srgb,currentColor 72%,transparent)"
_LINE = "color-mix(in srgb,currentColor 18%,transparent)"

# The boxes and lines of a network.
NETWORK = {
    ".box": "fill:none;stroke:currentColor;stroke-opacity:.45;stroke-width:1.2",
    ".box.learns": "fill:var(--k0);fill-opacity:.12;stroke:var(--k0);stroke-opacity:.9",
    ".box.frozen": "fill:none;stroke-dasharray:5 3",
    ".box.end": "stroke-width:2",
    ".way": "fill:none;stroke:currentColor;stroke-opacity:.5;stroke-width:1.2",
    ".tip": "fill:currentColor;fill-opacity:.6",
    ".head": "font-weight:600",
}

_RULES = {
    "": f"{';'.join(f'--k{i}:{color}' for i, color in enumerate(COLORS))};max-width:100%;"
    'font:13px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;'
    "color:inherit",
    ">pre": "display:none!important",
    ">.body": "display:block!important",
    "p": "margin:0 0 6px;overflow-wrap:anywhere",
    ".soft": f"color:{_SOFT}",
    ".wide": "overflow:auto;max-height:760px;margin:4px 0 8px",
    ".figures": "display:grid;gap:12px 20px;"
    "grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr))",
    "figure": "margin:0;max-width:420px;min-width:0",
    "figcaption": "font-weight:600;margin:2px 0;overflow-wrap:anywhere",
    "figure>p": "margin:2px 0",
    "svg": "display:block;font-size:11px",
    "figure svg": "width:100%;height:auto",
    ".network text": "fill:currentColor;font-size:12px",
    ".network .small": "font-size:11px;fill-opacity:.75",
    "table": "border-collapse:collapse;border:0;margin:4px 0 8px;font-size:12px;"
    "font-variant-numeric:tabular-nums;color:inherit",
    ".wide table": "width:max-content",
    "table :is(tr,th,td)": "background:none;color:inherit",
    "table :is(th,td)": "text-align:left!important;padding:3px 14px 3px 0;border:0;"
    f"border-bottom:1px solid {_LINE};vertical-align:top;overflow-wrap:anywhere;max-width:28em",
    "thead th": f"font-weight:500;color:{_SOFT}",
    "tbody th": "font-weight:400",
    ".numbers :is(th,td)": "white-space:nowrap",
    ".numbers :is(td,thead th:not(:first-child))": "text-align:right!important",
    ".best :is(th,td)": "font-weight:700",
    "summary": "cursor:pointer",
    "progress": "width:min(260px,40vw);height:12px;vertical-align:middle;accent-color:var(--k0)",
    **{f".network {name}": rule for name, rule in NETWORK.items()},
}


def _style() -> str:
    scope = _SCOPE.strip()
    rules = [f"{scope}{'' if s[:1] in ('', '>') else ' '}{s}{{{r}}}" for s, r in _RULES.items()]
    return charts(_SCOPE, "currentColor", _SOFT, _LINE) + "".join(rules)


def view(parts: Iterable[object], text: str) -> str:
    """Return what ``_repr_html_`` does.

    Parameters
    ----------
    parts : iterable
        Elements, and texts that are escaped.
    text : str
        What stands for them where there are no styles.
    """
    style = tag("style", Html(_style()))
    body = tag("div", *parts, class_="body", hidden="hidden")
    return str(tag("div", style, _pre(text), body, class_="laminar-view"))


def _pre(text: str) -> Html:
    """Return text of several lines, each made printable."""
    lines: list[object] = []
    for line in text.split("\n"):
        lines += [line, Html("\n")]
    return tag("pre", *lines[:-1])


def folded(title: object, *parts: object) -> Html:
    """Return what is shown when its title is clicked on."""
    return tag("details", tag("summary", title), *parts)


def facts(rows: Iterable[tuple[object, object]]) -> Html:
    """Return a table of two columns without a head."""
    made = (tag("tr", tag("th", key, scope="row"), tag("td", value)) for key, value in rows)
    return tag("table", tag("tbody", *made))


def rows(
    header: Sequence[object],
    cells: Iterable[tuple[Sequence[object], str | None]],
    kind: str | None = "numbers",
) -> Html:
    """Return a table, of numbers or of words; each row is its cells and its class."""
    body = [
        tag("tr", tag("th", first, scope="row"), *(tag("td", c) for c in others), class_=row)
        for (first, *others), row in cells
    ]
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in header)))
    return tag("table", head, tag("tbody", *body), class_=kind)
