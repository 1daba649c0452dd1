# SPDX-License-Identifier: Apache-2.0
"""The table that summary prints: layers, shapes, weights, bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layers import Layer

_HEAD = ("Layer (type)", "Output shape", "Weights")


def table(title: str, layers: Sequence[Layer], itemsize: int) -> str:
    """Return the text of a summary.

    Parameters
    ----------
    title : str
        The first line.
    layers : sequence of Layer
        Of a built model or of one that is not yet built.
    itemsize : int
        Bytes a weight.
    """
    rows = [_HEAD, *(_row(layer) for layer in layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {count:>{widths[2]}}"
        for name, shape, count in rows
    ]
    rule = "─" * max(len(line) for line in (*lines, title))
    total = "Not built: the first data, Input or build give the input width."
    if all(layer.built for layer in layers):
        weights = sum(layer.count_params() for layer in layers)
        total = f"Total: {weights:,} weights ({_bytes(weights * itemsize)})"
    return "\n".join([title, rule, lines[0], rule, *lines[1:], rule, total])


def _row(layer: Layer) -> tuple[str, str, str]:
    kind = type(layer).__name__
    if not layer.built:
        return f"{layer.name or kind.lower()} ({kind})", "?", "?"
    return f"{layer.name} ({kind})", str(layer.output_shape), f"{layer.count_params():,}"


def _bytes(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.2f} {unit}"
