# SPDX-License-Identifier: Apache-2.0
"""How the layers of a model are connected, as exports read it."""

from __future__ import annotations

from typing import NamedTuple


class Wiring(NamedTuple):
    """Values are numbered: the inputs first, then the calls of layers.

    ``inputs`` are names and shapes; ``calls`` the number of a layer, and the values that it reads;
    ``outputs`` names and values; ``shapes`` those of the values.
    """

    inputs: list[tuple[str, tuple[int, ...]]]
    calls: list[tuple[int, tuple[int, ...]]]
    outputs: list[tuple[str, int]]
    shapes: list[tuple[int, ...]]
