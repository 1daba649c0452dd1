# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests: what a test changes in the process is put back after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import laminar
from laminar import _seed


@pytest.fixture(autouse=True)
def _process_state() -> Iterator[None]:
    yield
    laminar.set_num_threads(0)
    _seed._next = None


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240117)
