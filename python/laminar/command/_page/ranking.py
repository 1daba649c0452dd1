# SPDX-License-Identifier: Apache-2.0
"""How well probabilities put rows into an order: ROC and precision-recall curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._pictures.html import Html, figure, figures, name, paragraph, section, short, table, tag
from ..._pictures.svg import Axis, Chart
from .facts import Facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_POINTS = 250  # of a curve
_CURVES = 5
_LISTED = 50


class Ranking(NamedTuple):
    """The curves of one class against all others."""

    false_share: Array
    true_share: Array
    precision: Array
    area: float  # under the ROC curve
    average_precision: float


def ranked(is_it: Array, said: Array) -> Ranking | None:
    """Return the curves of probabilities, None where all rows are of one kind.

    Rows of equal probability come at once: the area is that of Mann and Whitney's statistic, and
    the average precision is the sum of precisions times the steps of recall.
    """
    positives = int(is_it.sum())
    if positives in (0, len(is_it)):
        return None
    order = np.argsort(-said, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(said[order])), len(order) - 1)
    true = np.cumsum(is_it[order])[ends].astype(np.float64)
    total = ends + 1.0
    true_share = np.append(0.0, true / positives)
    false_share = np.append(0.0, (total - true) / (len(is_it) - positives))
    precision = true / total
    widths, heights = np.diff(false_share), (true_share[1:] + true_share[:-1]) / 2
    return Ranking(
        false_share,
        true_share,
        np.append(precision[0], precision),
        float((widths * heights).sum()),
        float((np.diff(true_share) * precision).sum()),
    )


def ranking(facts: Facts) -> Html:
    """Return the section."""
    y, predicted = facts.seen.y, facts.seen.predicted
    classes = facts.target.classes
    counts = np.bincount(y.astype(np.int64), minlength=len(classes))
    frequent = np.argsort(-counts, kind="stable").tolist()
    wanted = [1] if len(classes) == 2 else frequent[:_LISTED]
    found: list[tuple[int, Ranking]] = []
    for k in wanted:
        curve = ranked(y == k, predicted[:, k])
        if curve is not None:
            found.append((k, curve))
    title = "ROC and precision-recall"
    if not found:
        words = f"The {facts.seen.name} rows are all of one class: there is no order to measure."
        return section("ranking", title, paragraph(words))
    drawn = found[:_CURVES]
    labels = [short(classes[k]) for k, _ in drawn]
    unit = Axis(-0.02, 1.02)
    roc = Chart("ROC", unit._replace(label="false alarms among the others"),
                unit._replace(label="share that is found"))  # fmt: skip
    roc.line([0, 1], [0, 1], 5, "dashed")
    pr = Chart("precision and recall", unit._replace(label="recall: share that is found"),
               unit._replace(label="precision"))  # fmt: skip
    for i, (k, curve) in enumerate(drawn):
        share = counts[k] / len(y)
        if len(drawn) == 1:
            pr.line([0, 1], [share, share], 5, "dashed")
        some = np.unique(np.linspace(0, len(curve.true_share) - 1, _POINTS).astype(int))
        roc.line(curve.false_share[some], curve.true_share[some], i)
        pr.line(curve.true_share[some], curve.precision[some], i)
    first = found[0][1]
    if len(classes) == 2:
        words = (
            f"For {short(classes[1])!r}: the area under the ROC curve is {first.area:.4f}, the "
            f"average precision {first.average_precision:.4f}, of {counts[1] / len(y):.4f} for "
            "an order by chance (dashed)."
        )
    else:
        words = "Each class against all others."
    content = [
        paragraph(words),
        figures([figure("ROC", roc.svg(), labels if len(drawn) > 1 else ()),
                 figure("Precision and recall", pr.svg(), labels if len(drawn) > 1 else ())]),
    ]  # fmt: skip
    if len(found) > 1:
        rows = [
            [name(classes[k]), f"{counts[k]:,}", f"{c.area:.4f}", f"{c.average_precision:.4f}"]
            for k, c in found
        ]
        listed = table(["class", "rows", "ROC AUC", "average precision"], rows, "numbers")
        content.append(tag("div", listed, class_="wide"))
    return section("ranking", title, *content)
