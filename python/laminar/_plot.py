# SPDX-License-Identifier: Apache-2.0
"""Pictures of trainings, drawn with matplotlib, which is imported when the first one is wanted.

Figures are made without pyplot, so that none is shown, kept alive or drawn on by others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_INCHES = (4.0, 3.5)


def figure(panels: int) -> tuple[Figure, Sequence[Axes]]:
    """Return a new figure and its panels, side by side.

    Raises
    ------
    ImportError
        Where matplotlib is missing; the message says how to get it.
    """
    try:
        make = import_module("matplotlib.figure").Figure
    except ImportError:
        raise ImportError(
            "plot: needs matplotlib, which is not installed; pip install laminar[plot] brings it"
        ) from None
    width, height = _PANEL_INCHES
    made = make(
        figsize=(width * panels if panels > 1 else 1.5 * width, height), layout="constrained"
    )
    return made, made.subplots(1, panels, squeeze=False)[0]


def history(epochs: Mapping[str, Sequence[int]], values: Mapping[str, Sequence[float]]) -> Figure:
    """Return the picture of a training.

    Parameters
    ----------
    epochs : mapping
        For each key its epochs, counted from 0; they are drawn as counted from 1, as they are
        printed.
    values : mapping
        For each key its values. A key and the same with ``val_`` share a panel.
    """
    keys = list(dict.fromkeys(key.removeprefix("val_") for key in values))
    made, panels = figure(len(keys))
    for panel, key in zip(panels, keys, strict=True):
        for name, label in ((key, "training"), (f"val_{key}", "validation")):
            if name in values:
                at = [epoch + 1 for epoch in epochs[name]]
                panel.plot(at, values[name], marker="o" if len(at) == 1 else "", label=label)
        panel.set_xlabel("epoch")
        panel.set_ylabel(key)
        panel.locator_params(axis="x", integer=True)
        panel.grid(alpha=0.3)
        if f"val_{key}" in values:
            panel.legend()
    return made


def rates(
    tried: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: float
) -> Figure:
    """Return the picture of a learning-rate range test."""
    made, (panel,) = figure(1)
    panel.plot(tried, losses, alpha=0.35, label="loss of a batch")
    panel.plot(tried, smoothed, label="smoothed")
    if suggestion == suggestion:  # NaN where there is none
        label = f"suggestion {suggestion:.2g}"
        panel.axvline(suggestion, color="black", linestyle="--", label=label)
    panel.set_xscale("log")
    panel.set_xlabel("learning rate")
    panel.set_ylabel("loss")
    panel.grid(alpha=0.3)
    panel.legend()
    return made
