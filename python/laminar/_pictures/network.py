# SPDX-License-Identifier: Apache-2.0
"""The structure of a model as a drawing: a box for each input and each call of a layer.

Letters are measured by what they take in common fonts, with room to spare, as the reader's are not
known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._printable import printable
from .html import Html, joined, short, tag
from .layout import arranged
from .parts import Box, Parts
from .view import NETWORK

_LETTER, _HEAD_LETTER = 6.4, 7.3  # width of a letter of a line and of the head, 11 and 12 pixels
_LINE = 15.0
_MARGIN = 10.0
_LEAST = 110.0
_MOST_LETTERS = 40
_TOLD = 3  # arguments in a box; all of them stand where the mouse rests

# The colours of a file, which has no page around it: ink, paper, and what learns.
_LIGHT = ("#1b1f24", "#ffffff", "#0060be")
_DARK = ("#e8ebef", "#14171b", "#6db0ff")


_FILE = "laminar-drawing"


class _Line(NamedTuple):
    text: str
    small: bool


def drawing(parts: Parts, title: str) -> Html:
    """Return the drawing for a notebook, which has its style."""
    return _drawing(parts, title, (), True, "network")


def document(parts: Parts, title: str, shapes: bool = True) -> str:
    """Return the drawing as a file of its own, light or dark as the reader's system is."""
    light, dark = (_rules(*colors) for colors in (_LIGHT, _DARK))
    style = Html(f"{light}@media (prefers-color-scheme:dark){{{dark}}}")
    paper = tag("rect", width="100%", height="100%", class_="paper")
    before = (tag("style", style), paper)
    made = _drawing(parts, title, before, shapes, _FILE, xmlns="http://www.w3.org/2000/svg")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{made}\n'


def _rules(ink: str, paper: str, learns: str) -> str:
    """Return rules with colours written out: few programs but browsers know variables."""
    rules = {name: rule.replace("currentColor", ink) for name, rule in NETWORK.items()}
    rules = {name: rule.replace("var(--k0)", learns) for name, rule in rules.items()}
    rules |= {
        ".paper": f"fill:{paper}",
        "text": f"fill:{ink};font-size:12px;"
        'font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif',
        ".small": "font-size:11px;fill-opacity:.75",
    }
    # Notebooks put the file into their page, where nothing else must take its rules.
    return "".join(f".{_FILE} {name}{{{rule}}}" for name, rule in rules.items())


def _drawing(
    parts: Parts, title: str, before: Sequence[Html], shapes: bool, kind: str, **attributes: str
) -> Html:
    texts = [_lines(box, shapes) for box in parts.boxes]
    sizes = [_size(lines) for lines in texts]
    layout = arranged(sizes, parts.lines)
    drawn: list[Html] = [_way(way) for way in layout.ways]
    for box, lines, size, place in zip(parts.boxes, texts, sizes, layout.places, strict=True):
        drawn.append(_drawn(box, lines, size, place))
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    moved = tag("g", *drawn, transform=f"translate({_MARGIN:g} {_MARGIN:g})")
    return tag(
        "svg",
        tag("title", title),
        *before,
        moved,
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        viewBox=f"0 0 {width:.1f} {height:.1f}",
        role="img",
        aria_label=title,
        class_=kind,
        **attributes,
    )


def _lines(box: Box, shapes: bool) -> list[_Line]:
    """Return what stands in a box."""
    told = [
        text if name in ("activation", "units") else f"{name} {text}"
        for name, text in box.arguments.items()
        if name != "units"
    ]
    second = ", ".join([box.kind, *told[:_TOLD], *(["…"] if len(told) > _TOLD else [])])
    lines = [_Line(box.name, False), _Line(second, True)]
    facts = [shape_text(box.shape)]
    if box.weights:
        facts.append(f"{box.weights:,} weights" if box.weights > 1 else "1 weight")
    if shapes:
        lines.append(_Line(" · ".join(facts), True))
    lines += [_Line(label, True) for label in box.labels]
    lines += [_Line(inner, True) for inner in box.inner]
    return [_Line(short(line.text, _MOST_LETTERS), line.small) for line in lines]


def shape_text(shape: Sequence[int | None] | None) -> str:
    """Return the shape of a batch as text."""
    return "?" if shape is None else str(tuple(shape))


def _size(lines: Sequence[_Line]) -> tuple[float, float]:
    widths = (len(line.text) * (_LETTER if line.small else _HEAD_LETTER) for line in lines)
    return max(_LEAST, max(widths) + 20), len(lines) * _LINE + 12


def _drawn(
    box: Box, lines: Sequence[_Line], size: tuple[float, float], place: tuple[float, float]
) -> Html:
    (width, height), (x, y) = size, place
    rounded = height / 2 if "input" in box.kinds else 6
    frame = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    kinds = " ".join(["box", *sorted(box.kinds)])
    parts = [
        tag("title", _tip(box)),
        tag("rect", **frame, rx=f"{min(rounded, 18):g}", class_=kinds),
    ]
    for i, line in enumerate(lines):
        at = {"x": f"{x + width / 2:.1f}", "y": f"{y + 17 + i * _LINE:.1f}"}
        kind = "small" if line.small else "head"
        parts.append(tag("text", line.text, **at, text_anchor="middle", class_=kind))
    return tag("g", *parts)


def _tip(box: Box) -> Html:
    """Return all there is to say of a box."""
    said = [f"{box.name} ({box.kind}): {shape_text(box.shape)}"]
    if box.weights is not None:
        said.append(f"{box.weights:,} weights")
    said += [f"{name}: {text}" for name, text in box.arguments.items()]
    said += [*box.labels, *box.inner]
    return joined(part for line in said for part in (printable(line), Html("&#10;")))


def _way(points: Sequence[tuple[float, float]]) -> Html:
    """Return a line with a tip at its end; it leaves and arrives upright."""
    (x, y), (end_x, end_y) = points[0], points[-1]
    way = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in [*points[1:-1], (end_x, end_y - 6)]:
        bend = (to_y - y) / 2
        way.append(f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    tip = f"M{end_x - 4:.1f} {end_y - 7:.1f}h8L{end_x:.1f} {end_y:.1f}Z"
    return joined([tag("path", d="".join(way), class_="way"), tag("path", d=tip, class_="tip")])
