# SPDX-License-Identifier: Apache-2.0
"""The layers of exported programs: what each becomes in C or C++, and the functions that it calls.

A layer becomes steps, in the words that `Dialect.text` explains; a step that may work in place says
so. Sums of products run in the core's order and fuse where the core's do. Layers that do nothing in
prediction become no step. Those that read several values are in `_source_merging`, those that users
have written themselves in `_source_operations`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from . import _moments, _source_operations
from ._source_activations import TEXTS as ACTIVATIONS
from ._source_activations import call
from ._source_step import Source, Step

FUNCTIONS = {
    "fma": """
FUNCTION REAL OURS_fma(REAL a, REAL b, REAL c) {
#ifdef LAMINAR_FMA
  return LAMINAR_FMA(a, b, c);
#else
  return MATH_fma(a, b, c);
#endif
}
""",
    "dense": """
FUNCTION void OURS_dense(const REAL *x, const REAL *kernel, const REAL *bias, SIZE in, SIZE units,
                         REAL *out) {
  for (SIZE j = 0; j < units; ++j) out[j] = bias != NONE ? bias[j] : NUM(0);
  for (SIZE k = 0; k < in; ++k) {
    const REAL *row = kernel + k * units;
    const REAL factor = x[k];
    for (SIZE j = 0; j < units; ++j) out[j] = OURS_fma(factor, row[j], out[j]);
  }
}
""",
    "maxout": """
FUNCTION void OURS_maxout(const REAL *x, const REAL *kernel, const REAL *bias, SIZE in, SIZE units,
                          SIZE pieces, REAL *out) {
  for (SIZE piece = 0; piece < pieces; ++piece) {
    for (SIZE j = 0; j < units; ++j) {
      const SIZE column = piece * units + j;
      REAL z = bias != NONE ? bias[column] : NUM(0);
      for (SIZE k = 0; k < in; ++k) z = OURS_fma(x[k], kernel[k * pieces * units + column], z);
      if (piece == 0 || z > out[j] || z != z) out[j] = z;
    }
  }
}
""",
    "prelu": """
FUNCTION void OURS_prelu(const REAL *x, const REAL *alpha, SIZE n, REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = x[j] < NUM(0) ? x[j] * alpha[j] : x[j];
}
""",
    "batch_normalization": """
FUNCTION void OURS_batch_normalization(const REAL *x, const REAL *mean, const REAL *slope,
                                       const REAL *shift, SIZE n, REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = OURS_fma(x[j] - mean[j], slope[j], shift[j]);
}
""",
    "layer_normalization": """
FUNCTION void OURS_layer_normalization(const REAL *x, const REAL *gamma, const REAL *beta,
                                       REAL epsilon, SIZE n, REAL *out) {
  double total = 0.0;
  double squares = 0.0;
  REAL mean = NUM(0);
  REAL scale = NUM(0);
  for (SIZE j = 0; j < n; ++j) total += DOUBLE_OF(x[j]);
  total /= DOUBLE_OF(n);
  mean = REAL_OF(total);
  for (SIZE j = 0; j < n; ++j) {
    const double from_mean = DOUBLE_OF(x[j]) - total;
    squares += from_mean * from_mean;
  }
  squares /= DOUBLE_OF(n);
  scale = NUM(1) / MATH_sqrt(REAL_OF(squares) + epsilon);
  for (SIZE j = 0; j < n; ++j) {
    REAL a = (x[j] - mean) * scale;
    if (gamma != NONE) a *= gamma[j];
    if (beta != NONE) a += beta[j];
    out[j] = a;
  }
}
""",
    "rms_normalization": """
FUNCTION void OURS_rms_normalization(const REAL *x, const REAL *factors, REAL epsilon, SIZE n,
                                     REAL *out) {
  double squares = 0.0;
  REAL inverse = NUM(0);
  for (SIZE j = 0; j < n; ++j) squares += DOUBLE_OF(x[j]) * DOUBLE_OF(x[j]);
  squares /= DOUBLE_OF(n);
  inverse = NUM(1) / MATH_sqrt(REAL_OF(squares) + epsilon);
  for (SIZE j = 0; j < n; ++j) out[j] = x[j] * inverse * factors[j];
}
""",
    "standardize": """
FUNCTION void OURS_standardize(const REAL *x, const REAL *mean, const REAL *deviation, SIZE n,
                               REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = (x[j] - mean[j]) / deviation[j];
}
""",
    "restore": """
FUNCTION void OURS_restore(const REAL *x, const REAL *mean, const REAL *deviation, SIZE n,
                           REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = OURS_fma(x[j], deviation[j], mean[j]);
}
""",
    "rescale": """
