# SPDX-License-Identifier: Apache-2.0
"""Layers that read several values as ONNX operators."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ._onnx_graph import Graph

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
