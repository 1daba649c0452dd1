# SPDX-License-Identifier: Apache-2.0
"""Two that are timed in turns, so that what else the machine does meets both."""

import statistics
from collections.abc import Callable


def in_turns(
    first: Callable[[], float], second: Callable[[], float], rounds: int
) -> tuple[float, float, str]:
    """Return both medians in microseconds, and of the ratios the median, lowest and highest.

    Each call returns seconds; every other round the second one goes first.
    """
    both = first, second
    times: tuple[list[float], list[float]] = ([], [])
    for r in range(rounds):
        for i in (0, 1) if r % 2 else (1, 0):
            times[i].append(both[i]())
    ratios = sorted(a / b for a, b in zip(*times, strict=True))
    own, other = (1e6 * statistics.median(each) for each in times)
    return own, other, f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
