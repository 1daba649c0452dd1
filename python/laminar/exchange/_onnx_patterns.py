# SPDX-License-Identifier: Apache-2.0
"""Activations as ONNX graphs have them: native operators, and what exporters write instead.

Each is a pattern of `_onnx_match` with what it is in laminar: a configuration, or a function that
makes one of what the pattern's names stand for, None where there is none. What
`_onnx_activations` writes is here too, so that a model that was exported can come back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ._onnx_activations import SELU_ALPHA, SELU_SCALE, erfc_terms
from ._onnx_match import Bound

Spec = dict[str, Any]
Make = Callable[[Bound], "Spec | None"]


def number(value: Any) -> float | None:
    """Return a constant of one element, None for another or an absent one."""
    if value is None or np.size(value) != 1:
        return None
    result = float(np.asarray(value).reshape(()))
    if isinstance(value, float) or np.asarray(value).dtype == np.float32:
        result = float(str(np.float32(result)))  # as its writer had it: attributes are float32
    return None if math.isnan(result) else result


def plain(name: str) -> Make:
    """Return the maker of an activation without arguments."""
    return lambda bound: {"name": name}


def with_numbers(name: str, *names: str) -> Make:
    """Return the maker of an activation whose arguments have the pattern's names."""

    def make(bound: Bound) -> Spec | None:
        values = {key: number(bound[key]) for key in names}
        return None if None in values.values() else {"name": name, **values}

    return make


def _relu_to(bound: Bound) -> Spec | None:
    highest = number(bound["high"])
    return None if highest is None else {"name": "relu", "max_value": highest}


def _clip(bound: Bound) -> Spec | None:
    low, high = number(bound["low"]), number(bound["high"])
    if (low, high) == (0, 6):
        return {"name": "relu6"}
    if (low, high) == (-1, 1):
        return {"name": "hard_tanh"}
    if low == 0:
        return {"name": "relu", "max_value": high}
    return None


def _shrink(bound: Bound) -> Spec | None:
    bias, threshold = number(bound["bias"]), number(bound["threshold"])
    if bias == 0:
        return {"name": "hard_shrink", "threshold": threshold}
    return {"name": "soft_shrink", "threshold": threshold} if bias == threshold else None


def _threshold(bound: Bound) -> Spec:
    return {"name": "threshold", "threshold": number(bound["threshold"]), "default_value": 0.0}


def _relu_of_three(bound: Bound) -> Spec | None:
    threshold, slope = number(bound["threshold"]), number(bound["slope"])
    return {"name": "relu", "threshold": threshold, "negative_slope": slope}


def _limited(make: Make) -> Make:
    def limited(bound: Bound) -> Spec | None:
        spec, highest = make(bound), number(bound["high"])
        return None if spec is None or highest is None else {**spec, "max_value": highest}

    return limited


def _leaky_relu_as_relu(bound: Bound) -> Spec:
    return {"name": "relu", "negative_slope": number(bound["slope"])}


def _elu_or_celu(bound: Bound) -> Spec | None:
    inner, scale = number(bound["inner"]), number(bound["outer"])
    if inner is None or scale is None:
        return None
    if inner == 0.5:
        return {"name": "elu", "alpha": scale / 2}
    alpha = scale / 2
    return {"name": "celu", "alpha": alpha} if math.isclose(inner, 0.5 / alpha) else None


def _gelu_of_double(bound: Bound) -> Spec | None:
    terms = erfc_terms()
    same = np.array_equal(bound["powers"], np.arange(len(terms)))
    return {"name": "gelu"} if same and np.allclose(bound["terms"], terms, 1e-12) else None


def _symmetric(name: str) -> Make:
    """Return the maker of an activation with one threshold for both signs."""

    def make(bound: Bound) -> Spec | None:
        above, below = number(bound["threshold"]), number(bound["negative"])
        if above is None or below is None or not math.isclose(above, -below, rel_tol=1e-6):
            return None
        return {"name": name, "threshold": above}

    return make


def _squareplus(bound: Bound) -> Spec | None:
    b, quarter = number(bound["b"]), number(bound["quarter"])
    if b is None or quarter is None or not math.isclose(b, 4 * quarter, rel_tol=1e-6):
        return None
    return {"name": "squareplus", "b": b}


def _sparsemax(bound: Bound) -> Spec | None:
    width = number(bound["width"])
    whole = width is not None and np.array_equal(bound["count"], np.arange(1, width + 1))
    return {"name": "sparsemax"} if whole else None


