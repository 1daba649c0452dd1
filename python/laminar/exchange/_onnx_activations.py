# SPDX-License-Identifier: Apache-2.0
"""Every activation as ONNX operators.

The native operator where it computes what laminar does and the common runtimes have it for the
model's type: for float64 many are missing, so that these are written out. What is written out is
finite wherever laminar's value is, and keeps NaN: comparisons select the lower piece.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._onnx_graph import Graph

GELU_OPSET = 20
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
# Gates have become 0 long before: so that -infinity is not multiplied by one.
_LOWEST = -1000.0
# Where z * z would overflow, and sqrt(z * z + b) has long been |z|.
_LARGE = 1e18

Writer = Callable[[Graph, str, Mapping[str, Any]], str]


def write(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    """Add the activation that a configuration describes and return the name of its output."""
    writer = WRITERS.get(spec["name"])
    if writer is None:
        raise ValueError(f"export: ONNX has no form for activation {spec['name']!r} yet")
    return writer(graph, x, spec)


def needs_gelu(spec: Mapping[str, Any], dtype: np.dtype[Any]) -> bool:
    """Return whether an activation is written as the operator Gelu, which came with opset 20."""
    return bool(spec["name"] == "gelu") and dtype == np.float32


def native(kind: str) -> Writer:
    """Return the writer of an operator without arguments that runtimes have for both types."""
    return lambda graph, x, spec: graph.op(kind, x)


def clip(low: float, high: float) -> Writer:
    """Return the writer of a function that is the identity between two bounds."""
    return lambda graph, x, spec: graph.op("Clip", x, low, high)


def _linear(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return x


def _step(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return graph.op("Relu", graph.op("Sign", x))


def _relu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    slope, highest, threshold = spec["negative_slope"], spec["max_value"], spec["threshold"]
    if threshold == 0:
        a = graph.op("Relu", x) if slope == 0 else leaky(graph, x, slope)
    else:
        below: str | float = 0.0
        if slope != 0:  # 0 times -infinity would be NaN
            below = graph.op("Mul", graph.op("Sub", x, threshold), slope)
        a = graph.op("Where", graph.op("LessOrEqual", x, threshold), below, x)
    return a if highest is None else graph.op("Min", a, float(highest))


def leaky(graph: Graph, x: str, slope: float) -> str:
    """Add z if z >= 0 else slope * z."""
    if graph.float32:
        return graph.op("LeakyRelu", x, alpha=float(slope))
    return graph.op("Where", graph.op("Less", x, 0.0), graph.op("Mul", x, float(slope)), x)


def _leaky_relu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return leaky(graph, x, spec["negative_slope"])


def _expm1(graph: Graph, x: str, scale: float, inner: float = 1.0) -> str:
    """Add scale * (exp(z / inner) - 1), for z <= 0.

    exp(y) - 1 = 2 t / (1 - t) with t = tanh(y / 2), which keeps its digits near 0.
    """
    t = graph.op("Tanh", graph.op("Mul", graph.op("Min", x, 0.0), 0.5 / inner))
    return graph.op("Div", graph.op("Mul", t, 2.0 * scale), graph.op("Sub", 1.0, t))


def _positive_or(graph: Graph, x: str, above: str, below: str) -> str:
    return graph.op("Where", graph.op("LessOrEqual", x, 0.0), below, above)


def _elu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    if graph.float32:
        return graph.op("Elu", x, alpha=float(spec["alpha"]))
    return _positive_or(graph, x, x, _expm1(graph, x, spec["alpha"]))


def _selu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    if graph.float32:
        return graph.op("Selu", x, alpha=SELU_ALPHA, gamma=SELU_SCALE)
    below = _expm1(graph, x, SELU_SCALE * SELU_ALPHA)
    return _positive_or(graph, x, graph.op("Mul", x, SELU_SCALE), below)


def _celu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    if graph.float32:
        return graph.op("Celu", x, alpha=float(spec["alpha"]))
    return _positive_or(graph, x, x, _expm1(graph, x, spec["alpha"], spec["alpha"]))


def _gelu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    if needs_gelu(spec, graph.dtype) and graph.opset >= GELU_OPSET:
        return graph.op("Gelu", x, approximate="tanh" if spec["approximate"] else "none")
    x = graph.op("Max", x, _LOWEST)
    if graph.float32 and not spec["approximate"]:  # z (1 + erf(z / sqrt(2))) / 2
        gate = graph.op("Erf", graph.op("Mul", x, math.sqrt(0.5)))
        return graph.op("Mul", graph.op("Mul", x, graph.op("Add", gate, 1.0)), 0.5)
    if spec["approximate"]:  # z sigmoid(sqrt(8 / pi) (z + 0.044715 z^3))
        cube = graph.op("Mul", graph.op("Mul", graph.op("Mul", x, x), x), 0.044715)
        inner = graph.op("Mul", graph.op("Add", x, cube), math.sqrt(8 / math.pi))
        return graph.op("Mul", x, graph.op("Sigmoid", inner))
    # max(0, z) - |z| erfc(|z| / sqrt(2)) / 2
    size = graph.op("Min", graph.op("Abs", x), 36.0)
    tail, decay = erfc_factors(graph, graph.op("Mul", size, math.sqrt(0.5)))
    below = graph.op("Mul", graph.op("Mul", graph.op("Mul", size, 0.5), tail), decay)
    return graph.op("Sub", graph.op("Relu", x), below)


def erfc_factors(graph: Graph, y: str) -> tuple[str, str]:
    """Add two factors of erfc(y) = p(4 / (2 + y) - 1) e^(-y^2), for 0 <= y <= 26."""
    u = graph.op("Sub", graph.op("Div", 4.0, graph.op("Add", y, 2.0)), 1.0)
    tail = polynomial(graph, u, erfc_terms())
    return tail, graph.op("Exp", graph.op("Neg", graph.op("Mul", y, y)))


def polynomial(graph: Graph, x: str, terms: NDArray[np.float64]) -> str:
    """Add a polynomial in x, whose coefficients are given from that of x^0 on."""
    column = graph.op("Unsqueeze", x, graph.integers(-1))
    powers = graph.op("Pow", column, np.arange(len(terms), dtype=float))
    return graph.op("MatMul", powers, terms)


@functools.cache
def erfc_terms() -> NDArray[np.float64]:
    """Return the coefficients of a polynomial in u = 4 / (2 + y) - 1 for e^(y^2) erfc(y).

    It is Chebyshev's interpolation for 0 <= y <= 26, where erfc(y) leaves the normal range.
    """
    degree, largest = 28, 26.0
    low = 4 / (2 + largest) - 1
    nodes = np.polynomial.chebyshev.chebpts1(degree + 1)
    u = low + (1 - low) * (nodes + 1) / 2
    y = 4 / (u + 1) - 2
    values = np.array([math.erfc(v) * math.exp(v * v) for v in y])
    fit = np.polynomial.Chebyshev.fit(u, values, degree, domain=[low, 1])
    terms: NDArray[np.float64] = fit.convert(kind=np.polynomial.Polynomial).coef
    return terms


def _log_of_one_and_exp(graph: Graph, x: str) -> str:
    """Add log(1 + e^-|z|)."""
    e = graph.op("Exp", graph.op("Neg", graph.op("Abs", x)))
    return graph.op("Log", graph.op("Add", e, 1.0))


def softplus(graph: Graph, x: str) -> str:
    """Add log(1 + e^z)."""
    if graph.float32:
        return graph.op("Softplus", x)
    return graph.op("Add", graph.op("Relu", x), _log_of_one_and_exp(graph, x))


def _softplus(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return softplus(graph, x)


def _log_sigmoid(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    if graph.float32:
        return graph.op("Neg", graph.op("Softplus", graph.op("Neg", x)))
    return graph.op("Sub", graph.op("Min", x, 0.0), _log_of_one_and_exp(graph, x))


def _softsign(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    if graph.float32:
        return graph.op("Softsign", x)
    x = graph.op("Clip", x, -1e20, 1e20)
    return graph.op("Div", x, graph.op("Add", graph.op("Abs", x), 1.0))


def _silu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return graph.op("Mul", graph.op("Max", x, _LOWEST), graph.op("Sigmoid", x))


def _mish(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    gate = graph.op("Tanh", softplus(graph, x))
    return graph.op("Mul", graph.op("Max", x, _LOWEST), gate)


def _ramp(graph: Graph, x: str, reach: float) -> str:
    """Add (z + reach) / (2 reach) between 0 and 1."""
    if graph.float32:
        return graph.op("HardSigmoid", x, alpha=0.5 / reach, beta=0.5)
    inside = graph.op("Clip", graph.op("Add", x, reach), 0.0, 2 * reach)
    return graph.op("Mul", inside, 0.5 / reach)


def _hard_sigmoid(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return _ramp(graph, x, 3.0)


def _sparse_sigmoid(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return _ramp(graph, x, 1.0)


def _hard_silu(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return graph.op("Mul", graph.op("Max", x, -3.0), _ramp(graph, x, 3.0))


def _tanh_shrink(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    return graph.op("Sub", x, graph.op("Tanh", x))


def _hard_shrink(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    inside = graph.op("LessOrEqual", graph.op("Abs", x), float(spec["threshold"]))
    return graph.op("Where", inside, 0.0, x)


def _soft_shrink(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    threshold = float(spec["threshold"])
    away = graph.op("Relu", graph.op("Sub", graph.op("Abs", x), threshold))
    return graph.op("Mul", graph.op("Sign", x), away)


def _threshold(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    below = graph.op("LessOrEqual", x, float(spec["threshold"]))
    return graph.op("Where", below, float(spec["default_value"]), x)


def _squareplus(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    size, b = graph.op("Abs", x), float(spec["b"])
    square = graph.op("Mul", graph.op("Min", size, _LARGE), graph.op("Min", size, _LARGE))
    root = graph.op("Max", graph.op("Sqrt", graph.op("Add", square, b)), size)
    total = graph.op("Add", graph.op("Mul", size, 0.5), graph.op("Mul", root, 0.5))
    below = graph.op("Div", 0.25 * b, total)
    return graph.op("Where", graph.op("Less", x, 0.0), below, total)


def _sparse_plus(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    above = graph.op("Clip", graph.op("Add", x, 1.0), 0.0, 2.0)
    curve = graph.op("Mul", graph.op("Mul", above, above), 0.25)
    return graph.op("Where", graph.op("Less", x, 1.0), curve, x)


def _softmax(kind: str) -> Writer:
    return lambda graph, x, spec: graph.op(kind, x, axis=-1)


def _sparsemax(graph: Graph, x: str, spec: Mapping[str, Any]) -> str:
    """Add max(0, z - tau) with tau from the largest values, in order, that exceed it."""
    x = graph.op("Sub", x, graph.reduce("ReduceMax", x, (-1,)))
    ordered = graph.op("TopK", x, graph.integers(graph.width), outputs=2, axis=-1)
    count = np.arange(1, graph.width + 1, dtype=float)
    total = graph.op("CumSum", ordered, np.array(-1, np.int64))
    used = graph.op("Greater", graph.op("Mul", ordered, count), graph.op("Sub", total, 1.0))
    size = graph.reduce("ReduceSum", graph.cast(used), (-1,))
    largest = graph.reduce("ReduceSum", graph.op("Where", used, ordered, 0.0), (-1,))
    tau = graph.op("Div", graph.op("Sub", largest, 1.0), size)
    return graph.op("Relu", graph.op("Sub", x, tau))


WRITERS: dict[str, Writer] = {
    "linear": _linear,
    "step": _step,
    "sigmoid": native("Sigmoid"),
    "tanh": native("Tanh"),
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "celu": _celu,
    "gelu": _gelu,
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "softsign": _softsign,
    "silu": _silu,
    "mish": _mish,
    "exponential": native("Exp"),
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": clip(-1.0, 1.0),
    "hard_silu": _hard_silu,
    "relu6": clip(0.0, 6.0),
    "tanh_shrink": _tanh_shrink,
    "hard_shrink": _hard_shrink,
    "soft_shrink": _soft_shrink,
    "threshold": _threshold,
    "squareplus": _squareplus,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
    "softmax": _softmax("Softmax"),
    "log_softmax": _softmax("LogSoftmax"),
    "sparsemax": _sparsemax,
}
