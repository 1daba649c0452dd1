# SPDX-License-Identifier: Apache-2.0
"""The rows of a table in parts, encoded: those to train on, and those held out for each purpose.

What the rows held out hold has no part in how rows are encoded.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _memory
from .._tables import Encoder, Survey, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .._tables.labelled import Labelled

    Array = NDArray[Any]


class Part(NamedTuple):
    """Some rows, encoded."""

    x: Array
    y: Array


def shared_out(
    source: Labelled, survey: Survey, given: Array, shares: Sequence[float], seed: int
) -> tuple[Array, list[int]]:
    """Return the place of each row, and how many rows each part has.

    In random order, those to train on first, then the shares held out; of each class the same
    share.

    Parameters
    ----------
    source, survey
        The rows.
    given : ndarray
        Their targets.
    shares : sequence of float
        Those held out.
    seed : int
        Of the order.
    """
    held = [round(share * len(given)) for share in shares]
    first = len(given) - sum(held)
    if first < 1 or any(share and not rows for share, rows in zip(shares, held, strict=True)):
        test = f" and {held[1]} to test" if len(held) > 1 else ""
        raise ValueError(
            f"{source.path}: of {len(given)} rows {first} are left to train on, {held[0]} to "
            f"validate{test}; --validation 0 trains on all of them"
        )
    classes = given if survey.table.target.kind == "class" else None
    return split.places(len(given), held, np.random.default_rng(seed), classes), [first, *held]


def encoded(
    source: Labelled, survey: Survey, given: Array, places: Array, counts: Sequence[int]
) -> list[Part]:
    """Return the parts, of which the survey takes what it knows of columns from the first one.

    Parameters
    ----------
    source, survey, given
        As in `shared_out`.
    places, counts
        What it returns.
    """
    if counts[0] < survey.rows:
        survey.take(places < counts[0])
    table = survey.table
    y = np.empty_like(given)
    y[places] = given
    x = rows_array(survey.rows, table.width)
    encoder = Encoder(table, source.path)
    rows = 0
    for block in source.blocks([*table.needed(), table.target.name], table.numbers()):
        there = places[rows : rows + block.rows]
        rows += block.rows
        if len(there) < block.rows:
            break
        x[there] = encoder.inputs(block, np.empty((block.rows, table.width), np.float32))
    survey.refuse_others(rows)
    ends = itertools.accumulate(counts, initial=0)
    return [Part(x[a:b], y[a:b]) for a, b in itertools.pairwise(ends)]


def rows_array(rows: int, width: int) -> Array:
    """Return memory for encoded rows: a temporary file where they take half of what there is."""
    most = _memory.most()
    if most is None or 4 * rows * width <= most // 2:
        return np.empty((rows, width), np.float32)
    return _memory.in_temporary_file((rows, width), np.float32, "train")
