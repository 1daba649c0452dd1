# SPDX-License-Identifier: Apache-2.0
"""Where the boxes of a graph stand: in rows from top to bottom, so that few lines cross.

The ways of K. Sugiyama, S. Tagawa and M. Toda (1981): rows by the longest path, a place in each row
for every line that passes it, an order by the means of neighbours. Boxes that are numbered so that
each line leads to a higher number come out the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

GAP, ROW_GAP = 26.0, 34.0
_SWEEPS = 6
_PASSING = 12.0  # the width that a line takes in a row that it passes


class Place(NamedTuple):
    """The left upper corner of a box."""

    x: float
    y: float


class Layout(NamedTuple):
    """Places of the boxes, the ways of the lines as points, and the size of the whole."""

    places: list[Place]
    ways: list[list[tuple[float, float]]]
    width: float
    height: float


def arranged(sizes: Sequence[tuple[float, float]], lines: Sequence[tuple[int, int]]) -> Layout:
    """Return where boxes of some sizes stand.

    Parameters
    ----------
    sizes : sequence of (width, height)
        Of each box.
    lines : sequence of (from, to)
        Numbers of boxes, from < to.
    """
    ranks = _ranks(len(sizes), lines)
    widths = [width for width, _ in sizes]
    rows: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for box, rank in enumerate(ranks):
        rows[rank].append(box)
    chains: list[list[int]] = []  # each line as a way over neighbouring rows
    for start, end in lines:
        chain = [start]
        for rank in range(ranks[start] + 1, ranks[end]):
            chain.append(len(widths))
            rows[rank].append(len(widths))
            widths.append(_PASSING)
        chains.append([*chain, end])
    above: list[list[int]] = [[] for _ in widths]
    below: list[list[int]] = [[] for _ in widths]
    for chain in chains:
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)
    _order(rows, above, below)
    centers = _centers(rows, widths, above, below)
    left = min(center - width / 2 for center, width in zip(centers, widths, strict=True))
    right = max(center + width / 2 for center, width in zip(centers, widths, strict=True))
    tops, y = [], 0.0
    heights = []
    for row in rows:
        heights.append(max((sizes[box][1] for box in row if box < len(sizes)), default=0.0))
        tops.append(y)
        y += heights[-1] + ROW_GAP
    places = [
        Place(centers[i] - left - width / 2, tops[ranks[i]] + (heights[ranks[i]] - height) / 2)
        for i, (width, height) in enumerate(sizes)
    ]
    ways = []
    for chain in chains:
        start, *passed, end = chain
        way = [(centers[start] - left, places[start].y + sizes[start][1])]
        for i, point in enumerate(passed, ranks[start] + 1):
            way += [(centers[point] - left, tops[i]), (centers[point] - left, tops[i] + heights[i])]
        ways.append([*way, (centers[end] - left, places[end].y)])
    return Layout(places, ways, right - left, y - ROW_GAP)


def _ranks(count: int, lines: Sequence[tuple[int, int]]) -> list[int]:
    """Return the row of each box; those that read nothing stand right above their first reader."""
    ranks = [0] * count
    for start, end in sorted(lines, key=lambda line: line[1]):
        ranks[end] = max(ranks[end], ranks[start] + 1)
    reads = {end for _, end in lines}
    for box in range(count):
        readers = [ranks[end] for start, end in lines if start == box]
        if box not in reads and readers:
            ranks[box] = min(readers) - 1
    return ranks


def _order(
    rows: list[list[int]], above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]
) -> None:
    """Order each row by the mean places of neighbours, downwards and upwards in turn."""
    for sweep in range(_SWEEPS):
        neighbours = below if sweep % 2 else above
        for row in reversed(rows) if sweep % 2 else rows:
            at = {box: i for other in rows for i, box in enumerate(other)}
            row.sort(key=lambda box: _mean([at[n] for n in neighbours[box]], at[box]))


def _mean(values: Sequence[float], without: float) -> float:
    return sum(values) / len(values) if values else without


def _centers(
    rows: Sequence[Sequence[int]],
    widths: Sequence[float],
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
) -> list[float]:
    """Return the middle of each box: as near to the mean of its neighbours as the row allows."""
    centers = [0.0] * len(widths)
    for row in rows:
        for box, center in zip(row, _packed(row, widths, [0.0] * len(row)), strict=True):
            centers[box] = center
    for sweep in range(_SWEEPS):
        for row in reversed(rows) if sweep % 2 else rows:
            neighbours = below if sweep % 2 else above
            wished = [_mean([centers[n] for n in neighbours[box]], centers[box]) for box in row]
            for box, center in zip(row, _packed(row, widths, wished), strict=True):
                centers[box] = center
    return centers


def _packed(row: Sequence[int], widths: Sequence[float], wished: Sequence[float]) -> list[float]:
    """Return the middles next to those wished for, by squares, at which boxes do not overlap.

    Without their offsets in the row they must ascend: pools of neighbours that would not share
    their mean.
    """
    offsets, offset = [], 0.0
    for i, box in enumerate(row):
        offset += widths[box] / 2 if i else 0.0
        offsets.append(offset)
        offset += widths[box] / 2 + GAP
    pools: list[tuple[float, int]] = []  # sum and number
    for wish, offset in zip(wished, offsets, strict=True):
        pools.append((wish - offset, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1] = (pools[-1][0] + total, pools[-1][1] + count)
    means = [total / count for total, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
