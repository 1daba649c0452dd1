# SPDX-License-Identifier: Apache-2.0
"""The page around the sections: one file without scripts, and without anything to fetch.

Its policy forbids both, so that a name from a file could do neither even if it were markup.
"""

from __future__ import annotations

from ... import __version__
from ..._pictures.html import Html, joined, name, score, short, tag
from .calibration import calibration
from .card import card, predicting, scores, warnings
from .columns import columns
from .curves import curves
from .dependence import dependence
from .facts import Facts
from .importance import importance, importances
from .outcomes import outcomes
from .ranking import ranking
from .style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_TILES = 3


def written(facts: Facts) -> str:
    """Return the page as text."""
    found = importances(facts)
    parts = {
        "card": card(facts),
        "scores": scores(facts),
        "columns": columns(facts),
        "curves": curves(facts),
        "outcomes": outcomes(facts),
        "calibration": calibration(facts),
        "ranking": Html("") if facts.regression else ranking(facts),
        "importance": importance(facts, found),
        "dependence": dependence(facts, found),
        "predict": predicting(facts),
    }
    titles = {
        "card": "model card",
        "scores": "measures",
        "columns": "columns",
        "curves": "learning curves",
        "outcomes": "residuals" if facts.regression else "confusion",
        "calibration": "calibration",
        "ranking": "ROC",
        "importance": "importance",
        "dependence": "dependence",
        "predict": "predict",
    }
    links = (tag("a", titles[key], href=f"#{key}") for key, part in parts.items() if part)
    title = f"{short(facts.target.name)}, predicted from {short(facts.arguments.data)}"
    body = tag(
        "body",
        tag("header", *_head(facts), tag("nav", *links)),
        tag("main", warnings(facts, found), *parts.values()),
        tag("footer", f"Made by laminar {__version__}; it holds no script and fetches nothing."),
    )
    head = joined(
        [
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
            tag("title", title),
            tag("style", Html(STYLE)),
        ]
    )
    return f"<!DOCTYPE html>\n{tag('html', tag('head', head), body, lang='en')}\n"


def _head(facts: Facts) -> list[Html]:
    task = "regression" if facts.regression else "classification"
    words = tag(
        "p", f"{task}, trained on {facts.trained_rows:,} rows of ", name(facts.arguments.data)
    )
    report = facts.measures.get(facts.seen.name)
    tiles = [] if report is None else list(report.values().items())[:_TILES]
    drawn = [
        tag("div", tag("span", score(value)), tag("small", f"{what}, {facts.seen.name}"))
        for what, value in tiles
    ]
    return [tag("h1", short(facts.target.name)), words, tag("div", *drawn, class_="tiles")]
