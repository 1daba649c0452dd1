# SPDX-License-Identifier: Apache-2.0
"""Values of operations against NumPy's, on arrays and in recorded programs; see `ops_cases`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from ops_cases import ALL, CASES, OTHERS, ROWS, SAME

from laminar import _core, ops
from laminar.ops._trace import trace

pytestmark = pytest.mark.kernels

WIDTHS = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64]


def case_id(value: object) -> str | None:
    return f"{value[0]}-{value[1]}" if isinstance(value, tuple) else None


def run(
    function: Any, shapes: Sequence[Sequence[int]], operands: Sequence[Any], dtype: str, rows: int
) -> Any:
    program = _core.Program(json.dumps(trace(function, shapes)))
    arrays = [np.array(x, dtype, order="C") for x in operands]
    return program.run(arrays, [], rows, dtype)[0]


def test_every_operation_has_cases() -> None:
    public = set(ops.__all__) - OTHERS - set(SAME)
    assert public == set(CASES)
    for name, same in SAME.items():
        assert getattr(ops, name) is getattr(ops, same)


@pytest.mark.parametrize("which", ALL, ids=case_id)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(which: tuple[str, int], dtype: str, rng: np.random.Generator) -> None:
    case = CASES[which[0]][which[1]]
    for n in WIDTHS:
        operands = case.operands(rng, n)
        exact = [np.array(x, dtype).astype(np.float64) for x in operands]
        expected = case.theirs(np, *exact)
        arrays = [np.array(x, dtype) for x in operands]
        made = case.ours(*arrays)
        if which[0] != "cast":
            assert made.dtype == dtype
        assert made.shape == expected.shape
        unit = (4e-6 if dtype == "float32" else 1e-13) * case.tolerance
        np.testing.assert_allclose(made, expected, rtol=unit, atol=unit)
        recorded = run(case.ours, case.extents(n), operands, dtype, ROWS)
        np.testing.assert_array_equal(recorded, made, strict=which[0] != "cast")


@pytest.mark.parametrize("rows", [1, 2, 31])
def test_any_number_of_rows(rows: int, rng: np.random.Generator) -> None:
    for name, i in ALL:
        case = CASES[name][i]
        if name == "slice" or (rows == 1 and name == "squeeze"):  # which look at the number
            continue
        operands = case.operands(rng, 3, rows)
        recorded = run(case.ours, case.extents(3), operands, "float64", rows)
        np.testing.assert_array_equal(recorded, case.ours(*operands), err_msg=name)


def test_types_of_numbers() -> None:
    double, single = np.ones(2), np.ones(2, np.float32)
    for value in (double, np.float64(2), ops.sum(double)):
        assert ops.exp(value).dtype == np.float64
        assert ops.add(single, value).dtype == np.float64
    for value in (single, [1.0, 2.0], 2.0, 3, True, np.float32(1), np.arange(2), double > 0):
        assert ops.exp(value).dtype == np.float32
    assert ops.add(double, 2).dtype == np.float64
    assert ops.concatenate([double, single]).dtype == np.float64
    assert ops.cast(double, "float32").dtype == np.float32
    strided = np.arange(6.0).reshape(2, 3).T
    np.testing.assert_array_equal(ops.square(strided), strided**2)
    assert ops.sum(np.zeros((0, 3)), axis=0).tolist() == [0, 0, 0]


EXTREMES = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-30, -1e-30, 1e30, -1e30, 1.0, -1.0, 0.5, 88.0]
EXTREMES += [-0.5, 2.5, -2.5, 100.3, -100.3, 1000.0, -1000.0, 3e5, -0.9999, -88.0, 7.0, 1e8, 1e-4]
OF_ONE = ["abs", "sign", "floor", "exp", "expm1", "log", "log1p", "sqrt", "square", "sin", "cos"]
OF_TWO = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "logaddexp"]
OF_TWO += ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_values(name: str, dtype: str) -> None:
    x = np.array(EXTREMES, dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x.astype(np.float64)).astype(dtype)
    made = getattr(ops, name)(x)
    tiny = 1e-15 if name in ("sin", "cos") else 0
    unit = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(made, expected, rtol=unit, atol=max(tiny, 1e-37))


@pytest.mark.parametrize("name", OF_TWO)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_pairs(name: str, dtype: str) -> None:
    x, y = (np.array(part.ravel(), dtype) for part in np.meshgrid(EXTREMES, EXTREMES))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x.astype(np.float64), y.astype(np.float64)).astype(dtype)
    made = getattr(ops, name)(x, y)
    unit = 2e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(made, expected, rtol=unit, atol=1e-37)


def test_extreme_reductions() -> None:
    inf = np.inf
    rows = np.array([[-inf, -inf], [inf, 1.0], [1000.0, 1000.0], [-1000.0, -1001.0], [-inf, 3.0]])
    np.testing.assert_allclose(
        ops.logsumexp(rows, axis=1),
        [-inf, inf, 1000 + np.log(2), -1000 + np.log1p(np.exp(-1.0)), 3],
    )
    broken = np.array([[1.0, np.nan], [np.nan, 1.0]])
    for name in ("max", "min", "sum", "mean", "prod"):
        assert np.isnan(getattr(ops, name)(broken, axis=1)).all(), name
    assert ops.argmax(broken, axis=1).tolist() == [1, 0]


def test_random_values() -> None:
    x = ops.random.uniform((20000,), -1, 3)
    assert x.dtype == np.float32
    assert x.min() >= -1
    assert x.max() <= 3
    assert abs(x.mean() - 1) < 0.05
    z = ops.random.normal((20000,), 2.0, 0.5)
    assert abs(z.mean() - 2) < 0.05
    assert abs(z.std() - 0.5) < 0.05
    assert not np.array_equal(ops.random.normal((5,)), ops.random.normal((5,)))
    kept = ops.random.dropout(np.ones(20000), 0.25)
    assert set(np.unique(kept)) == {0, 1 / 0.75}
    assert abs(kept.mean() - 1) < 0.05
