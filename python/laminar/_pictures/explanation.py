# SPDX-License-Identifier: Apache-2.0
"""An explanation in a notebook: the inputs that contribute most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .html import figure, figures, number, tag
from .svg import Bar, bars
from .view import view

if TYPE_CHECKING:
    from .._explanation import Explanation

_MOST = 20


def html(explanation: Explanation) -> str:
    """Return what a notebook shows."""
    rows = len(explanation.outputs)
    named = [(name, mean) for name, mean in _means(explanation) if mean > 0]
    named.sort(key=lambda pair: -pair[1])
    said = f"{rows:,} row{'s' * (rows != 1)} explained by integrated gradients"
    off = float(np.abs(explanation.gaps).max(initial=0.0))
    said += f"; contributions add up to what outputs differ by from the baseline, within {off:.2g}"
    made: list[object] = [tag("p", said)]
    if named:
        some = f", the first {_MOST} of {len(named):,}" if len(named) > _MOST else ""
        lines = [Bar(name, mean) for name, mean in named[:_MOST]]
        title = f"mean size of contributions{some}"
        drawn = bars(title, lines, [number(mean) for _, mean in named[:_MOST]])
        made.append(figures([figure(title, drawn)]))
    return view(made, said)


def _means(explanation: Explanation) -> list[tuple[str, float]]:
    values: Any = explanation.values
    if isinstance(values, Mapping):
        parts = {f"{name}": part for name, part in values.items()}
    elif isinstance(values, list):
        parts = {f"input {i}": part for i, part in enumerate(values)}
    else:
        parts = {"": values}
    found = []
    for name, part in parts.items():
        means = np.abs(part).mean(axis=0) if len(part) else np.zeros(part.shape[1:])
        for place, mean in np.ndenumerate(means):
            number_ = ", ".join(map(str, place))
            called = f"{name}[{number_}]" if name else f"x[{number_}]"
            if explanation.names is not None and not name and len(place) == 1:
                called = explanation.names[place[0]]
            found.append((called, float(mean)))
    return found
