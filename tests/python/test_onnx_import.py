# SPDX-License-Identifier: Apache-2.0
"""Models from ONNX files: laminar's own, PyTorch's, Keras's, made by hand, and hostile ones."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import ACTIVATION_SPECS, LAYER_STACKS, activation_model, randomized, sample
from numpy.typing import NDArray

from laminar import Sequential, activations, layers
from laminar.exchange import onnx_reader, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

GOLDEN = Path(__file__).parent / "golden"
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def round_trip(model: Sequential, folder: Path) -> Sequential:
    path = folder / "m.onnx"
    path.write_bytes(onnx_writer.message(onnx, model).SerializeToString())
    return onnx_reader.load(path)


@both_dtypes
@pytest.mark.parametrize("spec", ACTIVATION_SPECS, ids=json.dumps)
def test_activations_come_back(spec: dict[str, Any], dtype: str, tmp_path: Path) -> None:
    model = activation_model(spec, dtype)
    twin = round_trip(model, tmp_path)
    x = sample((5,), 100) * 3
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=1e-6, atol=1e-12)
    written = twin.layers[0].activation  # type: ignore[attr-defined]
    # Some settings of relu are other activations, and celu of alpha 1 is elu.
    if spec["name"] != "relu" and spec != {"name": "celu", "alpha": 1.0}:
        assert written._entry == spec["name"]
        assert written.get_config() == pytest.approx(activations.get(spec).get_config())


@both_dtypes
@pytest.mark.parametrize("name", LAYER_STACKS)
def test_layers_come_back(name: str, dtype: str, tmp_path: Path) -> None:
    shape, stack = LAYER_STACKS[name]()
    model = randomized(Sequential([layers.Input(shape), *stack], dtype=dtype, seed=3))
    twin = round_trip(model, tmp_path)
    x = sample(shape, 50)
    x = np.minimum(np.abs(x).round(), 3) if "Category" in name else x
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=2e-5, atol=2e-6)
    assert twin.dtype == dtype


def test_an_activation_joins_its_dense(tmp_path: Path) -> None:
    stack = [layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(2, "softmax")]
    model = randomized(Sequential([layers.Input(3), *stack]))
    twin = round_trip(model, tmp_path)
    assert [type(layer).__name__ for layer in twin.layers] == [
        "Dense",
        "BatchNormalization",
        "Dense",
    ]
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    twin.compile("adam", "categorical_crossentropy")
    twin.fit(sample((3,), 8), np.eye(2)[[0, 1] * 4], verbose=0)