FUNCTION void OURS_rescale(const REAL *x, REAL scale, REAL offset, SIZE n, REAL *out) {
  for (SIZE j = 0; j < n; ++j) out[j] = OURS_fma(x[j], scale, offset);
}
""",
    "discretize": """
FUNCTION void OURS_discretize(const REAL *x, const double *bounds, SIZE count, SIZE n, REAL *out) {
  for (SIZE j = 0; j < n; ++j) {
    const REAL value = x[j];
    SIZE bin = 0;
    for (; bin < count && bounds[bin] <= DOUBLE_OF(value); ++bin) {
    }
    out[j] = value != value ? value : REAL_OF(bin);
  }
}
""",
    "encode": """
FUNCTION void OURS_encode(const REAL *x, SIZE n, REAL tokens, SIZE stride, REAL step, SIZE width,
                          REAL *out) {
  /* value j starts at j * stride; step is 1 to count, else 0 */
  for (SIZE j = 0; j < width; ++j) out[j] = NUM(0);
  for (SIZE j = 0; j < n; ++j) {
    SIZE at = 0;
    if (!(x[j] >= NUM(0) && x[j] < tokens && MATH_floor(x[j]) == x[j])) {
      for (SIZE k = 0; k < width; ++k) out[k] = NOT_A_NUMBER;
      return;
    }
    at = j * stride + INT_OF(x[j]);
    out[at] = step > NUM(0) ? out[at] + step : NUM(1);
  }
}
""",
    "embed": """
