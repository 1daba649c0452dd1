# SPDX-License-Identifier: Apache-2.0
"""A training under way, in a notebook's output.

It is sent ten times a second, so that it brings no style sheet along.
"""

from __future__ import annotations

from .._progress_line import State, clock
from .html import tag

_FONT = (
    'font:13px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;'
    "font-variant-numeric:tabular-nums;color:inherit"
)
_BAR = "width:min(240px,40vw);height:14px;vertical-align:middle;accent-color:#2a7de1"
_VALUE = "display:inline-block;margin-left:12px;white-space:nowrap"


def html(state: State) -> str:
    """Return the bar, the epoch, the time, and what the logs have."""
    share = min(max(state.share, 0.0), 1.0)
    label = f"{state.percent()} trained"
    bar = tag("progress", label, value=f"{share:.4f}", max="1", style=_BAR, aria_label=label)
    time = clock(state.seconds) + (f", {state.left()} left" if share < 1 else "")
    said = f"epoch {state.epoch} of {state.epochs}, {time}"
    values = [f"{name} {texts[0]}" for name, texts in state.values.items()]
    shown = (tag("span", text, style=_VALUE) for text in [said, *values])
    return str(tag("div", bar, *shown, class_="laminar-progress", style=_FONT))
