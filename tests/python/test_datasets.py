# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laminar import datasets


def test_shapes_and_ranges() -> None:
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    assert (x_train.shape, x_test.shape) == ((1437, 64), (360, 64))
    assert (y_train.shape, y_test.shape) == ((1437,), (360,))
    for x, y in ((x_train, y_train), (x_test, y_test)):
        assert (x.dtype, y.dtype) == (np.float32, np.int32)
        assert x.flags.c_contiguous
        np.testing.assert_array_equal(np.unique(x), np.arange(17) / 16)
        np.testing.assert_array_equal(np.unique(y), np.arange(10))


def test_values_are_the_source_s() -> None:
    sklearn = pytest.importorskip("sklearn.datasets")
    source = sklearn.load_digits()
    order = np.random.default_rng(0).permutation(len(source.data))
    parts = datasets.load_digits()
    np.testing.assert_array_equal(np.concatenate([x for x, _ in parts]) * 16, source.data[order])
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), source.target[order])


def test_each_call_gives_arrays_of_its_own() -> None:
    (x, _), _ = datasets.load_digits()
    x[:] = 0
    assert datasets.load_digits()[0][0].any()


def test_file_is_small_and_its_source_named() -> None:
    folder = Path(datasets.__file__).parent
    assert (folder / "digits.bin").stat().st_size == 1797 * 41
    text = (folder / "README.md").read_text()
    for words in ("Alpaydin", "Kaynak", "UCI", "CC BY 4.0", "10.24432/C50P49", "41 bytes"):
        assert words in text
