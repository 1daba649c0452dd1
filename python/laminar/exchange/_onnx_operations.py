# SPDX-License-Identifier: Apache-2.0
"""Layers that users have written themselves as ONNX operators, operation by operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _onnx_activations as activations
from ._onnx_graph import Graph, Input
from ._programs import ROWS, Program, Value, activation_of


@dataclass
class Layer:
    """A layer that is being written.

    Parameters
    ----------
    graph : Graph
        What it becomes part of.
    program : Program
        What it does.
    reads : list of str
        The names of its inputs.
    names : dict
        Those of the values so far.
    """

    graph: Graph
    program: Program
    reads: Sequence[str]
    names: dict[int, str] = field(default_factory=dict)
    _rows: str = ""

    def shape(self, number: int) -> tuple[int, ...]:
        """Return the shape of a value, with `ROWS` for the rows of a batch."""
        return self.program.values[number].shape

    def extents(self, shape: Sequence[int]) -> Input:
        """Return a shape as operators take it, the number of rows in it."""
        if ROWS not in shape:
            return self.graph.integers(*shape)
        if not self._rows:
            whole = self.graph.op("Shape", self.reads[0])
            self._rows = self.graph.op("Gather", whole, self.graph.integers(0), axis=0)
        if len(shape) == 1:
            return self._rows
        return self.graph.op("Concat", self._rows, self.graph.integers(*shape[1:]), axis=0)


Writer = Callable[[Layer, Value, list[str]], str]


def _native(kind: str) -> Writer:
    return lambda layer, value, reads: layer.graph.op(kind, *reads)


def _comparison(kind: str) -> Writer:
    return lambda layer, value, reads: layer.graph.cast(layer.graph.op(kind, *reads))


def _not_equal(layer: Layer, value: Value, reads: list[str]) -> str:
    return layer.graph.cast(layer.graph.op("Not", layer.graph.op("Equal", *reads)))


def _where(layer: Layer, value: Value, reads: list[str]) -> str:
    condition, yes, no = reads
    return layer.graph.op("Where", layer.graph.op("Equal", condition, 0.0), no, yes)


def _square(layer: Layer, value: Value, reads: list[str]) -> str:
    return layer.graph.op("Mul", reads[0], reads[0])


def _expm1(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add e^x - 1 = 2 t / (1 - t) with t = tanh(x / 2), which keeps its digits near 0."""
    graph, (x,) = layer.graph, reads
    t = graph.op("Tanh", graph.op("Mul", graph.op("Min", x, 1.0), 0.5))
    near = graph.op("Div", graph.op("Mul", t, 2.0), graph.op("Sub", 1.0, t))
    far = graph.op("Sub", graph.op("Exp", x), 1.0)
    return graph.op("Where", graph.op("Greater", x, 1.0), far, near)


