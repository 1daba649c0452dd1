# SPDX-License-Identifier: Apache-2.0
"""How the layers of a model are connected, as exports read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..layers import Layer


class Wiring(NamedTuple):
    """Values are numbered: the inputs first, then the calls of layers.

    ``inputs`` are names and shapes; ``calls`` the number of a layer, and the values that it reads;
    ``outputs`` names and values; ``shapes`` those of the values.
    """

    inputs: list[tuple[str, tuple[int, ...]]]
    calls: list[tuple[int, tuple[int, ...]]]
    outputs: list[tuple[str, int]]
    shapes: list[tuple[int, ...]]

    def of_prediction(self, layers: Sequence[Layer]) -> Wiring:
        """Return it without what only losses read that a model adds, see `Model.add_loss`."""
        first = len(self.inputs)
        same = list(range(first))  # the value that each hands on
        for i, (number, reads) in enumerate(self.calls):
            same.append(same[reads[0]] if layers[number]._hands_on else first + i)
        needed = {same[number] for _, number in self.outputs}
        for i in reversed(range(len(self.calls))):
            if first + i in needed:
                needed.update(same[read] for read in self.calls[i][1])
        kept = [i for i in range(len(self.calls)) if first + i in needed]
        places = {i: i for i in range(first)} | {first + i: first + n for n, i in enumerate(kept)}
        calls = [
            (self.calls[i][0], tuple(places[same[read]] for read in self.calls[i][1])) for i in kept
        ]
        outputs = [(name, places[same[number]]) for name, number in self.outputs]
        shapes = self.shapes[:first] + [self.shapes[first + i] for i in kept]
        return Wiring(self.inputs, calls, outputs, shapes)
