# SPDX-License-Identifier: Apache-2.0
"""A model in a notebook: its structure as a drawing, and a table of its layers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .. import _summary
from .._printable import listed
from . import network, parts
from .html import Html, tag
from .view import facts, folded, rows, view

if TYPE_CHECKING:
    from .._compiling import Compiling

_MOST_DRAWN = 250  # boxes of a drawing in a notebook; plot_model draws all


def html(model: Compiling) -> str:
    """Return what a notebook shows of a model."""
    found = parts.of(model)
    made: list[object] = [_head(model)]
    if len(found.boxes) > _MOST_DRAWN:
        made.append(
            tag(
                "p",
                f"{len(found.boxes):,} inputs and calls of layers are too many to draw here; "
                "laminar.utils.plot_model draws them all.",
                class_="soft",
            )
        )
    elif found.boxes:
        made.append(tag("div", network.drawing(found, title(model)), class_="wide"))
    if found.boxes:
        made.append(folded("Layers", tag("div", _table(found), class_="wide")))
    if model.optimizer is not None:
        made.append(folded("Training", facts(_training(model))))
    return view(made, _summary.of(model))


def title(model: Compiling) -> str:
    """Return what a drawing of a model is called."""
    return f"{type(model).__name__} {model.name}"


def _head(model: Compiling) -> Html:
    said = [model.dtype if model.precision == model.dtype else f"{model.dtype}, {model.precision}"]
    if model.quantization_mode is not None:
        said.append(f"weights of {model.quantization_mode}")
    if model.built:
        weights = model._facts("_repr_html_")
        total = sum(prod(weight.shape) for weight in weights)
        trained = sum(prod(weight.shape) for weight in weights if weight.trainable)
        said.append(f"{total:,} weights" + ("" if trained == total else f", {trained:,} trained"))
        said.append(_summary.size(model))
    else:
        said.append("not built: the first data, Input or build give the input width")
    return tag("p", tag("b", type(model).__name__), f" {model.name} · ", " · ".join(said))


def _table(found: parts.Parts) -> Html:
    reads: dict[int, list[str]] = {}
    for start, end in found.lines:
        reads.setdefault(end, []).append(found.boxes[start].name)
    cells = []
    for i, box in enumerate(found.boxes):
        told = [f"{name}={text}" for name, text in box.arguments.items()]
        cells.append(
            (
                [
                    box.name,
                    box.kind,
                    network.shape_text(box.shape),
                    "" if box.weights is None else f"{box.weights:,}",
                    listed(reads.get(i, [])),
                    ", ".join([*told, *box.labels, *box.inner]),
                ],
                None,
            )
        )
    return rows(["layer", "class", "output", "weights", "reads", "arguments"], cells, None)


def _training(model: Compiling) -> list[tuple[object, object]]:
    optimizer: Any = model.optimizer
    said: list[tuple[object, object]] = [("optimizer", _called(optimizer))]
    losses = model.loss
    for loss in losses if isinstance(losses, list) else [losses]:
        if loss is not None:
            said.append(("loss", _called(loss)))
    if model.metrics:
        said.append(("metrics", listed(map(_called, model.metrics))))
    return said


def _called(part: Any) -> str:
    told = ", ".join(f"{name}={text}" for name, text in parts.arguments(part).items())
    return f"{type(part).__name__}({told})"
