# SPDX-License-Identifier: Apache-2.0
"""Every operation of `laminar.ops` with what it must compute, in NumPy's terms.

``B`` in a shape stands for the rows, ``n`` for a width that tests vary.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import reference

from laminar import _core, ops

ROWS = 5
Shape = tuple[Any, ...]


def normal(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.normal(size=shape)


def apart(rng: np.random.Generator, shape: Shape) -> Any:
    """Return values of which no two are close, and none is close to a multiple of 1/2."""
    count = math.prod(shape)
    return ((rng.permutation(count) - count // 2) * 0.5 + 0.23).reshape(shape)


def positive(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.uniform(0.3, 3, size=shape)


def near_one(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.uniform(0.8, 1.2, size=shape)


def choice(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.integers(0, 2, size=shape).astype(float)


def few(rng: np.random.Generator, shape: Shape) -> Any:
    return rng.integers(-1, 2, size=shape).astype(float)


def indices(count: int, first: int = 0) -> Callable[..., Any]:
    def draw(rng: np.random.Generator, shape: Shape) -> Any:
        return rng.integers(first, count, size=shape).astype(float)

    return draw


@dataclass(frozen=True)
class Case:
    """An operation, the same in the terms of a module like NumPy, and the operands it takes."""

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    shapes: tuple[Shape, ...]
    draw: tuple[Callable[..., Any], ...] = (normal,)
    slopes: bool = True  # whether differences tell them
    tolerance: float = 1  # in units of the usual one

    def operands(self, rng: np.random.Generator, n: int = 3, rows: int = ROWS) -> list[Any]:
        drawn = self.draw * len(self.shapes) if len(self.draw) == 1 else self.draw
        sizes = {"B": rows, "n": n}
        shapes = [tuple(sizes.get(e, e) for e in shape) for shape in self.shapes]
        return [draw(rng, shape) for draw, shape in zip(drawn, shapes, strict=True)]

    def extents(self, n: int = 3) -> list[list[int]]:
        """Return the shapes as a program takes them."""
        sizes = {"B": -1, "n": n}
        return [[sizes.get(e, e) for e in shape] for shape in self.shapes]


XY: Shape = ("B", "n")


def unary(name: str, theirs: Any = None, *draw: Any, **options: Any) -> list[Case]:
    call = theirs or (lambda np, x: getattr(np, name)(x))
    return [
        Case(getattr(ops, name), call, (shape,), draw or (normal,), **options)
        for shape in (XY, (2, "n"), ())
    ]


# Operands of one shape, and those that NumPy spreads over each other.
PAIRS: list[tuple[Shape, Shape]] = [
    (XY, XY),
    (XY, ("n",)),
    (("n",), XY),
    (XY, ()),
    ((), XY),
    (("B", 1), XY),
    (("B", 3, "n"), ("B", 1, "n")),
    (("B", 3, "n"), (3, 1)),
    (("B", 1, "n"), (2, 1)),
]


def binary(name: str, theirs: Any = None, *draw: Any, **options: Any) -> list[Case]:
    call = theirs or (lambda np, x, y: getattr(np, name)(x, y))
    return [Case(getattr(ops, name), call, pair, draw or (normal,), **options) for pair in PAIRS]


def comparison(name: str) -> list[Case]:
    def call(np: Any, x: Any, y: Any) -> Any:
        return getattr(np, name)(x, y) * 1.0

    return binary(name, call, few, slopes=False)


def reduction(name: str, *draw: Any, **options: Any) -> list[Case]:
    def case(shape: Shape, **arguments: Any) -> Case:
        return Case(
            lambda x: getattr(ops, name)(x, **arguments),
            lambda np, x: getattr(np, name)(x, **arguments),
            (shape,),
            draw or (normal,),
            **options,
        )

    wide: Shape = ("B", 3, "n")
    return [
        case(XY, axis=-1),
        case(XY, axis=1, keepdims=True),
        case(wide, axis=1),
        case(wide, axis=(1, 2)),
        case(wide, axis=(-1, 1), keepdims=True),
        case(XY, axis=0),
        case(wide, axis=(0, 2)),
        case(wide),
        case(wide, keepdims=True),
        case(("n", 2)),
        case(("n",), axis=0),
    ]


def logsumexp(np: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    m = np.max(x, axis=axis, keepdims=True)
    made = np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True)) + m
    axes = tuple(range(x.ndim)) if axis is None else axis
    return made if keepdims else np.squeeze(made, axis=axes)


def norm(np: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def as_numpy(cases: list[Case], function: Any) -> list[Case]:
    """Return the cases with a function in place of one that NumPy lacks."""

    def case(old: Case) -> Case:
        class Lookup:
            def __init__(self, np: Any) -> None:
                self.np = np

            def __getattr__(self, name: str) -> Any:
                return lambda *args, **kwargs: function(self.np, *args, **kwargs)

        theirs = old.theirs
        return Case(
            old.ours,
            lambda np, x: theirs(Lookup(np), x),
            old.shapes,
            old.draw,
            old.slopes,
            old.tolerance,
        )

    return [case(old) for old in cases]


def erf(np: Any, x: Any) -> Any:
    if np.__name__ == "jax.numpy":
        from jax.scipy.special import erf as of_jax

        return of_jax(x)
    return np.vectorize(math.erf, otypes=[float])(x)


def moved_arguments(entry: Any) -> dict[str, Any]:
    """Return other arguments than its defaults for an activation."""
    moved = {"negative_slope": 0.1, "max_value": 2.0, "alpha": 0.7, "approximate": True, "b": 2.0}
    moved |= {"threshold": 0.4, "default_value": -1.0}
    return {name: moved[name] for name in entry["parameters"]}


def activation_cases(name: str) -> list[Case]:
    entry = next(e for e in _core.entries("activation") if e["name"] == name)
    trainable = bool(entry["trainable"])
    cases = []
    for arguments in ({}, moved_arguments(entry)):
        spec = {"name": name, **entry["parameters"], **arguments}

        def theirs(np: Any, x: Any, spec: Any = spec) -> Any:
            if np.__name__ != "numpy":
                raise NotImplementedError
            return reference.activate(spec, x.reshape(-1, x.shape[-1])).reshape(x.shape)

        def ours(x: Any, arguments: Any = arguments) -> Any:
            return getattr(ops, name)(x, **arguments)

        for shape in (XY, ("B", 2, "n")):
            draw = normal if name in ("exponential", "sparsemax") else apart
            cases.append(Case(ours, theirs, (shape,), (draw,), trainable, 20))
        if not entry["parameters"]:
            break
    return cases


def turned(name: str) -> list[Case]:
    """Return a function of rows along another axis."""

    def theirs(np: Any, x: Any) -> Any:
        if np.__name__ != "numpy":
            raise NotImplementedError
        rows = np.swapaxes(x, 1, 2)
        made = reference.activate({"name": name}, rows.reshape(-1, rows.shape[-1]))
        return np.swapaxes(made.reshape(rows.shape), 1, 2)

    return [Case(lambda x: getattr(ops, name)(x, axis=1), theirs, (("B", 4, "n"),), slopes=True)]


def one(ours: Any, theirs: Any, *shapes: Shape, draw: Any = (normal,), **options: Any) -> Case:
    return Case(ours, theirs, shapes, draw, **options)


def _one_hot(np: Any, x: Any) -> Any:
    return (np.expand_dims(x, -1) == np.arange(4.0)) * 1.0


def _taken(np: Any, table: Any, at: Any) -> Any:
    return np.take(table, at.astype(int), axis=0)


CASES: dict[str, list[Case]] = {
    "add": binary("add"),
    "subtract": binary("subtract"),
    "multiply": binary("multiply"),
    "divide": binary("divide", None, normal, positive),
    "power": [
        *binary("power", None, positive, normal),
        one(lambda x: ops.power(x, 2), lambda np, x: x**2, XY),
        one(lambda x: ops.power(x, 3), lambda np, x: x**3, XY),
        one(lambda x: ops.power(x, 1), lambda np, x: x, XY),
        one(lambda x: ops.power(2, x), lambda np, x: 2.0**x, XY),
    ],
    "negative": unary("negative"),
    "abs": unary("abs", None, apart),
    "sign": unary("sign", None, few, slopes=False),
    "floor": unary("floor", None, apart),
    "exp": unary("exp"),
    "expm1": unary("expm1"),
    "log": unary("log", None, positive),
    "log1p": unary("log1p", None, positive),
    "sqrt": unary("sqrt", None, positive),
    "rsqrt": unary("rsqrt", lambda np, x: 1 / np.sqrt(x), positive),
    "square": unary("square"),
    "sin": unary("sin"),
    "cos": unary("cos"),
    "erf": unary("erf", erf),
    "logaddexp": binary("logaddexp"),
    "maximum": binary("maximum"),
    "minimum": binary("minimum"),
    "clip": [
        one(lambda x: ops.clip(x, -0.5, 1.5), lambda np, x: np.clip(x, -0.5, 1.5), XY),
        one(ops.clip, lambda np, x, a, b: np.minimum(np.maximum(x, a), b), XY, ("n",), ("B", 1)),
    ],
    "where": [
        one(
            ops.where,
            lambda np, c, x, y: np.where(c, x, y),
            XY,
            a,
            b,
            draw=(choice, normal, normal),
        )
        for a, b in PAIRS
        if len(a) < 3
    ],
    "equal": comparison("equal"),
    "not_equal": comparison("not_equal"),
    "less": comparison("less"),
    "less_equal": comparison("less_equal"),
    "greater": comparison("greater"),
    "greater_equal": comparison("greater_equal"),
    "logical_and": comparison("logical_and"),
    "logical_or": comparison("logical_or"),
    "logical_not": unary("logical_not", lambda np, x: (x == 0) * 1.0, few, slopes=False),
    "isnan": unary("isnan", lambda np, x: np.isnan(x) * 1.0, slopes=False),
    "isinf": unary("isinf", lambda np, x: np.isinf(x) * 1.0, slopes=False),
    "isfinite": unary("isfinite", lambda np, x: np.isfinite(x) * 1.0, slopes=False),
    "stop_gradient": unary("stop_gradient", lambda np, x: x, slopes=False),
    "zeros_like": unary("zeros_like"),
    "ones_like": unary("ones_like"),
    "cast": [one(lambda x: ops.cast(x, "float64"), lambda np, x: x, XY)],
    "matmul": [
        one(ops.matmul, lambda np, x, y: np.matmul(x, y), a, b)
        for a, b in (
            (XY, ("n", 4)),
            (XY, ("n",)),
            (("n",), ("n", 4)),
            (("n",), ("n",)),
            (("B", 2, "n"), ("n", 4)),
            (("B", 2, "n"), ("B", "n", 4)),
            (("B", 2, "n"), ("B", "n", 1)),
            (("B", 3, 2, "n"), (3, "n", 4)),
            (("B", 3, 2, "n"), ("B", 1, "n", 4)),
            (("n", "B"), ("B", 2)),
            ((4, "n"), ("n", 2)),
        )
    ]
    + [
        one(
            lambda x, w: ops.matmul(x, ops.transpose(w)),
            lambda np, x, w: np.matmul(x, w.T),
            XY,
            (4, "n"),
        ),
        one(lambda x: ops.matmul(ops.transpose(x), x), lambda np, x: x.T @ x, XY),
    ],
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "prod": reduction("prod", near_one, tolerance=10),
    "max": reduction("max", apart),
    "min": reduction("min", apart),
    "var": reduction("var"),
    "std": reduction("std"),
    "logsumexp": as_numpy(reduction("logsumexp"), logsumexp),
    "norm": [
        *as_numpy(reduction("norm"), norm),
        one(
            lambda x: ops.norm(x, ord=1, axis=-1),
            lambda np, x: np.sum(np.abs(x), axis=-1),
            XY,
            draw=(apart,),
        ),
        one(
            lambda x: ops.norm(x, ord=math.inf, axis=-1),
            lambda np, x: np.max(np.abs(x), axis=-1),
            XY,
            draw=(apart,),
        ),
    ],
    "argmax": [
        one(
            lambda x, axis=axis: ops.argmax(x, axis=axis),
            lambda np, x, axis=axis: np.argmax(x, axis=axis) * 1.0,
            shape,
            draw=(few,),
            slopes=False,
        )
        for axis, shape in ((-1, XY), (1, ("B", 4, "n")), (0, XY), (None, (3, "n")))
    ],
    "cumsum": [
        one(
            lambda x, axis=axis: ops.cumsum(x, axis=axis),
            lambda np, x, axis=axis: np.cumsum(x, axis=axis),
            shape,
        )
        for axis, shape in ((-1, XY), (1, ("B", 4, "n")), (0, XY), (None, (3, "n")))
    ],
    "concatenate": [
        one(
            lambda x, y: ops.concatenate([x, y], axis=-1),
            lambda np, x, y: np.concatenate([x, y], axis=-1),
            XY,
            ("B", 2),
        ),
        one(
            lambda x, y, z: ops.concatenate([x, y, z], axis=1),
            lambda np, x, y, z: np.concatenate([x, y, z], axis=1),
            *(("B", 2, "n"), ("B", 1, "n"), ("B", 2, "n")),
        ),
        one(
            lambda x, y: ops.concatenate([x, y]),
            lambda np, x, y: np.concatenate([x, y]),
            (2, "n"),
            (1, "n"),
        ),
    ],
    "stack": [
        one(
            lambda x, y, axis=axis: ops.stack([x, y], axis=axis),
            lambda np, x, y, axis=axis: np.stack([x, y], axis=axis),
            XY,
            XY,
        )
        for axis in (0, 1, -1)
    ],
    "split": [
        one(
            lambda x: ops.split(x, 2, axis=1)[1] * 2,
            lambda np, x: np.split(x, 2, axis=1)[1] * 2,
            ("B", 4, "n"),
        ),
        one(
            lambda x: ops.split(x, [1, -1], axis=1)[1],
            lambda np, x: np.split(x, [1, 3], axis=1)[1],
            ("B", 4, "n"),
        ),
    ],
    "slice": [
        one(
            lambda x: ops.slice(x, (0, 1, 0), (ROWS if x.shape[0] else None, 2, x.shape[2])),
            lambda np, x: x[:, 1:3],
            ("B", 4, "n"),
        )
    ],
    "reshape": [
        one(lambda x: ops.reshape(x, (-1, 12)), lambda np, x: x.reshape(-1, 12), ("B", 4, 3)),
        one(
            lambda x: ops.reshape(x, (x.shape[0], -1, 2)),
            lambda np, x: x.reshape(x.shape[0], -1, 2),
            ("B", "n", 4),
        ),
        one(lambda x: ops.reshape(x, -1), lambda np, x: x.reshape(-1), (2, "n")),
    ],
    "transpose": [
        one(ops.transpose, lambda np, x: x.T, (2, "n", 3)),
        one(
            lambda x: ops.transpose(x, (0, 2, 1)),
            lambda np, x: np.transpose(x, (0, 2, 1)),
            ("B", 4, "n"),
        ),
    ],
    "expand_dims": [
        one(
            lambda x, axis=axis: ops.expand_dims(x, axis),
            lambda np, x, axis=axis: np.expand_dims(x, axis),
            XY,
        )
        for axis in (0, 1, -1, (1, -1))
    ],
    "squeeze": [
        one(
            lambda x, axis=axis: ops.squeeze(x, axis),
            lambda np, x, axis=axis: np.squeeze(x, axis),
            ("B", 1, 4, 1),
        )
        for axis in (None, 1, -1, (1, 3))
    ],
    "broadcast_to": [
        one(
            lambda x: ops.broadcast_to(x, (2, 4, x.shape[-1])),
            lambda np, x: np.broadcast_to(x, (2, 4, x.shape[-1])),
            (4, "n"),
        )
    ],
    "take": [
        one(ops.take, _taken, ("n",), (), draw=(normal, indices(1))),
        one(
            lambda table, at: ops.take(table, at, axis=0),
            _taken,
            (6, "n"),
            ("B", 2),
            draw=(normal, indices(6, -6)),
        ),
        one(
            lambda x: ops.take(x, [2, 0, -1], axis=1),
            lambda np, x: np.take(x, np.array([2, 0, -1]), axis=1),
            ("B", 4, "n"),
        ),
        one(lambda x: ops.take(x, -1, axis=-1), lambda np, x: x[..., -1], XY),
    ],
    "one_hot": [
        one(lambda x: ops.one_hot(x, 4), _one_hot, ("B",), draw=(indices(6, -1),), slopes=False),
        one(
            lambda x: ops.one_hot(x, 4, axis=1),
            lambda np, x: np.swapaxes(_one_hot(np, x), 1, 2),
            XY,
            draw=(indices(4),),
            slopes=False,
        ),
    ],
}
for _entry in _core.entries("activation"):
    CASES.setdefault(_entry["name"], activation_cases(_entry["name"]))
for _name in ("softmax", "log_softmax", "sparsemax"):
    CASES[_name] = [*CASES[_name], *turned(_name)]
# Those that give no value, and other names of an operation.
OTHERS = {"convert_to_tensor", "python_function", "shape", "random"}
SAME = {"swish": "silu", "hard_swish": "hard_silu"}

ALL = [(name, i) for name, cases in CASES.items() for i in range(len(cases))]
