# SPDX-License-Identifier: Apache-2.0
"""Layers of the user's own as C and C++: every operation computes what predict does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from own_programs import ROWS, Recording, cases, extremes
from test_c_graphs import cpp_text, run
from test_c_source import C99, CPP20, SAME_SUMS, TOLERANCE, library

from laminar import Input, Model, Sequential, _core, layers
from laminar.exchange import _programs, _source_operations

COMPILERS = [("gcc", (*C99, "-O1")), ("clang", (*C99, "-O0")), ("g++", (*CPP20, "-O1"))]


def check(found: Any, prefix: str, model: Any, x: list[NDArray[Any]], label: str) -> None:
    """Expect what predict computes, of many rows and of one."""
    expected = model.predict(x if len(x) > 1 else x[0])
    (out,) = run(getattr(found, f"{prefix}_predict_rows"), model, x, True)
    close = TOLERANCE[model.dtype]
    here = np.isfinite(expected)
    size = np.abs(expected[here]).max(initial=0)
    np.testing.assert_allclose(out, expected, rtol=close, atol=close * size, err_msg=label)
    (alone,) = run(getattr(found, f"{prefix}_predict"), model, x, False)
    np.testing.assert_array_equal(alone, out[:1], err_msg=label)


def test_every_operation_has_a_form() -> None:
    named = {*_source_operations.OPERATIONS, *_programs.WITHOUT_FORM, "input", "weight"}
    assert named == set(_core.operation_names())
    tested = set().union(*(case.operations for case in cases("float32")))
    assert tested == _source_operations.OPERATIONS


@pytest.mark.kernels
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("by", "flags"), COMPILERS)
def test_operations(by: str, flags: tuple[str, ...], dtype: str, tmp_path: Path) -> None:
    made = cases(dtype)
    cpp = by == "g++"
    # A header's namespace must be no other test's: the process would have the arrays of both once.
    first = 1000 if dtype == "float32" else 2000
    texts = [
        cpp_text(first + i, case.model, tmp_path) if cpp else case.model.to_c(f"m{i}")
        for i, case in enumerate(made)
    ]
    found = library(tmp_path, "\n".join(texts), *flags, *SAME_SUMS, by=by)
    for i, case in enumerate(made):
        prefix = f"graph{first + i}" if cpp else f"m{i}"
        check(found, prefix, case.model, case.x, case.label)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_extremes(dtype: str, tmp_path: Path) -> None:
    made = extremes(dtype)
    text = "\n".join(case.model.to_c(f"m{i}") for i, case in enumerate(made))
    found = library(tmp_path, text, *C99, *SAME_SUMS)
    tiny = float(np.finfo(dtype).tiny)
    for i, case in enumerate(made):
        with np.errstate(all="ignore"):
            expected = case.model.predict(case.x if len(case.x) > 1 else case.x[0])
        (out,) = run(getattr(found, f"m{i}_predict_rows"), case.model, case.x, True)
        np.testing.assert_allclose(out, expected, TOLERANCE[dtype], tiny, err_msg=case.label)


def test_several_calls_and_outputs(tmp_path: Path) -> None:
    """Weights are written once, values lie in one another's place, and inputs may go unread."""
    r = Recording()
    x = r.input(4)
    r.input(4)
    kernel = r.weight(4, 4)
    hidden = r("matmul", x, kernel, integers=[0, 0])
    layer = r.layer(r("maximum", r("tanh", hidden), r("square", x)))
    start = [Input(4, name=name) for name in "ab"]
    once = layer(start)
    twice = layer([once, start[1]])
    model = Model(start, {"twice": twice, "once": once, "sum": layers.Dense(2)(twice)}, seed=3)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    text = model.to_c("m")
    assert text.count("m_weight_0_0[16] = {") == 1
    assert "(void)in_b;" in text
    assert "float values[8];" in text
    found = library(tmp_path, text, *C99, *SAME_SUMS)
    x = [rng.normal(size=(7, 4)).astype(np.float32) for _ in start]
    out = run(found.m_predict_rows, model, x, True)
    for got, (name, expected) in zip(out, model.predict(x).items(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("method", ["to_c", "to_hpp", "onnx"])
def test_what_has_no_form_is_named(method: str, tmp_path: Path) -> None:
    def refused(r: Recording, output: int, why: str) -> None:
        model = Sequential([Input(3), r.layer(output, "mine")])
        what = "ONNX" if method == "onnx" else "C"
        with pytest.raises(ValueError, match=f"layer 'mine' {why}.* no form in {what}"):
            model.export(tmp_path / "m.onnx") if method == "onnx" else getattr(model, method)()

    if method == "onnx":
        pytest.importorskip("onnx")
    r = Recording()
    x = r.input(3)
    noise = r("random", integers=[1, 0, ROWS, 3])
    refused(r, r("add", x, noise), "draws random numbers in prediction")
    r = Recording()
    x = r.input(3)
    refused(r, r("activation_gradient", x, x, x, integers=[3, 0, 0]), "computes the gradient")
    r = Recording()
    x = r.input(3)
    none = r("slice", x, integers=[0, ROWS, 1, 0, 0, 1])
    refused(r, r("concatenate", x, none, integers=[1]), "has a value without elements")
