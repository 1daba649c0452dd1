# SPDX-License-Identifier: Apache-2.0
"""A training in a notebook: its curves, and a table of its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .curves import best_epoch, curves
from .html import figures, number, tag
from .view import folded, rows, view

_MOST_ROWS = 12


def html(
    epochs: Mapping[str, Sequence[int]],
    values: Mapping[str, Sequence[float]],
    titles: Mapping[str, str],
    every: Sequence[int],
) -> str:
    """Return what a notebook shows; ``every`` are the epochs, the others as in `curves`."""
    said = text(epochs, values, every)
    if not every:
        return view([tag("p", said)], said)
    found = best_epoch(epochs, values)
    best = None if found is None else found[1]
    made = figures(curves(epochs, values, titles, best))
    return view([tag("p", said), made, _table(epochs, values, every, best)], said)


def text(
    epochs: Mapping[str, Sequence[int]], values: Mapping[str, Sequence[float]], every: Sequence[int]
) -> str:
    """Return a training as one line."""
    if not every:
        return "A training without an epoch"
    said = f"{len(every)} epoch{'s' * (len(every) > 1)}"
    found = best_epoch(epochs, values)
    if found is not None:
        key, best = found
        word = "validation loss" if key == "val_loss" else "loss"
        value = values[key][list(epochs[key]).index(best)]
        said += f", the least {word} {number(value)} after epoch {best + 1}"
    return said


def shown(every: Sequence[int], best: int | None, most: int = _MOST_ROWS) -> list[int]:
    """Return some of the epochs: the first, the last and the best one, and others evenly."""
    if len(every) <= most:
        return list(every)
    some = {every[round(i * (len(every) - 1) / (most - 1))] for i in range(most)}
    return sorted(some if best is None else some | {best})


def _table(
    epochs: Mapping[str, Sequence[int]],
    values: Mapping[str, Sequence[float]],
    every: Sequence[int],
    best: int | None,
) -> object:
    by_epoch = {key: dict(zip(epochs[key], values[key], strict=False)) for key in values}
    chosen = shown(every, best)
    cells = [
        (
            [
                f"{epoch + 1}{' (best)' if epoch == best else ''}",
                *(number(of[epoch]) if epoch in of else "" for of in by_epoch.values()),
            ],
            "best" if epoch == best else None,
        )
        for epoch in chosen
    ]
    some = f", {len(chosen)} of {len(every)}" if len(chosen) < len(every) else ""
    table = tag("div", rows(["epoch", *values], cells), class_="wide")
    return folded(f"Epochs{some}", table)
