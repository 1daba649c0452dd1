# SPDX-License-Identifier: Apache-2.0
"""Constants that operators of an ONNX file make of constants, none of them larger than these.

Exporters compute shapes so, and weights that have a length and a direction, as those of PyTorch's
weight_norm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LONGEST_SHAPE = 64
_MOST_COMPUTED = 4096  # numbers in a constant that operators make of others

Array = NDArray[Any]
_UNARY: dict[str, Callable[[Array], Array]] = {
    "Abs": np.abs,
    "Exp": np.exp,
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Sqrt": np.sqrt,
}
_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Div": np.divide,
    "Max": np.maximum,
    "Min": np.minimum,
    "Mul": np.multiply,
    "Pow": np.power,
    "Sub": np.subtract,
}
_REDUCED: dict[str, Callable[..., Array]] = {
    "ReduceL2": lambda x, **how: np.sqrt(np.sum(x * x, **how)),
    "ReduceMean": np.mean,
    "ReduceSum": np.sum,
    "ReduceSumSquare": lambda x, **how: np.sum(x * x, **how),
}


def growth(onnx: Any, graph: Any) -> str | None:
    """Return which operator makes a large constant of small ones, as an error says it.

    onnx computes those of integers while it infers shapes: repeated, a Concat of a constant
    with itself doubles them, and a sum of a row and a column multiplies them.
    """
    integers = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
    sizes = {t.name: math.prod(t.dims) for t in graph.initializer if t.data_type in integers}
    for node in graph.node:
        found = [sizes[name] for name in node.input if name in sizes]
        match node.op_type:
            case "Constant":
                size = max((_numbers(attribute) for attribute in node.attribute), default=0)
            case "Shape":
                size = len(node.input)  # axes do not grow with what is computed of them
            case "Concat":
                size = sum(found)
            case "Gather":
                size = sizes.get(node.input[1], 1) if len(node.input) > 1 and found else 0
            case "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Pow" | "Where" | "Max" | "Min":
                size = math.prod(found) if found else 0
            case "Cast" | "Identity" | "Reshape" | "Slice" | "Squeeze" | "Transpose" | "Unsqueeze":
                size = sizes.get(node.input[0], 0)
            case _:
                size = 0
        if size > max(_MOST_COMPUTED, *found, 0) and node.op_type != "Constant":
            return (
                f"node {node.name or node.output[0]!r}: operator {node.op_type} would make a "
                f"constant of {size:,} numbers, of at most {max(found):,}"
            )
        if size:
            sizes.update(dict.fromkeys(node.output, size))
    return None


def folded(kind: str, constants: Sequence[Array], given: Any, of_rows: bool) -> Array | None:
    """Return what an operator makes of constants; None where it is none of those that are known.

    Parameters
    ----------
    kind : str
        The operator.
    constants : sequence of ndarray
        Its inputs.
    given : mapping
        Its attributes.
    of_rows : bool
        Whether they hold the number of rows, which is not known.
    """
    x = constants[0]
    match kind:
        case "Transpose":
            return np.transpose(x, given.get("perm"))
        case "Unsqueeze":
            axes = given.get("axes", constants[-1])
            return np.expand_dims(x, tuple(int(axis) for axis in axes))
        case "Squeeze":
            return np.squeeze(x)
        case "Reshape":
            return np.reshape(x, tuple(int(extent) for extent in constants[1]))
    if x.dtype.kind == "f" and not of_rows:
        return _computed(kind, constants, given)
    if x.dtype.kind != "i" or x.ndim > 1 or x.size > _LONGEST_SHAPE:
        return None
    match kind:
        case "Gather":
            return np.asarray(np.take(x, constants[1]))
        case "Slice" if len(constants) == 3:
            return x[int(constants[1].item()) : int(constants[2].item())]
        case "Concat":
            return np.concatenate([np.atleast_1d(part) for part in constants])
        case "Add" if not of_rows:
            return np.asarray(x + constants[1])
        case "Mod" if not of_rows:
            return np.asarray(x % np.where(constants[1] == 0, 1, constants[1]))
    return None


def _computed(kind: str, constants: Sequence[Array], given: Any) -> Array | None:
    """Return a constant of weights that is no larger than the largest that it is made of."""
    x = constants[0]
    with np.errstate(all="ignore"):  # as the runtimes do
        if kind in _UNARY and len(constants) == 1:
            return _UNARY[kind](x)
        if kind in _BINARY and len(constants) == 2 and constants[1].dtype == x.dtype:
            other = constants[1]
            shape = np.broadcast_shapes(x.shape, other.shape)
            if math.prod(shape) > max(x.size, other.size):
                return None
            return np.asarray(_BINARY[kind](x, other), x.dtype)
        if kind in _REDUCED:
            axes = given.get("axes", constants[1] if len(constants) > 1 else None)
            axis = None if axes is None else tuple(int(a) for a in np.ravel(axes))
            keep = bool(given.get("keepdims", 1))
            return np.asarray(_REDUCED[kind](x, axis=axis, keepdims=keep), x.dtype)
    return None


def parts(
    node: Any, given: Any, shape: tuple[int, ...] | None, constants: Sequence[Array | None]
) -> list[tuple[int, int]]:
    """Return where Slice or Split take neighbouring features from; nothing where they do not.

    Parameters
    ----------
    node : NodeProto
        The operator.
    given : mapping
        Its attributes.
    shape : tuple of int, optional
        That of a sample before it.
    constants : sequence of ndarray or None
        Its inputs behind the first.
    """
    if shape is None or len(shape) != 1:
        return []
    width = shape[0]
    axes: Any
    lists = [None if value is None else np.ravel(value).tolist() for value in constants]
    if node.op_type == "Split":
        sizes = given.get("split", lists[0] if lists else None)
        if sizes is None:
            count = len(node.output)
            each = -(-width // count)
            sizes = [min(each, width - i * each) for i in range(count)]
        ends = list(itertools.accumulate(map(int, sizes), initial=0))
        axes, places = [given.get("axis", 0)], list(itertools.pairwise(ends))
    else:
        starts = given.get("starts", lists[0] if lists else None)
        stops = given.get("ends", lists[1] if len(lists) > 1 else None)
        axes = given.get("axes", lists[2] if len(lists) > 2 else None)
        steps = lists[3] if len(lists) > 3 else [1]
        if starts is None or stops is None or [len(starts), len(stops), steps] != [1, 1, [1]]:
            return []
        places = [slice(int(starts[0]), int(stops[0])).indices(width)[:2]]
    fits = all(0 <= low < high <= width for low, high in places)
    of_features = axes is not None and list(axes) in ([1], [-1])
    return places if fits and of_features and len(places) == len(node.output) else []


def _numbers(attribute: Any) -> int:
    """Return how many integers an attribute of a constant holds."""
    return max(math.prod(attribute.t.dims) if attribute.HasField("t") else 0, len(attribute.ints))
