# SPDX-License-Identifier: Apache-2.0
"""Where predictions are right: the confusion matrix of classes, the residuals of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..._pictures.html import (
    Html,
    figure,
    figures,
    joined,
    name,
    number,
    paragraph,
    section,
    short,
    table,
    tag,
)
from ..._pictures.svg import Chart, span
from .facts import Facts, chosen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_CLASSES = 12  # that the matrix shows
_DOTS = 500
_BARS = 30
_SHADES = 10


def outcomes(facts: Facts) -> Html:
    """Return the section."""
    return _residuals(facts) if facts.regression else _confusion(facts)


def _confusion(facts: Facts) -> Html:
    y, found = facts.seen.y.astype(np.int64), chosen(facts.seen.predicted)
    labels = list(facts.target.classes)
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (y, found), 1)
    scores = [
        [name(label), f"{int(row.sum()):,}", *_of_class(counts, i)]
        for i, (label, row) in enumerate(zip(labels, counts, strict=True))
    ]
    shown, rest = counts, ""
    if len(labels) > _CLASSES:
        frequent = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: _CLASSES - 1])
        others = np.setdiff1d(np.arange(len(labels)), frequent)
        gathered = [[int(i)] for i in frequent] + [others.tolist()]
        shown = np.array([[counts[np.ix_(a, b)].sum() for b in gathered] for a in gathered])
        labels = [labels[int(i)] for i in frequent] + [f"({len(others):,} others)"]
        rest = f" The {_CLASSES - 1} most frequent classes are shown."
    words = (
        "Each row is a class as it is, each column what was predicted; more color a greater share "
        f"of the row. {facts.seen.name.capitalize()} rows.{rest}"
    )
    return section(
        "outcomes",
        "Confusion matrix",
        paragraph(words),
        tag("div", _matrix(shown, labels), class_="wide"),
        tag(
            "div",
            table(["class", "rows", "precision", "recall", "F1"], scores[:100], "numbers"),
            class_="wide",
        ),
    )


def _of_class(counts: Array, i: int) -> list[str]:
    """Return precision, recall and F1 of a class."""
    right, said, real = int(counts[i, i]), int(counts[:, i].sum()), int(counts[i].sum())
    shares = [
        right / of if of else float("nan") for of in (said, real, (said + real) / 2)
    ]  # the last is F1, 2 right / (said + real)
    return [f"{share:.3f}" if share == share else "n/a" for share in shares]


def _matrix(counts: Array, labels: list[str]) -> Html:
    head = [tag("th", "is \\ predicted")]
    head += [tag("th", short(label, 16), title=short(label), scope="col") for label in labels]
    rows = []
    for label, row in zip(labels, counts, strict=True):
        total = max(1, int(row.sum()))
        cells = [
            tag("td", f"{n:,}", class_=f"s{round(_SHADES * n / total)}", title=f"{n / total:.1%}")
            for n in map(int, row)
        ]
        rows.append(tag("tr", tag("th", short(label, 16), title=short(label), scope="row"), *cells))
    return tag("table", tag("tr", *head), *rows, class_="matrix")


def _residuals(facts: Facts) -> Html:
    y, predicted = facts.seen.y, facts.seen.predicted
    errors = predicted - y
    every = max(1, len(y) // _DOTS)
    axis = span(np.concatenate([y[::every], predicted[::every]]))
    chart = Chart(
        "predictions beside the values",
        axis._replace(label=f"{facts.target.name} as it is"),
        axis._replace(label="predicted"),
    )
    chart.line([axis.low, axis.high], [axis.low, axis.high], 5, "dashed")
    chart.points(y[::every], predicted[::every], 0, 2)
    low, high = np.quantile(errors, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    heights, edges = np.histogram(errors, _BARS, (low, high))
    down = span([0, heights.max() * 1.05], "rows", whole=True)._replace(low=0.0)
    bars = Chart("residuals", span(edges, "predicted less the value as it is"), down)
    bars.bars(edges.tolist(), heights.tolist())
    half, nine = np.quantile(np.abs(errors), [0.5, 0.9])
    words = (
        f"Half of the {facts.seen.name} rows are predicted to within {number(half)}, nine of ten "
        f"to within {number(nine)}; on average predictions are {number(abs(errors.mean()))} too "
        f"{'high' if errors.mean() > 0 else 'low'}."
    )
    drawn = [
        figure("Predictions beside the values", chart.svg(), note=_thinned(len(y), every)),
        figure("Residuals", bars.svg(), note="Without the outermost 1% of the rows."),
    ]
    return section("outcomes", "Residuals", joined([paragraph(words), figures(drawn)]))


def _thinned(rows: int, every: int) -> str:
    return "" if every == 1 else f"One of {every} rows is drawn."
