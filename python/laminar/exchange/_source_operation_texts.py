# SPDX-License-Identifier: Apache-2.0
"""The operations of exported programs, in the words that `Dialect.text` explains."""

from __future__ import annotations

FUNCTIONS = {
    "sign": """
FUNCTION REAL OURS_sign(REAL x) { return x > NUM(0) ? NUM(1) : x < NUM(0) ? NUM(-1) : x; }
""",
    "larger": """
FUNCTION REAL OURS_larger(REAL x, REAL y) { return x > y || x != x ? x : y; }
""",
    "smaller": """
FUNCTION REAL OURS_smaller(REAL x, REAL y) { return x < y || x != x ? x : y; }
""",
    "argmax": """
FUNCTION void OURS_argmax(const REAL *x, SIZE outer, SIZE extent, SIZE inner, REAL *out) {
  /* x[i][k][j]; the first NaN is the largest */
  for (SIZE i = 0; i < outer; ++i) {
    for (SIZE j = 0; j < inner; ++j) {
      const REAL *from = x + i * extent * inner + j;
      SIZE best = 0;
      for (SIZE k = 1; k < extent; ++k) {
        const REAL most = from[best * inner];
        const REAL value = from[k * inner];
        if (value > most || (value != value && most == most)) best = k;
      }
      out[i * inner + j] = REAL_OF(best);
    }
  }
}
""",
    "cumsum": """
FUNCTION void OURS_cumsum(const REAL *x, SIZE outer, SIZE extent, SIZE inner, int from_end,
                          REAL *out) {
  for (SIZE i = 0; i < outer; ++i) {
    for (SIZE j = 0; j < inner; ++j) {
      REAL sum = NUM(0);
      for (SIZE n = 0; n < extent; ++n) {
        const SIZE at = (i * extent + (from_end ? extent - 1 - n : n)) * inner + j;
        sum = n == 0 ? x[at] : sum + x[at];
        out[at] = sum;
      }
    }
  }
}
""",
    "position": """
FUNCTION SIZE OURS_position(REAL x, SIZE extent) {
  /* the extent where it is none */
  return x >= NUM(0) && x < REAL_OF(extent) && MATH_floor(x) == x ? INT_OF(x) : extent;
}
""",
    "take": """
FUNCTION void OURS_take(const REAL *x, const REAL *indices, SIZE outer, SIZE extent, SIZE inner,
                        SIZE count, REAL *out) {
  for (SIZE i = 0; i < outer; ++i) {
    for (SIZE k = 0; k < count; ++k) {
      const SIZE at = OURS_position(indices[k], extent);
      for (SIZE j = 0; j < inner; ++j) {
        out[(i * count + k) * inner + j] =
            at < extent ? x[(i * extent + at) * inner + j] : NOT_A_NUMBER;
      }
    }
  }
}
""",
    "scatter": """
FUNCTION void OURS_scatter(const REAL *x, const REAL *indices, SIZE outer, SIZE extent, SIZE inner,
                           SIZE count, REAL *out) {
  for (SIZE i = 0; i < outer * extent * inner; ++i) out[i] = NUM(0);
  for (SIZE i = 0; i < outer; ++i) {
    for (SIZE k = 0; k < count; ++k) {
      const SIZE at = OURS_position(indices[k], extent);
      for (SIZE j = 0; at < extent && j < inner; ++j) {
        out[(i * extent + at) * inner + j] += x[(i * count + k) * inner + j];
      }
    }
  }
}
""",
    "matmul": """
FUNCTION void OURS_matmul(const REAL *x, SIZE x_row, SIZE x_column, const REAL *y, SIZE y_row,
                          SIZE y_column, const REAL *bias, SIZE rows, SIZE depth, SIZE columns,
                          REAL *out) {
  /* matrices with the distances between their rows, and between their columns */
  for (SIZE i = 0; i < rows; ++i) {
    REAL *to = out + i * columns;
    for (SIZE j = 0; j < columns; ++j) to[j] = bias != NONE ? bias[j] : NUM(0);
    for (SIZE k = 0; k < depth; ++k) {
      const REAL factor = x[i * x_row + k * x_column];
      for (SIZE j = 0; j < columns; ++j) {
        to[j] = OURS_fma(factor, y[k * y_row + j * y_column], to[j]);
      }
    }
  }
}
""",
}

# Operations element by element.
ELEMENTWISE = {
    "negative": "-{0}",
    "abs": "MATH_fabs({0})",
    "sign": "OURS_sign({0})",
    "floor": "MATH_floor({0})",
    "exp": "MATH_exp({0})",
    "expm1": "MATH_expm1({0})",
    "log": "MATH_log({0})",
    "log1p": "MATH_log1p({0})",
    "sqrt": "MATH_sqrt({0})",
    "square": "{0} * {0}",
    "sin": "MATH_sin({0})",
    "cos": "MATH_cos({0})",
    "erf": "MATH_erf({0})",
    "tanh": "MATH_tanh({0})",
    "sigmoid": "OURS_sigmoid({0})",
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "power": "MATH_pow({0}, {1})",
    "maximum": "OURS_larger({0}, {1})",
    "minimum": "OURS_smaller({0}, {1})",
    "less": "{0} < {1} ? NUM(1) : NUM(0)",
    "less_equal": "{0} <= {1} ? NUM(1) : NUM(0)",
    "greater": "{0} > {1} ? NUM(1) : NUM(0)",
    "greater_equal": "{0} >= {1} ? NUM(1) : NUM(0)",
    "equal": "{0} == {1} ? NUM(1) : NUM(0)",
    "not_equal": "{0} != {1} ? NUM(1) : NUM(0)",
    "where": "{0} != NUM(0) ? {1} : {2}",
}

# Reductions: the type of the result so far, its first value, what an element does to it, and what
# becomes of it. In double, sums are nearer to the core's, which adds several at a time.
REDUCTIONS = {
    "sum": ("double", "0.0", "so_far += DOUBLE_OF({0})", "REAL_OF(so_far)"),
    "prod": ("double", "1.0", "so_far *= DOUBLE_OF({0})", "REAL_OF(so_far)"),
    "max": ("REAL", "-INFINITE", "so_far = OURS_larger({0}, so_far)", "so_far"),
    "min": ("REAL", "INFINITE", "so_far = OURS_smaller({0}, so_far)", "so_far"),
}
