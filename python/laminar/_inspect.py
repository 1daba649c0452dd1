# SPDX-License-Identifier: Apache-2.0
"""What a file holds, as text: `laminar inspect FILE`. Of models, tensors are read as well."""

from __future__ import annotations

import json
import math
import os
import warnings
from typing import TYPE_CHECKING, Any

from . import _core, _saving
from ._file_kinds import kind_of as kind_of_file
from ._printable import listed, printable
from ._tables.table import TEXT, Table
from .models import _READERS, kind_of, load_model

if TYPE_CHECKING:
    from ._base_model import BaseModel

_LONGEST_HEAD = 2**14  # characters
_ITEM_SIZES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I8": 1,
}


def described(path: str, weights: str | None = None) -> str:
    """Return what a file holds: a model of any format that is read or written, or tensors.

    Parameters
    ----------
    path : str
        A model's file, one of weights, another safetensors file, or C or C++ of an export.
    weights : str, optional
        With a configuration of Keras in JSON: the file of its weights.

    Raises
    ------
    ValueError, OSError, ImportError
        Where it is none of these, cannot be read, or the package that reads it is missing.
    """
    ending = os.path.splitext(path)[1]
    if ending in _READERS:
        return _of_another(path, ending, weights)
    if ending in (".c", ".h", ".hpp"):
        return _of_source(path)
    if weights is not None:
        raise ValueError(f"inspect: weights belong to a configuration in .json, got {path!r}")
    if ending != _saving.ENDING and os.path.isfile(path):
        found = kind_of_file(path)
        if found.ending != _saving.ENDING:
            raise ValueError(f"inspect: {path!r} is {found.name}; {found.cure}")
    file = _core.OpenFile(_saving.checked_path(path, "inspect"))
    try:
        metadata, tensors = file.safetensors()
    except ValueError as error:
        raise ValueError(f"inspect: {path!r}: {error}") from None
    size, name = f"{file.size:,} bytes", printable(path)
    if "laminar.format" in metadata:
        model = _saving.load(path, kind_of, file)
        parts = [f"{name}: a model of laminar, {size}", _facts(model, metadata), _table(model)]
    else:
        parts = [f"{name}: {len(tensors)} tensors, {size}", _texts(metadata)]
    rows = [
        (printable(name), dtype, "x".join(map(str, shape)) or "1", f"{_bytes(dtype, shape):,}")
        for name, dtype, shape in tensors
    ]
    parts.append(_aligned([("Tensor", "Type", "Shape", "Bytes"), *rows]))
    if TEXT in metadata:
        parts.append(_columns(Table.from_json(metadata[TEXT])))
    return "\n\n".join(part for part in parts if part)


