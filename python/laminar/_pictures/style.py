# SPDX-License-Identifier: Apache-2.0
"""What charts look like, on pages and in notebooks: series differ in dash as well as in colour.

The colours of series are told apart by the colour-blind as well (after Okabe and Ito 2008).
"""

from __future__ import annotations

SERIES = 6
_DASHES = ("", "7 4", "2 3.5", "9 3 2 3", "12 4", "4 4")
_KEYS = ("solid", "dashed", "dotted", "double", "dashed", "dotted")


def charts(scope: str, ink: str, soft: str, line: str) -> str:
    """Return the rules of charts: lines, dots, bars, grids, letters and legends.

    Parameters
    ----------
    scope : str
        What the selectors begin with, a space at its end; "" is the whole page. Series take the
        colours of its variables ``--k0`` to ``--k5``.
    ink, soft, line : str
        The colours of letters, of letters beside the matter, and of grids.
    """
    rules = [
        "svg text{fill:" + soft + "}",
        "svg .name{fill:" + ink + "}",
        "svg .label{fill:" + ink + "}",
        ".grid{stroke:" + line + ";stroke-width:1}",
        ".mark{stroke:" + soft + ";stroke-width:1}",
        ".spread{stroke:" + ink + ";stroke-width:1.5}",
        ".line{fill:none;stroke-width:1.8;stroke-linejoin:round}",
        "circle.fill{fill-opacity:.75}",
        ".key{margin-right:14px;white-space:nowrap}",
        '.key::before{content:"";display:inline-block;width:22px;border-top:3px solid;'
        "margin-right:6px;vertical-align:middle}",
    ]
    for i in range(SERIES):
        color = f"var(--k{i})"
        dash = f";stroke-dasharray:{_DASHES[i]}" if _DASHES[i] else ""
        rules += [
            f".line.k{i}{{stroke:{color}{dash}}}",
            f".fill.k{i}{{fill:{color}}}",
            f".key.k{i}::before{{border-top-color:{color};border-top-style:{_KEYS[i]}}}",
        ]
    rules += [
        ".line.dashed{stroke-dasharray:4 4;stroke-width:1.2}",
        ".line.faint{stroke-width:1.1;stroke-opacity:.75}",
        ".line.best{stroke:" + ink + ";stroke-opacity:.6;stroke-width:1.2;stroke-dasharray:2 3}",
        ".key.best-key::before{border-top:2px dotted " + ink + "}",
    ]
    return "".join(scope + rule for rule in rules)
