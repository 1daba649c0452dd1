# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests: what a test changes in the process is put back after it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from skips import pytest_sessionfinish, pytest_terminal_summary

import laminar
from laminar import _seed

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary"]  # hooks that pytest finds here

pytest.register_assert_rewrite("swap")


@pytest.fixture(autouse=True, scope="session")
def _interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt by Ctrl-C: a shell starts what it runs beside others without that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _process_state() -> Iterator[None]:
    yield
    laminar.set_num_threads(0)
    _seed._next = None


@pytest.fixture(scope="session")
def pools() -> Any:
    """Return the pools of threads in the process, which take a while to find."""
    reason = "needs threadpoolctl, which scikit-learn brings"
    return pytest.importorskip("threadpoolctl", reason=reason).ThreadpoolController()


@pytest.fixture
def one_thread(pools: Any) -> Iterator[None]:
    """Small products gain nothing by threads, and lose where others use the processors."""
    laminar.set_num_threads(1)
    with pools.limit(limits=1):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240117)
