# SPDX-License-Identifier: Apache-2.0
"""Graphs as C and C++: several inputs and outputs are arguments of their own."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden import graph_models
from numpy.typing import NDArray
from random_graphs import predictions, random_graph, randomize
from support import layer_kinds
from test_c_source import C99, CPP20, SAME_SUMS, library

import laminar
from laminar import Input, Model, layers
from laminar.exchange import _source_merging

CLOSE = {"float32": 2e-5, "float64": 1e-11}


def run(function: Any, model: Any, x: list[NDArray[Any]], rows: bool) -> list[NDArray[Any]]:
    """Return what a program makes of rows, or of the first of them alone."""
    number = len(x[0]) if rows else 1
    given = [np.ascontiguousarray(part[:number], model.dtype) for part in x]
    shapes = [symbol.shape for symbol in model.outputs]
    out = [np.full((number, *shape), 77, model.dtype) for shape in shapes]
    function.restype = None
    arguments: list[Any] = [ctypes.c_void_p(part.ctypes.data) for part in given]
    arguments += [ctypes.c_size_t(number)] if rows else []
    function(*arguments, *(ctypes.c_void_p(part.ctypes.data) for part in out))
    return out


def check(found: ctypes.CDLL, prefix: str, model: Any, x: list[NDArray[Any]]) -> None:
    expected = predictions(model, x)
    out = run(getattr(found, f"{prefix}_predict_rows"), model, x, True)
    close = CLOSE[model.dtype]
    for got, wanted in zip(out, expected, strict=True):
        limit = close * max(1, float(np.nanmax(np.abs(wanted))))
        np.testing.assert_allclose(got, wanted, rtol=close, atol=limit, err_msg=prefix)
    alone = run(getattr(found, f"{prefix}_predict"), model, x, False)
    for one, got in zip(alone, out, strict=True):
        np.testing.assert_array_equal(one, got[:1])


def cpp_text(number: int, model: Any, folder: Path) -> str:
    """Write a header, and return C functions that call it.

    Its namespace must be no other test's: the process would have the arrays of both once.
    """
    text = model.to_hpp(f"graph{number}")
    (folder / f"graph{number}.hpp").write_text(text, encoding="ascii")
    sizes = re.findall(r"inline constexpr std::size_t ((?:in|out)puts\w*) = ", text)
    ins = [size for size in sizes if size.startswith("in")]
    real, space = "float" if model.dtype == "float32" else "double", f"graph{number}"
    types = [f"{'const ' if size in ins else ''}{real}" for size in sizes]
    pointers = [f"{kind} *a{i}" for i, kind in enumerate(types)]
    one = [
        f"std::span<{k}, {space}::{s}>(a{i}, {space}::{s})"
        for i, (k, s) in enumerate(zip(types, sizes, strict=True))
    ]
    rows = [
        f"std::span<{k}>(a{i}, n * {space}::{s})"
        for i, (k, s) in enumerate(zip(types, sizes, strict=True))
    ]
    many = [*pointers[: len(ins)], "std::size_t n", *pointers[len(ins) :]]
    short = [*rows[:-1], rows[-1].replace("n * ", "n + n * ")]
    return (
        f'#include "graph{number}.hpp"\nextern "C" void {space}_predict({", ".join(pointers)}) {{\n'
        f"  {space}::predict({', '.join(one)});\n}}\n"
        f'extern "C" void {space}_predict_rows({", ".join(many)}) {{\n'
        f"  if ({space}::predict_rows({', '.join(short)})) *a{len(ins)} = 9;\n"
        f"  else if (!{space}::predict_rows({', '.join(rows)})) *a{len(ins)} = 9;\n}}\n"
    )


def cases() -> list[tuple[Any, list[NDArray[Any]]]]:
    """Return networks as users write them, and random ones."""
    found = []
    for build in graph_models.MODELS:
        model, (x, _) = build(laminar)
        randomize(model, 5)
        parts = list(x.values()) if isinstance(x, dict) else x if isinstance(x, list) else [x]
        found.append((model, [np.reshape(part, (len(part), -1)) for part in parts]))
    found += [random_graph(seed, ("float32", "float64")[seed % 2]) for seed in range(60)]
    return found


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("by", "flags"),
    [("gcc", (*C99, "-O1")), ("clang", (*C99, "-O0")), ("g++", (*C99[1:], "-std=c++11", "-O0"))],
)
def test_graphs_in_c(by: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    models = cases()
    text = "\n".join(model.to_c(f"m{i}") for i, (model, _) in enumerate(models))
    found = library(tmp_path, text, *flags, *SAME_SUMS, by=by)
    for i, (model, x) in enumerate(models):
        check(found, f"m{i}", model, x)


def test_graphs_in_cpp(tmp_path: Path) -> None:
    models = cases()[:40]
    text = "".join(cpp_text(i, model, tmp_path) for i, (model, _) in enumerate(models))
    found = library(tmp_path, text, *CPP20, "-O1", *SAME_SUMS, by="g++")
    for i, (model, x) in enumerate(models):
        check(found, f"graph{i}", model, x)


def test_every_merge(tmp_path: Path) -> None:
    assert set(_source_merging.KINDS) == layer_kinds() - layer_kinds(merging=False)
    texts, models = [], []
    rng = np.random.default_rng(0)
    for dtype in CLOSE:
        for kind in (*_source_merging.KINDS, "cosine"):
            several = kind not in ("dot", "cosine")
            inputs = [Input((2, 3) if several else 6, name=name) for name in "ab"]
            merge = layers.Dot(1, True) if kind == "cosine" else getattr(layers, kind)
            model = Model(inputs, merge(inputs), dtype=dtype)
            x = [rng.normal(size=(9, *each.shape)).astype(dtype) for each in inputs]
            x[0][2], x[1][3], x[0][4] = np.nan, np.nan, 0
            texts.append(model.to_c(f"m{len(models)}"))
            models.append((model, x))
    found = library(tmp_path, "\n".join(texts), *C99, *SAME_SUMS)
    for i, (model, x) in enumerate(models):
        check(found, f"m{i}", model, x)


def test_names_of_arguments(tmp_path: Path) -> None:
    names = ["a b", "a_b", "A_B", "TO", "FROM", "float", "predict_rows", "values", "ü", "_x__"]
    inputs = {name: Input(2, name=name) for name in names}
    total = layers.Add(name="REAL")(list(inputs.values()))
    dense = layers.Dense(3, "tanh", name="at_0")
    outputs = {"*/": dense(total), "out": total, "a b": inputs["a b"], "again": inputs["a b"]}
    model = Model(inputs, outputs, seed=1)
    x = [np.full((4, 2), i + 1.0) for i in range(len(names))]
    text = model.to_c("m")
    assert text.isascii()
    for argument in ("in_a_b", "in_a_b_1", "in_A_B_2", "in_TO", "in_unnamed", "in_x"):
        assert f"const float *{argument}" in text
    for size in ("M_INPUTS_A_B", "M_INPUTS_A_B_1", "M_INPUTS_A_B_2", "M_OUTPUTS_OUT"):
        assert f"#define {size} " in text
    assert "in_TO: input 'TO', 2 a row" in text
    texts = [text, model.to_c("in"), model.to_c("out"), model.to_c("at"), model.to_c("x")]
    found = library(tmp_path, "\n".join(texts), *C99)
    for prefix in ("m", "in", "out", "at", "x"):
        check(found, prefix, model, x)
    library(tmp_path, cpp_text(99, model, tmp_path), *CPP20, by="g++")


def test_shared_weights_are_written_once_and_places_are_used_again() -> None:
    a, b = Input(40, name="a"), Input(40, name="b")
    encoder = layers.Dense(30, "relu")
    text = Model([a, b], encoder(a) - encoder(b)).to_c()
    assert text.count("model_kernel_0[1200] = {") == 1
    assert "float values[30];" in text  # the difference is taken where it is wanted
    h = layers.Dense(30)(a)
    for _ in range(20):
        h = h + layers.Dense(30)(layers.Dense(20, "tanh")(h))
    assert "float values[80];" in Model(a, layers.Dense(1)(h)).to_c()


def test_a_workspace_of_the_caller(tmp_path: Path) -> None:
    a, b = Input(2, name="a"), Input(1, name="b")
    wide = layers.Dense(17_000)(a)
    model = Model([a, b], [layers.Dense(1)(wide), layers.Dense(2)(b)], seed=1)
    text = model.to_c()
    assert "model_predict(const" not in text
    found = library(tmp_path, text, *C99, *SAME_SUMS)
    x = [np.ones((3, 2), np.float32), np.ones((3, 1), np.float32)]
    out = [np.empty((3, 1), np.float32), np.empty((3, 2), np.float32)]
    space = np.empty(17_000, np.float32)
    pointers = [ctypes.c_void_p(part.ctypes.data) for part in (space, *x, *out)]
    found.model_predict_rows_in(*pointers[:3], ctypes.c_size_t(3), *pointers[3:])
    for got, wanted in zip(out, model.predict(x), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert "predict(std::span<const real, inputs_a> in_a" in model.to_hpp()
