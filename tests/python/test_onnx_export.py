# SPDX-License-Identifier: Apache-2.0
"""Models as ONNX files: every layer and activation against onnxruntime and onnx's own evaluator."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import ACTIVATION_SPECS, LAYER_STACKS, activation_model, randomized, sample
from numpy.typing import NDArray
from support import layer_kinds

from laminar import Sequential, _core, activations, exchange, layers, load_model
from laminar.exchange import _onnx_activations, _onnx_layers, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

DTYPES = ("float32", "float64")
EXTREMES = [0.0, -0.0, 1e-30, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 17.0, -17.0, 90.0, -90.0, 1e3, -1e3]
EXTREMES += [1e18, -1e18, 1e30, -1e30, 3e38, -3e38]

Runner = Callable[[Any, NDArray[Any]], NDArray[Any]]


def by_runtime(message: Any, x: NDArray[Any]) -> NDArray[Any]:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(
        message.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    result: NDArray[Any] = session.run(None, {"input": x})[0]
    return result


def by_reference(message: Any, x: NDArray[Any]) -> NDArray[Any]:
    from onnx.reference import ReferenceEvaluator

    if any(node.op_type == "BatchNormalization" for node in message.graph.node):
        # The evaluator trains where the operator is that of opset 9; later ones mean the same.
        message = type(message).FromString(message.SerializeToString())
        message.opset_import[0].version = max(message.opset_import[0].version, 15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it lets exp overflow on the way
        result: NDArray[Any] = ReferenceEvaluator(message).run(None, {"input": x})[0]
    return result


both_runners = pytest.mark.parametrize("runner", [by_runtime, by_reference])
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)


def checked(model: Sequential) -> Any:
    message = onnx_writer.message(onnx, model)
    onnx.checker.check_model(message, full_check=True)
    return message


def expect(model: Sequential, message: Any, x: NDArray[Any], runner: Runner) -> None:
    x = x.astype(model.dtype)
    got = runner(message, x)
    assert got.dtype == model.dtype
    tight = {"rtol": 1e-12, "atol": 1e-13} if model.dtype == "float64" else {}
    limits = {"rtol": 1e-5, "atol": 1e-6, **tight}
    np.testing.assert_allclose(got, model.predict(x), **limits, equal_nan=True)


@both_runners
@both_dtypes
@pytest.mark.parametrize("spec", ACTIVATION_SPECS, ids=json.dumps)
def test_activations(spec: dict[str, Any], dtype: str, runner: Runner) -> None:
    model = activation_model(spec, dtype)
    message = checked(model)
    expect(model, message, sample((5,), 200 if runner is by_reference else 1000) * 3, runner)


@both_dtypes
@pytest.mark.parametrize("spec", ACTIVATION_SPECS, ids=json.dumps)
def test_activations_stay_finite(spec: dict[str, Any], dtype: str) -> None:
    model = activation_model(spec, dtype)
    message = checked(model)
    x = np.array(EXTREMES, dtype)[:, np.newaxis] * np.ones(5, dtype)
    np.testing.assert_allclose(by_runtime(message, x), model.predict(x), rtol=1e-5, atol=1e-6)
    x[0] = np.nan
    assert np.isnan(by_runtime(message, x)[0]).all()


@both_runners
@both_dtypes
@pytest.mark.parametrize("name", LAYER_STACKS)
def test_layers(name: str, dtype: str, runner: Runner) -> None:
    shape, stack = LAYER_STACKS[name]()
    model = randomized(Sequential([layers.Input(shape), *stack], dtype=dtype, seed=3))
    x = np.abs(sample(shape, 1000)).round() if "Category" in name else sample(shape, 1000)
    expect(model, checked(model), np.minimum(x, 3) if "Category" in name else x, runner)


def test_all_lists_are_covered() -> None:
    assert set(_onnx_activations.WRITERS) == {e["name"] for e in _core.entries("activation")}
    assert set(_onnx_layers.WRITERS) == layer_kinds(merging=False)
    assert {spec["name"] for spec in ACTIVATION_SPECS} == set(_onnx_activations.WRITERS)
    tested = {layer._entry for make in LAYER_STACKS.values() for layer in make()[1]}
    assert tested == set(_onnx_layers.WRITERS)


def test_versions_are_the_lowest() -> None:
    def versions(activation: Any, dtype: str) -> tuple[int, int]:
        message = checked(activation_model(activations.get(activation)._spec(), dtype))
        return message.opset_import[0].version, message.ir_version

    assert versions("relu", "float32") == (13, 7)
    assert versions("gelu", "float32") == (20, 9)
    assert versions("gelu", "float64") == (13, 7)


@both_runners
@pytest.mark.parametrize("opset", [13, 17, 20, 21])
def test_an_opset_may_be_given(opset: int, runner: Runner, tmp_path: Path) -> None:
    names = ["gelu", activations.GELU(approximate=True), "celu", "log_softmax", "sparsemax"]
    stack = [layers.Dense(4, name) for name in names]
    stack += [layers.LayerNormalization(), layers.Maxout(3)]
    model = randomized(Sequential([layers.Input(4), *stack]))
    model.export(tmp_path / "m.onnx", opset=opset)
    message = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(message, full_check=True)
    assert message.opset_import[0].version == opset
    assert ("Gelu" in {node.op_type for node in message.graph.node}) == (opset >= 20)
    expect(model, message, sample((4,), 30), runner)
    twin = load_model(tmp_path / "m.onnx")
    x = sample((4,), 30)
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("opset", [1, 12, 999, True, 13.0])
def test_an_opset_that_is_none(opset: Any, tmp_path: Path) -> None:
    model = Sequential([layers.Input(3), layers.Dense(2)])
    with pytest.raises((TypeError, ValueError), match="export: opset must be"):
        model.export(tmp_path / "m.onnx", opset=opset)
    with pytest.raises(ValueError, match="no ONNX file"):
        model.export(tmp_path / "m.c", opset=13)
    assert not any(tmp_path.iterdir())


def test_names_are_readable() -> None:
    model = Sequential([layers.Input(3), layers.Dense(4, "relu", name="first"), layers.Dense(2)])
    message = checked(model)
    assert [node.name for node in message.graph.node] == ["first/Gemm", "first/Relu", "dense/Gemm"]
    assert [t.name for t in message.graph.initializer] == [w.name for w in model.weights]
    assert [(v.name) for v in (*message.graph.input, *message.graph.output)] == ["input", "output"]
    assert message.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    assert message.producer_name == "laminar"


def test_layers_may_have_any_name() -> None:
    names = ["input", "output", "dense/Gemm", "a b"]
    stack = [layers.Dense(3, name=name) for name in names]
    model = Sequential([layers.Input(3), *stack])
    expect(model, checked(model), sample((3,), 5), by_reference)


def test_export_writes_a_file(tmp_path: Path) -> None:
    model = Sequential([layers.Input(3), layers.Dense(2, "tanh")])
    model.export(tmp_path / "m.onnx")
    model.export(str(tmp_path / "other"), format="onnx")
    assert (tmp_path / "m.onnx").read_bytes() == (tmp_path / "other").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)


def test_every_format_writes_a_file(tmp_path: Path) -> None:
    model = Sequential([layers.Input(3), layers.Dense(2, "tanh")])
    for ending, (format, _) in exchange.WRITERS.items():
        model.export(tmp_path / f"by_ending{ending}")
        written = (tmp_path / f"by_ending{ending}").read_bytes()
        assert written
        if format not in ("c", "hpp"):  # which take names from that of the file
            model.export(tmp_path / "by_format", format=format)
            assert (tmp_path / "by_format").read_bytes() == written


def test_what_cannot_be_exported_is_named(tmp_path: Path) -> None:
    model = Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match="export: the model is not built"):
        model.export(tmp_path / "m.onnx")
    model.build(3)
    with pytest.raises(ValueError, match=r"must end in \.onnx, .*got '.*m.xyz'"):
        model.export(tmp_path / "m.xyz")
    with pytest.raises(ValueError, match="unknown format 'onx'; did you mean 'onnx'"):
        model.export(tmp_path / "m.xyz", format="onx")
    with pytest.raises(TypeError, match="format must be one of"):
        model.export(tmp_path / "m.xyz", format=3)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="absent"):
        model.export(tmp_path / "absent" / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    model = Sequential([layers.Input(3), layers.Dense(2)])
    with pytest.raises(ImportError, match=r"pip install laminar\[onnx\]"):
        model.export(tmp_path / "m.onnx")
