# SPDX-License-Identifier: Apache-2.0
"""Where the values of an exported program lie.

What a layer computes lies in the workspace, or where the caller wants it if it is an output. Its
place is free again behind the last layer that reads it, and that layer may work in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._source_step import Step
    from ._wiring import Wiring


@dataclass
class Place:
    """Some numbers from the call that writes them first to the one that reads them last.

    Parameters
    ----------
    width : int
        How many.
    first, last : int
        The calls.
    name : str
        That of an argument; without one they lie in the workspace.
    offset : int
        Where they begin there.
    """

    width: int
    first: int
    last: int
    name: str = ""
    offset: int = 0

    def __str__(self) -> str:
        return self.name or f"at_{self.offset}"


@dataclass
class Placing:
    """The places of all values, what the outputs need besides, and the workspace's size."""

    of: list[Place]
    copies: list[tuple[Place, str]]  # what lies elsewhere, and the output that it is
    scratch: list[Place]  # of each call
    size: int

    @property
    def offsets(self) -> set[int]:
        """Where something lies in the workspace."""
        return {place.offset for place in self.of + self.scratch if place.width and not place.name}


def placed(
    wiring: Wiring, steps: Sequence[Sequence[Step]], inputs: Sequence[str], outputs: Sequence[str]
) -> Placing:
    """Return where the values of a model lie.

    Parameters
    ----------
    wiring : Wiring
        How the layers are connected.
    steps : list of list of Step
        What each call does; a value is what it reads where it does nothing.
    inputs, outputs : list of str
        The arguments.
    """
    count, never = len(inputs), len(steps)
    roots = list(range(count))  # of each value, the one whose numbers it has
    last = [-1] * (count + len(steps))
    for i, ((_, reads), own) in enumerate(zip(wiring.calls, steps, strict=True)):
        roots.append(count + i if own else roots[reads[0]])
        for read in reads:
            last[roots[read]] = i
    for _, number in wiring.outputs:
        last[roots[number]] = never
    of = [Place(0, -1, never, name) for name in inputs]
    for i, ((_, reads), own) in enumerate(zip(wiring.calls, steps, strict=True)):
        first, *others = [roots[number] for number in reads]
        done_with = last[first] == i and first >= count and first not in others
        if not own:
            of.append(of[first])
        elif own[0].in_place and done_with:
            of.append(of[first])
            of[first].last = last[count + i]
        else:
            of.append(Place(own[0].width, i, last[count + i]))
    copies = []
    for (_, number), name in zip(wiring.outputs, outputs, strict=True):
        if of[number].name:  # an input, or another output as well
            copies.append((of[number], name))
        else:
            of[number].name = name
    scratch = [
        Place(max((step.scratch for step in own), default=0), i, i) for i, own in enumerate(steps)
    ]
    inside = [place for place in of if not place.name]
    return Placing(of, copies, scratch, arrange(inside + scratch))


def arrange(places: Sequence[Place]) -> int:
    """Give places their offsets, the widest first, each the least that is free; return the size."""
    size = 0
    done: list[Place] = []
    for place in sorted({id(place): place for place in places}.values(), key=lambda p: -p.width):
        beside = [o for o in done if o.first <= place.last and place.first <= o.last]
        for other in sorted(beside, key=lambda o: o.offset):
            if place.offset + place.width <= other.offset:
                break
            place.offset = max(place.offset, other.offset + other.width)
        done.append(place)
        size = max(size, place.offset + place.width)
    return size
