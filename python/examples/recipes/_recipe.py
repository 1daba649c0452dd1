# SPDX-License-Identifier: Apache-2.0
"""How a recipe ends: with a number that it has measured, and what was expected of it."""

from __future__ import annotations


def check(
    what: str, measured: float, *, above: float | None = None, below: float | None = None
) -> None:
    """Print a measured number, and raise ValueError where it is not what was expected.

    Parameters
    ----------
    what : str
        What was measured.
    measured : float
        The number.
    above, below : float, optional
        What it must lie between.
    """
    bounds = [
        f"{word} {bound:.4g}"
        for word, bound in (("above", above), ("below", below))
        if bound is not None
    ]
    said = f"{what}: {measured:.4g} (expected {' and '.join(bounds)})"
    print(said)
    if not ((above is None or measured > above) and (below is None or measured < below)):
        raise ValueError(said)
