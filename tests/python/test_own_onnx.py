# SPDX-License-Identifier: Apache-2.0
"""Layers of the user's own as ONNX files: every operation computes what predict does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_programs import Case, Recording, cases, extremes
from test_onnx_graphs import outputs

import laminar
from laminar import Input, Model, Sequential, _core, layers
from laminar.exchange import _onnx_operations, _programs, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

TOLERANCE = {"float32": 1e-5, "float64": 1e-11}


def checked(model: Model) -> Any:
    message = onnx_writer.message(onnx, model)
    onnx.checker.check_model(message, full_check=True)
    return message


def check(case: Case, runtime: bool, close: float, least: float = 0) -> None:
    """Expect what predict computes, of all rows and of one."""
    message = checked(case.model)
    names = [value.name for value in message.graph.input]
    for rows in (len(case.x[0]), 1):
        x = [part[:rows] for part in case.x]
        with np.errstate(all="ignore"):
            expected = case.model.predict(x if len(x) > 1 else x[0])
        (got,) = outputs(message, dict(zip(names, x, strict=True)), runtime).values()
        assert got.dtype == case.model.dtype
        size = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        limit = least or close * size
        np.testing.assert_allclose(got, expected, close, limit, err_msg=case.label)


def test_every_operation_has_a_form() -> None:
    named = {*_onnx_operations.WRITERS, *_programs.WITHOUT_FORM, "input", "weight"}
    assert named == set(_core.operation_names())
    tested = set().union(*(case.operations for case in cases("float32")))
    assert tested == set(_onnx_operations.WRITERS)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("runtime", [True, False], ids=["onnxruntime", "onnx"])
def test_operations(runtime: bool, dtype: str) -> None:
    for case in cases(dtype):
        check(case, runtime, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_extremes(dtype: str) -> None:
    for case in extremes(dtype):
        least = float(np.finfo(dtype).tiny)
        if case.operations == {"sigmoid"}:  # whose tails are the runtime's own
            least = float(np.finfo(dtype).eps)
        check(case, True, TOLERANCE[dtype], least)


def test_weights_are_written_once(tmp_path: Path) -> None:
    r = Recording()
    x = r.input(4)
    r.input(4)
    kernel, other = r.weight(4, 4), r.weight(4, 4)
    hidden = r("matmul", x, kernel, integers=[0, 0])
    hidden = r("matmul", r("tanh", hidden), other, integers=[0, 1])
    layer = r.layer(r("maximum", hidden, r("square", x)), "mine")
    start = [Input(4, name=name) for name in "ab"]
    once = layer(start)
    twice = layer([once, start[1]])
    model = Model(start, {"twice": twice, "once": once, "sum": layers.Dense(2)(twice)}, seed=3)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    message = checked(model)
    written = [value.name for value in message.graph.initializer if list(value.dims) == [4, 4]]
    assert written == ["mine/part_0/kernel", "mine/part_1/kernel"]
    x = [rng.normal(size=(7, 4)).astype(np.float32) for _ in start]
    found = outputs(message, dict(zip("ab", x, strict=True)), True)
    for name, expected in model.predict(x).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)


def test_gelu_takes_a_later_version() -> None:
    integers, numbers = _core.activation_operation('{"name": "gelu"}')
    versions = {}
    for dtype in TOLERANCE:
        r = Recording()
        x = r.input(3)
        y = r("max", r("activation", x, integers=integers, numbers=numbers), integers=[1])
        case = r.case("gelu", r("add", y, x), dtype)
        check(case, True, TOLERANCE[dtype])
        versions[dtype] = checked(case.model).opset_import[0].version
    assert versions == {"float32": 20, "float64": 13}


def test_pytorch_has_no_module_for_it(tmp_path: Path) -> None:
    for weights in (0, 1):
        r = Recording()
        x = r.input(3)
        reads = [x, *(r.weight(3) for _ in range(weights))]
        model = Sequential([Input(3), r.layer(r("add", x, reads[-1]), "mine")])
        with pytest.raises(ValueError, match="export: PyTorch has no module for layer 'mine'"):
            model.export(tmp_path / "m.safetensors")
    other = Sequential([Input(3), layers.Dense(3, use_bias=False)])
    other.export(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"layer 'mine', a \w+, is none of PyTorch's"):
        model.load_torch_weights(tmp_path / "m.safetensors")


def test_what_comes_back_is_refused_or_right(tmp_path: Path) -> None:
    """Such nodes are no layers of laminar's when they are read."""
    r = Recording()
    x = r.input(3)
    y = r("cumsum", r("sin", x), integers=[1, 1])
    model = Sequential([Input(3), r.layer(y)])
    model.export(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match=r"CumSum|Sin"):
        laminar.models.load_model(tmp_path / "m.onnx")
