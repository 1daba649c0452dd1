# SPDX-License-Identifier: Apache-2.0
"""The table that summary prints, in Keras's words: layers, shapes, weights, bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ._printable import printable

if TYPE_CHECKING:
    from ._compiling import Compiling
    from .layers import Layer
    from .layers._place import Facts
    from .layers.symbol import Symbol

_HEAD = ("Layer (type)", "Output Shape", "Param #")
_RIGHT = 2  # the column of numbers
_MOST_CONNECTED = 40  # letters of what a layer reads in one line
_GAP = "  "
SHORTEST = 40  # the least line_length: what numbers of weights and a few letters beside them need


def of(
    model: Compiling,
    line_length: int | None = None,
    show_trainable: bool = False,
    with_optimizer: bool = True,
) -> str:
    """Return the text of a summary.

    Parameters
    ----------
    model : Sequential
        Built or not.
    line_length : int, optional
        The width of the table, at least `SHORTEST`: longer cells go on in further lines. None is
        as wide as the cells.
    show_trainable : bool
        Whether there is a column that tells which layers' weights training changes; where some are
        frozen there is one in any case.
    with_optimizer : bool
        Whether there is a line for the optimizer of a compiled model.
    """
    built = model.built
    weights = model._facts("summary") if built else []
    known = model._described(model._core("summary")) if built else [None] * len(model.layers)
    described = list(zip(model.layers, known, strict=True))
    rows = [list(_HEAD), *(_row(layer, facts) for layer, facts in described)]
    if show_trainable or not model.trainable:
        kinds = [trained(facts, weights) for _, facts in described]
        rows = [[*row, kind] for row, kind in zip(rows, ["Trainable", *kinds], strict=True)]
    reads = model._connections()
    if reads is not None:
        inputs = [_input_row(symbol, name, len(rows[0])) for symbol, name in reads[0]]
        rows[1:1] = inputs
        cells = ["Connected to", *("-" for _ in inputs), *map(_connected, reads[1])]
        rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    columns = len(rows[0])
    widths = [max(len(row[i]) for row in rows) for i in range(columns)]
    if reads is not None:
        widths[-1] = min(widths[-1], _MOST_CONNECTED)
    if line_length is not None:
        if reads is not None:
            widths[-1] = min(widths[-1], line_length // 4)
        widths = _fitted(widths, line_length)
    head, *body = ["\n".join(_lines(row, widths)) for row in rows]
    rounded = "" if model.precision == model.dtype else f", products of {model.precision}"
    if model.quantization_mode is not None:
        rounded += f", weights of {model.quantization_mode}"
    title = f'Model: "{printable(model.name)}" ({model.dtype}{rounded})'
    rule = "─" * (sum(widths) + len(_GAP) * (columns - 1))
    return "\n".join([title, rule, head, rule, *body, rule, *_totals(model, built, with_optimizer)])


def _row(layer: Layer, facts: Mapping[str, Any] | None) -> list[str]:
    """Return name, shape and number of weights, from what the core says of the layer."""
    kind = type(layer).__name__
    if facts is None:
        return [f"{printable(layer.name or kind.lower())} ({kind})", "?", "0 (unbuilt)"]
    if facts["calls"]:
        kind = f"{kind}, Python: {', '.join(map(printable, facts['calls']))}"
    shape = (None, *facts["output_shape"])
    return [f"{printable(facts['name'])} ({kind})", str(shape), f"{facts['parameters']:,}"]


def _input_row(symbol: Symbol, name: str, columns: int) -> list[str]:
    cells = [f"{printable(name)} (Input)", str((None, *symbol.shape)), "0", "-"]
    return cells[:columns]


def trained(facts: Mapping[str, Any] | None, weights: Sequence[Facts]) -> str:
    """Return whether training changes a layer's weights."""
    if facts is None:
        return "?"
    own = [weight.trainable for weight in weights[slice(*facts["tensors"])]]
    return "-" if not own else "Y" if all(own) else "partly" if any(own) else "N"


def _connected(calls: Sequence[Sequence[str]]) -> str:
    """Return what a layer reads; calls of a shared layer stand behind one another."""
    return "; ".join(", ".join(map(printable, reads)) for reads in calls)


def _fitted(widths: Sequence[int], line_length: int) -> list[int]:
    """Return widths of columns that fill a line: names and shapes share what is left."""
    rest = line_length - len(_GAP) * (len(widths) - 1) - sum(widths[_RIGHT:])
    shape = min(max(rest // 3, 1), widths[1])
    return [max(rest - shape, 1), shape, *widths[_RIGHT:]]


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a row of the table as one line or, where cells are longer than columns, more."""
    cells = [textwrap.wrap(text, width) for text, width in zip(row, widths, strict=True)]
    lines = []
    for i in range(max(map(len, cells))):
        parts = [cell[i] if i < len(cell) else "" for cell in cells]
        texts = [
            f"{text:>{width}}" if column == _RIGHT else f"{text:<{width}}"
            for column, (text, width) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append(_GAP.join(texts).rstrip())
    return lines


def _totals(model: Compiling, built: bool, with_optimizer: bool) -> list[str]:
    """Return the lines below the table; the optimizer's arrays are no part of the total."""
    if not built:
        return ["Not built: the first data, Input or build give the input width."]
    total = model.count_params()
    trainable = sum(prod(weight.shape) for weight in model._facts("summary") if weight.trainable)
    counts = {
        "Total params": total,
        "Trainable params": trainable,
        "Non-trainable params": total - trainable,
    }
    tables: list[str] = []
    if with_optimizer and model.optimizer is not None:
        core = model._core("summary")
        counts["Optimizer params"] = core.optimizer_parameters
        tables = core.tables_by_rows
    size = np.dtype(model.dtype).itemsize
    lines = [f"{name}: {count:,} ({_bytes(count * size)})" for name, count in counts.items()]
    if model.quantization_mode is not None:
        held = model._core("summary").held_bytes
        lines.append(f"Held in {model.quantization_mode} and scales: {_bytes(held)}")
    if tables:
        named = ", ".join(printable(table.rpartition("/")[0]) for table in tables)
        lines.append(f"Updated by the rows that a batch reads: {named}")
    return lines


def size(model: Compiling) -> str:
    """Return what a model's weights take, as text."""
    return _bytes(model.count_params() * np.dtype(model.dtype).itemsize)


def _bytes(count: float) -> str:
    """Return a number of bytes as Keras writes it."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if count < 1024 or unit == "TB":
            break
        count /= 1024
    return f"{count:.2f} {unit}"
