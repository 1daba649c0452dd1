# SPDX-License-Identifier: Apache-2.0
"""What cannot be written in operations is refused where it stands, with what to write instead."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from laminar import ops
from laminar.ops._names import OPERATIONS, OTHER_NAMES
from laminar.ops._trace import trace

X, Y = [-1, 3], [-1, 4]


def _branch(x: Any, y: Any) -> Any:
    if x > 0:
        return x
    return -x


def _loop(x: Any, y: Any) -> Any:
    return ops.stack([row * 2 for row in x])


def _parts(x: Any, y: Any) -> Any:
    x[:, 0] = 1.0
    return x


_kept: list[Any] = []


def _keep(x: Any, y: Any) -> Any:
    _kept.append(x)
    return x


# name: the function, the error, and what its message must hold.
WRONG: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "if": (_branch, TypeError, r"if, while, and, or, not needs numbers.*laminar\.ops\.where"),
    "and": (lambda x, y: x > 0 and x < 1, TypeError, "logical_and"),
    "chained": (lambda x, y: ops.sum(1.0 * (0 < x < 1)), TypeError, "logical_and"),
    "max of python": (lambda x, y: max(x, 0.0), TypeError, r"laminar\.ops\.where"),
    "float": (lambda x, y: float(x[:, 0]), TypeError, r"float\(\) or a function of math"),
    "math": (lambda x, y: math.exp(x), TypeError, "a function of math"),
    "int": (lambda x, y: x[:, : int(y)], TypeError, r"int\(\) needs numbers"),
    "range": (lambda x, y: [0 for _ in range(x)], TypeError, "an index or range"),
    "len": (lambda x, y: ops.sum(x) / len(x), TypeError, "number of rows is not known.*mean"),
    "rows": (_loop, TypeError, "rows cannot be gone through"),
    "in": (lambda x, y: x if 1.0 in x else y, TypeError, "`in` needs numbers"),
    "round": (lambda x, y: round(x), TypeError, r"floor\(x \+ 0\.5\)"),
    "numpy": (lambda x, y: np.exp(x), TypeError, r"numpy\.exp needs.*laminar\.ops\.exp"),
    "numpy function": (lambda x, y: np.mean(x), TypeError, r"write laminar\.ops\.mean"),
    "other name": (lambda x, y: np.concatenate([x, y]), TypeError, r"laminar\.ops\.concatenate"),
    "linalg": (lambda x, y: np.linalg.norm(x), TypeError, r"write laminar\.ops\.norm"),
    "array": (lambda x, y: np.asarray(x), TypeError, r"NumPy needs numbers"),
    "method": (lambda x, y: x.sum(), AttributeError, r"'sum'; write laminar\.ops\.sum"),
    "astype": (lambda x, y: x.astype("float32"), AttributeError, r"laminar\.ops\.cast"),
    "numpy()": (lambda x, y: x.numpy(), AttributeError, "no numbers yet"),
    "set": (_parts, TypeError, "parts of a value cannot be set"),
    "row": (lambda x, y: x[0], IndexError, r"one row cannot be picked.*x\[:, 0\]"),
    "some rows": (lambda x, y: x[1:], IndexError, r"rows cannot be picked.*x\[:, \.\.\.\]"),
    "mask": (lambda x, y: x[x > 0], TypeError, r"where\(\) by a condition"),
    "list": (lambda x, y: x[:, [0, 1]], TypeError, r"laminar\.ops\.take"),
    "index": (lambda x, y: x[:, 3], IndexError, "index 3 is out of range for axis 1"),
    "too many": (lambda x, y: x[:, 0, 0], IndexError, r"3 indices.*\(None, 3\).*2 axes"),
    "shapes": (lambda x, y: x + y, ValueError, r"add: shapes \(None, 3\), \(None, 4\) do not"),
    "composed": (
        lambda x, y: ops.logaddexp(x, y),
        ValueError,
        r"logaddexp: shapes \(None, 3\), \(None, 4\)",
    ),
    "matmul": (lambda x, y: x @ y, ValueError, r"matmul: .*\(None, 3\) and \(None, 4\)"),
    "scalar": (lambda x, y: x @ 2.0, ValueError, "multiplies by a number"),
    "axis": (lambda x, y: ops.sum(x, axis=2), ValueError, r"sum: axis 2 is none of.*\(None, 3\)"),
    "axes": (lambda x, y: ops.mean(x, axis=(1, -1)), ValueError, "mean: axis 1 is named twice"),
    "axis type": (lambda x, y: ops.sum(x, axis=1.0), TypeError, "sum: axis must be an integer"),
    "reshape": (
        lambda x, y: ops.reshape(x, (-1, 2)),
        ValueError,
        r"reshape: shape \(None, 3\) cannot become",
    ),
    "two open": (lambda x, y: ops.reshape(x, (-1, -1)), ValueError, "only one extent"),
    "concatenate": (
        lambda x, y: ops.concatenate([x, y], axis=0),
        ValueError,
        "concatenate: axis 0 .* is that of the rows",
    ),
    "not a list": (lambda x, y: ops.stack(x), TypeError, "stack: x must be a list"),
    "split": (lambda x, y: ops.split(x, 2, axis=1), ValueError, "split: 3 values of axis 1"),
    "squeeze": (lambda x, y: ops.squeeze(x, 1), ValueError, "not of extent 1"),
    "take": (lambda x, y: ops.take(x, [5], axis=1), ValueError, "take: index 5 is none"),
    "argmax": (lambda x, y: ops.argmax(x), ValueError, "argmax: axis=None would go through"),
    "cast": (lambda x, y: ops.cast(x, "int32"), ValueError, "cast: dtype must be float32"),
    "misspelt": (lambda x, y: ops.sum(x, axes=1), TypeError, "did you mean 'axis'"),
    "missing": (lambda x, y: ops.where(x > 0), TypeError, "where: argument 'x1' is missing"),
    "no operation": (lambda x, y: ops.reduce_sum(x), AttributeError, "reduce_sum"),
    "text": (lambda x, y: x + "a", TypeError, "add: x2 must hold booleans, integers or floats"),
    "dropout": (lambda x, y: ops.random.dropout(x, 1.0), ValueError, "dropout: rate"),
    "norm": (lambda x, y: ops.norm(x, ord=3), ValueError, "norm: ord must be None, 1, 2 or inf"),
    "nothing": (lambda x, y: None, TypeError, "mine: must return a value, got None"),
    "several": (lambda x, y: [x, y], TypeError, "mine: must return one value, got 2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_programs(name: str) -> None:
    function, kind, message = WRONG[name]
    with pytest.raises(kind, match=f"(?s){message}") as raised:
        trace(function, [X, Y], where="mine")
    if name not in ("nothing", "several"):
        files = [frame.filename for frame in traceback.extract_tb(raised.tb)]
        assert __file__ in files  # the user's line is among those that Python shows


def test_values_do_not_outlive_their_call() -> None:
    trace(_keep, [X, Y])
    with pytest.raises(ValueError, match="belongs to a call that is over"):
        ops.exp(_kept[0])
    with pytest.raises(ValueError, match="belongs to another call"):
        trace(lambda x, y: x + _kept[0], [X, Y])
    _kept.clear()


def test_python_that_looks_at_shapes_is_free() -> None:
    def function(x: Any, y: Any) -> Any:
        assert x.shape == (None, 3)
        assert x.ndim == 2
        assert x.dtype == "float32"
        assert ops.shape(y) == (None, 4)
        total = 0.0
        for i in range(x.shape[1]):
            total = total + x[:, i]
        for weight in (0.5, 2.0) if x.shape[-1] == 3 else ():
            total = total * weight
        return total

    made = trace(function, [X, Y])
    assert made["inputs"] == [X, Y]
    assert [step["op"] for step in made["steps"]].count("add") == 3


def test_numpy_arrays_are_constants() -> None:
    made = trace(lambda x, y: np.ones(3) * x - np.float32(2) + [1, 2, 3], [X, Y])
    ops_used = [step["op"] for step in made["steps"] if step["op"] != "constant"]
    assert ops_used == ["multiply", "subtract", "add"]


def test_what_is_computed_twice_is_recorded_once() -> None:
    made = trace(lambda x, y: ops.exp(x) * ops.exp(x) + ops.sum(ops.sin(y)) * 0, [X, Y])
    assert [step["op"] for step in made["steps"]].count("exp") == 1
    made = trace(lambda x, y: ops.exp(x), [X, Y])
    assert [step["op"] for step in made["steps"]] == ["exp"]
    assert made["inputs"] == [X, Y]


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"add: shapes \(2,\), \(3,\) do not go together"):
        ops.add(np.zeros(2), np.zeros(3))
    with pytest.raises(TypeError, match="exp: x must hold booleans, integers or floats"):
        ops.exp(np.array(["a"]))
    with pytest.raises(ValueError, match="sum: axis 1 is none of shape"):
        ops.sum(np.zeros(3), axis=1)


# Names of NumPy, Keras and TensorFlow, and what takes their place.
ELSEWHERE = {
    "einsum": "write laminar.ops.matmul",
    "absolute": "write laminar.ops.abs",
    "reduce_mean": "write laminar.ops.mean",
    "round": r"write laminar.ops.floor\(x \+ 0.5\)",
    "flip": r"write x\[:, ::-1\]",
    "eye": "arrays are constants here: write numpy.eye",
    "tahn": "did you mean 'tanh'",
    "vectorize": r"help\(laminar.ops\) lists what there is$",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_names_of_other_libraries(name: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; {ELSEWHERE[name]}"):
        getattr(ops, name)


def test_what_takes_the_place_of_other_names_is_there() -> None:
    assert set(OTHER_NAMES.values()) <= set(OPERATIONS)
    assert not set(OTHER_NAMES) & set(OPERATIONS)