def _log1p(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add log(1 + x) = 2 artanh(x / (2 + x)), of which the series serves near 0."""
    graph, (x,) = layer.graph, reads
    s = graph.op("Div", x, graph.op("Add", x, 2.0))
    terms = np.array([2 / (2 * k + 1) for k in range(17)])
    near = graph.op("Mul", s, activations.polynomial(graph, graph.op("Mul", s, s), terms))
    far = graph.op("Log", graph.op("Add", x, 1.0))
    return graph.op("Where", graph.op("Less", graph.op("Abs", x), 0.5), near, far)


def _erf(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add erf x, for which runtimes have an operator in float32 alone; near 0 by its series."""
    graph, (x,) = layer.graph, reads
    if graph.float32:
        return graph.op("Erf", x)
    size = graph.op("Min", graph.op("Abs", x), 6.0)
    far = graph.op("Sub", 1.0, graph.op("Mul", *activations.erfc_factors(graph, size)))
    square = graph.op("Mul", size, size)
    terms = [
        (-1) ** k * 2 / math.sqrt(math.pi) / math.factorial(k) / (2 * k + 1) for k in range(22)
    ]
    near = graph.op("Mul", size, activations.polynomial(graph, square, np.array(terms)))
    found = graph.op("Where", graph.op("Less", size, 1.0), near, far)
    return graph.op("Mul", graph.op("Sign", x), found)


def _axes(layer: Layer, value: Value, reads: list[str], kind: str) -> str:
    return layer.graph.reduce(kind, reads[0], tuple(value.integers)) if value.integers else reads[0]


def _reduction(kind: str) -> Writer:
    return lambda layer, value, reads: _axes(layer, value, reads, kind)


def _extreme(kind: str) -> Writer:
    """Return the writer of a reduction in which NaN must win, which runtimes pass over."""

    def write(layer: Layer, value: Value, reads: list[str]) -> str:
        if not value.integers:
            return reads[0]
        graph, (x,) = layer.graph, reads
        bad = graph.op("Where", graph.op("IsNaN", x), x, 0.0)
        total = graph.reduce("ReduceSum", bad, tuple(value.integers))
        return graph.op("Add", _axes(layer, value, reads, kind), total)

    return write


def _argmax(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add the place of the first NaN where there is one, else that of the first of the largest."""
    graph, (x,), (axis,) = layer.graph, reads, value.integers
    bad = graph.cast(graph.op("IsNaN", x))
    places = [graph.cast(graph.op("ArgMax", each, axis=axis)) for each in (bad, x)]
    any_bad = graph.op("Greater", graph.reduce("ReduceMax", bad, (axis,)), 0.0)
    return graph.op("Where", any_bad, *places)


def _cumsum(layer: Layer, value: Value, reads: list[str]) -> str:
    axis, from_end = value.integers
    return layer.graph.op("CumSum", reads[0], np.array(axis, np.int64), reverse=from_end)


def _constant(layer: Layer, value: Value, reads: list[str]) -> str:
    shape = tuple(1 if extent == ROWS else extent for extent in value.shape)
    found = layer.graph.constant(value.constants(shape))
    if ROWS not in value.shape:
        return found
    return layer.graph.op("Expand", found, layer.extents(value.shape))


def _reshape(layer: Layer, value: Value, reads: list[str]) -> str:
    before = layer.shape(value.reads[0])
    copied = before[:1] == value.shape[:1] == (ROWS,)
    shape = (0, *value.shape[1:]) if copied else value.shape
    return layer.graph.op("Reshape", reads[0], layer.graph.integers(*shape))


def _transpose(layer: Layer, value: Value, reads: list[str]) -> str:
    return layer.graph.op("Transpose", reads[0], perm=value.integers)


def _broadcast_to(layer: Layer, value: Value, reads: list[str]) -> str:
    shape = value.shape
    if ROWS in layer.shape(value.reads[0]):  # rows stay as many as they are
        shape = tuple(1 if extent == ROWS else extent for extent in shape)
    return layer.graph.op("Expand", reads[0], layer.extents(shape))


def _slice(layer: Layer, value: Value, reads: list[str]) -> str:
    graph, found = layer.graph, reads[0]
    for axis, (first, count, step, extent) in enumerate(_parts(layer, value)):
        if count in (ROWS, extent) and step == 1:
            continue
        if step == 0:
            found = graph.op("Gather", found, graph.integers(*[first] * count), axis=axis)
            continue
        end = first + count * step
        end = end if end >= 0 else -extent - 1  # in front of the first
        given = [graph.integers(number) for number in (first, end, axis, step)]
        found = graph.op("Slice", found, *given)
    return found


def _pad(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add zeros around, and between elements by taking a zero that has been put at the end."""
    graph, found = layer.graph, reads[0]
    for axis, (first, extent, step, before) in enumerate(_parts(layer, value)):
        if extent == ROWS or (extent == before and step == 1):
            continue
        after = extent - before - first if step == 1 else 1
        ends = [0] * (2 * len(value.shape))
        ends[axis], ends[axis + len(value.shape)] = first if step == 1 else 0, after
        found = graph.op("Pad", found, graph.integers(*ends), 0.0)
        if step != 1:
            places = [before] * extent
            for i in range(before):
                places[first + i * step] = i
            found = graph.op("Gather", found, graph.integers(*places), axis=axis)
    return found


def _parts(layer: Layer, value: Value) -> list[tuple[int, int, int, int]]:
    """Return the three integers of each axis, and its extent before."""
    numbers = value.integers
    shape = layer.shape(value.reads[0])
    return list(zip(numbers[::3], numbers[1::3], numbers[2::3], shape, strict=True))


def _concatenate(layer: Layer, value: Value, reads: list[str]) -> str:
    return layer.graph.op("Concat", *reads, axis=value.integers[0])


def _take(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add the elements at some places, NaN where a number is none."""
    graph, (x, indices), (axis,) = layer.graph, reads, value.integers
    before = layer.shape(value.reads[0])
    inside = [
        graph.op("GreaterOrEqual", indices, 0.0),
        graph.op("Less", indices, float(before[axis])),
    ]
    whole = graph.op("Equal", graph.op("Floor", indices), indices)
    known = graph.op("And", graph.op("And", *inside), whole)
    places = graph.op("Where", known, indices, 0.0)
    places = graph.op("Cast", places, to=graph.onnx.TensorProto.INT64)
    found = graph.op("Gather", x, places, axis=axis)
    behind = len(before) - axis - 1
    if behind:
        known = graph.op("Unsqueeze", known, graph.integers(*range(-behind, 0)))
    return graph.op("Where", known, found, np.nan)


def _scatter(layer: Layer, value: Value, reads: list[str]) -> str:
    """Add sums of the elements that go to each place."""
    graph, (x, indices), (axis, extent) = layer.graph, reads, value.integers
    count = math.prod(layer.shape(value.reads[1]))
    behind = math.prod(value.shape[axis + 1 :])
    column = graph.op("Reshape", indices, graph.integers(count, 1, 1))
    goes = graph.op("Equal", column, np.arange(extent, dtype=float)[:, np.newaxis])
    parts = graph.op("Reshape", x, graph.integers(-1, count, 1, behind))
    sums = graph.reduce("ReduceSum", graph.op("Where", goes, parts, 0.0), (1,), keep=False)
    return graph.op("Reshape", sums, graph.integers(*value.shape))


def _matmul(layer: Layer, value: Value, reads: list[str]) -> str:
    given = list(reads)
    for i, (number, transposed) in enumerate(zip(value.reads, value.integers, strict=True)):
        if transposed:
            *lead, last_but_one, last = range(len(layer.shape(number)))
            given[i] = layer.graph.op("Transpose", given[i], perm=[*lead, last, last_but_one])
    return layer.graph.op("MatMul", *given)


def _activation(layer: Layer, value: Value, reads: list[str]) -> str:
    layer.graph.width = value.row[-1] if value.shape else 1
    return activations.write(layer.graph, reads[0], activation_of(value))


def _same(layer: Layer, value: Value, reads: list[str]) -> str:
    return reads[0]


WRITERS: dict[str, Writer] = {
    "constant": _constant,
    "negative": _native("Neg"),
    "abs": _native("Abs"),
    "sign": _native("Sign"),
    "floor": _native("Floor"),
    "exp": _native("Exp"),
    "expm1": _expm1,
    "log": _native("Log"),
    "log1p": _log1p,
    "sqrt": _native("Sqrt"),
    "square": _square,
    "sin": _native("Sin"),
    "cos": _native("Cos"),
    "erf": _erf,
    "tanh": _native("Tanh"),
    "sigmoid": _native("Sigmoid"),
    "add": _native("Add"),
    "subtract": _native("Sub"),
    "multiply": _native("Mul"),
    "divide": _native("Div"),
    "power": _native("Pow"),
    "maximum": _native("Max"),
    "minimum": _native("Min"),
    "less": _comparison("Less"),
    "less_equal": _comparison("LessOrEqual"),
    "greater": _comparison("Greater"),
    "greater_equal": _comparison("GreaterOrEqual"),
    "equal": _comparison("Equal"),
    "not_equal": _not_equal,
    "where": _where,
    "sum": _reduction("ReduceSum"),
    "prod": _reduction("ReduceProd"),
    "max": _extreme("ReduceMax"),
    "min": _extreme("ReduceMin"),
    "argmax": _argmax,
    "cumsum": _cumsum,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "slice": _slice,
    "pad": _pad,
    "concatenate": _concatenate,
    "take": _take,
    "scatter": _scatter,
    "matmul": _matmul,
    "activation": _activation,
    "stop_gradient": _same,
}


def activations_in(program: Program) -> list[dict[str, Any]]:
    """Return the configurations of the activations that a program computes."""
    return [activation_of(each) for each in program.needed if each.operation == "activation"]


def write(
    graph: Graph, program: Program, reads: Sequence[str], weight: Callable[[int], str], name: str
) -> str:
    """Add a layer and return the name of its output.

    Parameters
    ----------
    graph : Graph
        What the layer becomes part of.
    program : Program
        What it does.
    reads : list of str
        The names of its inputs.
    weight : callable
        Returns the name of a weight, whose number it takes.
    name : str
        That of the layer.
    """
    program.check(WRITERS, name, "export", "ONNX")
    layer = Layer(graph, program, reads)
    for value in program.needed:
        number = value.number
        if value.operation == "input":
            layer.names[number] = reads[number]
        elif value.operation == "weight":
            layer.names[number] = weight(number - program.inputs)
        else:
            given = [layer.names[read] for read in value.reads]
            layer.names[number] = WRITERS[value.operation](layer, value, given)
    return layer.names[program.output]
