# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import spec_id, specs

from laminar import _core, regularizers


def formula(spec: dict[str, Any], w: NDArray[np.float64]) -> float:
    """Return the penalty as Keras writes it."""
    match spec["name"]:
        case "l1":
            return float(spec["l1"] * np.abs(w).sum())
        case "l2":
            return float(spec["l2"] * np.square(w).sum())
        case "l1_l2":
            return float(spec["l1"] * np.abs(w).sum() + spec["l2"] * np.square(w).sum())
        case "orthogonal":
            rows = w if spec["mode"] == "rows" else w.T
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-7)
            product = np.abs(rows @ rows.T)
            pairs = len(rows) * (len(rows) - 1) / 2
            return float(spec["factor"] * 0.5 * (product.sum() - np.trace(product)) / pairs)
        case name:
            raise NotImplementedError(name)


SPECS = [*specs("regularizer"), {"name": "l1_l2", "l1": 0.1, "l2": 0.3}]
SPECS += [{"name": "orthogonal", "factor": 2.0, "mode": "columns"}]


@pytest.mark.parametrize("spec", SPECS, ids=spec_id)
@pytest.mark.parametrize("shape", [(2, 2), (5, 3), (3, 17), (64, 33)])
def test_penalty_and_gradient(
    spec: dict[str, Any], shape: tuple[int, int], rng: np.random.Generator
) -> None:
    regularizer = regularizers.get(spec)
    w = rng.normal(size=shape)
    penalty = regularizer(w)
    assert penalty == pytest.approx(formula(spec, w), rel=1e-12, abs=1e-14)
    assert regularizer(w.astype(np.float32)) == pytest.approx(penalty, rel=1e-6, abs=1e-14)
    gradient = np.ones(shape)
    _core.add_penalty_gradient(json.dumps(spec), w, gradient)
    step = 1e-6 * rng.normal(size=shape)
    difference = formula(spec, w + step) - formula(spec, w - step)
    assert difference == pytest.approx(2 * ((gradient - 1) * step).sum(), rel=1e-6, abs=1e-13)


def test_keras_s_values() -> None:
    assert regularizers.L2(2.0)(np.ones((5, 5))) == 50
    assert regularizers.get("l1")([1, -2]) == pytest.approx(0.03)
    assert regularizers.L1L2(l1=1)([-3.0, 2.0]) == 5
    assert isinstance(regularizers.l1_l2(0.1, 0.2), regularizers.L1L2)
    assert np.isnan(regularizers.L1()([np.nan]))


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"'orthogonal': needs a tensor of 2 axes.*\(3,\)"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    with pytest.raises(ValueError, match="l2 must not be negative"):
        regularizers.L2(-1)
    with pytest.raises(TypeError, match="L1: x must hold"):
        regularizers.L1()(["a"])
    with pytest.raises(ValueError, match=r"gradient: expected shape \(2,\), got \(3,\)"):
        _core.add_penalty_gradient('{"name": "l1"}', np.ones(2), np.ones(3))
