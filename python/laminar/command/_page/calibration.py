# SPDX-License-Identifier: Apache-2.0
"""Whether predictions mean what they say: four of five rows that get probability 0.8 are so.

Rows are sorted by their prediction and cut into bins of equally many (adaptive binning, Nguyen and
O'Connor 2015, doi:10.18653/v1/D15-1182).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._pictures.html import Html, figure, figures, number, paragraph, section
from ..._pictures.svg import Axis, Chart, span
from .facts import Facts, chosen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_BINS = 10
_LEAST = 5  # rows of a bin


class Bins(NamedTuple):
    """Means within bins."""

    said: Array
    real: Array
    error: Array  # the standard error of real
    rows: Array


def binned(said: Array, real: Array) -> Bins:
    """Return the means of bins of about equally many rows."""
    order = np.argsort(said, kind="stable")
    count = max(1, min(_BINS, len(said) // _LEAST))
    parts = np.array_split(order, count)
    means = [(said[p].mean(), real[p].mean(), real[p].std() / len(p) ** 0.5, len(p)) for p in parts]
    return Bins(*map(np.array, zip(*means, strict=True)))


def calibration(facts: Facts) -> Html:
    """Return the section."""
    return section("calibration", "Calibration", *_content(facts))


def _content(facts: Facts) -> list[Html]:
    y, predicted = facts.seen.y, facts.seen.predicted
    if facts.regression:
        bins = binned(predicted, y)
        axis = span(np.concatenate([bins.said, bins.real]))
        chart = _chart(bins, axis, "mean prediction", f"mean {facts.target.name}")
        off = float(np.average(np.abs(bins.said - bins.real), weights=bins.rows))
        words = (
            "Rows were sorted by their prediction and cut into tenths; where predictions are "
            "right on average, the dots lie on the dashed line. On average they are off by "
            f"{number(off)}."
        )
        return [paragraph(words), figures([figure("Tenths of the rows", chart.svg())])]
    two = len(facts.target.classes) == 2
    if two:
        said, real = predicted[:, 1], (y == 1).astype(np.float64)
        what, share = f"probability of {facts.target.classes[1]}", "share of it"
    else:
        said, real = predicted.max(axis=1), (chosen(predicted) == y).astype(np.float64)
        what, share = "probability of the predicted class", "share that is right"
    bins = binned(said, real)
    off = float(np.average(np.abs(bins.said - bins.real), weights=bins.rows))
    chart = _chart(bins, Axis(-0.03, 1.03), what, share)
    heights, edges = np.histogram(said, 20, (0.0, 1.0))
    down = Axis(0.0, float(heights.max()) * 1.05, "rows", whole=True)
    bars = Chart("how often each probability is said", Axis(-0.03, 1.03, what), down)
    bars.bars(edges.tolist(), heights.tolist())
    words = (
        "Where probabilities can be taken at their word, the dots lie on the dashed line; the "
        f"strokes are two standard errors. On average they are off by {off:.3f}"
        f"{_verdict(bins, off)}."
    )
    drawn = [figure("What was said and what was so", chart.svg()), figure("Rows", bars.svg())]
    return [paragraph(words), figures(drawn)]


def _verdict(bins: Bins, off: float) -> str:
    """Return words on which way probabilities err, where that is more than chance."""
    noise = float(np.average(bins.error, weights=bins.rows))
    if off < 2 * noise:
        return ", which is no more than chance makes of so many rows"
    extreme = np.abs(bins.said - 0.5) - np.abs(bins.real - 0.5)
    sure = float(np.average(extreme, weights=bins.rows))
    if sure > 0.5 * off:
        return ": the network is surer than it should be"
    return ": the network is less sure than it could be" if sure < -0.5 * off else ""


def _chart(bins: Bins, axis: Axis, across: str, down: str) -> Chart:
    chart = Chart("calibration", axis._replace(label=across), axis._replace(label=down))
    chart.line([axis.low, axis.high], [axis.low, axis.high], 5, "dashed")
    for said, real, error in zip(bins.said, bins.real, bins.error, strict=True):
        chart.upright(said, real - 2 * error, real + 2 * error)
    chart.line(bins.said, bins.real)
    titles = [
        f"{int(n):,} rows: {said:.4g} said, {real:.4g} found"
        for said, real, n in zip(bins.said, bins.real, bins.rows, strict=True)
    ]
    chart.points(bins.said, bins.real, 0, 3.5, titles)
    return chart
