# SPDX-License-Identifier: Apache-2.0
"""Charts as SVG, for reports and notebooks, whose style has the colours: series i has class ``ki``.

A drawing is about as wide as its column on any screen, so that its letters keep their size.
Coordinates are rounded, so that the same numbers are the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .html import Html, short, tag

WIDTH, HEIGHT = 360, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 10, 40
_ROW = 22  # height of a bar with its label
_LABELS = 130  # width of labels of bars
_TICKS = 5


class Axis(NamedTuple):
    """A range of numbers and what they are."""

    low: float
    high: float
    label: str = ""
    whole: bool = False  # its ticks are whole numbers
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, 0 at the low and 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return some round numbers within."""
        if self.log:
            powers = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            found = [10.0**power for power in powers[:: len(powers) // _TICKS + 1]]
            if len(found) > 1:
                return found
        raw = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= raw * (1 - 1e-9))
        if self.whole:
            step = max(1.0, math.ceil(step))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def span(values: Iterable[float], label: str = "", whole: bool = False, log: bool = False) -> Axis:
    """Return the axis that holds all finite values, with a little room."""
    finite = [v for v in map(float, values) if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if log and 0 < low < high:
        room = (high / low) ** 0.03
        return Axis(low / room, high * room, label, log=True)
    room = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return Axis(low - room, high + room, label, whole)


class Chart:
    """Points and lines over two axes.

    Parameters
    ----------
    title : str
        For those who do not see it.
    x, y : Axis
        What they hold; points beyond are left out.
    """

    def __init__(self, title: str, x: Axis, y: Axis) -> None:
        self._title, self._x, self._y = title, x, y
        self._parts: list[Html] = []
        self._axes()

    def line(
        self, xs: Iterable[float], ys: Iterable[float], series: int = 0, class_: str = ""
    ) -> None:
        """Draw a line, broken where a point is missing."""
        pieces: list[list[tuple[str, str]]] = [[]]
        for point in zip(xs, ys, strict=True):
            if self._holds(*point):
                pieces[-1].append((self._across(point[0]), self._down(point[1])))
            elif pieces[-1]:
                pieces.append([])
        for piece in pieces:
            if len(piece) == 1:
                self._dot(*piece[0], 2.5, series)
            elif piece:
                points = " ".join(f"{x},{y}" for x, y in piece)
                kinds = f"line k{series} {class_}".strip()
                self._parts.append(tag("polyline", points=points, class_=kinds))

    def points(
        self,
        xs: Iterable[float],
        ys: Iterable[float],
        series: int = 0,
        radius: float = 2.5,
        titles: Sequence[object] = (),
    ) -> None:
        """Draw dots, with words where the mouse rests."""
        for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
            if self._holds(x, y):
                words = titles[i] if titles else None
                self._dot(self._across(x), self._down(y), radius, series, words)

    def upright(self, x: float, low: float, high: float, series: int = 0, class_: str = "") -> None:
        """Draw a line from a low to a high value, as far as the axis goes."""
        ends = [min(max(v, self._y.low), self._y.high) for v in (low, high)]
        self.line([x, x], ends, series, class_)

    def bars(self, edges: Sequence[float], heights: Sequence[float], series: int = 0) -> None:
        """Draw bars side by side, standing on 0."""
        bottom = self._down(max(0.0, self._y.low))
        for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
            a, b, top = self._across(left), self._across(right), self._down(height)
            self._parts.append(
                tag(
                    "rect",
                    x=a,
                    y=top,
                    width=f"{max(0.5, float(b) - float(a) - 0.6):.1f}",
                    height=f"{max(0.0, float(bottom) - float(top)):.1f}",
                    class_=f"fill k{series}",
                )
            )

    def marks(self, xs: Iterable[float]) -> None:
        """Draw small strokes at the lower edge."""
        for x in xs:
            if self._x.low <= x <= self._x.high:
                at = self._across(x)
                y = HEIGHT - _BOTTOM
                self._parts.append(tag("line", x1=at, x2=at, y1=y, y2=y - 6, class_="mark"))

    def svg(self) -> Html:
        """Return the drawing."""
        return _svg(self._title, WIDTH, HEIGHT, self._parts)

    def _holds(self, x: float, y: float) -> bool:
        return all(
            math.isfinite(v) and axis.low <= v <= axis.high and (v > 0 or not axis.log)
            for v, axis in ((x, self._x), (y, self._y))
        )

    def _across(self, x: float) -> str:
        return f"{_LEFT + self._x.share(x) * (WIDTH - _LEFT - _RIGHT):.1f}"

    def _down(self, y: float) -> str:
        return f"{HEIGHT - _BOTTOM - self._y.share(y) * (HEIGHT - _TOP - _BOTTOM):.1f}"

    def _dot(self, x: str, y: str, radius: float, series: int, words: object = None) -> None:
        title = () if words is None else (tag("title", words),)
        self._parts.append(tag("circle", *title, cx=x, cy=y, r=radius, class_=f"fill k{series}"))

    def _axes(self) -> None:
        right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        for value in self._y.ticks():
            y = self._down(value)
            self._parts += [
                tag("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid"),
                _text(_LEFT - 6, float(y) + 4, tick(value), "end"),
            ]
        for value in self._x.ticks():
            x = self._across(value)
            self._parts += [
                tag("line", x1=x, x2=x, y1=_TOP, y2=bottom, class_="grid"),
                _text(float(x), bottom + 15, tick(value), "middle"),
            ]
        middle = (_TOP + bottom) / 2
        self._parts += [
            _text((_LEFT + right) / 2, HEIGHT - 6, short(self._x.label, 45), "middle", "label"),
            tag(
                "text",
                short(self._y.label, 32),
                x="11",
                y=f"{middle:.1f}",
                text_anchor="middle",
                transform=f"rotate(-90 11 {middle:.1f})",
                class_="label",
            ),
        ]


class Bar(NamedTuple):
    """A line of a chart of bars: a label, a length, and how far that may be off."""

    label: str
    value: float
    spread: float = 0.0


def bars(title: str, lines: Sequence[Bar], values: Sequence[str]) -> Html:
    """Return lying bars, one below the other, with labels before and values behind them."""
    longest = max((bar.value + bar.spread for bar in lines), default=0.0)
    scale = (WIDTH - _LABELS - 62) / (longest if longest > 0 else 1.0)
    parts: list[Html] = []
    for i, (bar, value) in enumerate(zip(lines, values, strict=True)):
        y = i * _ROW
        length = f"{max(1.0, bar.value * scale):.1f}"
        drawn = [
            tag("title", short(bar.label)),
            _text(_LABELS - 8, y + 15, short(bar.label, 19), "end", "name"),
            tag("rect", x=_LABELS, y=y + 4, width=length, height=_ROW - 8, class_="fill k0"),
            _text(WIDTH, y + 15, value, "end"),
        ]
        if bar.spread > 0:
            low, high = (
                f"{_LABELS + max(0.0, end) * scale:.1f}"
                for end in (bar.value - bar.spread, bar.value + bar.spread)
            )
            middle = y + _ROW / 2
            drawn.append(tag("line", x1=low, x2=high, y1=middle, y2=middle, class_="spread"))
        parts.append(tag("g", *drawn))
    return _svg(title, WIDTH, len(lines) * _ROW + 4, parts)


def dots(title: str, labels: Sequence[str], series: Sequence[Sequence[float]], x: Axis) -> Html:
    """Return a line for each label, with a dot for each series over one axis."""
    room = WIDTH - _LABELS - _RIGHT
    bottom = len(labels) * _ROW + 4
    parts: list[Html] = []
    for value in x.ticks():
        at = _LABELS + x.share(value) * room
        parts += [
            tag("line", x1=f"{at:.1f}", x2=f"{at:.1f}", y1=0, y2=bottom, class_="grid"),
            _text(at, bottom + 15, tick(value), "middle"),
        ]
    for i, label in enumerate(labels):
        y = i * _ROW + _ROW / 2
        parts.append(_text(_LABELS - 8, y + 4, short(label, 19), "end", "name"))
        for k, values in enumerate(series):
            at = _LABELS + x.share(values[i]) * room
            dot = {"cx": f"{at:.1f}", "cy": f"{y:.1f}", "r": 4}
            words = f"{short(label)}: {values[i]:.4g}"
            parts.append(tag("circle", tag("title", words), **dot, class_=f"fill k{k}"))
    parts.append(
        _text(_LABELS + room / 2, bottom + 32, short(x.label, 36), "middle", "label"),
    )
    return _svg(title, WIDTH, bottom + 40, parts)


def tick(value: float) -> str:
    """Return a short text of a round number."""
    if value == 0 or abs(value) < 1e-12:
        return "0"
    for power, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if power <= abs(value) < 1000 * power and (power > 1e3 or abs(value) >= 1e4):
            return f"{value / power:.4g}{unit}"
    return f"{value:.4g}"


def _text(x: float, y: float, text: str, anchor: str, class_: str | None = None) -> Html:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=class_)


def _svg(title: str, width: int, height: int, parts: Sequence[Html]) -> Html:
    return tag("svg", *parts, viewBox=f"0 0 {width} {height}", role="img", aria_label=title)
