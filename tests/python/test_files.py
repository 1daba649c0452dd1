# SPDX-License-Identifier: Apache-2.0
"""Files that change under their reader, and what a writer finds in its file's place."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import small_classifier

from laminar import Sequential, _core, callbacks, layers, load_model
from laminar._inspect import described
from laminar.exchange import _keras_archive, _onnx_file, keras_file, onnx_reader


def model_of(units: int) -> Sequential:
    return Sequential([layers.Input(4), layers.Dense(units)], seed=1)


_REPLACE = """
import os, sys
path, *versions = sys.argv[1:]
print("ready", flush=True)
while True:
    for version in versions:
        os.link(version, path + ".spare")
        os.replace(path + ".spare", path)
"""


@contextmanager
def replaced(path: Path, versions: list[Path]) -> Iterator[None]:
    """Let a process replace a file by one after the other of others, as fast as it can."""
    shutil.copy(versions[0], path)  # a link to the same file would be left as it is by replace
    command = [sys.executable, "-c", _REPLACE, *map(str, (path, *versions))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


READERS: dict[str, Callable[[str], object]] = {
    "load_model": load_model,
    "described": described,
    "load_weights": lambda path: model_of(2).load_weights(path),
    "read_safetensors": _core.read_safetensors,
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_replaced_is_read_as_it_was_or_as_it_is(tmp_path: Path, name: str) -> None:
    """Header and size came from two openings, and in up to a third of all readings did not fit."""
    versions = [tmp_path / "a", tmp_path / "b"]
    for version, units in zip(versions, (2, 300), strict=True):
        model_of(units).save(tmp_path / "m.safetensors")
        os.rename(tmp_path / "m.safetensors", version)
    path = tmp_path / "m.safetensors"
    other_model = 0
    with replaced(path, versions):
        for _ in range(300):
            try:
                READERS[name](str(path))
            except ValueError as error:  # a whole file, but not of this model's shapes
                assert name == "load_weights", error
                assert "set_weights" in str(error), error
                other_model += 1
    assert other_model < 300


@pytest.mark.parametrize("name", ["keras", "onnx"])
def test_sizes_are_those_of_the_file_that_is_open(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reader of exchanged files asks the path a second time."""
    pytest.importorskip({"keras": "h5py", "onnx": "onnx"}[name])
    module = {"keras": _keras_archive, "onnx": _onnx_file}[name]
    reader: Any = {"keras": keras_file, "onnx": onnx_reader}[name]
    path = tmp_path / f"m.{name}"
    path.write_bytes(b"nothing")
    opened: list[object] = []

    def counted(file: object, *arguments: object, **options: object) -> object:
        opened.append(file)
        return open(file, *arguments, **options)  # type: ignore[call-overload]

    def refuse(*arguments: object) -> None:
        raise AssertionError(f"the path was asked: {arguments}")

    monkeypatch.setattr(module, "open", counted, raising=False)
    for asked in ("getsize", "exists", "isfile"):
        monkeypatch.setattr(os.path, asked, refuse)
    with pytest.raises(ValueError, match="is not an"):
        reader.load(path)
    assert opened == [str(path)]


WRITERS: dict[str, Callable[[Path], None]] = {
    "m.safetensors": lambda path: small_classifier().save(path),
    "w.safetensors": lambda path: small_classifier().save_weights(path),
    "t.safetensors": lambda path: small_classifier().export(path, "torch"),
    "m.c": lambda path: small_classifier().export(path),
    "m.hpp": lambda path: small_classifier().export(path),
}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    before = os.umask(0o027)
    try:
        WRITERS[name](path)
    finally:
        os.umask(before)
    assert mode(path) == 0o640
    for kept in (0o600, 0o664):
        path.chmod(kept)
        WRITERS[name](path)
        assert mode(path) == kept


@pytest.mark.parametrize("name", WRITERS)
def test_links_are_written_through_and_pipes_refused(tmp_path: Path, name: str) -> None:
    link = tmp_path / name
    link.symlink_to("target")
    WRITERS[name](link)
    assert link.is_symlink()
    assert (tmp_path / "target").stat().st_size > 0
    link.unlink()
    os.mkfifo(link)
    with pytest.raises(ValueError, match="only a regular file can be replaced"):
        WRITERS[name](link)
    assert link.is_fifo()
    link.unlink()
    link.mkdir()
    with pytest.raises(IsADirectoryError):
        WRITERS[name](link)


def test_checkpoints_keep_the_mode_of_their_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.touch(0o600)
    path.chmod(0o600)
    model = model_of(1)
    model.compile("sgd", "mse")
    kept = callbacks.ModelCheckpoint(path)
    model.fit(np.zeros((4, 4)), np.zeros(4), epochs=2, verbose=0, callbacks=[kept])
    assert mode(path) == 0o600
    assert load_model(path).input_shape == (None, 4)