FUNCTION void OURS_embed(const REAL *x, const REAL *table, SIZE n, REAL rows, SIZE width,
                         REAL *out) {
  for (SIZE j = 0; j < n; ++j) {
    const int known = x[j] >= NUM(0) && x[j] < rows && MATH_floor(x[j]) == x[j];
    const SIZE row = known ? INT_OF(x[j]) : 0;
    for (SIZE k = 0; k < width; ++k) {
      out[j * width + k] = known ? table[row * width + k] : NOT_A_NUMBER;
    }
  }
}
""",
    **ACTIVATIONS,
}


def _activation(source: Source, function: Any) -> list[Step]:
    """Return the step of an activation: one call a value, or one a row; none for the identity."""
    width, found = prod(source.outputs), call(function._spec(), source.dialect, source.where)
    if found is None:
        return []
    if found.by_row:
        return [Step(found.name, f"OURS_{found.name}(FROM, TO, {width});", width)]
    value = f"OURS_{found.name}(FROM[j]{found.given})"
    return [Step(found.name, f"for (SIZE j = 0; j < {width}; ++j) TO[j] = {value};", width)]


def _dense(source: Source) -> list[Step]:
    kernel, first = source.array("kernel", source.weights["kernel"])
    bias, second = source.array("bias", source.weights.get("bias"))
    inputs, units = source.weights["kernel"].shape
    call = f"OURS_dense(FROM, {kernel}, {bias}, {inputs}, {units}, TO);"
    title = f"Dense, {inputs} to {units}"
    return [
        Step(title, call, units, False, first + second),
        *_activation(source, source.layer.activation),
    ]


def _maxout(source: Source) -> list[Step]:
    kernel, first = source.array("kernel", source.weights["kernel"])
    bias, second = source.array("bias", source.weights.get("bias"))
    units, pieces = source.layer.units, source.layer.pieces
    inputs = source.weights["kernel"].shape[0]
    call = f"OURS_maxout(FROM, {kernel}, {bias}, {inputs}, {units}, {pieces}, TO);"
    title = f"Maxout, {inputs} to {units}, {pieces} pieces"
    return [Step(title, call, units, False, first + second)]


def _prelu(source: Source) -> list[Step]:
    alpha, arrays = source.array("alpha", source.weights["alpha"])
    width = prod(source.outputs)
    return [Step("PReLU", f"OURS_prelu(FROM, {alpha}, {width}, TO);", width, True, arrays)]


def _batch_normalization(source: Source) -> list[Step]:
    """(x - mean) slope + shift, with slope = gamma / sqrt(variance + epsilon)."""
    mean, variance = (source.weights[f"moving_{name}"] for name in ("mean", "variance"))
    kind = mean.dtype.type
    with np.errstate(all="ignore"):  # what is not finite here is so in the core as well
        slope = source.weights.get("gamma", kind(1)) / np.sqrt(
            variance + kind(source.layer.epsilon)
        )
    shift = source.weights.get("beta", np.zeros_like(mean))
    found = [
        source.array(name, values)
        for name, values in (("mean", mean), ("slope", slope), ("shift", shift))
    ]
    names = ", ".join(name for name, _ in found)
    call = f"OURS_batch_normalization(FROM, {names}, {mean.size}, TO);"
    arrays = [text for _, texts in found for text in texts]
    return [Step("BatchNormalization", call, mean.size, True, arrays)]


def _layer_normalization(source: Source) -> list[Step]:
    gamma, first = source.array("gamma", source.weights.get("gamma"))
    beta, second = source.array("beta", source.weights.get("beta"))
    epsilon, columns = source.real(source.layer.epsilon), source.outputs[-1]
    call = _grouped(source, f"OURS_layer_normalization({{}}, {gamma}, {beta}, {epsilon}, {columns}")
    return [Step("LayerNormalization", call, prod(source.outputs), True, first + second)]


def _rms_normalization(source: Source) -> list[Step]:
    scale, arrays = source.array("scale", source.weights["scale"])
    epsilon, columns = source.real(source.layer.epsilon), source.outputs[-1]
    call = _grouped(source, f"OURS_rms_normalization({{}}, {scale}, {epsilon}, {columns}")
    return [Step("RMSNormalization", call, prod(source.outputs), True, arrays)]


def _normalization(source: Source) -> list[Step]:
    """(x - mean) / deviation or its opposite."""
    mean = source.weights["mean"]
    deviation = _moments.deviation(source.weights, source.layer.invert)
    first, texts = source.array("mean", mean)
    second, more = source.array("deviation", deviation)
    function = "restore" if source.layer.invert else "standardize"
    call = _grouped(source, f"OURS_{function}({{}}, {first}, {second}, {mean.size}")
    return [Step("Normalization", call, prod(source.outputs), True, texts + more)]


def _grouped(source: Source, call: str) -> str:
    """Return a call for each group of the last axis; ``call`` lacks its output and has a place."""
    columns = source.outputs[-1]
    width = prod(source.outputs)
    if width == columns:
        return call.format("FROM") + ", TO);"
    inner = call.format("FROM + j") + ", TO + j);"
    return f"for (SIZE j = 0; j < {width}; j += {columns}) {inner}"


def _rescaling(source: Source) -> list[Step]:
    width = prod(source.outputs)
    numbers = f"{source.real(source.layer.scale)}, {source.real(source.layer.offset)}"
    return [Step("Rescaling", f"OURS_rescale(FROM, {numbers}, {width}, TO);", width)]


def _discretization(source: Source) -> list[Step]:
    """Bounds are compared in double, as the core compares them."""
    bounds = np.array(source.layer.bin_boundaries, np.float64)
    name, width = f"bounds_{source.number}", prod(source.outputs)
    call = f"OURS_discretize(FROM, OURS_{name}, {bounds.size}, {width}, TO);"
    arrays = [source.dialect.double_array(name, bounds)]
    return [Step("Discretization", call, width, True, arrays)]


def _category_encoding(source: Source) -> list[Step]:
    mode, tokens = source.layer.output_mode, source.layer.num_tokens
    inputs, width = prod(source.reads[0]), prod(source.outputs)
    stride = tokens if mode == "one_hot" else 0
    step = source.real(1.0 if mode == "count" else 0.0)
    call = f"OURS_encode(FROM, {inputs}, {source.real(tokens)}, {stride}, {step}, {width}, TO);"
    return [Step(f"CategoryEncoding, {mode}", call, width, False)]


def _embedding(source: Source) -> list[Step]:
    table, arrays = source.array("embeddings", source.weights["embeddings"])
    rows, width = source.weights["embeddings"].shape
    inputs = prod(source.reads[0])
    call = f"OURS_embed(FROM, {table}, {inputs}, {source.real(rows)}, {width}, TO);"
    return [Step(f"Embedding, {rows} of {width}", call, inputs * width, False, arrays)]


def _nothing(source: Source) -> list[Step]:
    return []


KINDS: dict[str, Callable[[Source], list[Step]]] = {
    "activation": lambda source: _activation(source, source.layer.activation),
    "alpha_dropout": _nothing,
    "batch_normalization": _batch_normalization,
    "category_encoding": _category_encoding,
    "dense": _dense,
    "discretization": _discretization,
    "dropout": _nothing,
    "embedding": _embedding,
    "flatten": _nothing,
    "gaussian_dropout": _nothing,
    "gaussian_noise": _nothing,
    "layer_normalization": _layer_normalization,
    "maxout": _maxout,
    "normalization": _normalization,
    "operations": _source_operations.steps,
    "prelu": _prelu,
    "rescaling": _rescaling,
    "rms_normalization": _rms_normalization,
    "reshape": _nothing,
}
