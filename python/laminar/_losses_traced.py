# SPDX-License-Identifier: Apache-2.0
"""The core's losses in operations, for calls within losses of the user's own that are traced.

Each function takes the loss, targets and outputs, and returns a number for each row: each index of
the axes before the last. The formulas, and how far probabilities are kept from 0, are the core's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from . import ops
from .ops._shapes import text_of
from .ops._trace import active

Rows: TypeAlias = "Callable[[Any, Any, Any], Any]"

_MARGIN = 1e-7


def called(loss: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
    """Return what a loss makes of traced values; see `Loss.__call__`.

    Raises
    ------
    ValueError
        Where shapes do not fit.
    """
    trace, where = active(), type(loss).__name__
    assert trace is not None
    y: Any
    y, p = trace.lift(y_true, f"{where}: y_true"), trace.lift(y_pred, f"{where}: y_pred")
    if loss._own:
        rows = loss.call(y, p)
        if len(rows.shape) > 1:
            rows = ops.mean(rows, axis=tuple(range(1, len(rows.shape))))
    else:
        if loss._labels and y._extents == (*p._extents[:-1], 1):
            y = y[..., 0]
        wanted = p._extents[:-1] if loss._labels else p._extents
        if y._extents != wanted:
            raise ValueError(
                f"{where}: y_true must be of shape {text_of(wanted)}, as y_pred is of shape "
                f"{text_of(p._extents)}, got {text_of(y._extents)}"
            )
        rows = ROWS_OF[loss._entry](loss, y, p)
    if sample_weight is not None:
        rows = rows * sample_weight
    made = _reduced(loss.reduction, rows, sample_weight)
    return ops.sqrt(made) if loss._entry == "rmse" else made


def _reduced(reduction: str, rows: Any, sample_weight: Any) -> Any:
    if reduction == "none":
        return rows
    if reduction == "sum":
        return ops.sum(rows)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.sum(rows) / ops.sum(ops.zeros_like(rows) + sample_weight)
    return ops.mean(rows)


def _of_columns(term: Callable[[Any, Any], Any]) -> Rows:
    return lambda loss, y, p: ops.mean(term(y, p), axis=-1)


def _huber(loss: Any, y: Any, p: Any) -> Any:
    size, delta = ops.abs(p - y), loss.delta
    near = 0.5 * ops.square(p - y)
    return ops.mean(ops.where(size > delta, delta * (size - 0.5 * delta), near), axis=-1)


def _log_cosh(y: Any, p: Any) -> Any:
    size = ops.abs(p - y)
    return size + ops.softplus(-2 * size) - math.log(2)


def _quantile(loss: Any, y: Any, p: Any) -> Any:
    e = y - p
    return ops.mean(ops.maximum(loss.quantile * e, (loss.quantile - 1) * e), axis=-1)


def _log1p(x: Any) -> Any:
    return ops.log1p(ops.maximum(x, _MARGIN))


def _short_of_margin(y: Any, p: Any) -> Any:
    return ops.maximum(1 - ops.where(y == 0, -1.0, y) * p, 0.0)


def _categorical_hinge(loss: Any, y: Any, p: Any) -> Any:
    wrong = ops.max((1 - y) * p, axis=-1)
    return ops.maximum(wrong - ops.sum(y * p, axis=-1) + 1, 0.0)


def _kl_divergence(loss: Any, y: Any, p: Any) -> Any:
    y, p = ops.clip(y, _MARGIN, 1.0), ops.clip(p, _MARGIN, 1.0)
    return ops.sum(y * ops.log(y / p), axis=-1)


def _gamma(y: Any, p: Any) -> Any:
    return 2 * (ops.log(p / y) + y / p - 1)


def _tweedie(loss: Any, y: Any, p: Any) -> Any:
    power = loss.power
    if power == 2:
        return ops.mean(_gamma(y, p), axis=-1)
    if power == 1:
        grown = ops.where(y > 0, y * ops.log(ops.where(y > 0, y, 1.0) / p), 0.0)
        return ops.mean(2 * (grown - y + p), axis=-1)
    if power == 0:
        return ops.mean(ops.square(y - p), axis=-1)
    a, b = 1 - power, 2 - power
    half = ops.power(y, b) / (a * b) - y * ops.power(p, a) / a + ops.power(p, b) / b
    return ops.mean(2 * half, axis=-1)


def _cosine_similarity(loss: Any, y: Any, p: Any) -> Any:
    lengths = [ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=-1), _MARGIN**2)) for x in (y, p)]
    return -ops.sum(y * p, axis=-1) / (lengths[0] * lengths[1])


def _tversky(loss: Any, y: Any, p: Any) -> Any:
    common = ops.sum(y * p, axis=-1)
    missed = loss.alpha * ops.sum(y * (1 - p), axis=-1)
    added = loss.beta * ops.sum((1 - y) * p, axis=-1)
    return 1 - common / (common + missed + added + _MARGIN)


def _dice(loss: Any, y: Any, p: Any) -> Any:
    sizes = ops.sum(y, axis=-1) + ops.sum(p, axis=-1)
    return 1 - 2 * ops.sum(y * p, axis=-1) / (sizes + _MARGIN)


def _binary(loss: Any, y: Any, p: Any) -> tuple[Any, Any, Any, Any]:
    """Return smoothed targets, probabilities of 1 and 0, and the cross-entropy of each column."""
    y = y * (1 - loss.label_smoothing) + 0.5 * loss.label_smoothing
    if loss.from_logits:
        value = ops.maximum(p, 0.0) - p * y + ops.log1p(ops.exp(-ops.abs(p)))
        return y, ops.sigmoid(p), ops.sigmoid(-p), value
    p = ops.clip(p, _MARGIN, 1 - _MARGIN)
    return y, p, 1 - p, -(y * ops.log(p) + (1 - y) * ops.log(1 - p))


def _binary_crossentropy(loss: Any, y: Any, p: Any) -> Any:
    return ops.mean(_binary(loss, y, p)[3], axis=-1)


def _binary_focal_crossentropy(loss: Any, y: Any, p: Any) -> Any:
    y, one, zero, value = _binary(loss, y, p)
    value = ops.power(y * zero + (1 - y) * one, loss.gamma) * value
    if loss.apply_class_balancing:
        value = value * (y * loss.alpha + (1 - y) * (1 - loss.alpha))
    return ops.mean(value, axis=-1)


def _log_probabilities(loss: Any, p: Any) -> Any:
    if loss.from_logits:
        return ops.log_softmax(p)
    return ops.log(ops.clip(p / ops.sum(p, axis=-1, keepdims=True), _MARGIN, 1 - _MARGIN))


def _smoothed(loss: Any, y: Any) -> Any:
    return y * (1 - loss.label_smoothing) + loss.label_smoothing / y.shape[-1]


def _categorical_crossentropy(loss: Any, y: Any, p: Any) -> Any:
    return -ops.sum(_smoothed(loss, y) * _log_probabilities(loss, p), axis=-1)


def _categorical_focal_crossentropy(loss: Any, y: Any, p: Any) -> Any:
    log_p = _log_probabilities(loss, p)
    value = ops.power(-ops.expm1(log_p), loss.gamma) * _smoothed(loss, y) * log_p
    return -loss.alpha * ops.sum(value, axis=-1)


def _sparse_categorical_crossentropy(loss: Any, y: Any, p: Any) -> Any:
    if loss.ignore_class is not None:
        raise ValueError(
            f"{type(loss).__name__}: ignore_class is not for calls within losses of one's own; "
            "laminar.ops.where leaves rows out"
        )
    return -ops.sum(ops.one_hot(y, p.shape[-1]) * _log_probabilities(loss, p), axis=-1)


ROWS_OF: dict[str, Rows] = {
    "mse": _of_columns(lambda y, p: ops.square(p - y)),
    "rmse": _of_columns(lambda y, p: ops.square(p - y)),
    "mae": _of_columns(lambda y, p: ops.abs(p - y)),
    "huber": _huber,
    "log_cosh": _of_columns(_log_cosh),
    "mape": _of_columns(lambda y, p: 100 * ops.abs(p - y) / ops.maximum(ops.abs(y), _MARGIN)),
    "msle": _of_columns(lambda y, p: ops.square(_log1p(p) - _log1p(y))),
    "quantile": _quantile,
    "hinge": _of_columns(_short_of_margin),
    "squared_hinge": _of_columns(lambda y, p: ops.square(_short_of_margin(y, p))),
    "categorical_hinge": _categorical_hinge,
    "poisson": _of_columns(lambda y, p: p - y * ops.log(p + _MARGIN)),
    "kl_divergence": _kl_divergence,
    "tweedie": _tweedie,
    "gamma": _of_columns(_gamma),
    "cosine_similarity": _cosine_similarity,
    "dice": _dice,
    "tversky": _tversky,
    "binary_crossentropy": _binary_crossentropy,
    "binary_focal_crossentropy": _binary_focal_crossentropy,
    "categorical_crossentropy": _categorical_crossentropy,
    "categorical_focal_crossentropy": _categorical_focal_crossentropy,
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
}