def _of_another(path: str, ending: str, weights: str | None) -> str:
    """Return what a file of another program holds, as the model that it becomes here."""
    if weights is None and ending == ".json":
        raise ValueError(
            f"inspect: {path!r} is a configuration without weights; give their file as weights"
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_model(path, weights=weights)
    source = {".onnx": "ONNX"}.get(ending, "Keras")
    parts = [f"{printable(path)}: a model of {source}, {os.path.getsize(path):,} bytes"]
    facts = {"dtype": model.dtype, **_ends(model)}
    if model.class_names is not None:
        facts["classes"] = listed(map(printable, model.class_names))
    width = max(map(len, facts))
    parts.append("\n".join(f"{name:<{width}}  {text}" for name, text in facts.items()))
    parts.append(_table(model))
    parts += [printable(str(each.message)) for each in caught]
    return "\n\n".join(parts)


def _of_source(path: str) -> str:
    """Return the head of a program that laminar has written: how it is used."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read(_LONGEST_HEAD)
    head = text.partition("*/")[0].removeprefix("/*") if text.startswith("/*") else ""
    lines = [line.strip().removeprefix("*").removeprefix("//").strip() for line in head.split("\n")]
    if "laminar" not in head:
        raise ValueError(f"inspect: {path!r} is no program that laminar has exported")
    kind = "C" if path.endswith(".c") else "C++"
    size = f"{os.path.getsize(path):,} bytes"
    told = "\n".join(map(printable, lines)).strip()
    return f"{printable(path)}: a model as a program in {kind}, {size}\n\n{told}"


def _facts(model: BaseModel, metadata: dict[str, str]) -> str:
    version = printable(metadata.get("laminar.version", "?"))
    facts = {
        "format": f"{metadata['laminar.format']}, of laminar {version}",
        "dtype": model.dtype,
        "precision": model.precision,
        **({"weights": f"rounded to {mode}"} if (mode := model.quantization_mode) else {}),
        "seed": str(model.seed),
        **_ends(model),
    }
    core = model._core("inspect")
    if core.compiled_with is not None:
        *texts, ignore_nan = core.compiled_with
        heads, optimizer = map(json.loads, texts)
        facts |= {
            "loss": ", ".join(_loss(head) for head in heads if head.get("loss")),
            "optimizer": _call(optimizer),
            "metrics": listed(core.metric_names[1:]) or "none",
            **({"missing": "targets that are NaN count for nothing"} if ignore_nan else {}),
            "updates": f"{core.iterations:,}",
            "learning rate": f"{core.learning_rate:g}",
        }
        stands = f"before epoch {core.next_epoch + 1}"
        if core.batches_done is not None:
            stands = f"in epoch {core.next_epoch + 1}, after {core.batches_done} batches"
        facts["training stands"] = stands
    if model.history is not None and model.history.epoch:
        facts["last epoch"] = ", ".join(
            f"{printable(key)} {values[-1]:.4g}"
            for key, values in model.history.history.items()
            if values
        )
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in facts.items())


def _ends(model: BaseModel) -> dict[str, str]:
    """Return what a graph reads and returns, and which layers of a model are frozen."""
    names = model._layer_names()
    facts = {}
    if model._connections() is not None:
        inputs, calls, outputs, shapes = model._wiring()
        of = [name for name, _ in inputs] + [names[layer] for layer, _ in calls]
        facts["inputs"] = listed(f"{printable(name)} {shape}" for name, shape in inputs)
        facts["outputs"] = listed(
            f"{printable(name)} {shapes[number]} of {printable(of[number])}"
            for name, number in outputs
        )
    frozen = [
        printable(name)
        for name, layer, is_frozen in zip(names, model.layers, model._frozen, strict=True)
        if is_frozen and layer.count_params()
    ]
    return {**facts, "frozen": listed(frozen)} if frozen else facts


def _loss(head: dict[str, Any]) -> str:
    """Return the loss of an output, with the output's name where there are several."""
    name = f"{printable(head['name'])}: " if head["name"] else ""
    times = "" if head["weight"] == 1 else f"{head['weight']:g} "
    return f"{name}{times}{_call(head['loss'])}"


def _table(model: BaseModel) -> str:
    lines: list[str] = []
    model.summary(print_fn=lambda text: lines.append(str(text)))
    return "\n".join(lines)


def _columns(table: Table) -> str:
    """Return a table's columns as text, with the numbers of the inputs that each becomes."""
    kind = "a number" if table.target.kind == "number" else listed(table.target.classes)
    lines = [f"target {printable(table.target.name)}: {kind}", f"inputs: {table.width}"]
    start = 0
    for column in table.columns:
        end = start + column.width
        places = str(start) if end == start + 1 else f"{start}-{end - 1}"
        what = "number" if column.kind == "number" else listed(column.categories)
        rest = ""
        if column.indicator:
            rest = ", and whether it is missing" if column.kind == "number" else ", (other)"
        lines.append(f"  {places:>9}  {printable(column.name)}: {what}{rest}")
        start = end
    return "\n".join(lines)


def _texts(metadata: dict[str, str]) -> str:
    return "\n".join(f"{printable(key)}: {printable(text)}" for key, text in metadata.items())


def _call(spec: dict[str, object]) -> str:
    """Return a configuration as a call of its class would be written."""
    arguments = {key: value for key, value in spec.items() if key not in ("name", "program")}
    return f"{spec['name']}({listed(f'{key}={value}' for key, value in arguments.items())})"


def _bytes(dtype: str, shape: tuple[int, ...]) -> int:
    return math.prod(shape) * _ITEM_SIZES.get(dtype, 1)


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if i < len(row) - 1 else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
