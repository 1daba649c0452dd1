# SPDX-License-Identifier: Apache-2.0
"""Work that threads do ahead of the one who asks for its results."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    Item = TypeVar("Item")
    Result = TypeVar("Result")

# What they hold is memory: so many pieces, and one more, are read or made at a time.
_MOST_THREADS = 8
_END: Any = object()


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yield ``work(item)`` of each item, in their order.

    One thread goes through the items and others do the work, which gains where both release the
    interpreter's lock. They begin when the first result is asked for. Where the iterator is left,
    or something is thrown, what has been begun is finished and the threads end before that goes on.
    """
    from concurrent.futures import ThreadPoolExecutor  # slow to import

    rest = iter(items)
    threads = min(_MOST_THREADS, _core.get_num_threads())
    readers, workers = ThreadPoolExecutor(1), ThreadPoolExecutor(threads)
    waiting: deque[Future[Any]] = deque()

    def done(item: Future[Any]) -> Any:
        given = item.result()
        return _END if given is _END else work(given)

    def begin() -> None:
        waiting.append(workers.submit(done, readers.submit(next, rest, _END)))

    try:
        for _ in range(threads + 1):
            begin()
        while (result := waiting.popleft().result()) is not _END:
            begin()
            yield result
    finally:
        try:  # Ctrl-C may come here as well
            readers.shutdown(cancel_futures=True)  # first: the others wait for what it would read
        finally:
            workers.shutdown(cancel_futures=True)
