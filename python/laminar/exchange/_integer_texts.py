# SPDX-License-Identifier: Apache-2.0
"""The functions of integer programs, in the words that `Dialect.text` explains.

They are written in C99 without a number that has a point. Each computes what the stage of the same
name in `_integer_stages` does.
"""

from __future__ import annotations

_PRODUCT = """
FUNCTION void OURS_product_@bits@(const int8_t *x, const int8_t *weights, const int32_t *bias,
                                const int32_t *m, const uint8_t *e, SIZE in, SIZE units,
                                int32_t zero, int32_t low, int32_t high, int32_t slope_m,
                                unsigned slope_e, int@bits@_t *out) {
  for (SIZE j = 0; j < units; ++j) {
    const int8_t *row = weights + j * in;
    int32_t total = bias[j];
    int64_t sum = 0;
    for (SIZE k = 0; k < in; ++k) total += (int32_t)row[k] * x[k];
    sum = total < 0 && slope_e > 0 ? OURS_scaled(total, slope_m, slope_e) : total;
    out[j] = (int@bits@_t)OURS_kept(OURS_scaled(sum, m[j], e[j]) + zero, low, high);
  }
}
"""

_LINES = """
FUNCTION void OURS_lines_@in@_@bits@(const int@in@_t *x, const @index@ *index, const int32_t *m,
                                 const int64_t *o, const uint8_t *e, SIZE step, SIZE n,
                                 int@bits@_t *out) {
  /* step is 0 where all lines are the same */
  for (SIZE j = 0; j < n; ++j) {
    const int32_t value = x[index != NONE ? index[j] : j];
    const SIZE k = j * step;
    out[j] = (int@bits@_t)OURS_line(value, m[k], o[k], e[k], 0, INT@bits@_MIN, INT@bits@_MAX);
  }
}
"""

_QUANTIZE = """
void OURS_quantize_@name@(const @from@ *x, int@bits@_t *q) {
  for (SIZE j = 0; j < @count@; ++j) {
    const SIZE k = @place@;
    q[j] = (int@bits@_t)OURS_line(x[j], OURS_input_m[k], OURS_input_o[k], OURS_input_e[k],
                                @fraction@, INT@bits@_MIN, INT@bits@_MAX);
  }
}
"""

_OUTPUTS = """
void OURS_dequantize_q16(const int16_t *out, int32_t *y) {
  for (SIZE j = 0; j < @count@; ++j) {
    const SIZE k = @place@;
    y[j] = OURS_line(out[j], OURS_output_m[k], OURS_output_o[k], OURS_output_e[k], 0,
                     INT32_MIN, INT32_MAX);
  }
}
"""

TEXTS = {
    "kept": """
FUNCTION int32_t OURS_kept(int64_t x, int32_t low, int32_t high) {
  return x < low ? low : x > high ? high : (int32_t)x;
}
""",
    "scaled": """
FUNCTION int64_t OURS_scaled(int64_t x, int32_t m, unsigned e) {
  /* m 2^-e x, rounded */
  return (x * m + ((int64_t)1 << (e - 1))) >> e;
}
""",
    "line": """
FUNCTION int32_t OURS_line(int64_t x, int32_t m, int64_t o, unsigned e, unsigned fraction_bits,
                           int32_t low, int32_t high) {
  /* (m x + o) 2^-e for x 2^-fraction_bits, rounded */
  const unsigned shift = e + fraction_bits;
  const int64_t sum = x * m + o * ((int64_t)1 << fraction_bits) + ((int64_t)1 << (shift - 1));
  return OURS_kept(sum >> shift, low, high);
}
""",
    "table_8": """
FUNCTION void OURS_table_8(const int8_t *x, const int8_t *values, SIZE n, int8_t *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = values[x[j] + 128];
}
""",
    "table_16": """
FUNCTION void OURS_table_16(const int16_t *x, const int16_t *values, SIZE n, int16_t *out) {
  /* straight between two of 257 values */
  for (SIZE j = 0; j < n; ++j) {
    const int32_t place = x[j] + (int32_t)32768;
    const int32_t first = values[place >> 8];
    const int32_t rise = values[(place >> 8) + 1] - first;
    out[j] = (int16_t)(first + ((rise * (place & 255) + 128) >> 8));
  }
}
""",
    "steps_16": """
FUNCTION void OURS_steps_16(const int16_t *x, const int16_t *values, SIZE n, int16_t *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = values[(x[j] + (int32_t)32768) >> 8];
}
""",
    "power": """
FUNCTION uint32_t OURS_power(int32_t below, int32_t m, unsigned e) {
  /* 2^-t in 1 / 65536, for t = m below 2^-e in 1 / 65536 */
  const uint64_t t = ((uint64_t)below * (uint64_t)m) >> e;
  const uint32_t whole = (t >> 16) > 20 ? 20 : (uint32_t)(t >> 16);
  const uint32_t i = (uint32_t)(t >> 10) & 63;
  const uint32_t rest = (uint32_t)t & 1023;
  const uint32_t fall = OURS_powers[i] - OURS_powers[i + 1];
  const uint32_t value = OURS_powers[i] - ((fall * rest + 512) >> 10);
  return (value + (((uint32_t)1 << whole) >> 1)) >> whole;
}
""",
    "softmax": """
FUNCTION void OURS_softmax(int16_t *z, SIZE n, int32_t m, unsigned e) {
  int32_t most = z[0];
  uint32_t total = 0;
  for (SIZE j = 0; j < n; ++j) most = z[j] > most ? z[j] : most;
  for (SIZE j = 0; j < n; ++j) total += OURS_power(most - z[j], m, e);
  for (SIZE j = 0; j < n; ++j) {
    const uint32_t share = (OURS_power(most - z[j], m, e) * 32768u + (total >> 1)) / total;
    z[j] = (int16_t)(share > 32767u ? 32767u : share);
  }
}
""",
}


def _with(text: str, **words: object) -> str:
    """Return a text with the words between two @ put in."""
    for word, instead in words.items():
        text = text.replace(f"@{word}@", str(instead))
    return text


def product(bits: int) -> str:
    """Return the function of products whose results have so many bits."""
    return _with(_PRODUCT, bits=bits)


def lines(in_bits: int, bits: int, index: str) -> str:
    """Return the function of lines from so many bits to so many; ``index`` is an integer's type."""
    return _with(_LINES, bits=bits, index=index, **{"in": in_bits})


def quantize(name: str, kind: str, fraction_bits: int, bits: int, count: int, place: str) -> str:
    """Return the function that makes inputs of integers of a type, by the line at a place."""
    words = {"name": name, "from": kind, "fraction": fraction_bits}
    return _with(_QUANTIZE, bits=bits, count=count, place=place, **words)


def outputs(count: int, place: str) -> str:
    """Return the function that makes real numbers of outputs, in 1 / 65536."""
    return _with(_OUTPUTS, count=count, place=place)
