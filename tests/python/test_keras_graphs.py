# SPDX-License-Identifier: Apache-2.0
"""Graphs as users write them against what Keras 3 made of the same lines.

`golden/record_keras_graphs.py` has recorded predictions, and weights after some updates. Keras has
kept some of the values in float32, which the tolerance allows for.
"""

from __future__ import annotations

import functools
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden import graph_models

import laminar

RECORDED = dict(np.load(Path(__file__).parent / "golden" / "keras_graphs.npz", allow_pickle=False))
KERAS = types.SimpleNamespace(
    Input=laminar.Input,
    Model=functools.partial(laminar.Model, dtype="float64"),
    Sequential=functools.partial(laminar.Sequential, dtype="float64"),
    layers=laminar.layers,
    optimizers=laminar.optimizers,
)


@pytest.mark.parametrize("build", graph_models.MODELS, ids=lambda build: build.__name__)
def test_graphs_are_those_of_keras(build: Any) -> None:
    found = graph_models.run(KERAS, build)
    names = [name for name in RECORDED if name.rpartition("_")[0] == build.__name__]
    assert len(found) == len(names)
    for i, array in enumerate(found):
        expected = RECORDED[f"{build.__name__}_{i}"]
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-6, err_msg=str(i))


def test_an_encoder_taken_out_is_the_part() -> None:
    model, (x, y) = graph_models.autoencoder(KERAS)
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    encoder = laminar.Model(model.input, model.get_layer("code").output, dtype="float64")
    first, second = graph_models.weighted(model)["code"].get_weights(), encoder.get_weights()[2:]
    np.testing.assert_equal(first, second)
    assert encoder.predict(x).shape == (graph_models.ROWS, 2)
