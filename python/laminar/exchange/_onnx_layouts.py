# SPDX-License-Identifier: Apache-2.0
"""Parts of a graph in which samples are columns, or have an axis of extent 1, made straight.

``(W @ x.T).T`` and ``(W @ x[:, :, None])[:, :, 0]`` are dense layers, and BatchNormalization over
``x[:, :, None]`` is one over x. Between an operator that turns values, or gives them an axis, and
those that turn them back, each operator becomes what it is for values of one axis of features.
Where one has no such form, the part stays as it is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ._onnx_file import File, Node

_GATES = ("Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "PRelu", "Relu")
_CURVES = ("Abs", "Erf", "Exp", "Log", "Neg", "Pow", "Reciprocal", "Sigmoid", "Sign", "Sqrt")
_OTHERS = ("Clip", "Dropout", "Selu", "Shrink", "Softplus", "Softsign", "ThresholdedRelu", "Where")
_OF_TWO = ("Add", "Div", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mul")
_POINTWISE = frozenset([*_GATES, *_CURVES, *_OTHERS, *_OF_TWO, "Sub", "Tanh"])
_ROUNDS = 32  # in which parts are given up that have no straight form

# What values look like: (n, features, 1), (n, 1, features), (features, n).
COLUMN, ROW, TURNED = "column", "row", "turned"
_AXIS = {COLUMN: 2, ROW: 1}  # of extent 1
_FEATURES = {COLUMN: (1, -2), ROW: (2, -1), TURNED: (0, -2)}


class _Value(NamedTuple):
    layout: str
    width: int
    starts: frozenset[str]


def straighten(file: File) -> None:
    """Rewrite the nodes of a file that such parts have."""
    given_up: set[str] = set()
    for _ in range(_ROUNDS):
        values, ends, wrong = _followed(file, given_up)
        if not values:
            return
        if not wrong:
            break
        given_up |= wrong
    else:
        return
    for name, end in ends.items():
        file.alias(name, end)
    for name, value in values.items():
        if name in value.starts:
            file.alias(name, _inputs(file, file.nodes[name])[0])
        else:
            file.nodes[name] = _straight(file, name, file.nodes[name], value)
        file.set_shape(name, (value.width,))


def _inputs(file: File, node: Node) -> list[str]:
    """Return the values among an operator's inputs."""
    names = [file.resolve(name) for name in node.inputs if name]
    return [name for name in names if name not in file.constants]


def _constants(file: File, node: Node) -> list[Any]:
    names = [file.resolve(name) for name in node.inputs if name]
    return [file.constants[name] for name in names if name in file.constants]


def _followed(file: File, given_up: set[str]) -> tuple[dict[str, _Value], dict[str, str], set[str]]:
    """Return the values of parts, those where they end, and the starts that lead elsewhere."""
    values: dict[str, _Value] = {}
    ends: dict[str, str] = {}
    wrong: set[str] = set()
    for name, node in file.nodes.items():
        reads = _inputs(file, node)
        inside = [values[read] for read in reads if read in values]
        if not inside:
            start = None if name in given_up else _start(file, node)
            if start is not None:
                values[name] = start._replace(starts=frozenset([name]))
            continue
        starts = frozenset[str]().union(*(value.starts for value in inside))
        alike = len(inside) == len(reads) and len({value.layout for value in inside}) == 1
        if alike and len(reads) == 1 and _is_end(file, node, inside[0]):
            ends[name] = reads[0]
            continue
        width = _width(file, node, inside) if alike else None
        if width is None:
            wrong |= starts
        else:
            values[name] = _Value(inside[0].layout, width, starts)
    for name in map(file.resolve, file.outputs):
        if name in values:
            wrong |= values[name].starts
    return values, ends, wrong


def _start(file: File, node: Node) -> _Value | None:
    """Return what an operator begins that turns a value or gives it an axis."""
    reads = _inputs(file, node)
    shape = file.shape(reads[0]) if len(reads) == 1 else None
    if shape is None or len(shape) != 1:
        return None
    if node.kind == "Transpose" and node.attributes.get("perm") in ([1, 0], None):
        return _Value(TURNED, shape[0], frozenset())
    if node.kind == "Unsqueeze":
        axes = _axes(file, node)
        if axes in ([2], [-1]):
            return _Value(COLUMN, shape[0], frozenset())
        if axes == [1]:
            return _Value(ROW, shape[0], frozenset())
    return None


def _is_end(file: File, node: Node, value: _Value) -> bool:
    """Whether an operator takes a value back to one axis of features."""
    if value.layout == TURNED:
        return node.kind == "Transpose" and node.attributes.get("perm") in ([1, 0], None)
    if node.kind == "Squeeze":
        axis = _AXIS[value.layout]
        return _axes(file, node) in ([axis], [axis - 3])
    if node.kind == "Flatten":
        return bool(node.attributes["axis"] == 1)
    if node.kind == "Reshape":
        shape = [c.ravel().tolist() for c in _constants(file, node)]
        return len(shape) == 1 and len(shape[0]) == 2 and shape[0][1] in (-1, value.width)
    return False


def _axes(file: File, node: Node) -> list[int] | None:
    given = node.attributes.get("axes")
    constants = _constants(file, node)
    if given is None and constants:
        given = constants[0].ravel().tolist()
    return None if given is None else [int(axis) for axis in given]


def _width(file: File, node: Node, inside: list[_Value]) -> int | None:
    """Return the features behind an operator, None where it has no straight form."""
    layout, width = inside[0].layout, max(value.width for value in inside)
    constants = _constants(file, node)
    if node.kind == "MatMul" and len(constants) == 1:
        (kernel,) = constants
        first = file.resolve(node.inputs[0]) in file.constants
        if kernel.ndim != 2 or first != (layout != ROW):
            return None
        inner, outer = kernel.shape if layout == ROW else kernel.shape[::-1]
        return int(outer) if inner == width else None
    if node.kind in ("Softmax", "LogSoftmax"):
        return width if node.attributes["axis"] in _FEATURES[layout] else None
    if node.kind == "BatchNormalization":
        return width if layout == COLUMN and len(inside) == 1 else None
    if node.kind == "LayerNormalization":
        return width if layout == ROW and node.attributes["axis"] in (2, -1) else None
    if node.kind not in _POINTWISE or any(value.width != width for value in inside):
        return None
    return width if all(_fits(c, layout, width) for c in constants) else None


def _fits(constant: Any, layout: str, width: int) -> bool:
    """Whether a constant has one number, or one a feature where these are."""
    if constant.size == 1:
        return True
    shape = constant.shape
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return bool(shape == ((width,) if layout == ROW else (width, 1)))


def _straight(file: File, name: str, node: Node, value: _Value) -> Node:
    """Return an operator's form for values of one axis of features."""
    inputs = [file.resolve(each) for each in node.inputs]
    attributes = dict(node.attributes)
    if "axis" in attributes:
        attributes["axis"] = -1
    if node.kind == "MatMul" and value.layout != ROW:
        kernel, x = inputs
        inputs = [x, file.constant(f"{name}/kernel", np.transpose(file.constants[kernel]))]
    elif node.kind in _POINTWISE:
        for i, each in enumerate(inputs):
            found = file.constants.get(each)
            if found is not None and math.prod(found.shape) == value.width > 1:
                inputs[i] = file.constant(f"{name}/{i}", found.reshape(-1))
            elif found is not None and found.ndim > 0 and found.size == 1:
                inputs[i] = file.constant(f"{name}/{i}", found.reshape(()))
    return node._replace(inputs=tuple(inputs), attributes=attributes)
