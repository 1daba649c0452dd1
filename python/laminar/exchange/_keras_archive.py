# SPDX-License-Identifier: Apache-2.0
"""What files of Keras hold: a configuration in JSON, and weights in HDF5.

Keras 3 has both in an archive, ``.keras``, or each in a file of its own. What was written before is
in `_keras_legacy`. A file is untrusted: sizes are bounded by the file's own, links that lead out of
it are refused, and arrays must be stored whole, as Keras stores them.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._printable import lines
from ._extras import required
from ._keras_graph import snake_names

WHERE = "load_model"
LARGEST_CONFIG = 2**24
# Keras stores without compression; what others compressed may still be a little smaller.
_LARGEST_RATIO = 16
_MOST_ARRAYS = 16  # of a layer
_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


class Source:
    """A model of Keras: ``config``, and the weights of each layer by its place.

    Parameters
    ----------
    path : str
        The file that errors name.

    Raises
    ------
    ImportError
        Where h5py is missing.
    """

    config: dict[str, Any]
    _weights: Any
    _left: int  # bytes that arrays may take: one may be linked to many times

    def __init__(self, path: str) -> None:
        self.path = path
        self._h5py = required("h5py", "keras", f"{WHERE}: {path!r}")

    def names(self, entries: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the names of layers among the weights."""
        return snake_names(entries)

    def refusal(self, what: str) -> ValueError:
        """Return the error that says what is wrong with the file."""
        return ValueError(lines(f"{WHERE}: {self.path}: {what}"))

    def weights(self, *path: str) -> list[NDArray[Any]]:
        """Return the arrays of a layer, in order; ValueError where they are damaged."""
        layer = path[-1]
        try:
            group = self._weights
            for name in (*path, "vars"):
                group = self._inside(group, name)
                if group is None:
                    return []
            if len(group) > _MOST_ARRAYS:
                raise self.refusal(f"weights of {layer!r} are {len(group)} arrays, too many")
            return [self._array(group, str(i)) for i in range(len(group))]
        except ValueError:
            raise
        except Exception as error:  # whatever h5py raises
            raise self.refusal(f"weights of {layer!r} are damaged: {error}") from None

    def close(self) -> None:
        """Forget the weights."""
        self._weights.close()

    def _opened(self, content: Any) -> Any:
        """Return a file of weights, of a path or of bytes."""
        try:
            return self._h5py.File(content, "r")
        except Exception as error:  # h5py's kinds differ by version
            raise self.refusal(f"its weights are damaged: {error}") from None

    def _json(self, content: bytes | str) -> dict[str, Any]:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self.refusal(f"its configuration is damaged: {error}") from None
        if not isinstance(value, dict):
            raise self.refusal("its configuration is not a mapping")
        return value

    def _inside(self, group: Any, name: str) -> Any:
        """Return a member of a group, None where there is none."""
        if not isinstance(group, self._h5py.Group):
            raise self.refusal(f"{group.name} must be a group")
        link = group.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, self._h5py.HardLink):
            raise self.refusal(f"{group.name}/{name} leads out of the file")
        return group[name]

    def _array(self, group: Any, name: str) -> NDArray[Any]:
        found = self._inside(group, name)
        where = f"{group.name}/{name}"
        if not isinstance(found, self._h5py.Dataset):
            raise self.refusal(f"{where} must be an array")
        if found.dtype not in (np.float32, np.float64, np.int32, np.int64):
            raise self.refusal(f"{where} must hold float32 or float64, got {found.dtype}")
        stored = found.id.get_storage_size() == found.nbytes
        if found.is_virtual or found.external or not stored:
            raise self.refusal(f"{where} must be stored whole in the file, without compression")
        self._left -= found.nbytes
        if self._left < 0:
            raise self.refusal(f"{where}: its arrays take more bytes than its weights have")
        array: NDArray[Any] = found[()]
        return np.asarray(array)


class Archive(Source):
    """A ``.keras`` file: ``config``, and the weights of each layer by its name in the file.

    Parameters
    ----------
    path : str
        The file.

    Raises
    ------
    ImportError, OSError, ValueError
        Where h5py is missing, or the file is absent, damaged or not of Keras 3.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        try:
            with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
                size = os.fstat(file.fileno()).st_size
                members = [self._member(archive, name, size) for name in _MEMBERS]
        except (OSError, ValueError):
            raise
        except Exception as error:  # whatever a damaged archive makes zipfile and zlib raise
            raise self.refusal(f"is not an archive of Keras: {error}") from None
        metadata, self.config = (self._json(content) for content in members[:2])
        version = str(metadata.get("keras_version", ""))
        if not version.startswith("3"):
            raise self.refusal(f"must be written by Keras 3, got version {version!r}")
        self._left = len(members[2])
        self._weights = self._opened(io.BytesIO(members[2]))

    def _member(self, archive: zipfile.ZipFile, name: str, size: int) -> bytes:
        try:
            info = archive.getinfo(name)
        except KeyError:
            raise self.refusal(f"must hold {', '.join(_MEMBERS)}, but lacks {name}") from None
        limit = _LARGEST_RATIO * size
        if name.endswith(".json"):
            limit = min(max(limit, 2**16), LARGEST_CONFIG)
        if info.file_size > limit:
            raise self.refusal(f"{name} would take {info.file_size} bytes, more than {limit}")
        with archive.open(info) as member:
            content = member.read(limit + 1)
        if len(content) != info.file_size:
            raise self.refusal(f"{name} has not the size that the archive says")
        return content


class Configured(Source):
    """A configuration in one file, of ``model.to_json``, and weights in another.

    Parameters
    ----------
    path : str
        The configuration.
    weights : str
        What ``model.save_weights`` wrote.
    """

    def __init__(self, path: str, weights: str) -> None:
        super().__init__(path)
        self.config = self._json(self._text(path))
        self.path = weights  # from here on errors are about it
        self._left = size_of(weights)
        self._weights = self._opened(weights)
        if "layers" not in self._weights:
            raise self.refusal("holds no weights of Keras 3: there is no group 'layers'")

    def _text(self, path: str) -> bytes:
        return text_of(path, self.refusal)


def text_of(path: str, refusal: Callable[[str], ValueError]) -> bytes:
    """Return what a file of a configuration holds; ValueError where it is too long for one."""
    with open(path, "rb") as file:
        content = file.read(LARGEST_CONFIG + 1)
    if len(content) > LARGEST_CONFIG:
        raise refusal(f"a configuration has at most {LARGEST_CONFIG:,} bytes")
    return content


def size_of(path: str) -> int:
    """Return the bytes of a file; OSError where it cannot be read."""
    with open(path, "rb") as file:
        return os.fstat(file.fileno()).st_size
