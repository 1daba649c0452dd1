# SPDX-License-Identifier: Apache-2.0
"""Loops over the elements of arrays whose shapes are known, as statements of C and C++."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

Shape = Sequence[int]


@dataclass(frozen=True)
class Walk:
    """How an array is gone through, axis by axis.

    Parameters
    ----------
    strides : list of int
        Elements from one index of each axis to the next, which may go backwards.
    start : int
        The first element.
    """

    strides: Sequence[int]
    start: int = 0


def strides(shape: Shape) -> list[int]:
    """Return the strides of an array without gaps."""
    return [prod(shape[axis + 1 :]) for axis in range(len(shape))]


def spread(shape: Shape, over: Shape) -> Walk:
    """Return how an array is gone through along with a larger one, over which it is broadcast."""
    own = [
        0 if extent == 1 else stride for extent, stride in zip(shape, strides(shape), strict=True)
    ]
    return Walk([0] * (len(over) - len(shape)) + own)


class Nest:
    """Nested loops over some extents, and the places of arrays in them.

    Axes along which all arrays go on without gaps, or stand still, are one loop.

    Parameters
    ----------
    extents : list of int
        Of the axes.
    walks : list of Walk
        Of the arrays.
    first : int
        The number of the outermost loop.
    """

    def __init__(self, extents: Shape, walks: Sequence[Walk], first: int = 0) -> None:
        self.extents: list[int] = []
        self._starts = [walk.start for walk in walks]
        self._steps: list[list[int]] = []  # of each loop, those of the arrays
        self._first = first
        for axis, extent in enumerate(extents):
            steps = [walk.strides[axis] for walk in walks]
            if extent == 1:
                continue
            if self._steps and self._steps[-1] == [step * extent for step in steps]:
                self.extents[-1] *= extent
                self._steps[-1] = steps
            else:
                self.extents.append(extent)
                self._steps.append(steps)

    def place(self, array: int) -> str:
        """Return the index of an array's element in the innermost loop."""
        start = self._starts[array]
        text = str(start) if start else ""
        for i, steps in enumerate(self._steps, self._first):
            step = steps[array]
            if step:
                factor = f"i{i}" if abs(step) == 1 else f"i{i} * {abs(step)}"
                sign = " - " if step < 0 else " + "
                text = f"{text}{sign}{factor}" if text else factor
        return text or "0"

    def around(self, *body: str) -> str:
        """Return the loops with their body, statements."""
        block = "\n".join(body)
        for i, extent in reversed(list(enumerate(self.extents, self._first))):
            head = f"for (SIZE i{i} = 0; i{i} < {extent}; ++i{i})"
            simple = "\n" not in block and not block.startswith("for ")
            block = f"{head} {block}" if simple else f"{head} {{\n{_indented(block)}\n}}"
        if len(body) > 1 and not self.extents:  # what it declares is its own
            block = f"{{\n{_indented(block)}\n}}"
        return block


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
