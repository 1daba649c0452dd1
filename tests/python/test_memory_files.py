# SPDX-License-Identifier: Apache-2.0
"""Files in place of memory: temporary ones that take their room first, and stored arrays."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laminar import _memory
from laminar.data import Dataset
from laminar.data._npy import Stored


@pytest.mark.parametrize("reserves", [True, False])
def test_a_temporary_array_has_no_holes(monkeypatch: pytest.MonkeyPatch, reserves: bool) -> None:
    """Writing into a hole of a file on a full disk ends the process."""
    blocks: list[int] = []
    kept = np.memmap

    def mapped(file: Any, *arguments: Any, **options: Any) -> Any:
        found = os.fstat(file.fileno())
        blocks.append(found.st_blocks * 512 - found.st_size)
        return kept(file, *arguments, **options)

    monkeypatch.setattr(np, "memmap", mapped)
    if not reserves:  # as on a file system, or a system, without such a call
        monkeypatch.delattr(os, "posix_fallocate")
    array = _memory.in_temporary_file((1000, 1000), np.float32, "train")
    assert blocks[0] >= 0
    assert array.shape == (1000, 1000)
    assert not array.any()
    array[-1] = 1
    np.testing.assert_array_equal(array[-1], 1)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_folder_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*arguments: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"train: there is no room for 4,000,000 bytes") as refused:
        _memory.in_temporary_file((1000, 1000), np.float32, "train")
    assert repr(tempfile.gettempdir()) in str(refused.value)
    assert "TMPDIR" in str(refused.value)


def test_memory_is_known_where_the_system_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _memory.most()
    assert found is not None
    assert found > 2**20
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setitem(__import__("sys").modules, "resource", None)
    assert _memory.most() is None


def stored(path: Path, array: Any) -> Stored:
    np.save(path, array)
    return Stored(str(path))


def test_stored_arrays_give_their_rows(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.normal(size=(50, 3, 4))
    for array in (
        values,
        np.asfortranarray(values),
        values[:, 0, 0],
        values[:, 0].astype(">f4"),
        (100 * values[:, 0]).astype(np.int16),
        np.zeros((5, 0)),
        np.zeros((0, 5)),
    ):
        file = stored(tmp_path / "a.npy", array)
        assert (file.shape, file.dtype) == (array.shape, array.dtype)
        for rows in (slice(0, 10), slice(7, 8), slice(40, 60), slice(5, 5)):
            np.testing.assert_array_equal(file[rows], array[rows])


def test_a_stored_array_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    """A mapped file ended the process by a signal."""
    path = tmp_path / "x.npy"
    np.save(path, np.ones((100_000, 20), np.float32))
    np.save(tmp_path / "y.npy", np.ones(100_000, np.float32))
    data = Dataset.from_npy(path, tmp_path / "y.npy", buffer_size="1MB")
    os.truncate(path, 4096)
    from laminar import Sequential, layers

    model = Sequential([layers.Input(20), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises((OSError, ValueError), match=r"shorter while it was read: '.*x\.npy'"):
        model.fit(data, verbose=0)


def test_a_stored_array_stays_that_of_the_file_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    file = stored(path, np.arange(10.0))
    np.save(tmp_path / "other.npy", np.zeros(3, np.int8))
    os.replace(tmp_path / "other.npy", path)
    np.testing.assert_array_equal(file[2:5], [2, 3, 4])


def test_damaged_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((10, 10)))
    whole = path.read_bytes()
    for damaged, message in (
        (b"", "holds no array of numbers"),
        (whole[:50], "holds no array of numbers"),
        (whole[:-1], "damaged: shape"),
        (whole.replace(b"(10, 10)", b"(-1, 10)"), "damaged: shape|no array of numbers"),
        (whole.replace(b"(10, 10)", b"(9**9,) "), "no array of numbers"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=message):
            Stored(str(path))
    for bad in (np.array([{}], object), np.zeros(3, [("a", "f4")])):
        np.save(path, bad, allow_pickle=True)
        with pytest.raises(ValueError, match="holds no array of numbers"):
            Stored(str(path))
