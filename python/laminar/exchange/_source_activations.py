# SPDX-License-Identifier: Apache-2.0
"""The activation functions of exported programs, in the words that `Dialect.text` explains.

An elementwise one takes z and its arguments in the core's order, one of rows (z, a, n), and z and a
may be the same array. In tails every form keeps the digits that the core's keeps: e^x alone would
be denormal where x e^x is not, so such a product takes e^(x/2) twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ._source_text import Dialect

# In gelu's tails rounding z in float would be seen in e^(-z^2 / 2): they are computed in double.
TEXTS = {
    "step": """
FUNCTION REAL OURS_step(REAL z) { return z > NUM(0) ? NUM(1) : z <= NUM(0) ? NUM(0) : z; }
""",
    "sigmoid": """
FUNCTION REAL OURS_sigmoid(REAL z) {
  const REAL e = MATH_exp(-MATH_fabs(z));
  return (z < NUM(0) ? e : NUM(1)) / (NUM(1) + e);
}
""",
    "tanh": """
FUNCTION REAL OURS_tanh(REAL z) { return MATH_tanh(z); }
""",
    "relu": """
FUNCTION REAL OURS_relu(REAL z, REAL negative_slope, REAL max_value, REAL threshold) {
  const REAL below = negative_slope > NUM(0) ? (z - threshold) * negative_slope : NUM(0);
  const REAL a = z <= threshold ? below : z;
  return a > max_value ? max_value : a;
}
""",
    "leaky_relu": """
FUNCTION REAL OURS_leaky_relu(REAL z, REAL negative_slope) {
  return z < NUM(0) ? z * negative_slope : z;
}
""",
    "elu": """
FUNCTION REAL OURS_elu(REAL z, REAL alpha) { return z > NUM(0) ? z : MATH_expm1(z) * alpha; }
""",
    "selu": """
FUNCTION REAL OURS_selu(REAL z) {
  return z > NUM(0) ? z * NUM(1.0507009873554804934) : MATH_expm1(z) * NUM(1.7580993408473768599);
}
""",
    "celu": """
FUNCTION REAL OURS_celu(REAL z, REAL alpha) {
  return z > NUM(0) ? z : MATH_expm1(z / alpha) * alpha;
}
""",
    "gelu": """
FUNCTION REAL OURS_gelu(REAL z) {
  const double size = DOUBLE_fabs(DOUBLE_OF(z));
  const double x = size > 40.0 ? 40.0 : size;
  const double tail = 0.5 * DOUBLE_erfc(x * 0.70710678118654752);
  const double a = (z > NUM(0) ? DOUBLE_OF(z) : 0.0) - x * tail;
  return REAL_OF(a);
}
""",
    "gelu_approximate": """
FUNCTION REAL OURS_gelu_approximate(REAL z) {
  const double size = DOUBLE_fabs(DOUBLE_OF(z));
  const double x = size > 40.0 ? 40.0 : size;
  const double e = DOUBLE_exp(-x * (1.5957691216057307 + 0.071354816272600247 * x * x));
  const double a = (z > NUM(0) ? DOUBLE_OF(z) : 0.0) - x * e / (1.0 + e);
  return REAL_OF(a);
}
""",
    "softplus": """
FUNCTION REAL OURS_softplus(REAL z) {
  return (z > NUM(0) ? z : NUM(0)) + MATH_log1p(MATH_exp(-MATH_fabs(z)));
}
""",
    "log_sigmoid": """
FUNCTION REAL OURS_log_sigmoid(REAL z) {
  return (z < NUM(0) ? z : NUM(0)) - MATH_log1p(MATH_exp(-MATH_fabs(z)));
}
""",
    "softsign": """
FUNCTION REAL OURS_softsign(REAL z) {
  const REAL size = MATH_fabs(z);
  const REAL x = size > NUM(1e20) ? NUM(1e20) : size;
  return MATH_copysign(x / (x + NUM(1)), z);
}
""",
    "silu": """
