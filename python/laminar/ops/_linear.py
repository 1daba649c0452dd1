# SPDX-License-Identifier: Apache-2.0
"""Products of matrices."""

from __future__ import annotations

from ._apply import Value, operation, record
from ._shapes import formed, text_of
from ._traced import Traced


@operation(2)
def matmul(x1: Value, x2: Value) -> Value:
    """Return the product of matrices: of the last two axes, for all that lies before them.

    Parameters
    ----------
    x1 : value
        (…, n, k), or a vector (k,), which is a row.
    x2 : value
        (…, k, m), or a vector (k,), which is a column.

    Returns
    -------
    value
        (…, n, m), without the axes that vectors lack.

    Examples
    --------
    >>> from laminar import ops
    >>> ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]], dtype=float32)
    """
    if not x1.ndim or not x2.ndim:
        raise ValueError(
            "matmul: takes vectors and matrices, got values of shape "
            f"{text_of(x1._extents)} and {text_of(x2._extents)}; * multiplies by a number"
        )
    row, column = x1.ndim == 1, x2.ndim == 1
    left, turned_left = _operand(formed(x1, (1, *x1._extents)) if row else x1)
    right, turned_right = _operand(formed(x2, (*x2._extents, 1)) if column else x2)
    made = record("matmul", left, right, integers=[turned_left, turned_right])
    extents = list(made._extents)
    if column:
        del extents[-1]
    if row:
        del extents[-1 if column else -2]
    return formed(made, extents)


def _operand(x: Traced) -> tuple[Traced, int]:
    """Return what the core multiplies, and 1 where it takes the last two axes the other way."""
    made = x._trace.value(x)
    turned = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    if made.op == "transpose" and made.integers == turned:
        return x._trace.operand(made, 0), 1
    return x, 0
