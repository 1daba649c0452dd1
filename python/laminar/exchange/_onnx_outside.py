# SPDX-License-Identifier: Apache-2.0
"""Tensors of an ONNX file that lie in files beside it, as PyTorch's exporter writes them.

A file says where they lie, and is untrusted: only a plain file within its own folder is read, by a
relative name without ``..`` and without links, no more of it than there is, and no more than
`LARGEST` bytes in all.
"""

from __future__ import annotations

import math
import ntpath
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 2**34  # bytes of all files beside one
_LARGEST_INTEGERS = 2**20  # bytes of a tensor that onnx itself computes with: shapes, axes
_CURE = "keep the files together as they were written, or save with the weights inside"

Refusal = Callable[[str], ValueError]


class Outside:
    """What lies beside one ONNX file.

    Parameters
    ----------
    onnx : module
        The package onnx.
    path : str
        The ONNX file.
    refusal : callable
        Makes the error that says what is wrong with the file.
    """

    def __init__(self, onnx: Any, path: str, refusal: Refusal) -> None:
        self._onnx, self._refusal = onnx, refusal
        self._folder = os.path.dirname(os.path.abspath(path))
        self._sizes: dict[str, int] = {}
        self._left: dict[str, int] = {}  # bytes that tensors may take: two may be in one place
        self.arrays: dict[str, NDArray[Any]] = {}

    @property
    def size(self) -> int:
        """How many bytes the files have that were read from."""
        return sum(self._sizes.values())

    def take(self, model: Any) -> None:
        """Take the numbers out of a model; integers become part of it.

        Tensors of others become inputs of the graph, so that onnx knows their shapes and looks for
        no file; `arrays` has them by name.
        """
        graph = model.graph
        kinds = self._onnx.TensorProto
        types = {kinds.FLOAT: "<f4", kinds.DOUBLE: "<f8", kinds.INT32: "<i4", kinds.INT64: "<i8"}
        kept, inputs = [], {info.name for info in graph.input}
        for tensor in graph.initializer:
            if not is_outside(self._onnx, tensor):
                kept.append(tensor)
                continue
            element = types.get(tensor.data_type)
            if element is None:
                names = {number: name for name, number in kinds.DataType.items()}
                raise self._refusal(
                    f"tensor {tensor.name!r} must be of type FLOAT, DOUBLE, INT64 or INT32, got "
                    f"{names.get(tensor.data_type, tensor.data_type)}; convert it in the program "
                    "that wrote it"
                )
            array = self._array(tensor, np.dtype(element))
            if array.dtype.kind == "i":
                tensor.ClearField("external_data")
                tensor.ClearField("data_location")
                tensor.raw_data = array.tobytes()
                kept.append(tensor)
                continue
            self.arrays[tensor.name] = array.astype(array.dtype.newbyteorder("="), copy=False)
            if tensor.name not in inputs:
                info = self._onnx.helper.make_tensor_value_info(
                    tensor.name, tensor.data_type, list(tensor.dims)
                )
                graph.input.append(info)
        if self.arrays:
            kept = list(map(_copied, kept))
            del graph.initializer[:]
            graph.initializer.extend(kept)

    def _array(self, tensor: Any, element: np.dtype[Any]) -> NDArray[Any]:
        where = f"tensor {tensor.name!r}"
        given = {entry.key: entry.value for entry in tensor.external_data}
        try:
            offset = int(given.get("offset", 0) or 0)
            stated = int(given["length"]) if given.get("length") else None
        except ValueError:
            raise self._refusal(f"{where}: its place in another file is no number") from None
        shape = tuple(int(extent) for extent in tensor.dims)
        size = math.prod(shape) * element.itemsize
        if min(shape, default=0) < 0 or offset < 0 or (stated is not None and stated != size):
            raise self._refusal(
                f"{where} of shape {shape} takes {size:,} bytes, its place has {stated} from "
                f"{offset} on"
            )
        if element.kind == "i" and size > _LARGEST_INTEGERS:
            raise self._refusal(f"{where}: {size:,} bytes of integers are too many")
        location = given.get("location", "")
        with self._opened(location, where) as file:
            whole = self._sizes[location]
            if offset + size > whole:
                raise self._refusal(
                    f"{where} ends at byte {offset + size:,} of {location!r}, which has {whole:,}; "
                    "bring the file again"
                )
            self._left[location] -= size
            if self._left[location] < 0:
                raise self._refusal(f"tensors take more bytes than {location!r} has")
            file.seek(offset)
            content = file.read(size)
        if len(content) < size:
            raise self._refusal(f"{where}: {location!r} has become shorter")
        return np.frombuffer(content, element).reshape(shape)

    def _opened(self, location: str, where: str) -> Any:
        """Return an open file within the folder; ValueError where it is none, or none is there."""
        drive, rest = ntpath.splitdrive(location)
        parts = rest.replace("\\", "/").split("/")
        if not location or drive or any(part in ("", ".", "..") for part in parts) or "\0" in rest:
            raise self._refusal(
                f"{where} lies outside of the file, at {location!r}; it must have a relative name "
                f"within the folder: {_CURE}"
            )
        path = self._folder
        for part in parts:
            path = os.path.join(path, part)
            try:
                kind = os.lstat(path).st_mode
            except OSError:
                raise self._refusal(
                    f"{where} lies in {location!r}, which is not there; it belongs beside the ONNX "
                    f"file: {_CURE}"
                ) from None
            if stat.S_ISLNK(kind):
                raise self._refusal(
                    f"{where} lies in {location!r}, where {part!r} is a link; links are not "
                    "followed: copy the file itself"
                )
        # What was put in its place meanwhile is no link either, and is not waited for.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        try:
            file = os.fdopen(os.open(path, flags), "rb")
        except OSError as error:
            raise self._refusal(
                f"{where} lies in {location!r}, which cannot be read: {error.strerror}"
            ) from None
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise self._refusal(f"{where} lies in {location!r}, which is no plain file")
        if location not in self._sizes:
            self._sizes[location] = self._left[location] = status.st_size
        if self.size > LARGEST:
            file.close()
            raise self._refusal(
                f"the files beside it have {self.size:,} bytes; at most {LARGEST:,} are read"
            )
        return file


def _copied(tensor: Any) -> Any:
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    return copy


def is_outside(onnx: Any, tensor: Any) -> bool:
    """Whether a tensor's numbers are in another file."""
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data) > 0)


def tensors_of_nodes(graph: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the nodes with a tensor as an attribute, and that."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield node, attribute.t
            for tensor in attribute.tensors:
                yield node, tensor