FUNCTION REAL OURS_silu(REAL z) {
  const REAL size = MATH_fabs(z);
  const REAL x = size > NUM(1000) ? NUM(-1000) : -size;
  const REAL half = MATH_exp(NUM(0.5) * x);
  return (z < NUM(0) ? x * half * half : z) / (NUM(1) + half * half);
}
""",
    "mish": """
FUNCTION REAL OURS_mish(REAL z) {
  const REAL size = MATH_fabs(z);
  const REAL x = size > NUM(1000) ? NUM(-1000) : -size;
  const REAL half = MATH_exp(NUM(0.5) * x);
  const REAL q = half * half;
  if (z < NUM(0)) return x * (q + NUM(2)) * half * half / (q * (q + NUM(2)) + NUM(2));
  return z * (q + q + NUM(1)) / (q * (q + NUM(1)) * NUM(2) + NUM(1));
}
""",
    "exponential": """
FUNCTION REAL OURS_exponential(REAL z) { return MATH_exp(z); }
""",
    "hard_sigmoid": """
FUNCTION REAL OURS_hard_sigmoid(REAL z) {
  const REAL x = z + NUM(3);
  return (x < NUM(0) ? NUM(0) : x > NUM(6) ? NUM(6) : x) * NUM(0.16666666666666667);
}
""",
    "hard_tanh": """
FUNCTION REAL OURS_hard_tanh(REAL z) { return z < NUM(-1) ? NUM(-1) : z > NUM(1) ? NUM(1) : z; }
""",
    "hard_silu": """
FUNCTION REAL OURS_hard_silu(REAL z) {
  return (z < NUM(-3) ? NUM(-3) : z) * OURS_hard_sigmoid(z);
}
""",
    "relu6": """
FUNCTION REAL OURS_relu6(REAL z) { return z < NUM(0) ? NUM(0) : z > NUM(6) ? NUM(6) : z; }
""",
    "tanh_shrink": """
FUNCTION REAL OURS_tanh_shrink(REAL z) {
  /* (z cosh z - sinh z) / cosh z by its power series where the difference would lose digits */
  const REAL x = z * z;
  REAL series = NUM(1);
  if (!(MATH_fabs(z) < NUM(1.9))) return z - MATH_tanh(z);
  for (int k = 14; k > 0; --k) {
    const int divisor = 2 * k * (2 * k + 3);
    series = NUM(1) + series * x / REAL_OF(divisor);
  }
  return z * x * series / (NUM(3) * MATH_cosh(z));
}
""",
    "hard_shrink": """
FUNCTION REAL OURS_hard_shrink(REAL z, REAL threshold) {
  return MATH_fabs(z) <= threshold ? NUM(0) : z;
}
""",
    "soft_shrink": """
FUNCTION REAL OURS_soft_shrink(REAL z, REAL threshold) {
  const REAL rest = MATH_fabs(z) - threshold;
  return MATH_copysign(rest < NUM(0) ? NUM(0) : rest, z);
}
""",
    "squareplus": """
FUNCTION REAL OURS_squareplus(REAL z, REAL b) {
  const REAL size = MATH_fabs(z);
  const REAL root = size > NUM(1e18) ? size : MATH_sqrt(OURS_fma(size, size, b));
  const REAL sum = NUM(0.5) * size + NUM(0.5) * root;
  return z < NUM(0) ? NUM(0.25) * b / sum : sum;
}
""",
    "sparse_plus": """
FUNCTION REAL OURS_sparse_plus(REAL z) {
  const REAL above = z < NUM(-1) ? NUM(0) : z + NUM(1);
  return z >= NUM(1) ? z : above * above * NUM(0.25);
}
""",
    "sparse_sigmoid": """
