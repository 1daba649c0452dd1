# SPDX-License-Identifier: Apache-2.0
"""Learning curves: the loss and the measures of each epoch."""

from __future__ import annotations

from ..._pictures.curves import curves as drawn
from ..._pictures.html import Html, figures, paragraph, section
from .facts import Facts

_TITLES = {"loss": "loss", "r2": "R²", "auc": "ROC AUC"}


def curves(facts: Facts) -> Html:
    """Return the section."""
    history, best = facts.training.history, facts.training.best
    epochs = len(history.epoch)
    if not epochs:
        return section("curves", "Learning curves", paragraph("No epoch has been trained."))
    marked = None if best is None else best - 1
    made = drawn(history._epochs(), history.history, _TITLES, marked)
    words = f"{epochs} epoch{'s' * (epochs != 1)} were trained"
    if best is None:
        words += "; no rows were held out to choose one, so that the last weights stay."
    else:
        words += f"; the weights of epoch {best}, the least validation loss, were kept."
    if facts.training.members > 1:
        words += f" These are the curves of the first of {facts.training.members} networks."
    if facts.regression:
        words += " The loss is the squared error in units of the target's variance."
    return section("curves", "Learning curves", paragraph(words), figures(made))
