# SPDX-License-Identifier: Apache-2.0
"""The way back through several small computations as one program.

A loop takes the same way in every step, so the slopes of all its computations are put together into
one, which is made once, then run and recorded as such. What several of them compute is computed
once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..ops._tapes import Computation, Recorded, apply

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ops._held import Tensor

_LONGEST = 64  # computations that are put together
_MOST = 512  # ways that are kept


class Link(NamedTuple):
    """A computation on the way: which of its inputs get a gradient, and by what these are known."""

    node: Recorded
    wanted: tuple[int, ...]
    keys: list[int]


class _Way:
    """What is done on the way back, apart from the numbers: values are numbered as they are met."""

    def __init__(self, gradients: dict[int, Tensor]) -> None:
        self.gradients = gradients
        self.values: list[Any] = []
        self.arrays: list[NDArray[Any]] = []
        self.starts: list[Tensor] = []
        self.shapes: list[list[int]] = []  # of the arrays, as programs say them
        self.start_shapes: list[list[int]] = []
        self.slots: dict[int, int] = {}  # of the values that have a gradient
        self.parts: list[Any] = []
        self.backs: list[Computation] = []
        self.made: list[int] = []  # what gets its gradient here
        self._places: dict[tuple[int, int], int] = {}

    def add(self, link: Link) -> None:
        """Go back through a computation, if anything depends on what it has made."""
        node = link.node
        assert node.applied is not None
        computation, given = node.applied.computation, node.applied.given
        slots, ends = self.slots, []
        found: tuple[int, ...] = ()
        for output, value in enumerate(node.outputs):
            key = id(value)
            if key not in slots:
                if key not in self.gradients:
                    continue
                self._start(key, computation.shapes[output])
            back, by = computation.slopes(output, link.wanted)
            if by:
                ends.append((len(self.backs), slots[key], by))
                self.backs.append(back)
                found = by if not found else tuple({*found, *by})
        if not ends:
            return
        reads = []
        for i, name in enumerate(zip(map(id, node.inputs), map(id, given), strict=True)):
            place = self._places.get(name)
            if place is None:
                place = self._places[name] = len(self.values)
                self.values.append(node.inputs[i])
                self.arrays.append(given[i])
                self.shapes.append(computation.description["inputs"][i])
            reads.append(place)
        targets = []
        for i, key in zip(link.wanted, link.keys, strict=True):
            if i in found:
                if key not in slots:
                    if key in self.gradients:
                        self._start(key, computation.description["inputs"][i])
                    else:
                        slots[key] = len(slots)
                self.made.append(key)
                targets.append((i, slots[key]))
        self.parts.append((tuple(ends), tuple(reads), tuple(targets)))

    def _start(self, key: int, shape: list[int]) -> None:
        """Begin with what a value's gradient is before."""
        self.parts.append(len(self.slots))
        self.slots[key] = len(self.slots)
        self.starts.append(self.gradients[key])
        self.start_shapes.append(shape)

    def program(self, left: Sequence[int]) -> Computation:
        """Return the program that leaves the gradients of some values, by their numbers."""
        shapes = [*self.shapes, *self.start_shapes]
        first = len(self.shapes)
        steps: list[dict[str, Any]] = []
        present: dict[int, int] = {}
        known: dict[str, int] = {}

        def step(made: dict[str, Any]) -> int:
            text = json.dumps(made, sort_keys=True)
            if text not in known:
                steps.append(made)
                known[text] = len(shapes) + len(steps) - 1
            return known[text]

        def added(before: int | None, value: int) -> int:
            return value if before is None else step({"op": "add", "reads": [before, value]})

        started = 0
        for part in self.parts:
            if isinstance(part, int):
                present[part] = first + started
                started += 1
                continue
            ends, reads, targets = part
            found: dict[int, int] = {}
            for back, slot, by in ends:
                inner = self.backs[back].description
                places = [*reads, present[slot]]
                for each in inner["steps"]:
                    places.append(step({**each, "reads": [places[i] for i in each["reads"]]}))
                for i, output in zip(by, inner["outputs"], strict=True):
                    found[i] = added(found.get(i), places[output])
            for i, slot in targets:
                present[slot] = added(present.get(slot), found[i])
        outputs = [present[slot] for slot in left]
        return Computation({"inputs": shapes, "weights": [], "steps": steps, "outputs": outputs})


# The program of each way, and the computations that it is made of, which are to stay.
_known: dict[Any, tuple[Computation, list[Computation]]] = {}


def fit_together(run: Sequence[Link], link: Link) -> bool:
    """Whether a computation can be put together with others."""
    one, other = run[-1].node.applied, link.node.applied
    same = one is not None and other is not None and one[2:] == other[2:]
    return same and len(run) < _LONGEST


def back(
    run: Sequence[Link],
    gradients: dict[int, Tensor],
    sources: set[int],
    alone: Callable[[Link], None],
) -> None:
    """Add what computations that follow each other give to the gradients.

    Parameters
    ----------
    run : sequence of Link
        From the last one on; all of them programs of one type.
    gradients : dict
        By the identities of values.
    sources : set of int
        Whose gradients are asked for.
    alone : callable
        Does the same for one link.
    """
    way = _Way(gradients)
    for link in run:
        way.add(link)
    if len(way.backs) < 2:
        for link in run:
            alone(link)
        return
    inner = {id(value) for link in run for value in link.node.outputs} - sources
    keys = [key for key in dict.fromkeys(way.made) if key not in inner]
    left = tuple([way.slots[key] for key in keys])
    shapes = tuple([each.shape for each in way.arrays]), tuple([each.shape for each in way.starts])
    name = tuple(map(id, way.backs)), tuple(way.parts), left, shapes
    known = _known.get(name)
    if known is None:
        if len(_known) >= _MOST:
            _known.clear()
        known = _known[name] = way.program(left), way.backs
    applied = run[0].node.applied
    assert applied is not None
    inputs = [*way.values, *way.starts]
    read = [*way.arrays, *[start._numbers() for start in way.starts]]
    made = apply(known[0], inputs, applied.dtype, applied.rows, arrays=read)
    for key, gradient in zip(keys, made, strict=True):
        gradients[key] = gradient
