# SPDX-License-Identifier: Apache-2.0
"""Columns that tell nothing have no effect, wherever inputs are standardized."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_c_source import library, run

from laminar import Sequential, layers, load_model
from laminar.exchange import c_source

DTYPES = ("float32", "float64")
PRECISION = {name: float(np.finfo(name).eps) for name in DTYPES}
# Moments of columns of which the second and later ones are constant but for rounding.
MEAN = [0.0, 2.0, 0.1, -1e6, 0.0]
OTHERS = np.array([[0.5, *MEAN[1:]], [0.5, 3.0, 0.7, 5.0, -1e9], [0.5, -1e20, 0.0, 0.0, 1e-30]])


def model(dtype: str, invert: bool = False) -> Sequential:
    rounding = PRECISION[dtype]
    variance = [1.0, 0.0, (rounding * 0.1) ** 2, (2 * rounding * 1e6) ** 2, 0.0]
    normalization = layers.Normalization(mean=MEAN, variance=variance, invert=invert)
    return Sequential([layers.Input(5), normalization], dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_value_of_a_constant_column_has_an_effect(dtype: str) -> None:
    out = model(dtype).predict(OTHERS)
    np.testing.assert_array_equal(out, [[0.5, 0, 0, 0, 0]] * 3)
    back = model(dtype, invert=True).predict(OTHERS)
    np.testing.assert_array_equal(back, np.array([[0.5, *MEAN[1:]]] * 3, dtype))
    assert np.isnan(model(dtype).predict([[1, np.nan, 1, 1, 1]])[0, 1])


def test_a_column_of_little_variance_is_not_constant() -> None:
    small = layers.Normalization(mean=[0.0, 1.0, 1e6], variance=[1e-12, 1e-10, 1.0])
    out = Sequential([layers.Input(3), small]).predict([[1e-6, 1 + 2.0**-17, 1e6 + 1]])
    np.testing.assert_allclose(out, [[1, 2.0**-17 / 1e-5, 1]], rtol=1e-6)


def test_samples_of_several_axes_have_their_columns_last() -> None:
    normalization = layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.0])
    out = Sequential([layers.Input((3, 2)), normalization]).predict(np.full((4, 3, 2), 5.0))
    np.testing.assert_array_equal(out, np.tile([2.0, 0.0], (4, 3, 1)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.1, -1 / 3, 1e-20, 123456.789, 0.0])
@pytest.mark.parametrize("given", DTYPES)
def test_adapting_to_a_constant(value: float, given: str, dtype: str) -> None:
    """The mean of many equal numbers is rounded, and scikit-learn looks at that as well."""
    x = np.full((1001, 2), value, given)
    x[:, 0] = np.arange(1001)
    normalization = layers.Normalization()
    normalization.adapt(x)
    assert normalization.variance is not None
    assert normalization.variance[1] == 0
    standardized = Sequential([normalization], dtype=dtype)
    out = standardized.predict(np.array([[0.0, value], [0.0, value + 1], [0.0, -7.0]]))
    np.testing.assert_array_equal(out[:, 1], 0)
    assert out[0, 0] == pytest.approx(-np.sqrt(3), rel=1e-2)
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    assert preprocessing.StandardScaler().fit(x).scale_[1] == 1  # its word for a constant


def test_moments_of_float32_sums() -> None:
    """What numpy makes of a constant column in float32: a variance that is rounding alone."""
    x = np.full(100_000, 0.1, np.float32)
    moments = {"mean": [float(x.mean())], "variance": [max(float(x.var()), 1e-17)]}
    one = Sequential([layers.Input(1), layers.Normalization(**moments)])
    np.testing.assert_array_equal(one.predict([[0.1], [0.2], [100.0]]), 0)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_exported_programs(dtype: str, invert: bool, tmp_path: Path) -> None:
    one = model(dtype, invert)
    found = library(tmp_path, c_source.source(one), "-std=c99")
    np.testing.assert_array_equal(run(found, one, OTHERS), one.predict(OTHERS))


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_onnx_there_and_back(dtype: str, invert: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    one = model(dtype, invert)
    one.export(tmp_path / "m.onnx")
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    x: NDArray[Any] = OTHERS.astype(dtype)
    expected = one.predict(x)
    np.testing.assert_array_equal(session.run(None, {"input": x})[0], expected)
    np.testing.assert_allclose(load_model(tmp_path / "m.onnx").predict(x), expected, atol=1e-30)


def test_a_scaler_of_onnx_is_not_taken_for_a_constant(tmp_path: Path) -> None:
    """Its deviation is small beside its mean: what others divide by, the import divides by too."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    mean, deviation = np.array([1e6, 1], "f"), np.array([0.1, 2], "f")
    graph = helper.make_graph(
        [
            helper.make_node("Sub", ["x", "mean"], ["centered"]),
            helper.make_node("Div", ["centered", "deviation"], ["y"]),
        ],
        "scaler",
        [helper.make_tensor_value_info("x", real, ["n", 2])],
        [helper.make_tensor_value_info("y", real, ["n", 2])],
        [onnx.numpy_helper.from_array(a, n) for a, n in ((mean, "mean"), (deviation, "deviation"))],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "s.onnx")
    x = np.array([[1e6 + 1, 3]], "f")
    got = load_model(tmp_path / "s.onnx").predict(x)
    np.testing.assert_allclose(got, (x - mean) / deviation, rtol=1e-5)


@pytest.mark.parametrize("invert", [False, True])
def test_inside_a_layer_of_ones_own(invert: bool) -> None:
    """What it is written out to there does the same, least deviations included."""
    inside = layers.Normalization(
        mean=[*MEAN, 0.0], variance=[1, 0, 1e-17, 0, 0, 1e-20], invert=invert
    )
    same = layers.Normalization(
        mean=[*MEAN, 0.0], variance=[1, 0, 1e-17, 0, 0, 1e-20], invert=invert
    )
    x = np.array([[0.5, 1, 2, 3, 4, 1e-8], [1, -1e9, 0, 0, 0, 0]])
    own = Sequential([layers.Input(6), layers.Lambda(lambda value: inside(value))]).predict(x)
    found = Sequential([layers.Input(6), same]).predict(x)
    np.testing.assert_allclose(own, found, rtol=1e-6)
