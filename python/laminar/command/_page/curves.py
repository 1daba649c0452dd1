# SPDX-License-Identifier: Apache-2.0
"""Learning curves: the loss and the measures of each epoch."""

from __future__ import annotations

from .facts import Facts
from .html import Html, figure, figures, paragraph, section
from .svg import Axis, Chart, span

_TITLES = {"loss": "loss", "r2": "R²", "auc": "ROC AUC"}


def curves(facts: Facts) -> Html:
    """Return the section."""
    history, best = facts.training.history, facts.training.best
    epochs = len(history.epoch)
    if not epochs:
        return section("curves", "Learning curves", paragraph("No epoch has been trained."))
    keys = dict.fromkeys(key.removeprefix("val_") for key in history.history)
    drawn = []
    for key in keys:
        both = [history.history[k] for k in (key, f"val_{key}") if k in history.history]
        values = [v for series in both for v in series]
        log = key == "loss" and min(values) > 0 and max(values) > 20 * min(values)
        title = _TITLES.get(key, key)
        across = Axis(0.0, epochs + 1.0, "epoch", whole=True)
        chart = Chart(f"{title} of each epoch", across, span(values, title, log=log))
        if best is not None:
            low, high = (min(values), max(values))
            chart.upright(best, low, high, 5, "dashed")
        for k, series in enumerate(both):
            first = epochs - len(series)
            chart.line([first + i + 1 for i in range(len(series))], series, k)
        labels = ["training", "validation"][: len(both)]
        drawn.append(figure(title, chart.svg(), labels if len(both) > 1 else ()))
    words = f"{epochs} epoch{'s' * (epochs != 1)} were trained"
    if best is None:
        words += "; no rows were held out to choose one, so that the last weights stay."
    else:
        words += f"; the weights of epoch {best}, the least validation loss, were kept."
    if facts.training.members > 1:
        words += f" These are the curves of the first of {facts.training.members} networks."
    if facts.regression:
        words += " The loss is the squared error in units of the target's variance."
    return section("curves", "Learning curves", paragraph(words), figures(drawn))
