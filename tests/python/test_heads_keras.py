# SPDX-License-Identifier: Apache-2.0
"""Models of several outputs as users write them against what Keras 3 made of the same lines.

`golden/record_keras_heads.py` has recorded the names and values of logs, what evaluate returns, and
the weights after training: with losses, loss weights, metrics and weights of rows for each output,
and with a masked loss for missing targets.
"""

from __future__ import annotations

import functools
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden import head_models
from numpy.typing import NDArray

import laminar

RECORDED = dict(np.load(Path(__file__).parent / "golden" / "keras_heads.npz", allow_pickle=False))
KERAS = types.SimpleNamespace(
    Input=laminar.Input,
    Model=functools.partial(laminar.Model, dtype="float64"),
    layers=laminar.layers,
    optimizers=laminar.optimizers,
)


def compare(name: str, found: dict[str, NDArray[Any]]) -> None:
    expected = {
        key.removeprefix(f"{name}/"): value
        for key, value in RECORDED.items()
        if key.startswith(f"{name}/")
    }
    assert set(found) == set(expected)
    for part in set(found) - {"keys"}:
        np.testing.assert_allclose(
            found[part], expected[part], rtol=2e-5, atol=1e-6, err_msg=f"{name}: {part}"
        )


@pytest.mark.parametrize("build", head_models.MODELS, ids=lambda build: build.__name__)
def test_heads_are_those_of_keras(build: Any) -> None:
    found = head_models.run(KERAS, build)
    assert found["keys"].tolist() == RECORDED[f"{build.__name__}/keys"].tolist()
    compare(build.__name__, found)


def test_rows_of_weight_0_for_an_output_are_missing_there() -> None:
    compare("masked", head_models.run_masked(KERAS))


def test_missing_targets_are_a_masked_loss() -> None:
    options = {"loss": ["mse", "sparse_categorical_crossentropy"], "ignore_nan": True}
    compare("missing", head_models.run_missing(KERAS, options))
