# SPDX-License-Identifier: Apache-2.0
"""Slopes of operations: against differences, against JAX, and slopes of slopes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from ops_cases import ALL, CASES, ROWS, moved_arguments

from laminar import _core, ops
from laminar.ops._trace import trace

pytestmark = pytest.mark.kernels

Array = NDArray[np.float64]


def slopes(
    function: Any, extents: Sequence[Sequence[int]], operands: Sequence[Any], d_out: Any
) -> list[Array]:
    """Return the gradient of sum(d_out * function) by each operand."""
    program = _core.Program(json.dumps(trace(function, extents)))
    gradients = program.with_gradients(0, range(len(extents)))
    arrays = [np.array(x, np.float64, order="C") for x in (*operands, d_out)]
    return gradients.run(arrays, [], ROWS, "float64")[1:]


def by_differences(
    value: Callable[..., Any], operands: Sequence[Array], d_out: Array, step: float = 1e-6
) -> list[Array]:
    """Return the same, by moving each number of each operand."""
    gradients = []
    for k in range(len(operands)):
        moved = [np.array(x, np.float64) for x in operands]
        gradient = np.zeros_like(moved[k])
        for place in np.ndindex(moved[k].shape):
            before = moved[k][place]
            sides = []
            for sign in (1, -1):
                moved[k][place] = before + sign * step
                sides.append(float(np.sum(value(*moved) * d_out)))
            moved[k][place] = before
            gradient[place] = (sides[0] - sides[1]) / (2 * step)
        gradients.append(gradient)
    return gradients


def assert_close(made: Sequence[Array], expected: Sequence[Array], unit: float = 1e-6) -> None:
    for ours, theirs in zip(made, expected, strict=True):
        scale = max(1.0, float(np.abs(theirs).max(initial=0)))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=unit * scale)


WITH_SLOPES = [(name, i) for name, i in ALL if CASES[name][i].slopes]


def case_id(value: object) -> str | None:
    return f"{value[0]}-{value[1]}" if isinstance(value, tuple) else None


@pytest.mark.parametrize("which", WITH_SLOPES, ids=case_id)
def test_differences(which: tuple[str, int], rng: np.random.Generator) -> None:
    case = CASES[which[0]][which[1]]
    operands = case.operands(rng)
    if which[0] == "take" and len(operands) == 2:  # the table's slopes, not those of indices
        at = operands[1]
        d_out = rng.normal(size=np.shape(case.ours(*operands)))
        made = slopes(case.ours, case.extents(), operands, d_out)
        assert_close(made[:1], by_differences(lambda x: case.ours(x, at), operands[:1], d_out))
        assert not made[1].any()
        return
    if which[0] == "where":
        d_out = rng.normal(size=np.shape(case.ours(*operands)))
        made = slopes(case.ours, case.extents(), operands, d_out)
        rest = by_differences(lambda x, y: case.ours(operands[0], x, y), operands[1:], d_out)
        assert_close(made[1:], rest)
        assert not made[0].any()
        return
    d_out = rng.normal(size=np.shape(case.ours(*operands)))
    made = slopes(case.ours, case.extents(), operands, d_out)
    assert_close(made, by_differences(case.ours, operands, d_out))


@pytest.fixture(scope="module")
def jax() -> Any:
    found = pytest.importorskip("jax", reason="jax is not installed")
    before = found.config.jax_enable_x64
    found.config.update("jax_enable_x64", True)
    yield found
    found.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n][0].slopes and n != "take"])
def test_jax(name: str, jax: Any, rng: np.random.Generator) -> None:
    for case in CASES[name][::3]:
        operands = case.operands(rng)

        def theirs(*values: Any, case: Any = case) -> Any:
            return case.theirs(jax.numpy, *values)

        try:
            value, back = jax.vjp(theirs, *map(jax.numpy.asarray, operands))
        except NotImplementedError:
            continue  # of `reference`, which is NumPy's alone
        d_out = rng.normal(size=value.shape)
        made = slopes(case.ours, case.extents(), operands, d_out)
        expected = [np.asarray(g) for g in back(jax.numpy.asarray(d_out))]
        skipped = 1 if name == "where" else 0
        assert_close(made[skipped:], expected[skipped:], 1e-10)


def _pairs(x: Any) -> Any:
    return ops.sum(ops.square(x[:, None] - x[:, :, None]), axis=(1, 2))


# Compositions of what has slopes of slopes: functions of x (B, 4) and w (4, 3).
COMPOSITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "net": lambda x, w: ops.tanh(x @ w),
    "net of two": lambda x, w: ops.sin(ops.matmul(ops.tanh(x @ w), ops.transpose(w))),
    "squares": lambda x, w: ops.sum(ops.square(x @ w), axis=-1),
    "sigmoid": lambda x, w: ops.sigmoid(x @ w) * ops.cos(x[:, :3]),
    "quotient": lambda x, w: (x @ w) / (1 + ops.square(x[:, 1:])),
    "gaussian": lambda x, w: ops.exp(-ops.square(x @ w)),
    "distance": lambda x, w: ops.sqrt(1 + ops.sum(ops.square(x), axis=1)),
    "log": lambda x, w: ops.log(2 + ops.sin(x @ w)),
    "log1p": lambda x, w: ops.log1p(ops.exp(x @ w)),
    "expm1": lambda x, w: ops.expm1(0.3 * x) * x,
    "logsumexp": lambda x, w: ops.logsumexp(x @ w, axis=-1),
    "logaddexp": lambda x, w: ops.logaddexp(x[:, :3], x @ w),
    "var": lambda x, w: ops.var(x @ w, axis=-1),
    "normalized": lambda x, w: (
        (x - ops.mean(x, axis=-1, keepdims=True))
        * ops.rsqrt(0.1 + ops.var(x, axis=-1, keepdims=True))
    ),
    "power": lambda x, w: ops.power(2 + ops.sin(x[:, :3]), ops.cos(x @ w)),
    "erf": lambda x, w: x[:, :3] * (1 + ops.erf(x @ w)),
    "pairs": lambda x, w: _pairs(x) + ops.sum(x @ w, axis=1),
    "where": lambda x, w: ops.where(x > 0, ops.square(x), ops.sin(x)),
    "cumsum": lambda x, w: ops.square(ops.cumsum(x @ w, axis=-1)),
    "pieces": lambda x, w: ops.concatenate([ops.square(x[:, ::2]), ops.stack([x[:, 0]], 1)], 1),
    "split": lambda x, w: ops.prod(ops.stack(ops.split(x, 2, axis=1), axis=1), axis=1),
    "batch": lambda x, w: ops.mean(ops.square(x @ w - ops.mean(x @ w, axis=0))),
    "taken": lambda x, w: ops.square(ops.take(x, [3, 0, 0], axis=1)) * (x @ w),
    "broadcast": lambda x, w: ops.broadcast_to(ops.sum(ops.square(w)), (2, 3)),
}


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_second_derivatives(name: str, rng: np.random.Generator) -> None:
    function = COMPOSITIONS[name]
    operands = [rng.normal(size=(ROWS, 4)), rng.normal(size=(4, 3))]
    extents = [[-1, 4], [4, 3]]
    program = _core.Program(json.dumps(trace(function, extents)))
    first = program.with_gradients(0, [0, 1])
    d_out = rng.normal(size=program.run(operands, [], ROWS, "float64")[0].shape)

    def gradients(x: Array, w: Array) -> list[Array]:
        return first.run([x, w, d_out], [], ROWS, "float64")[1:]

    for output in (1, 2):  # of the slope by x, and by w
        d_slope = rng.normal(size=operands[output - 1].shape)
        again = _core.Program(first.description()).with_gradients(output, [0, 1])
        made = again.run([*operands, d_out, d_slope], [], ROWS, "float64")[-2:]

        def slope(x: Array, w: Array, output: int = output) -> Array:
            return gradients(x, w)[output - 1]

        assert_close(made, by_differences(slope, operands, d_slope, 1e-5))


CURVED = [e for e in _core.entries("activation") if e["trainable"]]


@pytest.mark.parametrize("entry", CURVED, ids=lambda e: e["name"])
def test_second_derivatives_of_activations(entry: Any, rng: np.random.Generator) -> None:
    name = entry["name"]
    for arguments in ({}, moved_arguments(entry)):

        def function(x: Any, w: Any, arguments: Any = arguments) -> Any:
            return ops.square(getattr(ops, name)(x * w, **arguments)) * w

        # Apart from all places where a slope jumps.
        operands = [rng.permutation(ROWS * 4).reshape(ROWS, 4) * 0.37 - 3.43, np.ones(4)]
        if name == "sparsemax":
            operands[0] = rng.normal(size=(ROWS, 4))
        if name == "gelu" and arguments:
            operands[0] /= 2
        program = _core.Program(json.dumps(trace(function, [[-1, 4], [4]])))
        first = program.with_gradients(0, [0, 1])
        d_out = rng.normal(size=(ROWS, 4))
        for output in (1, 2):
            d_slope = rng.normal(size=operands[output - 1].shape)
            again = _core.Program(first.description()).with_gradients(output, [0, 1, 2])
            made = again.run([*operands, d_out, d_slope], [], ROWS, "float64")[-3:]

            def slope(*values: Any, output: int = output, first: Any = first) -> Any:
                return first.run(list(values), [], ROWS, "float64")[output]

            assert_close(made, by_differences(slope, [*operands, d_out], d_slope, 1e-5))


def test_third_derivatives(rng: np.random.Generator) -> None:
    x = rng.normal(size=(ROWS, 1))
    program = _core.Program(json.dumps(trace(ops.sin, [[-1, 1]])))
    once = program.with_gradients(0, [0])
    twice = _core.Program(once.description()).with_gradients(1, [0])
    thrice = _core.Program(twice.description()).with_gradients(len(twice.shapes()) - 1, [0])
    ones = [np.ones_like(x)] * 3
    np.testing.assert_allclose(
        thrice.run([x, *ones], [], ROWS, "float64")[-1], -np.cos(x), rtol=1e-12
    )
    x32 = x.astype(np.float32)
    np.testing.assert_allclose(
        thrice.run([x32, *np.float32(ones)], [], ROWS, "float32")[-1], -np.cos(x), rtol=1e-5
    )


def test_stopped_values_count_as_constants() -> None:
    x = np.arange(ROWS * 2.0).reshape(ROWS, 2)
    (made,) = slopes(lambda x: x * ops.stop_gradient(x), [[-1, 2]], [x], np.ones_like(x))
    np.testing.assert_array_equal(made, x)
