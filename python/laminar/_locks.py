# SPDX-License-Identifier: Apache-2.0
"""Locks that a forked child finds open.

A lock that another thread holds while a process forks stays shut in the child for ever, since that
thread is not there to open it.
"""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType

# By their addresses, which later locks take over. A WeakSet would call Python where a lock ends,
# and an interrupt there would be ignored.
_all: dict[int, weakref.ref[Lock]] = {}


class Lock:
    """A lock that the thread that holds it may take again."""

    def __init__(self) -> None:
        self.held = threading.RLock()  # the same as a context, without a call of Python's
        _all[id(self)] = weakref.ref(self)

    def __enter__(self) -> None:
        self.held.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.held.release()


def _open() -> None:
    for known in list(_all.values()):
        lock = known()
        if lock is not None:
            lock.held = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open)
