# SPDX-License-Identifier: Apache-2.0
"""A data set in a notebook: what is known of it without reading more than its first rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._printable import listed
from ..data import _inputs
from .html import short, tag
from .view import facts, folded, rows, view

if TYPE_CHECKING:
    from ..data import Dataset

_LISTED = 12  # names of classes and inputs that are said at once


def html(data: Dataset) -> str:
    """Return what a notebook shows; nothing is read that has not been read."""
    pieces = data._pieces
    said: list[tuple[object, object]] = [
        ("rows", "known after reading" if data.rows is None else f"{data.rows:,}"),
        ("parts, in any order", f"{pieces.parts:,}"),
    ]
    first = pieces.described()
    if first is not None:
        said.append(("x", _shapes(first.x)))
        said.append(("y", "none" if first.y is None else _shapes(first.y)))
        said.append(("sample_weight", "none" if first.weight is None else _shapes(first.weight)))
    if data._table is not None:
        said.append(("target", short(data._table.target.name)))
    if data.classes:
        said.append((f"{len(data.classes):,} classes", _some(data.classes)))
    said.append(("blocks take", _bytes(data.buffer_size)))
    made: list[object] = [tag("p", tag("b", type(data).__name__)), facts(said)]
    if data.feature_names:
        made.append(_inputs_table(data))
    return view(made, repr(data))


def _shapes(value: Any) -> str:
    """Return the shapes and dtypes of rows, of several inputs by their names."""
    if hasattr(value, "items"):
        return "; ".join(f"{name}: {_shapes(part)}" for name, part in value.items())
    if _inputs.are_several(value, None):
        return "; ".join(map(_shapes, value))
    value = value if hasattr(value, "shape") else np.asarray(value)
    shape = ", ".join(["rows", *map(str, value.shape[1:])])
    return f"({shape}) {value.dtype}"


def _some(names: Any) -> str:
    more = len(names) - _LISTED
    told = listed(short(name, 30) for name in names[:_LISTED])
    return f"{told}, and {more:,} more" if more > 0 else told


def _inputs_table(data: Dataset) -> object:
    names = data.feature_names or ()
    most = 200
    if data.mean is None or data.variance is None:
        cells = [([short(name)], None) for name in names[:most]]
        header = ["input"]
    else:
        header = ["input", "mean", "standard deviation"]
        known = zip(names, data.mean, data.variance**0.5, strict=True)
        cells = [([short(name), f"{m:.4g}", f"{s:.4g}"], None) for name, m, s in known][:most]
    some = f", the first {most}" if len(names) > most else ""
    return folded(f"{len(names):,} inputs{some}", tag("div", rows(header, cells), class_="wide"))


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count //= 1024
    return f"{count:,} GiB"
