# SPDX-License-Identifier: Apache-2.0
"""Models for other programs, and from them: ONNX, Keras, PyTorch, source code.

A writer is one line in `WRITERS`, its module is imported when it is first used. Files that come
in are untrusted: what is not understood is refused by name, and nothing in them is executed.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._spelling import hint

if TYPE_CHECKING:
    from .._base_model import BaseModel
    from .integers import IntegerProgram

__all__: list[str] = []

# {ending: (format, module with a function write(model, path))}
WRITERS: dict[str, tuple[str, str]] = {
    ".onnx": ("onnx", "onnx_writer"),
    ".safetensors": ("torch", "torch_weights"),
    ".keras": ("keras", "keras_writer"),
    ".c": ("c", "c_source"),
    ".hpp": ("hpp", "cpp_header"),
    ".h": ("hpp", "cpp_header"),
}


def export(
    model: BaseModel[Any],
    filepath: str | os.PathLike[str],
    format: str | None = None,
    opset: int | None = None,
) -> None:
    """Write a model in the format that the file's ending or ``format`` names.

    Parameters
    ----------
    model : Sequential or Model
        A built model.
    filepath : str or path
        The file.
    format : str, optional
        One of the formats of `WRITERS`, where the ending does not tell.
    opset : int, optional
        Of ONNX alone: the version of the operators.

    Raises
    ------
    TypeError, ValueError, ImportError, OSError
        Where there is no such format, the model does not go into it, a package is missing, or the
        file cannot be written.
    """
    path = os.fspath(filepath)
    if not isinstance(path, str):
        raise TypeError(f"export: filepath must be text or a path, got {filepath!r}")
    if format is None:
        found = [writer for ending, writer in WRITERS.items() if path.endswith(ending)]
        if not found:
            raise ValueError(
                f"export: the file's name must end in {', '.join(WRITERS)}, or format be given; "
                f"got {path!r}"
            )
        module = found[0][1]
    else:
        modules = dict(WRITERS.values())
        if not isinstance(format, str):
            raise TypeError(f"export: format must be one of {', '.join(modules)}, got {format!r}")
        if format not in modules:
            raise ValueError(f"export: unknown format {format!r}; {hint(format, modules)}")
        module = modules[format]
    writer = import_module(f"{__name__}.{module}")
    if opset is None:
        writer.write(model, path)
    elif module == "onnx_writer":
        writer.write(model, path, opset)
    else:
        raise ValueError(f"export: opset is of ONNX alone; {path!r} is no ONNX file")


def export_integers(
    model: BaseModel[Any],
    filepath: str | os.PathLike[str],
    format: str | None,
    mode: str,
    x: Any,
    y: Any,
) -> IntegerProgram:
    """Write a model in integers; see `Sequential.export`."""
    from . import integers  # needed by few programs

    return integers.export(model, filepath, format, mode, x, y)


def load_torch_weights(model: BaseModel[Any], filepath: str | os.PathLike[str]) -> None:
    """Set a model's weights to those of a safetensors file; see `Sequential.load_torch_weights`."""
    import_module(f"{__name__}.torch_weights").load(model, os.fspath(filepath))
