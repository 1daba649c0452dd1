# SPDX-License-Identifier: Apache-2.0
"""ONNX files whose weights lie beside them: read within the folder, and nowhere else."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from exchange_models import randomized, sample

from laminar import Sequential, layers, load_model
from laminar.exchange import _onnx_outside, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")


def network(dtype: str = "float32") -> Sequential:
    stack = [layers.Dense(7, "relu"), layers.PReLU(), layers.Reshape((7, 1)), layers.Flatten()]
    return randomized(Sequential([layers.Input(5), *stack, layers.Dense(2)], dtype=dtype))


def written(folder: Path, dtype: str = "float32", location: str = "m.data") -> Sequential:
    """Write a network with all its tensors, the shapes included, in another file."""
    model = network(dtype)
    message = onnx_writer.message(onnx, model)
    (folder / location).parent.mkdir(exist_ok=True)
    onnx.save(
        message,
        str(folder / "m.onnx"),
        save_as_external_data=True,
        location=location,
        size_threshold=0,
    )
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("location", ["m.data", "weights/m.data"])
def test_weights_beside_the_file(
    dtype: str, location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = written(tmp_path, dtype, location)
    twin = load_model(tmp_path / "m.onnx")
    x = sample((5,), 20)
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=1e-6, atol=1e-6)
    monkeypatch.chdir(tmp_path)  # a bare name is of the same folder
    assert np.array_equal(load_model("m.onnx").predict(x), twin.predict(x))


def edited(folder: Path, **entries: str | None) -> None:
    """Change where the first tensor lies."""
    message = onnx.load(str(folder / "m.onnx"), load_external_data=False)
    tensor = message.graph.initializer[0]
    given = {entry.key: entry.value for entry in tensor.external_data} | entries
    del tensor.external_data[:]
    for key, value in given.items():
        if value is not None:
            tensor.external_data.add(key=key, value=value)
    (folder / "m.onnx").write_bytes(message.SerializeToString())


def _absolute(folder: Path) -> None:
    edited(folder, location=str(folder / "m.data"))


def _above(folder: Path) -> None:
    (folder.parent / "m.data").write_bytes((folder / "m.data").read_bytes())
    edited(folder, location="../m.data")


def _around(folder: Path) -> None:
    (folder / "sub").mkdir()
    edited(folder, location="sub/../m.data")


def _windows(folder: Path) -> None:
    edited(folder, location="C:\\m.data")


def _back(folder: Path) -> None:
    edited(folder, location="..\\m.data")


def _nameless(folder: Path) -> None:
    edited(folder, location="")


def _placeless(folder: Path) -> None:
    edited(folder, location=None)


def _absent(folder: Path) -> None:
    (folder / "m.data").unlink()


def _link(folder: Path) -> None:
    (folder / "m.data").rename(folder / "other")
    (folder / "m.data").symlink_to(folder / "other")


def _link_of_a_folder(folder: Path) -> None:
    (folder / "sub").symlink_to(folder)
    edited(folder, location="sub/m.data")


def _folder(folder: Path) -> None:
    (folder / "m.data").unlink()
    (folder / "m.data").mkdir()


def _pipe(folder: Path) -> None:
    (folder / "m.data").unlink()
    os.mkfifo(folder / "m.data")


def _short(folder: Path) -> None:
    (folder / "m.data").write_bytes((folder / "m.data").read_bytes()[:100])


def _far(folder: Path) -> None:
    edited(folder, offset="99999999999999999999")


def _before(folder: Path) -> None:
    edited(folder, offset="-4")


def _words(folder: Path) -> None:
    edited(folder, offset="four")


def _length(folder: Path) -> None:
    edited(folder, length="4")


def _one_place(folder: Path) -> None:
    message = onnx.load(str(folder / "m.onnx"), load_external_data=False)
    for i in range(40):
        message.graph.initializer.add().CopyFrom(message.graph.initializer[0])
        message.graph.initializer[-1].name = f"again{i}"
    (folder / "m.onnx").write_bytes(message.SerializeToString())


def _half(folder: Path) -> None:
    message = onnx.load(str(folder / "m.onnx"), load_external_data=False)
    message.graph.initializer[0].data_type = onnx.TensorProto.FLOAT16
    (folder / "m.onnx").write_bytes(message.SerializeToString())


def _many_integers(folder: Path) -> None:
    message = onnx.load(str(folder / "m.onnx"), load_external_data=False)
    tensor = message.graph.initializer[0]
    tensor.data_type, tensor.dims[:] = onnx.TensorProto.INT64, [2**30]
    (folder / "m.onnx").write_bytes(message.SerializeToString())
    edited(folder, length=str(2**33))


def _of_a_node(folder: Path) -> None:
    message = onnx.load(str(folder / "m.onnx"), load_external_data=False)
    tensor = message.graph.initializer[0]
    node = onnx.helper.make_node("Constant", [], ["constant"], value=tensor)
    message.graph.node.insert(0, node)
    (folder / "m.onnx").write_bytes(message.SerializeToString())


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "an absolute path": (_absolute, "must have a relative name within the folder: keep the files"),
    "the folder above": (_above, "must have a relative name within the folder"),
    "a way around": (_around, "must have a relative name within the folder"),
    "a drive": (_windows, "must have a relative name within the folder"),
    "above, by a backslash": (_back, "must have a relative name within the folder"),
    "no name": (_nameless, "must have a relative name within the folder"),
    "no place": (_placeless, "must have a relative name within the folder"),
    "no file": (_absent, "'m.data', which is not there; it belongs beside the ONNX file"),
    "a link": (_link, "'m.data' is a link; links are not followed: copy the file itself"),
    "a link of a folder": (_link_of_a_folder, "'sub' is a link; links are not followed"),
    "a folder": (_folder, "'m.data', which (is no plain file|cannot be read)"),
    "a pipe": (_pipe, "'m.data', which is no plain file"),
    "too short": (_short, "ends at byte .* of 'm.data', which has 100; bring the file again"),
    "far away": (_far, "ends at byte"),
    "before the start": (_before, "takes 140 bytes, its place has 140 from -4"),
    "words": (_words, "its place in another file is no number"),
    "another length": (_length, "takes 140 bytes, its place has 4"),
    "many in one place": (_one_place, "tensors take more bytes than 'm.data' has"),
    "half precision": (_half, "got FLOAT16; convert it"),
    "many integers": (_many_integers, "bytes of integers are too many"),
    "of a node": (_of_a_node, "its data lie outside of the file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_places_are_refused(name: str, tmp_path: Path) -> None:
    edit, message = HOSTILE[name]
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder)
    edit(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=rf"load_model: .*m\.onnx: .*{message}"):
        load_model(folder / "m.onnx")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_the_files_beside_have_a_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.setattr(_onnx_outside, "LARGEST", 100)
    with pytest.raises(ValueError, match=r"have \d+ bytes; at most 100 are read"):
        load_model(tmp_path / "m.onnx")


def test_damaged_places_are_refused(tmp_path: Path) -> None:
    written(tmp_path)
    whole = (tmp_path / "m.onnx").read_bytes()
    rng = np.random.default_rng(3)
    for _ in range(100):
        content = bytearray(whole)
        for _ in range(int(rng.integers(1, 4))):
            content[int(rng.integers(len(content)))] = int(rng.integers(256))
        (tmp_path / "m.onnx").write_bytes(bytes(content))
        try:
            load_model(tmp_path / "m.onnx")
        except ValueError as error:
            assert "m.onnx" in str(error)
