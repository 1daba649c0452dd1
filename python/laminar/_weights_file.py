# SPDX-License-Identifier: Apache-2.0
"""Weights as a file: NumPy's .npz with one array for each tensor, under the tensor's name.

A file is written beside its place and then moved there, so that whoever reads it finds the old
one or the new one, whole. Structure, optimizer and history are not in it.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._stack import Stack


def checked_path(path: str | os.PathLike[str], where: str) -> str:
    """Return the path as text; ValueError for another ending than .npz."""
    text = os.fspath(path)
    if not text.endswith(".npz"):
        raise ValueError(f"{where}: the file's name must end in '.npz', got {text!r}")
    return text


def save(model: Stack, path: str) -> None:
    """Write the weights of a model; OSError where that fails, the old file still in place."""
    arrays = {
        weight.name: array for weight, array in zip(model.weights, model.get_weights(), strict=True)
    }
    beside = f"{path}.{os.getpid()}-{threading.get_ident()}.part"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def load(model: Stack, path: str) -> None:
    """Set the weights of a model to those of a file.

    Raises
    ------
    ValueError
        Where the file is none of weights, or of another model's; nothing has changed then.
    """
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            found: dict[str, NDArray[Any]] = {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:  # whatever a damaged file makes NumPy and zipfile raise
        raise ValueError(f"load_weights: {path} is not a file of weights: {error}") from None
    names = [weight.name for weight in model.weights]
    missing = [name for name in names if name not in found]
    unknown = [name for name in found if name not in names]
    if missing or unknown:
        raise ValueError(
            f"load_weights: {path} fits another model: "
            f"it lacks {', '.join(missing) or 'nothing'}, "
            f"and has {', '.join(unknown) or 'nothing'} besides"
        )
    model.set_weights([found[name] for name in names])
