# SPDX-License-Identifier: Apache-2.0
"""Pictures of trainings, drawn with matplotlib, which is imported when the first one is wanted.

Figures are made without pyplot, so that none is shown, kept alive or drawn on by others.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._spelling import late

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_INCHES = (4.0, 3.5)
_SIDE_BY_SIDE = 3
_DENSE = 2  # pixels of a notebook's picture for each that the page has
_DASH = "--"


@cache
def _kind() -> type[Any]:
    """Return the class of figures, which notebooks show without pyplot.

    Raises
    ------
    ImportError
        Where matplotlib is missing; the message says how to get it.
    """
    try:
        base: type[Any] = import_module("matplotlib.figure").Figure
    except ImportError:
        raise ImportError(
            "plot: needs matplotlib, which is not installed; pip install laminar[plot] brings it"
        ) from None

    def shown(figure: Any) -> tuple[bytes, dict[str, int]]:
        """Return the picture, and its size on the page."""
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DENSE * figure.dpi)
        width, height = figure.get_size_inches() * figure.dpi
        return file.getvalue(), {"width": round(width), "height": round(height)}

    return type("Figure", (base,), {"_repr_png_": shown, "__doc__": "A figure that shows itself."})


def figure(count: int) -> tuple[Figure, Sequence[Axes]]:
    """Return a new figure and its panels, a few side by side, the others below.

    Raises
    ------
    ImportError
        Where matplotlib is missing; the message says how to get it.
    """
    across = min(count, _SIDE_BY_SIDE)
    down = -(-count // across)
    width, height = _PANEL_INCHES
    size = (width * across if across > 1 else 1.5 * width, height * down)
    made = _kind()(figsize=size, layout="constrained")
    return made, [made.add_subplot(down, across, i + 1) for i in range(count)]


def history(
    epochs: Mapping[str, Sequence[int]],
    values: Mapping[str, Sequence[float]],
    titles: Mapping[str, str],
) -> Figure:
    """Return the picture of a training.

    Parameters
    ----------
    epochs : mapping
        For each key its epochs, counted from 0; they are drawn as counted from 1, as they are
        printed.
    values : mapping
        For each key its values. A key and the same with ``val_`` share a panel.
    titles : mapping
        What keys are called that are not called by themselves.
    """
    curves = late("laminar._pictures.curves")
    keys = curves.panels(values)
    made, drawn = figure(len(keys))
    found = curves.best_epoch(epochs, values)
    for panel, key in zip(drawn, keys, strict=True):
        for name, label in ((key, "training"), (f"val_{key}", "validation")):
            if name in values:
                at = [epoch + 1 for epoch in epochs[name]]
                dash = "-" if name == key else _DASH
                dot = "o" if len(at) == 1 else ""
                color = "C0" if name == key else "C1"
                panel.plot(at, values[name], dash, color=color, marker=dot, label=label)
        if found is not None:
            best = found[1] + 1
            label = f"best epoch {best}"
            panel.axvline(best, color="0.45", linestyle=":", linewidth=1.2, label=label)
        panel.set_xlabel("epoch")
        panel.set_ylabel(titles.get(key, key))
        panel.locator_params(axis="x", integer=True)
        panel.grid(alpha=0.3)
        panel.legend()
    return made


def rates(
    tried: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: float
) -> Figure:
    """Return the picture of a learning-rate range test."""
    made, (panel,) = figure(1)
    panel.plot(tried, losses, linewidth=1, linestyle=_DASH, alpha=0.45, label="loss of a batch")
    panel.plot(tried, smoothed, label="smoothed")
    if suggestion == suggestion:  # NaN where there is none
        label = f"suggestion {suggestion:.2g}"
        panel.axvline(suggestion, color="0.45", linestyle=":", label=label)
    panel.set_xscale("log")
    panel.set_xlabel("learning rate")
    panel.set_ylabel("loss")
    panel.grid(alpha=0.3)
    panel.legend()
    return made