_CLIPPED = "Max(x, -1000)"
_TANH = "Tanh(Mul(Min(x, 0), inner))"
_EXPM1 = f"Div(Mul({_TANH}, outer), Sub(1, {_TANH}))"
_LOG = "Log(Add(Exp(Neg(Abs(x))), 1))"
_SOFTPLUS = f"Add(Relu(x), {_LOG})"
_CUBE = (
    "Mul(Mul(Mul({0}, {0}), {0}), 0.044715)",
    "Mul(Mul({0}, Mul({0}, {0})), 0.044715)",
    "Mul(Pow({0}, 3), 0.044715)",
)
_ERF = ("Erf(Div(x, 1.4142135623730951))", "Erf(Mul(x, 0.7071067811865476))")
_SIZE = f"Min(Abs({_CLIPPED}), 36)"
_Y = f"Mul({_SIZE}, 0.7071067811865476)"
_TAIL = f"MatMul(Pow(Unsqueeze(Sub(Div(4, Add({_Y}, 2)), 1), -1), powers), terms)"
_RAMP = "Mul(Clip(Add(x, {0}), 0, {1}), {2})"
_RAMP3 = _RAMP.format(3, 6, 1 / 6)
_LIMITED = "Min(Abs(x), 1e18)"
_ROOT = f"Max(Sqrt(Add(Mul({_LIMITED}, {_LIMITED}), b)), Abs(x))"
_SUM = f"Add(Mul(Abs(x), 0.5), Mul({_ROOT}, 0.5))"
_ABOVE = "Clip(Add(x, 1), 0, 2)"
_SHIFTED = "Sub(x, ReduceMax(x, -1, 1))"
_ORDERED = f"TopK({_SHIFTED}, width, -1, 1, 1)"
_USED = f"Greater(Mul({_ORDERED}, count), Sub(CumSum({_ORDERED}, -1, 0, 0), 1))"
_LARGEST = f"ReduceSum(Where({_USED}, {_ORDERED}, 0), -1, 1)"
_THREE = "Where(LessOrEqual(x, threshold), Mul(Sub(x, threshold), slope), x)"
_TWO = "Where(LessOrEqual(x, threshold), 0, x)"
_LEAKY = ("LeakyRelu(x, slope)", "Where(Less(x, 0), Mul(x, slope), x)")

_SELU = f"Mul({_TANH.replace('inner', '0.5')}, {2 * SELU_SCALE * SELU_ALPHA})"
_SELU = f"Div({_SELU}, Sub(1, {_TANH.replace('inner', '0.5')}))"


def _leaky_relu(bound: Bound) -> Spec | None:
    slope = number(bound["slope"])
    return None if slope is None or slope < 0 else {"name": "leaky_relu", "negative_slope": slope}


def _relu_above(bound: Bound) -> Spec | None:
    return {"name": "relu", "threshold": number(bound["threshold"])}


def _gelu_by_tanh(bound: Bound) -> Spec | None:
    return {"name": "gelu", "approximate": True}


def _gelus() -> list[tuple[str, Make]]:
    """Return the ways in which exporters multiply x, 1/2 and 1 + erf or 1 + tanh."""
    inner = [f"Mul(Add(x, {cube.format('x')}), {math.sqrt(2 / math.pi)})" for cube in _CUBE]
    gates = [(erf, plain("gelu")) for erf in _ERF]
    gates += [(f"Tanh({w})", _gelu_by_tanh) for w in inner]
    found: list[tuple[str, Make]] = []
    for gate, make in gates:
        found.append((f"Mul(Mul(x, Add({gate}, 1)), 0.5)", make))
        found.append((f"Mul(Mul(x, 0.5), Add({gate}, 1))", make))
        found.append((f"Mul(x, Mul(Add({gate}, 1), 0.5))", make))
    erf = f"Erf(Mul({_CLIPPED}, 0.7071067811865476))"
    found.append((f"Mul(Mul({_CLIPPED}, Add({erf}, 1)), 0.5)", plain("gelu")))
    whole = f"Mul(Mul(Mul({_SIZE}, 0.5), {_TAIL}), Exp(Neg(Mul({_Y}, {_Y}))))"
    found.append((f"Sub(Relu({_CLIPPED}), {whole})", _gelu_of_double))
    cube = _CUBE[0].format(_CLIPPED)
    logistic = f"Sigmoid(Mul(Add({_CLIPPED}, {cube}), {math.sqrt(8 / math.pi)}))"
    return [*found, (f"Mul({_CLIPPED}, {logistic})", _gelu_by_tanh)]


