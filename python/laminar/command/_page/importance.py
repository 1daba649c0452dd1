# SPDX-License-Identifier: Apache-2.0
"""Permutation importance: how much worse predictions get where a column is shuffled.

L. Breiman (2001), Machine Learning 45, 5-32; on rows that were held out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._pictures.html import Html, figure, figures, paragraph, section
from ..._pictures.svg import Bar, bars, tick
from .facts import Facts, Read, log_losses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_REPEATS = 3
_SHOWN = 20
_LEAST_ROWS = 100
_PRODUCTS = 1e10  # multiplications that may be spent


class Importance(NamedTuple):
    """A column of the file, and what shuffling it costs."""

    read: Read
    mean: float
    spread: float  # standard deviation of the repeats


def importances(facts: Facts) -> list[Importance]:
    """Return all columns, those that matter most first."""
    x, y = facts.seen.inputs()
    columns = facts.columns()
    per_row = _REPEATS * len(columns) * max(1, facts.model.count_params())
    rows = max(_LEAST_ROWS, int(_PRODUCTS / per_row))
    x, y = x[:rows], y[:rows]
    whole = _loss(facts, x, y)
    rng = np.random.default_rng(0)
    found = []
    for read in columns:
        shuffled = x.copy()
        rises = []
        for _ in range(_REPEATS):
            shuffled[:, read.inputs] = x[rng.permutation(len(x))[:, None], read.inputs]
            rises.append(_loss(facts, shuffled, y) - whole)
        found.append(Importance(read, float(np.mean(rises)), float(np.std(rises))))
    return sorted(found, key=lambda one: -one.mean)


def _loss(facts: Facts, x: Array, y: Array) -> float:
    predicted = facts.predict(x)
    if facts.regression:
        return float(np.sqrt(((predicted - y) ** 2).mean()))
    return float(log_losses(y, predicted).mean())


def importance(facts: Facts, found: list[Importance]) -> Html:
    """Return the section."""
    shown = found[:_SHOWN]
    measure = "the root mean squared error" if facts.regression else "the log loss"
    words = (
        f"Each column was shuffled {_REPEATS} times among {facts.seen.name} rows: by so much "
        f"{measure} rises then, the more the more the network relies on it. Columns that tell the "
        "same stand in for each other, and each seems to matter less than both do together."
    )
    rest = f"The {_SHOWN} of {len(found):,} columns that matter most."
    chart = bars(
        f"rise of {measure}",
        [Bar(one.read.name, one.mean, one.spread) for one in shown],
        [tick(float(f"{one.mean:.3g}")) for one in shown],
    )
    drawn = figure(f"Rise of {measure}", chart, note=rest if len(found) > _SHOWN else "")
    return section("importance", "Permutation importance", paragraph(words), figures([drawn]))
