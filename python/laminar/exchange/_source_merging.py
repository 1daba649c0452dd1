# SPDX-License-Identifier: Apache-2.0
"""The layers of exported programs that read several values, and the functions that they call."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ._source_step import Source, Step


def _elementwise(name: str, result: str) -> str:
    return f"""
FUNCTION void OURS_{name}(const REAL *x, const REAL *y, SIZE n, REAL *out) {{
  for (SIZE j = 0; j < n; ++j) out[j] = {result};
}}
"""


# Extremes hand NaN on, from either side.
FUNCTIONS = {
    "add": _elementwise("add", "x[j] + y[j]"),
    "subtract": _elementwise("subtract", "x[j] - y[j]"),
    "multiply": _elementwise("multiply", "x[j] * y[j]"),
    "maximum": _elementwise("maximum", "x[j] >= y[j] || x[j] != x[j] ? x[j] : y[j]"),
    "minimum": _elementwise("minimum", "x[j] <= y[j] || x[j] != x[j] ? x[j] : y[j]"),
    "scale": """
FUNCTION void OURS_scale(const REAL *x, REAL factor, SIZE n, REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = x[j] * factor;
}
""",
    "copy": """
FUNCTION void OURS_copy(const REAL *x, SIZE n, REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = x[j];
}
""",
    "dot": """
FUNCTION REAL OURS_dot(const REAL *x, const REAL *y, SIZE n) {
  REAL sum = NUM(0);
  for (SIZE j = 0; j < n; ++j) sum += x[j] * y[j];
  return sum;
}
""",
    "length": """
FUNCTION REAL OURS_length(const REAL *x, SIZE n) {
  const REAL found = MATH_sqrt(OURS_dot(x, x, n));
  return found < NUM(1e-7) ? NUM(1e-7) : found;
}
""",
}


def _fold(title: str, function: str) -> Callable[[Source], list[Step]]:
    """Return what makes the steps of f(f(x_0, x_1), x_2), and so on."""

    def write(source: Source) -> list[Step]:
        width = prod(source.outputs)
        calls = [f"OURS_{function}(FROM_0, FROM_1, {width}, TO);"]
        calls += [
            f"OURS_{function}(FROM, FROM_{i}, {width}, TO);" for i in range(2, len(source.reads))
        ]
        return [Step(title, call, width) for call in calls]

    return write


def _average(source: Source) -> list[Step]:
    total = _fold("Average", "add")(source)
    width, share = total[0].width, f"NUM(1) / NUM({len(source.reads)})"
    return [*total, Step("Average", f"OURS_scale(FROM, {share}, {width}, TO);", width)]


def _concatenate(source: Source) -> list[Step]:
    """Rows of several axes are as many pieces, each with a part of every input."""
    width, whole = prod(source.outputs), source.outputs[-1]
    title = "Concatenate"
    steps, begin = [], 0
    for i, part in enumerate(shape[-1] for shape in source.reads):
        if width == whole:
            to = f"TO + {begin}" if begin else "TO"
            call = f"OURS_copy(FROM_{i}, {part}, {to});"
        else:
            call = (
                f"for (SIZE j = 0; j < {width // whole}; ++j) "
                f"OURS_copy(FROM_{i} + j * {part}, {part}, TO + j * {whole} + {begin});"
            )
        steps.append(Step(title, call, width, False))
        begin += part
    return steps


def _dot(source: Source) -> list[Step]:
    (width,) = source.reads[0]
    call = f"OURS_dot(FROM_0, FROM_1, {width})"
    if source.layer.normalize:
        call += "".join(f" / OURS_length(FROM_{i}, {width})" for i in range(2))
    return [Step("Dot", f"TO[0] = {call};", 1, False)]


KINDS: dict[str, Callable[[Source], list[Step]]] = {
    "add": _fold("Add", "add"),
    "subtract": _fold("Subtract", "subtract"),
    "multiply": _fold("Multiply", "multiply"),
    "average": _average,
    "maximum": _fold("Maximum", "maximum"),
    "minimum": _fold("Minimum", "minimum"),
    "concatenate": _concatenate,
    "dot": _dot,
}
