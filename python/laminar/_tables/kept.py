# SPDX-License-Identifier: Apache-2.0
"""What files held when they were read, for the next time, as far as there is room for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from .cells import Block

    Stamp = tuple[int, int, int]


class _Part(NamedTuple):
    stamp: Stamp
    bytes: int
    blocks: list[Block]


class Kept:
    """Blocks of parts of files that have been read to their end.

    What is kept takes no more than the bytes given. Once it would, a part that comes later is not
    kept, but those that are stay. A file that has changed is read again.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._parts: dict[Hashable, _Part] = {}

    def blocks(self, key: Hashable, file: str) -> list[Block] | None:
        """Return the blocks of a part, if they are kept and the file is what it was."""
        part = self._parts.get(key)
        if part is None or part.stamp != _stamp(file):
            return None
        return part.blocks

    def filled(self, key: Hashable, file: str, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the blocks of a part, which are kept when the last one has come."""
        self._parts.pop(key, None)
        stamp = _stamp(file)
        room = self._most - sum(part.bytes for part in self._parts.values())
        come: list[Block] = []
        used = 0
        for block in blocks:
            used += block.bytes()
            if used <= room:
                come.append(block)
            else:
                come.clear()
            yield block
        if used <= room and _stamp(file) == stamp:
            self._parts[key] = _Part(stamp, used, come)

    def forget(self) -> None:
        """Keep nothing of what has been read."""
        self._parts.clear()


def _stamp(file: str) -> Stamp:
    found = os.stat(file)
    return found.st_ino, found.st_size, found.st_mtime_ns
