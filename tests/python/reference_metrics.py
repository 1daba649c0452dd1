# SPDX-License-Identifier: Apache-2.0
"""The formulas of the metrics in plain NumPy and float64, independent of the core.

Whole arrays at once, where the core takes row after row. Targets are rows of values; where a metric
takes class numbers, the one-hot rows of those.
"""

from __future__ import annotations

import numpy as np
import reference
from numpy.typing import NDArray
from reference import Array, Spec


def ratio(a: Array, b: Array) -> Array:
    """Return a / b, and 0 where there is nothing to divide by."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b != 0)


def answers(spec: Spec, p: Array) -> NDArray[np.bool_]:
    """Return which outputs say yes."""
    threshold, top_k = spec.get("thresholds"), spec.get("top_k")
    if top_k is not None:
        rank = np.argsort(np.argsort(-p, axis=1, kind="stable"), axis=1)
        best = rank < top_k
        return best if threshold is None else best & (p > threshold)
    return p > (0.5 if threshold is None else threshold)


def counts(yes: NDArray[np.bool_], y: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """Return true and false positives, true and false negatives of each column."""
    right = y > 0.5
    w = weight[:, np.newaxis]
    return (
        (w * (yes & right)).sum(axis=0),
        (w * (yes & ~right)).sum(axis=0),
        (w * (~yes & ~right)).sum(axis=0),
        (w * (~yes & right)).sum(axis=0),
    )


def confusion(spec: Spec, y: Array, p: Array, weight: Array) -> float:
    """Return precision, recall, or one of the four counts."""
    tp, fp, tn, fn = counts(answers(spec, p), y, weight)
    if spec.get("class_id") is not None:
        tp, fp, fn = (c[spec["class_id"], np.newaxis] for c in (tp, fp, fn))
    values = {
        "true_positives": tp.sum(),
        "false_positives": fp.sum(),
        "true_negatives": tn.sum(),
        "false_negatives": fn.sum(),
        "precision": ratio(tp.sum(), tp.sum() + fp.sum()),
        "recall": ratio(tp.sum(), tp.sum() + fn.sum()),
    }
    return float(values[spec["name"]])


def f_beta(spec: Spec, y: Array, p: Array, weight: Array) -> float:
    """Return the F score, from precision and recall."""
    yes = p > (spec["threshold"] or 0.5)
    if spec["threshold"] is None and p.shape[1] > 1:
        yes = p == p.max(axis=1, keepdims=True)
    tp, fp, _, fn = counts(yes, y, weight)
    support = tp + fn
    if spec["average"] == "micro":
        tp, fp, fn = (c.sum(keepdims=True) for c in (tp, fp, fn))
    precision, recall = ratio(tp, tp + fp), ratio(tp, tp + fn)
    squared = spec.get("beta", 1.0) ** 2
    scores = ratio((1 + squared) * precision * recall, squared * precision + recall)
    if spec["average"] == "weighted":
        return float(ratio((scores * support).sum(), support.sum()))
    return float(scores.mean())


def area(spec: Spec, y: Array, p: Array, weight: Array) -> float:
    """Return the area under the curve through the thresholds."""
    if spec["multi_label"]:
        single = {**spec, "multi_label": False}
        columns = range(p.shape[1])
        return float(np.mean([area(single, y[:, [j]], p[:, [j]], weight) for j in columns]))
    if spec["from_logits"]:
        p = reference.activate({"name": "sigmoid"}, p)
    if spec["num_thresholds"] is None:
        edges = [-np.inf, *np.unique(p)]
    else:
        n = spec["num_thresholds"]
        edges = [-1e-7, *(np.arange(1, n - 1) / (n - 1)), 1 + 1e-7]
    points = [[c.sum() for c in counts(p > t, y, weight)] for t in edges]
    tp, fp, tn, fn = np.array(points).T
    if spec["curve"] == "PR" and spec["summation_method"] == "interpolation":
        said = tp + fp
        slope = ratio(tp[:-1] - tp[1:], said[:-1] - said[1:])
        intercept = tp[1:] - slope * said[1:]
        both = (said[:-1] > 0) & (said[1:] > 0)
        quotient = np.where(both, ratio(said[:-1], said[1:]), 1)
        parts = slope * (tp[:-1] - tp[1:] + intercept * np.log(quotient))
        return float(ratio(parts, (tp + fn)[1:]).sum())
    recall = ratio(tp, tp + fn)
    x, height = (ratio(fp, fp + tn), recall)
    if spec["curve"] == "PR":
        x, height = recall, ratio(tp, tp + fp)
    pairs = np.stack([height[:-1], height[1:]])
    how = {"interpolation": np.mean, "majoring": np.max, "minoring": np.min}
    heights: Array = how[spec["summation_method"]](pairs, axis=0)
    return float(((x[:-1] - x[1:]) * heights).sum())


def r2(spec: Spec, y: Array, p: Array, weight: Array) -> float:
    """Return the coefficient of determination."""
    w = weight[:, np.newaxis]
    deviation = (w * (y - np.average(y, axis=0, weights=weight)) ** 2).sum(axis=0)
    scores = 1 - (w * (y - p) ** 2).sum(axis=0) / deviation
    weighted = spec["class_aggregation"] == "variance_weighted_average"
    value = float(np.average(scores, weights=deviation if weighted else None))
    regressors, rows = spec["num_regressors"], len(y)
    return 1 - (1 - value) * (rows - 1) / (rows - regressors - 1) if regressors else value


def row_values(spec: Spec, y: Array, p: Array) -> Array:
    """Return the value of each row for a metric that is a mean over rows."""
    truth = y.argmax(axis=1)
    match spec["name"]:
        case "accuracy" | "categorical_accuracy" | "sparse_categorical_accuracy":
            return (p.argmax(axis=1) == truth).astype(np.float64)
        case "binary_accuracy":
            return ((p > spec["threshold"]) == (y > spec["threshold"])).mean(axis=1)
        case "top_k_categorical_accuracy" | "sparse_top_k_categorical_accuracy":
            own = p[np.arange(len(p)), truth]
            return ((p > own[:, np.newaxis]).sum(axis=1) < spec["k"]).astype(np.float64)
        case "sparse_categorical_crossentropy":
            return reference.losses(spec, truth, p)
        case _:
            return reference.losses(spec, y, p)


def metric(spec: Spec, y: Array, p: Array, weight: Array | None = None) -> float:
    """Return a metric of all rows."""
    weight = np.ones(len(p)) if weight is None else weight
    match spec["name"]:
        case "precision" | "recall":
            return confusion(spec, y, p, weight)
        case "true_positives" | "true_negatives" | "false_positives" | "false_negatives":
            return confusion(spec, y, p, weight)
        case "f1_score" | "fbeta_score":
            return f_beta(spec, y, p, weight)
        case "auc":
            return area(spec, y, p, weight)
        case "r2_score":
            return r2(spec, y, p, weight)
        case "rmse":
            return float(np.average(((y - p) ** 2).mean(axis=1), weights=weight) ** 0.5)
        case "cosine_similarity":
            return float(-np.average(reference.losses(spec, y, p), weights=weight))
        case _:
            return float(np.average(row_values(spec, y, p), weights=weight))