ACTIVATIONS: list[tuple[str, Make]] = [
    ("Log(Sigmoid(x))", plain("log_sigmoid")),
    ("Relu(Sign(x))", plain("step")),
    ("Neg(Softplus(Neg(x)))", plain("log_sigmoid")),
    (f"Sub(Min(x, 0), {_LOG})", plain("log_sigmoid")),
    ("Sigmoid(x)", plain("sigmoid")),
    ("Tanh(x)", plain("tanh")),
    ("Exp(x)", plain("exponential")),
    ("Softplus(x)", plain("softplus")),
    ("Where(Greater(x, 20), x, Softplus(x))", plain("softplus")),
    (_SOFTPLUS, plain("softplus")),
    ("Softsign(x)", plain("softsign")),
    ("Div(x, Add(Abs(x), 1))", plain("softsign")),
    ("Div(Clip(x, -1e20, 1e20), Add(Abs(Clip(x, -1e20, 1e20)), 1))", plain("softsign")),
    ("Relu(x)", plain("relu")),
    ("Max(x, 0)", plain("relu")),
    ("Min(Relu(x), high)", _relu_to),
    ("Clip(x, low, high)", _clip),
    (_THREE, _relu_of_three),
    (f"Min({_THREE}, high)", _limited(_relu_of_three)),
    (f"Min({_TWO}, high)", _limited(_relu_above)),
    *((f"Min({leaky}, high)", _limited(_leaky_relu_as_relu)) for leaky in _LEAKY),
    *((leaky, _leaky_relu) for leaky in _LEAKY),
    ("ThresholdedRelu(x, threshold)", _threshold),
    (
        "Where(LessOrEqual(x, threshold), default_value, x)",
        with_numbers("threshold", "threshold", "default_value"),
    ),
    ("Elu(x, alpha)", with_numbers("elu", "alpha")),
    ("Celu(x, alpha)", with_numbers("celu", "alpha")),
    (f"Where(LessOrEqual(x, 0), {_EXPM1}, x)", _elu_or_celu),
    (f"Selu(x, {SELU_ALPHA}, {SELU_SCALE})", plain("selu")),
    (f"Where(LessOrEqual(x, 0), {_SELU}, Mul(x, {SELU_SCALE}))", plain("selu")),
    ("Gelu(x, 'none')", plain("gelu")),
    ("Gelu(x, 'tanh')", _gelu_by_tanh),
    *_gelus(),
    ("Mul(x, Sigmoid(x))", plain("silu")),
    (f"Mul({_CLIPPED}, Sigmoid(x))", plain("silu")),
    ("Mish(x)", plain("mish")),
    ("Mul(x, Tanh(Softplus(x)))", plain("mish")),
    (f"Mul({_CLIPPED}, Tanh(Softplus(x)))", plain("mish")),
    (f"Mul({_CLIPPED}, Tanh({_SOFTPLUS}))", plain("mish")),
    (f"HardSigmoid(x, {1 / 6}, 0.5)", plain("hard_sigmoid")),
    (_RAMP3, plain("hard_sigmoid")),
    ("HardSwish(x)", plain("hard_silu")),
    (f"Mul(x, HardSigmoid(x, {1 / 6}, 0.5))", plain("hard_silu")),
    (f"Mul(Max(x, -3), HardSigmoid(x, {1 / 6}, 0.5))", plain("hard_silu")),
    (f"Mul(Max(x, -3), {_RAMP3})", plain("hard_silu")),
    ("HardSigmoid(x, 0.5, 0.5)", plain("sparse_sigmoid")),
    (_RAMP.format(1, 2, 0.5), plain("sparse_sigmoid")),
    ("Sub(x, Tanh(x))", plain("tanh_shrink")),
    ("Shrink(x, bias, threshold)", _shrink),
    ("Where(LessOrEqual(Abs(x), threshold), 0, x)", with_numbers("hard_shrink", "threshold")),
    (
        "Where(Or(Greater(x, threshold), Less(x, negative)), x, 0)",
        _symmetric("hard_shrink"),
    ),
    ("Mul(Sign(x), Relu(Sub(Abs(x), threshold)))", with_numbers("soft_shrink", "threshold")),
    (
        "Where(Greater(Abs(x), threshold), Sub(x, Mul(Sign(x), threshold)), Mul(x, 0))",
        with_numbers("soft_shrink", "threshold"),
    ),
    (
        "Add(Where(Greater(x, threshold), Sub(x, threshold), 0), "
        "Where(Less(x, negative), Add(x, threshold), 0))",
        _symmetric("soft_shrink"),
    ),
    (f"Where(Less(x, 0), Div(quarter, {_SUM}), {_SUM})", _squareplus),
    (f"Where(Less(x, 1), Mul(Mul({_ABOVE}, {_ABOVE}), 0.25), x)", plain("sparse_plus")),
    (
        f"Relu(Sub({_SHIFTED}, Div(Sub({_LARGEST}, 1), ReduceSum({_USED}, -1, 1))))",
        _sparsemax,
    ),
]
