# SPDX-License-Identifier: Apache-2.0
"""Graphs as ONNX files, against onnxruntime and onnx's own evaluator."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden import graph_models
from support import layer_kinds

import laminar
from laminar import Input, Model, layers
from laminar.exchange import _onnx_merging, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")


def outputs(message: Any, feed: dict[str, Any], runtime: bool) -> dict[str, Any]:
    names = [value.name for value in message.graph.output]
    if runtime:
        ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        content = message.SerializeToString()
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(None, feed), strict=True))
    from onnx.reference import ReferenceEvaluator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(zip(names, ReferenceEvaluator(message).run(None, feed), strict=True))


def feed_of(model: Model, x: Any) -> dict[str, Any]:
    parts = list(x.values()) if isinstance(x, dict) else x if isinstance(x, list) else [x]
    names = ["input"] if len(parts) == 1 else model.input_names
    shaped = [np.reshape(part, (len(part), -1)).astype(model.dtype) for part in parts]
    return dict(zip(names, shaped, strict=True))


@pytest.mark.parametrize("runtime", [True, False], ids=["onnxruntime", "onnx"])
@pytest.mark.parametrize("build", graph_models.MODELS, ids=lambda build: build.__name__)
def test_graphs(build: Any, runtime: bool, tmp_path: Path) -> None:
    model, (x, _) = build(laminar)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    path = tmp_path / "m.onnx"
    model.export(path)
    message = onnx.load(path)
    onnx.checker.check_model(message, full_check=True)
    found = outputs(message, feed_of(model, x), runtime)
    np.testing.assert_allclose(found["output"], model.predict(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", sorted(layer_kinds() - layer_kinds(merging=False)))
def test_merges_and_several_outputs(kind: str, dtype: str) -> None:
    a, b = Input(5, name="a"), Input(5, name="b")
    shared = layers.Dense(5, "tanh")
    left, right = shared(a), shared(b)
    merged = getattr(layers, kind)([left, right])
    ends = {"merged": merged, "left": left, "again": left, "a": layers.ReLU()(a)}
    model = Model([a, b], ends, dtype=dtype, seed=1)
    message = onnx_writer.message(onnx, model)
    onnx.checker.check_model(message, full_check=True)
    kernels = [value for value in message.graph.initializer if len(value.dims) == 2]
    assert len(kernels) == 1  # of the layer that is called twice
    x = [graph_models.A.astype(dtype), graph_models.B.astype(dtype)]
    expected = model.predict(x)
    for runtime in (True, False):
        found = outputs(message, dict(zip("ab", x, strict=True)), runtime)
        assert list(found) == ["merged", "left", "again", "a_1"]  # an input is called a
        for values, wanted in zip(found.values(), expected.values(), strict=True):
            np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-6)


def test_cosines_and_all_merges_are_covered() -> None:
    assert set(_onnx_merging.WRITERS) == layer_kinds() - layer_kinds(merging=False)
    a, b = Input(5, name="a"), Input(5, name="b")
    model = Model([a, b], layers.dot([a, b], normalize=True))
    x = [graph_models.A.astype("f4"), graph_models.B.astype("f4")]
    x[0][3] = 0  # whose length is none
    message = onnx_writer.message(onnx, model)
    found = outputs(message, dict(zip("ab", x, strict=True)), True)["output"]
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-5, atol=1e-6)
