# SPDX-License-Identifier: Apache-2.0
"""Patterns of ONNX operators, written as expressions: ``Mul(x, Sigmoid(x))``.

``x`` is the value that the pattern reads, the same wherever it stands, and ``y`` another where it
reads two; a number stands for a constant of one element with that value; any other name takes a
constant, or an attribute in the order of `_onnx_file.ATTRIBUTES`. Factors and terms match in either
order.
"""

from __future__ import annotations

import ast
import functools
from typing import Any

import numpy as np

from ._onnx_file import File

VALUES = ("x", "y")
_COMMUTE = {"Add", "Max", "Min", "Mul", "Or"}
_CLOSE = 1e-6  # float32's rounding of a constant

Bound = dict[str, Any]


@functools.cache
def parsed(pattern: str) -> ast.expr:
    """Return a pattern as Python's syntax tree."""
    return ast.parse(pattern, mode="eval").body


def operators(pattern: str) -> set[str]:
    """Return the operators in a pattern."""
    calls = (n.func for n in ast.walk(parsed(pattern)) if isinstance(n, ast.Call))
    return {call.id for call in calls if isinstance(call, ast.Name)}


def size(pattern: str) -> int:
    """Return the number of operators in a pattern."""
    return sum(isinstance(node, ast.Call) for node in ast.walk(parsed(pattern)))


def match(file: File, pattern: str, name: str) -> Bound | None:
    """Return what the names of a pattern stand for where it ends in a value; None if it does not.

    Parameters
    ----------
    file : File
        Where the value is from.
    pattern : str
        The expression.
    name : str
        The value.
    """
    return _match(file, parsed(pattern), ("value", name), {})


def _match(file: File, pattern: ast.expr, given: tuple[str, Any], bound: Bound) -> Bound | None:
    kind, value = given
    if isinstance(pattern, ast.Name):
        return _bind(pattern.id, kind, value, bound)
    if isinstance(pattern, ast.Call):
        return _match_call(file, pattern, value, bound) if kind == "value" else None
    number = ast.literal_eval(pattern)
    if kind != "constant" or value is None:
        return None
    if isinstance(value, str) or isinstance(number, str):
        return bound if value == number else None
    array = np.asarray(value)
    same = array.size == 1 and bool(np.isclose(float(array.reshape(())), number, _CLOSE, 1e-12))
    return bound if same else None


def _bind(name: str, kind: str, value: Any, bound: Bound) -> Bound | None:
    is_value = name in VALUES
    if is_value != (kind == "value"):
        return None
    if name not in bound:
        return {**bound, name: value}
    same = bound[name] == value if is_value else np.array_equal(bound[name], value)
    return bound if same else None


def _match_call(file: File, pattern: ast.Call, name: str, bound: Bound) -> Bound | None:
    node = file.nodes.get(name)
    assert isinstance(pattern.func, ast.Name)
    if node is None or node.kind != pattern.func.id:
        return None
    given = list(file.arguments(node))
    if len(given) != len(pattern.args):
        return None
    orders = [pattern.args]
    if node.kind in _COMMUTE and len(pattern.args) == 2:
        orders.append(pattern.args[::-1])
    for order in orders:
        found: Bound | None = bound
        for part, argument in zip(order, given, strict=True):
            found = None if found is None else _match(file, part, argument, found)
        if found is not None:
            return found
    return None
