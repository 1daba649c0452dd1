# SPDX-License-Identifier: Apache-2.0
"""A value far from all others, a wrong cell perhaps, cannot outweigh them; nor can a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_c_source import library, run
from test_command_tables import laminar_command, output_of, write

import laminar
from laminar import Sequential, layers, load_model
from laminar._tables.moments import settled
from laminar.exchange import c_source

DTYPES = ("float32", "float64")
FAR = [[0.5, -1, 7], [3, 40, 0], [-1e4, 1e25, -1e30], [1e37, -9, 0.1]]


def bent(x: Any, limit: float) -> NDArray[Any]:
    v = np.asarray(x, np.float64)
    return np.asarray(v / np.sqrt(1 + (v / limit) ** 2))


def model(dtype: str = "float32") -> Sequential:
    return Sequential([layers.Input(3), layers.SmoothClip(8)], dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_stay_within_the_limit(dtype: str) -> None:
    out = model(dtype).predict(FAR)
    np.testing.assert_allclose(out, bent(FAR, 8), rtol=1e-6)
    assert out[2].tolist() == [pytest.approx(-8), 8, -8]
    assert np.isnan(model(dtype).predict([[np.nan, 0, 0]])[0, 0])
    for limit in (0, -1, np.inf, 1e7):
        with pytest.raises(ValueError, match="limit must be"):
            layers.SmoothClip(limit)


@pytest.mark.parametrize("dtype", DTYPES)
def test_files_and_programs_bend_as_well(dtype: str, tmp_path: Path) -> None:
    one = model(dtype)
    expected = one.predict(FAR)
    one.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(FAR), expected)
    assert isinstance(loaded.layers[0], layers.SmoothClip)
    assert loaded.layers[0].limit == 8
    found = library(tmp_path, c_source.source(one), "-std=c99")
    np.testing.assert_allclose(run(found, one, np.array(FAR)), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_onnx(dtype: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    one = model(dtype)
    one.export(tmp_path / "m.onnx")
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    got = session.run(None, {"input": np.array(FAR, dtype)})[0]
    np.testing.assert_allclose(got, one.predict(FAR), rtol=1e-6)


def test_what_others_are_beside() -> None:
    normal = np.random.default_rng(0).normal(7, 2, 5000)
    np.testing.assert_array_equal(settled(normal), normal)
    for wrong in (1e4, -1e30):
        assert settled(np.append(normal, wrong)).std() == pytest.approx(2, rel=0.2)
    rare = np.repeat([0.0, 1.0, 9e9], [950, 49, 1])  # most of them are one number
    assert settled(rare).max() == 9
    for plain in (rare[:-1], np.zeros(9), np.array([3.0]), np.array([]), np.array([-1.0, 1, 2])):
        np.testing.assert_array_equal(settled(plain), plain)


def rows_of(seed: int, rows: int) -> NDArray[np.float64]:
    x = np.random.default_rng(seed).normal(size=(rows, 3))
    y = x[:, 0] + np.sin(2 * x[:, 1]) - x[:, 2]
    return np.column_stack([x, y])


def r2_of(path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> float:
    text = output_of(capsys, "evaluate", path, data)
    return float(text.partition("R2 ")[2].partition(",")[0])


@pytest.mark.parametrize("column", ["a", "y"])
@pytest.mark.parametrize("wrong", ["60", "-1e9"])
def test_a_wrong_cell_ruins_no_regression(
    column: str, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = ["a", "b", "c", "y"]
    rows = [[f"{value:.4f}" for value in row] for row in rows_of(1, 1000)]
    for at in (100, 500, 900):
        rows[at][header.index(column)] = wrong
    data = write(tmp_path / "t.csv", header, rows)
    clean = write(tmp_path / "clean.csv", header, rows_of(2, 500).round(4).tolist())
    model = tmp_path / "m.safetensors"
    laminar_command(
        "train", data, "--target", "y", "--save", model, "--epochs", 60, "--layers", "32,32",
        "--learning-rate", 0.005, "--batch-size", 32,
    )  # fmt: skip
    assert r2_of(model, clean, capsys) > 0.97
    if column == "a":  # and one where the model is used does as much as the farthest others
        far = laminar.load_model(model).predict([{"a": wrong, "b": 0, "c": 0}])
        assert abs(far[0, 0]) < 40
