# SPDX-License-Identifier: Apache-2.0
"""Layers that read several values as ONNX operators, and back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import layers
from ._onnx_file import File
from ._onnx_graph import Graph
from ._onnx_match import Bound
from ._onnx_pieces import Formula, Made, Make, Merge, Piece

_SHORTEST = 1e-7  # what a vector's length counts as at least, where it divides
_LARGEST_LEAST = 1e-5  # of other programs


def _pairwise(kind: str) -> Callable[[Graph, Sequence[str], Any], str]:
    def write(graph: Graph, values: Sequence[str], layer: Any) -> str:
        return functools.reduce(lambda left, right: graph.op(kind, left, right), values)

    return write


def _average(graph: Graph, values: Sequence[str], layer: Any) -> str:
    return graph.op("Div", WRITERS["add"](graph, values, layer), float(len(values)))


def _concatenate(graph: Graph, values: Sequence[str], layer: Any) -> str:
    return graph.op("Concat", *values, axis=-1)


def _dot(graph: Graph, values: Sequence[str], layer: Any) -> str:
    left, right = (_normalized(graph, x) if layer.normalize else x for x in values)
    return graph.reduce("ReduceSum", graph.op("Mul", left, right), (1,))


def _normalized(graph: Graph, x: str) -> str:
    length = graph.op("Sqrt", graph.reduce("ReduceSum", graph.op("Mul", x, x), (1,)))
    return graph.op("Div", x, graph.op("Max", length, _SHORTEST))


WRITERS: dict[str, Callable[[Graph, Sequence[str], Any], str]] = {
    "add": _pairwise("Add"),
    "subtract": _pairwise("Sub"),
    "multiply": _pairwise("Mul"),
    "average": _average,
    "maximum": _pairwise("Max"),
    "minimum": _pairwise("Min"),
    "concatenate": _concatenate,
    "dot": _dot,
}

# Operators that merge however many values they read.
_KINDS = {
    "Add": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Sum": "add",
    "Mean": "average",
    "Max": "maximum",
    "Min": "minimum",
    "Concat": "concatenate",
}
OPERATORS = frozenset([*_KINDS, "Abs", "Pow"])


def merge(file: File, name: str) -> tuple[Made, list[str]]:
    """Return the merge that ends in a value, None where there is none, and what it reads.

    Some operators are two layers: a difference's size, rows of a table by one number a row.
    """
    node = file.nodes[name]
    given = list(file.arguments(node))
    reads = [value for kind, value in given[: len(node.inputs)] if kind == "value"]
    if node.kind == "Pow" and len(reads) == 1 and np.array_equal(np.ravel(given[1][1]), [2]):
        return Merge("multiply", {}), reads * 2
    if node.kind == "Gather" and len(node.inputs) == 2 and reads and file.is_flat(reads[0]):
        return Piece(layers.Flatten(), []), [file.added("Rows", node.inputs)]
    if node.kind == "Abs":
        return Merge("maximum", {}), [*reads, file.added("Neg", node.inputs)]
    if node.kind not in _KINDS or len(reads) < len(node.inputs):
        return None, []
    arguments = {"axis": node.attributes["axis"]} if node.kind == "Concat" else {}
    if len(given) > len(node.inputs) + len(arguments):  # attributes of older operators
        return None, []
    return (Merge(_KINDS[node.kind], arguments) if len(reads) > 1 else None), reads


def _product(file: File, name: str, bound: Bound) -> Made:
    return Merge("dot", {"normalize": False})


def _cosine(file: File, name: str, bound: Bound) -> Made:
    return Merge("dot", {"normalize": True}) if np.all(bound["least"] < _LARGEST_LEAST) else None


def _dots() -> list[tuple[str, Make]]:
    """Return dot products as laminar writes them, and as PyTorch does, which may drop the axis."""
    found: list[tuple[str, Make]] = []
    for axis in ("1", "-1"):
        for square in ("Mul({0}, {0})", "Pow({0}, 2)"):
            length = f"Max(Sqrt(ReduceSum({square}, {axis}, 1)), least)"
            x, y = (f"Div({value}, {length.format(value)})" for value in "xy")
            found.append((f"ReduceSum(Mul({x}, {y}), {axis}, 1)", _cosine))
        for keep in "01":
            dot, xx, yy = (
                f"ReduceSum(Mul({of}), {axis}, {keep})" for of in ("x, y", "x, x", "y, y")
            )
            found.append((dot, _product))
            found.append((f"Div({dot}, Max(Sqrt(Mul({xx}, {yy})), least))", _cosine))
    return found


DOTS = _dots()

_BY_ROW = ("softmax", "log_softmax", "sparsemax")


def drops_axis(file: File, name: str, made: Made, reads: Sequence[str]) -> str | None:
    """Return what is wrong where values have no axis of features, as dot products may have none.

    Such values are one a row here, too: with others of their kind alone they are the same.
    """
    flat = [file.is_flat(read) for read in reads]
    match made:
        case Piece(layers.Flatten()):
            return None
        case Merge("dot"):
            return "its inputs have no axis of features" if any(flat) else None
        case Piece(layers.Activation() as layer):
            fits = layer.activation._entry not in _BY_ROW or not (any(flat) or file.is_flat(name))
        case Piece(layers.Embedding()):
            fits = True
        case Merge("concatenate") | Formula() | Piece():
            fits = not any(flat)
        case _:
            fits = all(each == file.is_flat(name) for each in flat)
    return None if fits else "it takes values without an axis of features"
