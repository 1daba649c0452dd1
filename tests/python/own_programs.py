# SPDX-License-Identifier: Apache-2.0
"""Layers that are programs: every operation in several shapes, and networks of a few.

A case is a model of one such layer; the names of the operations in it are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from exchange_models import ACTIVATION_SPECS, own_layer
from numpy.typing import NDArray

from laminar import Input, Model, _core, layers
from laminar.exchange._source_operation_texts import ELEMENTWISE

ROWS = -1
Array = NDArray[Any]

# Of inputs and weights: what they hold, from normal numbers.
DRAWS: dict[str, Callable[[Array], Array]] = {
    "any": lambda x: x,
    "positive": lambda x: np.abs(x) + 0.1,
    "whole": lambda x: np.round(x),
    "place": lambda x: np.round(np.abs(3 * x)),
}


class Case(NamedTuple):
    """A model, what goes into it, and the operations that it computes."""

    label: str
    model: Model
    x: list[Array]
    operations: set[str]


class Recording:
    """A program that grows value by value."""

    def __init__(self) -> None:
        self.inputs: list[list[int]] = []
        self.weights: list[list[int]] = []
        self.draws: list[str] = []
        self.steps: list[dict[str, Any]] = []

    def input(self, *shape: int, draw: str = "any") -> int:
        """Return an input; weights and operations follow later."""
        assert not self.weights
        self.inputs.append([ROWS, *shape])
        self.draws.append(draw)
        return len(self.inputs) - 1

    def weight(self, *shape: int, draw: str = "any") -> int:
        """Return a weight; operations follow later."""
        assert not self.steps
        self.weights.append(list(shape))
        self.draws.append(draw)
        return len(self.inputs) + len(self.weights) - 1

    def __call__(
        self, op: str, *reads: int, integers: Sequence[int] = (), numbers: Sequence[float] = ()
    ) -> int:
        """Return the value of an operation."""
        step = {"op": op, "reads": list(reads), "integers": list(integers)}
        self.steps.append({**step, "numbers": list(numbers)})
        return len(self.inputs) + len(self.weights) + len(self.steps) - 1

    def program(self, output: int) -> dict[str, Any]:
        parts = {"inputs": self.inputs, "weights": self.weights, "steps": self.steps}
        return {**parts, "outputs": [output]}

    def layer(self, output: int, name: str | None = None) -> layers.Layer:
        # Names as those of layers inside others are.
        weights = [
            {"name": f"part_{i}/kernel", "initializer": {"name": "zeros"}, "trainable": True}
            for i in range(len(self.weights))
        ]
        return own_layer({"program": self.program(output), "weights": weights}, name)

    def case(self, label: str, output: int, dtype: str) -> Case:
        """Return the layer behind inputs, and before others that read it."""
        rng = np.random.default_rng(len(label))
        start = [Input(tuple(shape[1:])) for shape in self.inputs]
        made = self.layer(output)(start if len(start) > 1 else start[0])
        model = Model(start, made, dtype=dtype)
        count = len(self.inputs)
        shapes = [shape[1:] for shape in self.inputs]
        values = [rng.normal(size=(9, *shape)) for shape in shapes]
        values += [rng.normal(size=shape) for shape in self.weights]
        values = [DRAWS[draw](v).astype(dtype) for draw, v in zip(self.draws, values, strict=True)]
        model.set_weights(values[count:])
        return Case(label, model, values[:count], {step["op"] for step in self.steps})


def operands(op: str) -> int:
    """Return how many an operation takes that goes element by element."""
    return 1 + max(i for i in range(3) if f"{{{i}}}" in ELEMENTWISE[op])


def _elementwise(dtype: str) -> list[Case]:
    """Return all of them with operands of one shape and such as are broadcast."""
    positive = {"log", "sqrt", "log1p", "power"}
    whole = {name for name in ELEMENTWISE if "?" in ELEMENTWISE[name]}
    found = []
    for op in ELEMENTWISE:
        draw = "positive" if op in positive else "whole" if op in whole else "any"
        count = operands(op)
        for number, (shape, other, weight) in enumerate(
            [((7,), (7,), (7,)), ((3, 5), (1, 5), (3, 1)), ((1, 3, 5), (2, 1, 5), ())]
        ):
            r = Recording()
            reads = [r.input(*shape, draw=draw)]
            if count > 1:
                reads.append(r.input(*other, draw=draw))
            third = r.weight(*weight, draw=draw)
            y = r(op, *[*reads, third][:count])
            found.append(r.case(f"{op} {number} {dtype}", y, dtype))
            if count > 1:  # with a weight first, and with a number
                r = Recording()
                x = r.input(*shape, draw=draw)
                w = r.weight(*weight, draw=draw)
                two = r("constant", numbers=[-2.0])
                y = r(op, *[w, x, two][:count])
                y = r(op, *[y, two, x][:count])
                found.append(r.case(f"{op} with a weight {number} {dtype}", y, dtype))
    return found


def _alone(
    dtype: str,
    op: str,
    shape: Sequence[int],
    integers: Sequence[int],
    numbers: Sequence[float] = (),
) -> Case:
    r = Recording()
    x = r.input(*shape)
    y = r(op, x, integers=integers, numbers=numbers)
    return r.case(f"{op} {list(integers)} {dtype}", y, dtype)


def _of_shapes(dtype: str) -> list[Case]:
    shape = (3, 4, 5)
    found = [
        _alone(dtype, op, shape, axes)
        for op in ("sum", "prod", "max", "min")
        for axes in ([1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3], [])
    ]
    found += [_alone(dtype, "argmax", shape, [axis]) for axis in (1, 2, 3)]
    found += [_alone(dtype, "cumsum", shape, [axis, end]) for axis in (1, 2, 3) for end in (0, 1)]
    for op, shapes in {
        "reshape": [(60,), (4, 15), (1, 5, 3, 4)],
        "broadcast_to": [(3, 4, 5), (3, 4, 5)],
    }.items():
        found += [_alone(dtype, op, shape, (ROWS, *after)) for after in shapes]
    found += [_alone(dtype, "broadcast_to", (1, 5), (ROWS, 4, 5))]
    found += [_alone(dtype, "transpose", shape, [0, *order]) for order in ((2, 1, 3), (3, 1, 2))]
    found += [_alone(dtype, "stop_gradient", shape, [])]
    rows = [0, ROWS, 1]
    for parts in (
        [0, 3, 1, 1, 2, 1, 4, 3, -2],
        [2, 3, -1, 3, 4, -1, 0, 5, 1],
        [1, 2, 0, 0, 4, 1, 2, 1, 1],
    ):
        found.append(_alone(dtype, "slice", shape, [*rows, *parts]))
    for parts in (
        [0, 3, 1, 2, 7, 1, 0, 6, 1],
        [1, 8, 3, 3, 4, -1, 0, 9, 2],
        [2, 3, -1, 0, 4, 1, 8, 9, -2],
    ):
        found.append(_alone(dtype, "pad", shape, [*rows, *parts]))
    return found


def _of_several(dtype: str) -> list[Case]:
    found = []

    def case(label: str, r: Recording, y: int) -> None:
        found.append(r.case(f"{label} {dtype}", y, dtype))

    for axis, others in ((1, [(2, 5), (1, 5)]), (2, [(3, 1), (3, 4)])):
        r = Recording()
        reads = [r.input(3, 5), *(r.input(*other) for other in others)]
        case(f"concatenate {axis}", r, r("concatenate", *reads, reads[0], integers=[axis]))
    r = Recording()
    table = (r.input(2, 3, draw="place"), r.weight(7, 2))[1]
    case("take from a table", r, r("take", table, 0, integers=[0]))
    for axis in (1, 2):
        r = Recording()
        x = r.input(4, 5)
        places = r("constant", integers=[2, 3], numbers=[0, 3, 3, 2.5, -1, 4])
        case(f"take {axis}", r, r("take", x, places, integers=[axis]))
        r = Recording()
        x = r.input(*((5, 3) if axis == 1 else (3, 5)))
        places = r("constant", integers=[5], numbers=[0, 3, 3, 2.5, -1])
        case(f"scatter {axis}", r, r("scatter", x, places, integers=[axis, 4]))
    for first in (0, 1):
        for second in (0, 1):
            r = Recording()
            x, w = r.input(7), r.weight(*((3, 7) if second else (7, 3)))
            if not first:
                case(f"matmul 2 {second}", r, r("matmul", x, w, integers=[0, second]))
            a, b = ((6, 4) if first else (4, 6)), ((3, 6) if second else (6, 3))
            for lead in ((), (2,), (1,)):
                r = Recording()
                x, y = r.input(2, *a), r.input(*((*lead, *b) if lead else (1, *b)))
                z = r("matmul", x, y, integers=[first, second])
                case(f"matmul {first} {second} {lead}", r, z)
            r = Recording()
            x, w = r.input(*a), r.weight(*b)
            case(f"matmul {first} {second}", r, r("matmul", x, w, integers=[first, second]))
            r = Recording()
            x = r.input(*((4, 6) if second else (6, 4)))
            w = r.weight(*((6, 3) if first else (3, 6)))
            z = r("matmul", w, x, integers=[first, second])
            case(f"matmul of a weight {first} {second}", r, z)
    r = Recording()
    x = r.input(5)
    for spread in ([ROWS, 5], [3, 5], [5]):
        many = [0.5] if ROWS in spread else list(np.linspace(-1, 2, int(np.prod(spread))))
        c = r("constant", integers=spread, numbers=many)
        c = r("reshape", r("max", c, integers=[0]), integers=[1, 5]) if spread[0] == 3 else c
        x = r("multiply", x, c)
    case("constant", r, x)
    r = Recording()
    x, w = r.input(5), r.weight(5)
    y = r("broadcast_to", w, integers=[ROWS, 3, 5])
    case("a weight for each row", r, y)
    r = Recording()
    x = r.input(5)
    case("numbers for each row", r, r("constant", integers=[ROWS, 3], numbers=[0.25]))
    r = Recording()
    x, y = r.input(5), r.input(5)
    case("the other input", r, r("stop_gradient", y))
    return found


def _activations(dtype: str) -> list[Case]:
    found = []
    for spec in ACTIVATION_SPECS:
        integers, numbers = _core.activation_operation(json.dumps(spec))
        for shape in ((7,), (3, 5)):
            r = Recording()
            x = r.input(*shape)
            words = ["nan" if np.isnan(number) else number for number in numbers]
            y = r("activation", x, integers=integers, numbers=words)  # type: ignore[arg-type]
            found.append(r.case(f"{spec} {shape} {dtype}", y, dtype))
    return found


def _networks(dtype: str) -> list[Case]:
    """Return layers as users write them."""
    found = []
    r = Recording()
    x, y = r.input(5), r.input(3)
    first, second, bias = r.weight(5, 8), r.weight(3, 8), r.weight(8)
    hidden = r("matmul", x, first, integers=[0, 0])
    hidden = r("add", r("add", hidden, r("matmul", y, second, integers=[0, 0])), bias)
    gate = r("sigmoid", hidden)
    mixed = r("add", r("multiply", gate, r("tanh", hidden)), r("square", gate))
    r("exp", mixed)  # which nothing reads
    found.append(r.case(f"gated {dtype}", mixed, dtype))
    r = Recording()  # attention of rows of six vectors to themselves
    x = r.input(6, 4)
    kernels = [r.weight(4, 4) for _ in range(3)]
    q, k, v = (r("matmul", x, kernel, integers=[0, 0]) for kernel in kernels)
    softmax, _ = _core.activation_operation('{"name": "softmax"}')
    scores = r("multiply", r("matmul", q, k, integers=[0, 1]), r("constant", numbers=[0.5]))
    y = r("matmul", r("activation", scores, integers=softmax), v, integers=[0, 0])
    flat = r("reshape", r("add", x, y), integers=[ROWS, 24])
    found.append(r.case(f"attention {dtype}", flat, dtype))
    return found


def cases(dtype: str) -> list[Case]:
    """Return all of them."""
    makers = (_elementwise, _of_shapes, _of_several, _activations, _networks)
    return [case for make in makers for case in make(dtype)]


def extremes(dtype: str) -> list[Case]:
    """Return operations on numbers that are hard to deal with, NaN and infinity among them."""
    info = np.finfo(dtype)
    some = [0.0, 1e-30, 1e-7, 0.3, 0.5, 1, 2.5, 30, 1e4, info.max, np.inf]
    numbers = np.array([*some, *(-v for v in some), np.nan], dtype)
    first, second = (part.reshape(-1, 1) for part in np.meshgrid(numbers, numbers))
    found = []
    for op in ELEMENTWISE:
        r = Recording()
        reads = [r.input(1) for _ in range(operands(op))]
        case = r.case(f"{op} of extremes {dtype}", r(op, *reads), dtype)
        x = [first, second, first][: len(reads)]
        if op in ("sin", "cos"):
            x = [x[0][np.abs(x[0]) < info.max].reshape(-1, 1)]
        found.append(case._replace(x=x))
    rows = np.random.default_rng(4).choice(numbers, (40, 3, 4))
    rows[:10] = np.random.default_rng(5).choice([1, 2, np.nan], (10, 3, 4))
    rows[10:20] = np.random.default_rng(6).choice([1, -2, np.inf], (10, 3, 4))
    for op in ("sum", "max", "min", "argmax"):
        for axis in (1, 2):
            case = _alone(dtype, op, (3, 4), [axis])
            found.append(case._replace(x=[np.clip(rows, -1e4, None) if op == "sum" else rows]))
    return found
