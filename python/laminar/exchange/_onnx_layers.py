# SPDX-License-Identifier: Apache-2.0
"""Every layer as ONNX operators, as it acts in prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _moments, _onnx_operations
from . import _onnx_activations as activations
from ._onnx_graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._programs import Program


class Step(NamedTuple):
    """A layer with its weights by name, and the shapes of a sample before and after it.

    ``kind`` is the core's name for what it is. Of one that users have written themselves there is
    its ``program``, and the values that it ``reads`` may be several.
    """

    layer: Any
    kind: str
    weights: dict[str, NDArray[Any]]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    program: Program | None = None
    reads: Sequence[str] = ()


def write(graph: Graph, x: str, step: Step) -> str:
    """Add a layer and return the name of its output."""
    writer = WRITERS.get(step.kind)
    if writer is None:
        kind = type(step.layer).__name__
        raise ValueError(f"export: ONNX has no form for the layer {step.layer.name!r}, a {kind}")
    graph.width = step.input_shape[-1]
    return writer(graph, x, step)


def opset(steps: Sequence[Step], dtype: np.dtype[Any]) -> int:
    """Return the lowest version of the operators that carries all layers."""
    found: list[dict[str, Any]] = []
    for step in steps:
        activation = getattr(step.layer, "activation", None)
        if step.program is not None:
            found += _onnx_operations.activations_in(step.program)
        elif activation is not None:
            found.append(activation._spec())
    gelu = any(activations.needs_gelu(spec, dtype) for spec in found)
    return activations.GELU_OPSET if gelu else 13


def _weight(graph: Graph, step: Step, name: str) -> str:
    """Return the name of a weight, which is written once however often its layer is called."""
    key = (id(step.layer), name)
    if key not in graph.weights:
        graph.weights[key] = graph.constant(step.weights[name], f"{graph.scope}/{name}")
    return graph.weights[key]


def _product(graph: Graph, x: str, step: Step) -> str:
    names = ["kernel", "bias"] if step.layer.use_bias else ["kernel"]
    return graph.op("Gemm", x, *(_weight(graph, step, name) for name in names))


def _dense(graph: Graph, x: str, step: Step) -> str:
    z = _product(graph, x, step)
    graph.width = step.output_shape[-1]
    return activations.write(graph, z, step.layer.activation._spec())


def _maxout(graph: Graph, x: str, step: Step) -> str:
    shape = graph.integers(0, step.layer.pieces, step.layer.units)
    pieces = graph.op("Reshape", _product(graph, x, step), shape)
    return graph.reduce("ReduceMax", pieces, (1,), keep=False)


def _activation(graph: Graph, x: str, step: Step) -> str:
    return activations.write(graph, x, step.layer.activation._spec())


def _identity(graph: Graph, x: str, step: Step) -> str:
    return x


def _prelu(graph: Graph, x: str, step: Step) -> str:
    alpha = _weight(graph, step, "alpha")
    if graph.float32:
        return graph.op("PRelu", x, alpha)
    return graph.op("Where", graph.op("Less", x, 0.0), graph.op("Mul", x, alpha), x)


def _batch_normalization(graph: Graph, x: str, step: Step) -> str:
    layer, columns = step.layer, step.input_shape[-1]
    weights = {
        "gamma": np.ones(columns, graph.dtype),
        "beta": np.zeros(columns, graph.dtype),
        **step.weights,
    }
    epsilon = float(np.float32(layer.epsilon))  # the attribute's type
    if not graph.float32:
        weights["moving_variance"] = weights["moving_variance"] + (layer.epsilon - epsilon)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    given = [graph.constant(weights[name], f"{graph.scope}/{name}") for name in names]
    return graph.op("BatchNormalization", x, *given, epsilon=epsilon)


def _layer_normalization(graph: Graph, x: str, step: Step) -> str:
    # Written out: LayerNormalization came with opset 17, and some runtimes compute the variance as
    # a difference of squares.
    centered = graph.op("Sub", x, graph.reduce("ReduceMean", x, (-1,)))
    variance = graph.reduce("ReduceMean", graph.op("Mul", centered, centered), (-1,))
    deviation = graph.op("Sqrt", graph.op("Add", variance, float(step.layer.epsilon)))
    a = graph.op("Div", centered, deviation)
    if step.layer.scale:
        a = graph.op("Mul", a, _weight(graph, step, "gamma"))
    if step.layer.center:
        a = graph.op("Add", a, _weight(graph, step, "beta"))
    return a


def _rms_normalization(graph: Graph, x: str, step: Step) -> str:
    mean = graph.reduce("ReduceMean", graph.op("Mul", x, x), (-1,))
    root = graph.op("Sqrt", graph.op("Add", mean, float(step.layer.epsilon)))
    return graph.op("Mul", graph.op("Div", x, root), _weight(graph, step, "scale"))


def _flatten(graph: Graph, x: str, step: Step) -> str:
    return x if len(step.input_shape) == 1 else graph.op("Flatten", x, axis=1)


def _reshape(graph: Graph, x: str, step: Step) -> str:
    return graph.op("Reshape", x, graph.integers(0, *step.output_shape))


def _normalization(graph: Graph, x: str, step: Step) -> str:
    mean = _weight(graph, step, "mean")
    deviation = _moments.deviation(step.weights, step.layer.invert)
    scale = graph.constant(deviation, f"{graph.scope}/deviation")
    if step.layer.invert:
        return graph.op("Add", graph.op("Mul", x, scale), mean)
    return graph.op("Div", graph.op("Sub", x, mean), scale)


def _rescaling(graph: Graph, x: str, step: Step) -> str:
    scaled = graph.op("Mul", x, float(step.layer.scale))
    return graph.op("Add", scaled, float(step.layer.offset))


def _discretization(graph: Graph, x: str, step: Step) -> str:
    bounds = np.array(step.layer.bin_boundaries, np.float64)
    rounded = bounds.astype(graph.dtype)
    up = np.nextafter(rounded, graph.dtype.type(np.inf))
    bounds = np.where(rounded < bounds, up, rounded)  # so that as many values lie above as before
    column = graph.op("Unsqueeze", x, graph.integers(-1))
    above = graph.cast(graph.op("GreaterOrEqual", column, bounds))
    number = graph.reduce("ReduceSum", above, (-1,), keep=False)
    return graph.op("Where", graph.op("IsNaN", x), x, number)


def _category_encoding(graph: Graph, x: str, step: Step) -> str:
    """Add the vectors; a sample that holds another number becomes NaN, where laminar refuses it."""
    axes = len(step.input_shape)
    column = graph.op("Unsqueeze", x, graph.integers(-1))
    numbers = np.arange(step.layer.num_tokens, dtype=float)
    hot = graph.cast(graph.op("Equal", column, numbers))
    known = graph.reduce("ReduceSum", hot, tuple(range(1, axes + 2)))
    valid = graph.op("Equal", known, float(np.prod(step.input_shape)))
    hot = graph.op("Where", valid, hot, np.nan)
    if step.layer.output_mode == "one_hot":
        return graph.op("Reshape", hot, graph.integers(0, *step.output_shape))
    kind = "ReduceSum" if step.layer.output_mode == "count" else "ReduceMax"
    return graph.reduce(kind, hot, (1,), keep=False)


def _embedding(graph: Graph, x: str, step: Step) -> str:
    """Add the rows; a number that has none is refused at runtime, as laminar refuses it."""
    numbers = graph.op("Cast", x, to=graph.onnx.TensorProto.INT64)
    return graph.op("Gather", _weight(graph, step, "embeddings"), numbers, axis=0)


def _operations(graph: Graph, x: str, step: Step) -> str:
    names = list(step.weights)
    assert step.program is not None
    return _onnx_operations.write(
        graph,
        step.program,
        step.reads,
        lambda number: _weight(graph, step, names[number]),
        step.layer.name,
    )


WRITERS: dict[str, Callable[[Graph, str, Step], str]] = {
    "dense": _dense,
    "maxout": _maxout,
    "activation": _activation,
    "prelu": _prelu,
    "dropout": _identity,
    "alpha_dropout": _identity,
    "gaussian_noise": _identity,
    "gaussian_dropout": _identity,
    "batch_normalization": _batch_normalization,
    "layer_normalization": _layer_normalization,
    "rms_normalization": _rms_normalization,
    "flatten": _flatten,
    "reshape": _reshape,
    "normalization": _normalization,
    "rescaling": _rescaling,
    "discretization": _discretization,
    "category_encoding": _category_encoding,
    "embedding": _embedding,
    "operations": _operations,
}
