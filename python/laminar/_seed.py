# SPDX-License-Identifier: Apache-2.0
"""Seeds for models that are given none.

After `set_seed(s)` they are s, s + 1, … in the order in which the models are made; before it,
each is fresh entropy of the operating system.
"""

from __future__ import annotations

import os

from ._locks import Lock

# Seeds are unsigned numbers of 64 bits in the core.
LIMIT = 2**64

_lock = Lock()
_next: int | None = None


def set_seed(seed: int) -> None:
    """Begin a new sequence of seeds."""
    global _next
    with _lock:
        _next = seed


def next_seed() -> int:
    """Return the seed of the next model."""
    global _next
    with _lock:
        if _next is None:
            return int.from_bytes(os.urandom(8), "little")
        seed, _next = _next, (_next + 1) % LIMIT
        return seed
