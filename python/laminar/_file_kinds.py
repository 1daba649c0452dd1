# SPDX-License-Identifier: Apache-2.0
"""What a file is that holds no model of laminar, and what to do with it: for error messages alone.

A few bytes tell. Nothing of the file is loaded, and no other package is asked.
"""

from __future__ import annotations

import os
import zipfile
from typing import NamedTuple

_HEAD = 512
_LAYERS = "a network of the layers in laminar.layers"


class Kind(NamedTuple):
    """What a file is, the ending that such a file has here, if any, and what to do with it."""

    name: str
    ending: str | None
    cure: str


_SAFETENSORS = Kind("a safetensors file", ".safetensors", "its name must end in .safetensors")
_JSON = Kind(
    "a text in JSON",
    ".json",
    "a configuration makes a model without weights, Sequential.from_config; one of Keras's is "
    "loaded with its weights where its name ends in .json: load_model(path, weights=…)",
)
_ONNX = Kind("an ONNX file", ".onnx", "its name must end in .onnx")
_KERAS = Kind("a Keras file", ".keras", "its name must end in .keras")
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (
        b"\x89HDF\r\n\x1a\n",
        Kind(
            "an HDF5 file, as Keras wrote before version 3",
            ".h5",
            "its name must end in .h5",
        ),
    ),
    (b"\x93NUMPY", Kind("a NumPy array", None, "give it to set_weights, or to training")),
    (b"PAR1", Kind("a Parquet table", None, "a table trains a model: laminar train")),
    (b"\x1f\x8b", Kind("compressed by gzip", None, "unpack it first")),
    (b"\xfd7zXZ", Kind("compressed by xz", None, "unpack it first")),
    (b"BZh", Kind("compressed by bzip2", None, "unpack it first")),
    (b"GGUF", Kind("a GGUF file", None, "laminar has no layers for language models")),
    (
        b"version https://git-lfs",
        Kind("a pointer of Git LFS in place of the file", None, "git lfs pull brings the file"),
    ),
)
_PICKLE = Kind(
    "a pickle, of joblib, scikit-learn or PyTorch for example",
    None,
    "loading one runs its code, which laminar never does; load it where it was made and export it: "
    "to ONNX, or PyTorch's weights by safetensors.torch.save_file for load_torch_weights",
)
_TORCH = Kind(
    "a PyTorch file",
    None,
    "loading one may run its code, which laminar never does; write the weights in PyTorch with "
    "safetensors.torch.save_file(module.state_dict(), path), build the model here and call "
    "load_torch_weights, or export the module to ONNX",
)


def kind_of(path: str) -> Kind:
    """Return what a file is; OSError where it cannot be read."""
    if os.path.isdir(path):
        if os.path.exists(os.path.join(path, "saved_model.pb")):
            cure = "load it in Keras 3 and save it there as a .keras file"
            return Kind("a folder of TensorFlow's SavedModel", None, cure)
        return Kind("a folder", None, "give the file of a model in it")
    with open(path, "rb") as file:
        head = file.read(_HEAD)
        if head.startswith(b"PK\x03\x04"):
            return _of_zip(path)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if not head:
        return Kind("empty", None, "whatever wrote it did not finish; save the model again")
    if head[0] == 0x80 and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return _PICKLE
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 10**8:
        return _SAFETENSORS
    if head[4:8] == b"TFL3":
        return Kind("a TensorFlow Lite file", None, "export the model it was made of to ONNX")
    if head[0] == 8 and head[1:2] < b"\x20":
        return _ONNX
    return _of_text(head)


def _of_zip(path: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return Kind("a damaged zip archive", None, "bring the file again")
    if any(name.endswith("data.pkl") for name in names):
        return _TORCH
    if "config.json" in names:
        return _KERAS
    if any(name.endswith(".npy") for name in names):
        return Kind("a NumPy archive", None, "give its arrays to set_weights")
    return Kind("a zip archive", None, "unpack it first")


def _of_text(head: bytes) -> Kind:
    text = head.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    # The last character may have been cut.
    if "\x00" in text or "\ufffd" in text[:-1]:
        return Kind(
            "of a kind that is not known here", None, "laminar saves its own with model.save"
        )
    if text.startswith(("{", "[")):
        return _JSON
    if text.startswith("<"):
        return Kind("a page in HTML or XML", None, "perhaps a download gave an error page")
    return Kind("a text, perhaps a table", None, "a table trains a model: laminar train")


def refusal(path: str, known: tuple[str, ...], reason: str | None = None) -> str | None:
    """Return what `load_model` says of a file that it does not load.

    Parameters
    ----------
    path : str
        The file.
    known : tuple of str
        The endings of names that are read; the path may have another.
    reason : str, optional
        Why a file of its ending was refused. None is returned where that says what there is to say.
    """
    ending = os.path.splitext(path)[1]
    where = f"load_model: {path!r}"
    try:
        kind = kind_of(path)
    except OSError:
        if ending in known:
            return None
        kind = Kind("not there, or cannot be read", None, "look at its name and place")
    if ending not in known:
        endings = ", ".join(known)
        return f"{where} is {kind.name}; {kind.cure} (files' names must end in one of {endings})"
    if kind.ending != ending and (kind.ending, ending) != (".h5", ".hdf5"):
        return f"{where} is no {ending} file: it is {kind.name}; {kind.cure}"
    words = ("layer", "operator", "node", "chain")
    if ending != ".safetensors" and reason is not None and any(word in reason for word in words):
        return (
            f"{reason}; what laminar reads of {kind.name} is {_LAYERS}: save one without the rest"
        )
    return None
