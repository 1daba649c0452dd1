# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import spec_id, specs

from laminar import constraints


def formula(spec: dict[str, Any], w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the constrained weights as Keras writes it."""
    if spec["name"] == "non_neg":
        return np.maximum(w, 0)
    norms = np.sqrt(np.square(w).sum(axis=spec["axis"], keepdims=True))
    match spec["name"]:
        case "max_norm":
            wanted = np.clip(norms, 0, spec["max_value"])
        case "unit_norm":
            wanted = np.ones_like(norms)
        case "min_max_norm":
            clipped = np.clip(norms, spec["min_value"], spec["max_value"])
            wanted = spec["rate"] * clipped + (1 - spec["rate"]) * norms
        case name:
            raise NotImplementedError(name)
    return np.asarray(w * (wanted / (1e-7 + norms)))


SPECS = list(specs("constraint"))
SPECS += [{**spec, "axis": -1} for spec in SPECS if "axis" in spec]
SPECS += [{"name": "min_max_norm", "min_value": 3.0, "max_value": 5.0, "rate": 0.5, "axis": 1}]


@pytest.mark.parametrize("spec", SPECS, ids=spec_id)
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 130), (64, 33), (4, 3, 2), (0, 3)])
def test_formula(spec: dict[str, Any], shape: tuple[int, ...], rng: np.random.Generator) -> None:
    constraint = constraints.get(spec)
    w = 2 * rng.normal(size=shape)
    before = w.copy()
    result = constraint(w)
    np.testing.assert_array_equal(w, before)
    np.testing.assert_allclose(result, formula(spec, w), rtol=1e-12)
    narrow = constraint(w.astype(np.float32))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, result, rtol=1e-5)
    if spec.get("rate", 1) == 1:
        np.testing.assert_allclose(constraint(result), result, rtol=1e-4)


def test_names_and_kinds() -> None:
    np.testing.assert_array_equal(constraints.get("non_neg")([-1, 0, 2]), [0, 0, 2])
    np.testing.assert_allclose(constraints.unit_norm()([3.0, 4.0]), [0.6, 0.8], rtol=1e-6)
    assert constraints.MaxNorm()(np.ones(3, np.float16)).dtype == np.float32
    assert constraints.max_norm is constraints.MaxNorm


def test_nan_spoils_its_vector() -> None:
    w = np.ones((2, 2))
    w[0, 0] = np.nan
    assert np.isnan(constraints.MaxNorm()(w)).tolist() == [[True, False], [True, False]]
    assert np.isnan(constraints.NonNeg()(w)).tolist() == [[True, False], [False, False]]


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"'max_norm': axis .* shape \(3,\), got 1"):
        constraints.MaxNorm(axis=1)(np.ones(3))
    with pytest.raises(TypeError, match="UnitNorm: axis must be an integer"):
        constraints.UnitNorm(axis=0.5)  # type: ignore[arg-type]
