# SPDX-License-Identifier: Apache-2.0
"""What holds for the whole process: the number of threads, and what laminar runs on."""

from __future__ import annotations

from typing import Any

from . import _core
from ._component import integer

__all__ = ["get_num_threads", "set_num_threads", "show_config"]


def set_num_threads(n: int) -> None:
    """Set how many threads laminar may take; the results do not depend on it.

    Parameters
    ----------
    n : int
        At most so many; 0 for as many as the process may use, of which small networks take fewer.

    Raises
    ------
    TypeError, ValueError
        Where n is no integer from 0 to 1024.

    Examples
    --------
    >>> import laminar
    >>> laminar.set_num_threads(1)
    >>> laminar.get_num_threads()
    1
    >>> laminar.set_num_threads(0)
    """
    _core.set_num_threads(integer(n, "set_num_threads: n"))


def get_num_threads() -> int:
    """Return how many threads laminar may take.

    Returns
    -------
    int
        What `set_num_threads` has set, or else what the process may use: its affinity, its share of
        the processors, ``OMP_NUM_THREADS``.

    Examples
    --------
    >>> import laminar
    >>> laminar.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def show_config() -> dict[str, Any]:
    """Return what laminar was built with and runs on.

    Returns
    -------
    dict
        ``version``, ``isa``, the instruction set that is used, ``isas``, those that this processor
        has, ``threads``, ``compiler`` and ``eigen``.

    Examples
    --------
    >>> import laminar
    >>> config = laminar.show_config()
    >>> config["isa"] in config["isas"]
    True
    """
    return _core.show_config()