FUNCTION REAL OURS_sparse_sigmoid(REAL z) {
  const REAL x = z + NUM(1);
  return (x < NUM(0) ? NUM(0) : x > NUM(2) ? NUM(2) : x) * NUM(0.5);
}
""",
    "threshold": """
FUNCTION REAL OURS_threshold(REAL z, REAL threshold, REAL default_value) {
  return z <= threshold ? default_value : z;
}
""",
    "largest": """
FUNCTION REAL OURS_largest(const REAL *z, SIZE n) {
  REAL best = -INFINITE;
  for (SIZE j = 0; j < n; ++j) best = z[j] > best ? z[j] : best;
  return best;
}
""",
    "softmax": """
FUNCTION void OURS_softmax(const REAL *z, REAL *a, SIZE n) {
  const REAL shift = OURS_largest(z, n);
  double total = 0.0;
  for (SIZE j = 0; j < n; ++j) {
    a[j] = MATH_exp(z[j] - shift);
    total += DOUBLE_OF(a[j]);
  }
  for (SIZE j = 0; j < n; ++j) a[j] /= REAL_OF(total);
}
""",
    "log_softmax": """
FUNCTION void OURS_log_softmax(const REAL *z, REAL *a, SIZE n) {
  /* the logarithm is of 1 + the sum over all but one of the largest */
  const REAL shift = OURS_largest(z, n);
  double total = -1.0;
  double others = 0.0;
  REAL log_sum = NUM(0);
  for (SIZE j = 0; j < n; ++j) {
    const REAL x = z[j] - shift;
    if (x < NUM(0)) {
      const REAL e = MATH_exp(x);
      others += DOUBLE_OF(e);
    } else {
      total += DOUBLE_OF(x) + 1.0; /* x is 0 or NaN */
    }
  }
  total += others;
  log_sum = MATH_log1p(REAL_OF(total));
  for (SIZE j = 0; j < n; ++j) a[j] = (z[j] - shift) - log_sum;
}
""",
    "sparsemax": """
FUNCTION void OURS_sparsemax(const REAL *z, REAL *a, SIZE n) {
  /* values below the threshold are left out in turn until none is */
  const REAL shift = OURS_largest(z, n);
  REAL bad = NUM(0);
  REAL threshold = NUM(0);
  SIZE before = n + 1;
  for (SIZE j = 0; j < n; ++j) {
    const REAL x = z[j] - shift;
    if (!(x <= NUM(0))) bad = x;
  }
  threshold = bad - NUM(1);
  for (;;) {
    SIZE size = 0;
    double total = -1.0;
    for (SIZE j = 0; j < n; ++j) {
      const REAL x = z[j] - shift;
      if (x > threshold) {
        total += DOUBLE_OF(x);
        ++size;
      }
    }
    if (size >= before || size == 0) break;
    before = size;
    total /= DOUBLE_OF(size);
    threshold = REAL_OF(total);
  }
  for (SIZE j = 0; j < n; ++j) {
    const REAL rest = (z[j] - shift) - threshold;
    a[j] = rest < NUM(0) ? NUM(0) : rest;
  }
}
""",
}


class Call(NamedTuple):
    """How an activation is called: by its name, with further arguments; of rows or of a number."""

    name: str
    given: str
    by_row: bool


def call(spec: Mapping[str, Any], dialect: Dialect, where: str) -> Call | None:
    """Return the call of the activation that a configuration describes; None for the identity."""
    parameters = dict(spec)
    name = parameters.pop("name")
    if name == "linear":
        return None
    if name == "gelu":
        name = "gelu_approximate" if parameters.pop("approximate") else name
    if name not in TEXTS:
        raise ValueError(f"{where}: activation {name!r} has no form in C")
    if "(const REAL *z, REAL *a, SIZE n)" in TEXTS[name]:
        return Call(name, "", True)
    numbers = (np.inf if value is None else value for value in parameters.values())
    return Call(name, "".join(f", {dialect.number(number)}" for number in numbers), False)
