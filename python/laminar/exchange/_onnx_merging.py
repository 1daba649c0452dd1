# SPDX-License-Identifier: Apache-2.0
"""Layers that read several values as ONNX operators, and back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._onnx_file import File
from ._onnx_graph import Graph
from ._onnx_match import Bound
from ._onnx_pieces import Made, Make, Merge

_SHORTEST = 1e-7  # what a vector's length counts as at least, where it divides


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
    """Return the merge that ends in a value, None where there is none, and what it reads."""
    node = file.nodes[name]
    given = list(file.arguments(node))
    reads = [value for kind, value in given[: len(node.inputs)] if kind == "value"]
    if node.kind == "Pow" and len(reads) == 1 and np.all(given[1][1] == 2):
        return Merge("multiply", {}), reads * 2
    if node.kind == "Abs":
        return Merge("maximum", {}), [*reads, file.added("Neg", node.inputs)]
    if node.kind not in _KINDS or len(reads) < len(node.inputs):
        return None, []
    arguments = {"axis": node.attributes["axis"]} if node.kind == "Concat" else {}
    if len(given) > len(node.inputs) + len(arguments):  # attributes of older operators
        return None, []
    return (Merge(_KINDS[node.kind], arguments) if len(reads) > 1 else None), reads


def _dot_of(normalize: bool) -> Make:
    def make(file: File, name: str, bound: Bound) -> Made:
        return Merge("dot", {"normalize": normalize})

    return make


_LENGTH = "Max(Sqrt(ReduceSum({0}, {1}, 1)), 1e-7)"


def _dots() -> list[tuple[str, Make]]:
    found = []
    for axis in ("1", "-1"):
        found.append((f"ReduceSum(Mul(x, y), {axis}, 1)", _dot_of(False)))
        for square in ("Mul({0}, {0})", "Pow({0}, 2)"):
            x, y = (f"Div({value}, {_LENGTH.format(square.format(value), axis)})" for value in "xy")
            found.append((f"ReduceSum(Mul({x}, {y}), {axis}, 1)", _dot_of(True)))
    return found


DOTS = _dots()
