# SPDX-License-Identifier: Apache-2.0
"""Learning curves: each value over the epochs, training and validation in one chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .html import Html, tag
from .html import figure as framed
from .svg import Axis, Chart, span


def best_epoch(
    epochs: Mapping[str, Sequence[int]], values: Mapping[str, Sequence[float]]
) -> tuple[str, int] | None:
    """Return by which loss an epoch is the best one, and which, counted from 0.

    The least validation loss, without validation the least loss; None where neither is there.
    """
    for key in ("val_loss", "loss"):
        pairs = [
            (value, epoch)
            for value, epoch in zip(values.get(key, ()), epochs.get(key, ()), strict=False)
            if math.isfinite(value)
        ]
        if pairs:
            return key, min(pairs)[1]
    return None


def panels(values: Mapping[str, object]) -> list[str]:
    """Return the keys that have a chart of their own: those with ``val_`` share another's."""
    return list(dict.fromkeys(key.removeprefix("val_") for key in values))


def curves(
    epochs: Mapping[str, Sequence[int]],
    values: Mapping[str, Sequence[float]],
    titles: Mapping[str, str],
    best: int | None,
) -> list[Html]:
    """Return the charts.

    Parameters
    ----------
    epochs : mapping
        For each key its epochs, counted from 0; they are drawn as counted from 1.
    values : mapping
        For each key its values.
    titles : mapping
        What keys are called that are not called by themselves.
    best : int or None
        The epoch that is marked, counted from 0.
    """
    drawn = []
    last = max((epoch for of in epochs.values() for epoch in of), default=0) + 1
    for key in panels(values):
        both = {name: values[name] for name in (key, f"val_{key}") if name in values}
        every = [v for series in both.values() for v in series if math.isfinite(v)]
        log = bool(every) and key.endswith("loss") and 0 < 20 * min(every) < max(every)
        title = titles.get(key, key)
        across = Axis(0.0, last + 1.0, "epoch", whole=True)
        chart = Chart(f"{title} of each epoch", across, span(every, key, log=log))
        if best is not None:
            chart.upright(best + 1, -math.inf, math.inf, class_="best")
        for name, series in both.items():
            at = [epoch + 1 for epoch in epochs[name]]
            chart.line(at, series, int(name != key))
            if best is not None and best + 1 in at:
                value = series[at.index(best + 1)]
                words = f"{name} of epoch {best + 1}: {value:.4g}"
                chart.points([best + 1], [value], int(name != key), 3.5, [words])
        keys = [
            tag("span", "training" if name == key else "validation", class_=f"key k{name != key:d}")
            for name in both
        ]
        if best is not None:
            keys.append(tag("span", f"best epoch {best + 1}", class_="key best-key"))
        drawn.append(framed(title, chart.svg(), (), tag("span", *keys, class_="legend")))
    return drawn
