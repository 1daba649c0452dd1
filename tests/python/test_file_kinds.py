# SPDX-License-Identifier: Apache-2.0
"""What load_model says of files that are no models: the file, its kind, and what to do."""

from __future__ import annotations

import io
import json
import pickle
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from laminar import Sequential, _core, layers, load_model


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return buffer.getvalue()


def array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


# {content: (kind, cure)}
FILES: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "empty", "save the model again"),
    "pickle": (pickle.dumps({"a": 1}), "a pickle", "runs its code"),
    "torch": (zipped("m/data.pkl", "m/data/0"), "a PyTorch file", "save_file.*load_torch_weights"),
    "npz": (zipped("a.npy"), "a NumPy archive", "set_weights"),
    "npy": (array(), "a NumPy array", "set_weights"),
    "zip": (zipped("a.txt"), "a zip archive", "unpack"),
    "half a zip": (zipped("a.txt")[:20], "a damaged zip archive", "again"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file", "its name must end in .h5"),
    "gzip": (b"\x1f\x8b\x08" + bytes(9), "compressed by gzip", "unpack"),
    "parquet": (b"PAR1" + bytes(9), "a Parquet table", "laminar train"),
    "csv": (b"a,b,c\n1,2,3\n" * 99, "a text, perhaps a table", "laminar train"),
    "json": (json.dumps({"layers": []}).encode(), "a text in JSON", "from_config"),
    "page": (b"<!DOCTYPE html><html>", "a page in HTML", "download"),
    "git": (
        b"version https://git-lfs.github.com/spec/v1\n",
        "a pointer of Git LFS",
        "git lfs pull",
    ),
    "noise": (bytes(range(200, 256)) * 9, "of a kind that is not known", "model.save"),
}


@pytest.mark.parametrize("ending", [".safetensors", ".keras", ".onnx", ".pt", ".h5", ""])
@pytest.mark.parametrize("name", FILES)
def test_other_files(tmp_path: Path, name: str, ending: str) -> None:
    for package in {".keras": ["h5py"], ".h5": ["h5py"], ".onnx": ["onnx"]}.get(ending, ()):
        pytest.importorskip(package)
    content, kind, cure = FILES[name]
    path = tmp_path / f"m{ending}"
    path.write_bytes(content)
    if (name, ending) == ("hdf5", ".h5"):
        with pytest.raises(ValueError, match=r"m\.h5: its weights are damaged"):
            load_model(path)
        return
    with pytest.raises(ValueError, match=f"is {kind}.*{cure}") as refused:
        load_model(path)
    assert repr(str(path)) in str(refused.value)
    if ending not in (".safetensors", ".keras", ".h5", ".onnx"):
        assert re.search(
            r"must end in one of \.safetensors, \.keras, \.h5, \.hdf5, \.json, \.onnx",
            str(refused.value),
        )


def test_models_under_other_names(tmp_path: Path) -> None:
    model = Sequential([layers.Input(2), layers.Dense(1)])
    model.save(tmp_path / "m.safetensors")
    (tmp_path / "m.safetensors").rename(tmp_path / "m.bin")
    with pytest.raises(ValueError, match=r"m\.bin' is a safetensors file; its name must end in"):
        load_model(tmp_path / "m.bin")
    (tmp_path / "m.bin").rename(tmp_path / "m.keras")
    pytest.importorskip("h5py")
    with pytest.raises(ValueError, match=r"is no \.keras file: it is a safetensors file"):
        load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("ending", [".safetensors", ".keras", ".onnx", ".pt"])
def test_folders_and_absent_files(tmp_path: Path, ending: str) -> None:
    for package in {".keras": ["h5py"], ".onnx": ["onnx"]}.get(ending, ()):
        pytest.importorskip(package)
    absent = tmp_path / f"absent{ending}"
    with pytest.raises((FileNotFoundError, ValueError), match="absent") as refused:
        load_model(absent)
    assert isinstance(refused.value, FileNotFoundError) == (ending != ".pt")
    folder = tmp_path / f"folder{ending}"
    folder.mkdir()
    with pytest.raises(
        (IsADirectoryError, ValueError), match=r"folder.*is a folder; give the file"
    ):
        load_model(folder)
    (folder / "saved_model.pb").touch()
    with pytest.raises((IsADirectoryError, ValueError), match=r"SavedModel.*load it in Keras 3"):
        load_model(folder)


def test_files_of_the_right_kind(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    _core.write_safetensors(path, {"a": np.zeros(3)}, {})
    with pytest.raises(ValueError, match=r"m\.safetensors': .*no model of laminar.*load_weights"):
        load_model(path)
    _core.write_safetensors(path, {}, {"laminar.format": "4", "laminar.version": "9.1"})
    message = r"m\.safetensors': its format is 4, written by laminar 9\.1; .*up to 3; update it"
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_a_missing_package_is_named_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ending, package, extra in ((".onnx", "onnx", "onnx"), (".keras", "h5py", "keras")):
        monkeypatch.setitem(sys.modules, package, None)
        path = tmp_path / f"m{ending}"
        path.write_bytes(b"\x08\x08")
        with pytest.raises(ImportError, match=rf"m\{ending}'.*needs {package}.*laminar\[{extra}\]"):
            load_model(path)


def test_a_layer_of_keras_that_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    entry = {
        "module": "keras.layers",
        "class_name": "Conv2D",
        "config": {"name": "conv"},
        "registered_name": None,
    }
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "m", "layers": [entry], "build_input_shape": [None, 4]},
        "registered_name": "Sequential",
    }
    import h5py

    with h5py.File(tmp_path / "w.h5", "w"):
        pass
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(tmp_path / "w.h5", "model.weights.h5")
    with pytest.raises(ValueError, match=r"m\.keras: .*Conv2D.*of a Keras file is a network"):
        load_model(tmp_path / "m.keras")
