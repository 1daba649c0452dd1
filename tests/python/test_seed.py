# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from laminar import Sequential, _seed


def test_seeds_count_up_and_wrap() -> None:
    _seed.set_seed(_seed.LIMIT - 1)
    assert [_seed.next_seed() for _ in range(3)] == [_seed.LIMIT - 1, 0, 1]


def test_without_a_seed_each_is_new() -> None:
    seeds = {_seed.next_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert all(0 <= seed < _seed.LIMIT for seed in seeds)
    assert Sequential().seed != Sequential().seed


def test_a_seed_of_one_s_own_takes_none_of_the_sequence() -> None:
    _seed.set_seed(5)
    assert [Sequential(seed=99).seed, Sequential().seed, Sequential().seed] == [99, 5, 6]
