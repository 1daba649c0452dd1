# SPDX-License-Identifier: Apache-2.0
"""A learning-rate range test in a notebook."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .html import figure, figures, tag
from .svg import Chart, span
from .view import view


def html(
    tried: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: float
) -> str:
    """Return what a notebook shows."""
    every = [v for v in (*losses, *smoothed) if math.isfinite(v)]
    log = 0 < 20 * min(every) < max(every)
    chart = Chart(
        "loss of each learning rate",
        span(tried, "learning rate", log=True),
        span(every, "loss", log=log),
    )
    chart.line(tried, losses, 1, "faint")
    chart.line(tried, smoothed, 0)
    keys = [
        tag("span", "smoothed", class_="key k0"),
        tag("span", "loss of a batch", class_="key k1"),
    ]
    if math.isfinite(suggestion):
        chart.upright(suggestion, -math.inf, math.inf, class_="best")
        keys.append(tag("span", "suggestion", class_="key best-key"))
    said = text(tried, suggestion)
    drawn = figure("learning-rate range test", chart.svg(), (), tag("span", *keys, class_="legend"))
    return view([tag("p", said), figures([drawn])], said)


def text(tried: Sequence[float], suggestion: float) -> str:
    """Return the outcome as one line."""
    said = f"{len(tried)} learning rates from {tried[0]:.3g} to {tried[-1]:.3g}"
    if math.isfinite(suggestion):
        return f"{said}; the suggestion is {suggestion:.3g}"
    return f"{said}; there is none to suggest, as the loss fell at no rate"
