# SPDX-License-Identifier: Apache-2.0
"""Numbers without those that would decide on mean and variance alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .survey import Survey

    Array = NDArray[Any]

# Beyond the quartiles by so many times what lies between them, a number counts as if it lay there:
# 11.5 deviations from the mean of normal ones, of which none of 10^29 does.
_FAR = 8.0


def settled(numbers: Array) -> Array:
    """Return numbers, those that are far beyond all others put where these could still be.

    One wrong cell, a 0 too many or an error's code such as 1e9, would otherwise make a variance
    beside which all other numbers are the same. Where more than half of the numbers are one, the
    quartiles are those of the others.
    """
    if not numbers.size:
        return numbers
    low, high = _quartiles(numbers)
    if low == high:
        others = numbers[numbers != low]
        if not others.size:
            return numbers
        ends = (low, *_quartiles(others))
        low, high = min(ends), max(ends)
    reach = _FAR * (high - low)
    found: Array = np.clip(numbers, low - reach, high + reach)
    return found


def settled_moments(survey: Survey, x: Array) -> tuple[Array, Array]:
    """Return a survey's mean and variance of each input, of settled numbers where there are others.

    Parameters
    ----------
    survey : Survey
        Of the rows.
    x : ndarray
        They, encoded.
    """
    mean, variance = survey.mean.copy(), survey.variance.copy()
    place = 0
    for column in survey.table.columns:
        if column.kind == "number" and variance[place] > 0:
            numbers = x[:, place]
            if column.indicator:
                numbers = numbers[x[:, place + 1] == 0]
            numbers = numbers.astype(np.float64)
            others = settled(numbers)
            if not np.array_equal(others, numbers):
                mean[place], variance[place] = others.mean(), others.var()
        place += column.width
    return mean, variance


def _quartiles(numbers: Array) -> tuple[float, float]:
    places = (numbers.size - 1) // 4, numbers.size - 1 - (numbers.size - 1) // 4
    parted = np.partition(numbers, places)
    return float(parted[places[0]]), float(parted[places[1]])
