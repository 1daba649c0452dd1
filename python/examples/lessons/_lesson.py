# SPDX-License-Identifier: Apache-2.0
"""What every lesson's command line does: compute, say the verdict, save the picture.

A lesson is three functions: ``phenomenon(quick)`` computes with laminar and returns the numbers,
``verdict(results)`` says them in a sentence, ``draw(results, figure)`` shows them. matplotlib is
imported only when a picture is drawn, and no window is opened.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Results = dict[str, Any]

STYLE = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e4e4e4",
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}


def lesson(
    file: str,
    text: str,
    phenomenon: Callable[[bool], Results],
    verdict: Callable[[Results], str],
    draw: Callable[[Results, Figure], None],
) -> Callable[[Sequence[str] | None], None]:
    """Return the main function of the lesson in ``file``, whose docstring is ``text``."""
    name = Path(file).stem

    def main(arguments: Sequence[str] | None = None) -> None:
        title, _, body = text.partition("\n")
        parser = argparse.ArgumentParser(
            description=title,
            epilog=body.strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument("--output", type=Path, default=Path(f"{name}.png"), help="the picture")
        parser.add_argument("--quick", action="store_true", help="a smaller setting, in a second")
        options = parser.parse_args(arguments)
        results = phenomenon(options.quick)
        print(verdict(results))
        save(lambda figure: draw(results, figure), options.output)

    return main


def save(draw: Callable[[Figure], None], path: Path) -> None:
    """Draw a picture, 800 pixels wide, into a file."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 4.5), dpi=100, layout="constrained")
        draw(figure)
        figure.savefig(path)
    print(f"picture: {path}")
