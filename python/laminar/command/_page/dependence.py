# SPDX-License-Identifier: Apache-2.0
"""Partial dependence: the mean prediction if a column had this or that value in every row.

J. H. Friedman (2001), Annals of Statistics 29, 1189-1232.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._pictures.html import Html, figure, figures, name, paragraph, section, short
from ..._pictures.svg import Axis, Chart, dots, span
from ...layers.numeric import edges_between
from .facts import Facts, Read
from .importance import Importance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_COLUMNS = 6
_ROWS = 200
_PLACES = 25  # values of a number that are tried
_CATEGORIES = 10
_CURVES = 4  # classes


class Dependence(NamedTuple):
    """What is predicted on average where a column has each of some values."""

    read: Read
    values: list[float]  # of numbers
    labels: list[str]  # of categories
    means: Array  # (values, series)
    deciles: list[float]


def dependences(facts: Facts, found: list[Importance]) -> list[Dependence]:
    """Return those of the columns that matter most."""
    x, _ = facts.seen.inputs()
    few = x[:: max(1, len(x) // _ROWS)][:_ROWS]
    made: list[Dependence] = []
    for one in found:
        if len(made) == _COLUMNS:
            break
        if len(one.read.columns) > 1:  # of a date no part has a meaning of its own
            continue
        make = _of_number if one.read.columns[0].kind == "number" else _of_category
        made.append(make(facts, one.read, x, few))
    return made


def _of_number(facts: Facts, read: Read, x: Array, few: Array) -> Dependence:
    there = x[:, read.inputs[0]]
    if read.columns[0].indicator:
        present = x[:, read.inputs[1]] == 0
        there = there[present] if present.any() else there
    ends = np.quantile(there, [0.02, 0.98])
    values = edges_between(np.clip(there, *ends), _PLACES - 1)
    row = np.zeros((len(values), len(read.inputs)), x.dtype)
    row[:, 0] = values
    deciles = np.unique(np.quantile(there, np.linspace(0.1, 0.9, 9)))
    return Dependence(read, values.tolist(), [], _means(facts, read, few, row), deciles.tolist())


def _of_category(facts: Facts, read: Read, x: Array, few: Array) -> Dependence:
    counts = (x[:, read.inputs] != 0).sum(axis=0)
    frequent = np.sort(np.argsort(-counts, kind="stable")[:_CATEGORIES])
    row = np.zeros((len(frequent), len(read.inputs)), x.dtype)
    row[np.arange(len(frequent)), frequent] = 1
    names = [*read.columns[0].categories, "(other)"]
    labels = [names[int(i)] for i in frequent]
    return Dependence(read, [], labels, _means(facts, read, few, row), [])


def _means(facts: Facts, read: Read, few: Array, values: Array) -> Array:
    """Return the mean predictions, (values, series)."""
    x = np.tile(few, (len(values), 1))
    x[:, read.inputs] = np.repeat(values, len(few), axis=0)
    predicted: Array = facts.predict(x).reshape(len(values), len(few), -1).mean(axis=1)
    return predicted if facts.regression else predicted[:, _series(facts)]


def _series(facts: Facts) -> list[int]:
    """Return the classes that are drawn: the second of two, or the most frequent ones."""
    classes = facts.target.classes
    if len(classes) == 2:
        return [1]
    return sorted(range(len(classes)), key=lambda k: -facts.survey.classes[classes[k]])[:_CURVES]


def dependence(facts: Facts, found: list[Importance]) -> Html:
    """Return the section."""
    made = dependences(facts, found)
    labels = [] if facts.regression else [facts.target.classes[k] for k in _series(facts)]
    what = (
        f"mean prediction of {facts.target.name}"
        if facts.regression
        else "mean probability" + (f" of {labels[0]}" if len(labels) == 1 else "")
    )
    words = (
        f"For the columns that matter most: the {short(what)}, if the column had this value in "
        "every row and all others stayed as they are. Strokes at the lower edge are tenths of the "
        "rows. It shows what the network does, not what causes what."
    )
    if not made:
        return section("dependence", "Partial dependence", paragraph("There is no such column."))
    axis = span(
        np.concatenate([one.means.ravel() for one in made]),
        "mean prediction" if facts.regression else "mean probability",
    )
    drawn = [_figure(one, axis, labels if len(labels) > 1 else []) for one in made]
    return section("dependence", "Partial dependence", paragraph(words), figures(drawn))


def _figure(one: Dependence, axis: Axis, labels: list[str]) -> Html:
    title = one.read.name
    if one.labels:
        series = [one.means[:, k].tolist() for k in range(one.means.shape[1])]
        return figure(name(title), dots(f"partial dependence on {title}", one.labels, series, axis),
                      labels)  # fmt: skip
    chart = Chart(f"partial dependence on {title}", span(one.values, title), axis)
    for k in range(one.means.shape[1]):
        chart.line(one.values, one.means[:, k], k)
    chart.marks(one.deciles)
    return figure(name(title), chart.svg(), labels)
