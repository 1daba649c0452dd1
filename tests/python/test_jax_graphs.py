# SPDX-License-Identifier: Apache-2.0
"""Random graphs against what JAX has made of them: outputs, and gradients by weights and inputs.

`golden/record_jax_graphs.py` has recorded them, in float32.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from laminar import Model

RECORDED = dict(np.load(Path(__file__).parent / "golden" / "jax_graphs.npz", allow_pickle=False))
NUMBERS = [int(name.partition("_")[0]) for name in RECORDED if name.endswith("_config")]


def recorded(number: int, name: str) -> list[NDArray[Any]]:
    prefix = f"{number}_{name}_"
    count = sum(key.startswith(prefix) for key in RECORDED)
    return [RECORDED[f"{prefix}{i}"] for i in range(count)]


def as_given(values: list[NDArray[Any]]) -> Any:
    return values[0] if len(values) == 1 else values


def listed(values: Any) -> list[NDArray[Any]]:
    return values if isinstance(values, list) else [values]


def test_there_are_ten() -> None:
    configs = [str(RECORDED[f"{number}_config"]) for number in NUMBERS]
    assert len(configs) == 10
    assert sum('"Embedding"' in config for config in configs) == 5


@pytest.mark.parametrize("number", NUMBERS)
def test_gradients_are_those_of_jax(number: int) -> None:
    model = Model.from_config(json.loads(str(RECORDED[f"{number}_config"])))
    model.set_weights(recorded(number, "weights"))
    x, d_outputs = (as_given(recorded(number, name)) for name in ("x", "d_outputs"))
    d_x, d_weights = model.vjp(x, d_outputs)
    found = {"outputs": listed(model.predict(x)), "d_x": listed(d_x), "d_weights": d_weights}
    for name, values in found.items():
        expected = recorded(number, name)
        scale = max(1.0, *(float(abs(array).max()) for array in expected))
        for i, (value, array) in enumerate(zip(values, expected, strict=True)):
            if name == "d_weights" and not model.weights[i].trainable:
                continue
            np.testing.assert_allclose(value, array, rtol=0, atol=1e-5 * scale, err_msg=name)
