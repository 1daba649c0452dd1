# SPDX-License-Identifier: Apache-2.0
"""Exported C and C++: it compiles without warnings and computes what predict does.

Many models go into one file, as compiling is what takes time here; that they can is tested with it.
"""

from __future__ import annotations

import ctypes
import math
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from support import another, layer_kinds
from test_layers_catalogue import CLASSES, OTHERS, REQUIRED

import laminar
from laminar import Sequential, _core, activations, layers
from laminar.exchange import _source_activations, _source_layers, c_source, cpp_header

C99 = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
CPP20 = ("-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fno-exceptions")
UNFUSED = "-DLAMINAR_FMA(a,b,c)=((a)*(b)+(c))"
# Kernels for the oldest x86 multiply and add in two steps.
SAME_SUMS = (
    (UNFUSED,)
    if laminar.show_config()["isa"] == "baseline" and platform.machine() in ("x86_64", "AMD64")
    else ()
)
TOLERANCE = {"float32": 1e-6, "float64": 1e-12}
DTYPES = tuple(TOLERANCE)


def compiler(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no compiler {name}")
    return path


def library(path: Path, text: str, *flags: str, by: str = "gcc") -> ctypes.CDLL:
    """Compile a program as a shared object and load it.

    By names relative to its folder, so that ccache knows it in the runs for other instruction sets.
    """
    ending = ".cpp" if by.endswith("++") else ".c"
    name = f"program_{len(list(path.iterdir()))}"
    (path / (name + ending)).write_text(text, encoding="ascii")
    cache = [found] if (found := shutil.which("ccache")) else []
    for command in (
        [*cache, compiler(by), *flags, "-fPIC", "-I", ".", "-c", name + ending, "-o", name + ".o"],
        [compiler(by), "-shared", name + ".o", "-o", name + ".so", "-lm"],
    ):
        done = subprocess.run(
            command, cwd=path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
    return ctypes.CDLL(str(path / (name + ".so")))


def run(
    found: ctypes.CDLL, model: Sequential, x: NDArray[Any], function: str = "model_predict_rows"
) -> NDArray[Any]:
    """Return what a program makes of rows."""
    rows = np.ascontiguousarray(x, model.dtype)
    assert model.output_shape[1:] != ()
    out = np.full((len(rows), *map(int, filter(None, model.output_shape[1:]))), 77, model.dtype)
    call = getattr(found, function)
    call.restype = None
    call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    call(rows.ctypes.data, len(rows), out.ctypes.data)
    return out


def ulps(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest distance in units of the last place; NaN and infinity must agree."""
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    here = np.isfinite(a) & np.isfinite(b)
    np.testing.assert_array_equal(a[~here], b[~here])
    size = np.maximum(np.abs(a[here]), np.abs(b[here]))
    distance = np.abs(a[here] - b[here]) / np.spacing(size)
    return float(distance.max(initial=0))


def numbers(dtype: str) -> NDArray[Any]:
    """Return numbers that an activation may meet, the awkward ones first."""
    info = np.finfo(dtype)
    tiny = [info.smallest_subnormal, info.tiny, 1e-30, 1e-12, 1e-7, 1e-4, 1e-2]
    bends = [0.5, 1, 1.9, 2, 3, 6, 9, 18, 40, 1e3, 1e18, 1e20, 1e30, info.max, np.inf]
    rng = np.random.default_rng(1)
    lowest = 105 if dtype == "float32" else 750
    spread = [*rng.uniform(-3, 3, 300), *rng.uniform(-20, 20, 200), *rng.uniform(-lowest, 90, 300)]
    awkward = [0.0, *tiny, *bends]
    with np.errstate(under="ignore"):
        return np.array([*awkward, *(-v for v in awkward), np.nan, *spread], dtype)


def rows_of(dtype: str) -> NDArray[Any]:
    """Return rows of seven for activations that work on them."""
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(60, 7)) * rng.choice([0.1, 1, 10, 100], (60, 1))
    rows[0], rows[1] = 0.0, 3.0
    rows[2, 3], rows[3, 3], rows[4, 3] = np.nan, np.inf, -np.inf
    rows[5], rows[6] = -np.inf, 1e30
    rows[7, :2] = -1e30, 1e30
    return rows.astype(dtype)


class Case(NamedTuple):
    """A model, and what goes into it."""

    label: str
    model: Sequential
    x: NDArray[Any]


def activation_cases() -> list[Case]:
    """Return every activation, with its defaults and with every argument changed, in both types."""
    cases = []
    for entry in _core.entries("activation"):
        specs = [{"name": entry["name"], **entry["parameters"]}]
        specs += [{**specs[0], name: another(entry, name)} for name in entry["parameters"]]
        if len(specs) > 2:
            specs.append({**specs[0], **{n: another(entry, n) for n in entry["parameters"]}})
        for spec in specs:
            function = activations.get(spec)
            by_row = not np.isscalar(function(0.25)) or function([0.25, 4.0])[0] != function(0.25)
            for dtype in DTYPES:
                x = rows_of(dtype) if by_row else numbers(dtype).reshape(1, -1)
                start = layers.Input(x.shape[1])
                model = Sequential([start, layers.Activation(function)], dtype=dtype)
                cases.append(Case(f"{function!r} {dtype}", model, x))
    return cases


def randomized(model: Sequential, seed: int = 3) -> Sequential:
    """Give a model weights that are no special case; variances are positive."""
    rng = np.random.default_rng(seed)
    weights = []
    for weight in model.weights:
        values = rng.normal(size=weight.shape)
        weights.append(np.abs(values) + 0.1 if "variance" in weight.name else values)
    model.set_weights(weights)
    return model


def layer_cases() -> list[Case]:
    """Return every layer, with its defaults and with other arguments, in both types."""
    cases = []
    rng = np.random.default_rng(4)
    for cls in CLASSES:
        for other in ({}, OTHERS.get(cls.__name__, {})):
            layer = cls(**{**REQUIRED.get(cls.__name__, {}), **other})
            for dtype in DTYPES:
                again = type(layer).from_config(layer.get_config())
                model = randomized(Sequential([layers.Input(6), again], dtype=dtype))
                x = rng.normal(size=(40, 6)) * 3
                if cls in (
                    layers.CategoryEncoding,
                    layers.Embedding,
                ):  # predict refuses other numbers
                    x = np.minimum(np.round(np.abs(x)), 8)
                else:
                    x[0] = np.round(x[0])
                    x[1, 1], x[2, 2], x[3, 3] = np.nan, np.inf, -np.inf
                cases.append(Case(f"{layer!r} {dtype}", model, x.astype(dtype)))
    return cases


def whole_models() -> list[Case]:
    """Return models as users make them."""
    rng = np.random.default_rng(5)
    dense = layers.Dense

    def case(label: str, stack: Sequence[Any], x: NDArray[Any], dtype: str = "float32") -> Case:
        model = Sequential([layers.Input(x.shape[1:]), *stack], name=label, dtype=dtype, seed=6)
        return Case(label, model, x.astype(dtype))

    x = rng.normal(size=(50, 12))
    trained = case("trained", [dense(16, "relu"), layers.Dropout(0.3), dense(4, "softmax")], x)
    trained.model.compile("adam", "sparse_categorical_crossentropy")
    trained.model.fit(trained.x, rng.integers(0, 4, 50), epochs=3, verbose=0)
    images = rng.integers(0, 256, (50, 4, 5)).astype(np.float64)
    return [
        trained,
        case(
            "images",
            [
                layers.Rescaling(1 / 255, -0.5),
                layers.LayerNormalization(),
                layers.Flatten(),
                dense(40, "gelu"),
                layers.BatchNormalization(),
                dense(10, "log_softmax"),
            ],
            images,
        ),
        case(
            "regression",
            [
                layers.Normalization(mean=[0.5] * 12, variance=[2.0] * 12),
                dense(32, "tanh"),
                dense(32, "silu", use_bias=False),
                dense(1),
            ],
            x,
            "float64",
        ),
        case("bins", [layers.Discretization([-1.0, 0.0, 1.0]), dense(8, "mish"), dense(2)], x),
        case(
            "words",
            [layers.CategoryEncoding(9, "count"), dense(5, "selu"), layers.Reshape((5, 1))],
            rng.integers(0, 9, (50, 7)).astype(np.float64),
        ),
        case(
            "pieces",
            [layers.Maxout(9, 3), layers.PReLU("ones"), layers.AlphaDropout(0.2), dense(3, "elu")],
            x,
        ),
        case("deep", [dense(12, "sigmoid") for _ in range(12)], x, "float64"),
        case("long sums", [dense(3)], rng.normal(size=(50, 3000))),
        case("many classes", [layers.Softmax()], rng.normal(size=(50, 1001))),
        case("nothing", [layers.GaussianNoise(0.2), layers.Reshape((3, 4))], x),
    ]


def c_text(cases: Sequence[Case]) -> str:
    return "\n".join(case.model.to_c(f"m{i}") for i, case in enumerate(cases))


def check(case: Case, out: NDArray[Any], label: str = "") -> None:
    """Compare with predict: 1e-6 of a value, or of a row where differences of its values decide."""
    expected = case.model.predict(case.x)
    tolerance = TOLERANCE[case.model.dtype]
    least = 4 * float(np.finfo(case.model.dtype).smallest_subnormal)
    names = {layer._spec().get("activation", {}).get("name") for layer in case.model.layers}
    kinds = {layer._entry for layer in case.model.layers}
    waves = any(isinstance(layer, layers.PeriodicEmbedding) for layer in case.model.layers)
    of_row = len(kinds) > 1 or "layer_normalization" in kinds or "sparsemax" in names or waves
    if of_row:
        finite = np.where(np.isfinite(expected), np.abs(expected), 0)
        least += tolerance * float(max(finite.max(), 1))
    np.testing.assert_allclose(
        out, expected, rtol=tolerance, atol=least, err_msg=f"{case.label} {label}"
    )


@pytest.mark.kernels
def test_every_activation_in_one_file(tmp_path: Path) -> None:
    cases = activation_cases()
    assert {case.label.partition("(")[0] for case in cases} == {
        cls.__name__ for cls in activations.Activation._classes.values()
    }
    found = library(tmp_path, c_text(cases), *C99, "-O2")
    for i, case in enumerate(cases):
        check(case, run(found, case.model, case.x, f"m{i}_predict_rows"))


@pytest.mark.kernels
def test_every_layer_in_one_file(tmp_path: Path) -> None:
    cases = layer_cases()
    found = library(tmp_path, c_text(cases), *C99, "-O2", *SAME_SUMS)
    exact = 0
    for i, case in enumerate(cases):
        out = run(found, case.model, case.x, f"m{i}_predict_rows")
        check(case, out)
        (layer,) = case.model.layers
        names = {layer._spec().get("activation", {"name": "linear"})["name"]}
        straight = names <= {"linear", "relu", "leaky_relu"}
        if straight and not isinstance(
            layer, (layers.LayerNormalization, layers.PeriodicEmbedding)
        ):
            assert ulps(out, case.model.predict(case.x)) <= 2, case.label
            exact += 1
    assert exact > 50


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("by", "flags"),
    [
        ("gcc", (*C99, "-O2")),
        ("gcc", (*C99, "-O0")),
        ("clang", (*C99, "-O2")),
        ("clang", (*C99, "-O0")),
        ("g++", ("-Wall", "-Wextra", "-Werror", "-std=c++11", "-pedantic", "-O2")),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_whole_models(tmp_path: Path, by: str, flags: tuple[str, ...]) -> None:
    cases = whole_models()
    found = library(tmp_path, c_text(cases), *flags, *SAME_SUMS, by=by)
    for i, case in enumerate(cases):
        out = run(found, case.model, case.x, f"m{i}_predict_rows")
        check(case, out, by)
        if {layer._entry for layer in case.model.layers} == {"dense"} and case.label == "long sums":
            np.testing.assert_array_equal(out, case.model.predict(case.x))
        one = np.full_like(out[:1], 77)
        call = getattr(found, f"m{i}_predict")
        call.argtypes, call.restype = [ctypes.c_void_p, ctypes.c_void_p], None
        call(case.x[:1].ctypes.data, one.ctypes.data)
        np.testing.assert_array_equal(one, out[:1])


@pytest.mark.parametrize("by", ["g++", "clang++"])
def test_headers(tmp_path: Path, by: str) -> None:
    compiler(by)
    cases = whole_models()
    if by == "g++":
        cases += layer_cases()[2::4] + activation_cases()
    text = []
    for i, case in enumerate(cases):
        (tmp_path / f"m{i}.hpp").write_text(case.model.to_hpp(f"m{i}"), encoding="ascii")
        real = "float" if case.model.dtype == "float32" else "double"
        text.append(
            f'#include "m{i}.hpp"\n#include "m{i}.hpp"\n'
            f'extern "C" void m{i}_rows(const {real} *x, std::size_t n, {real} *out) {{\n'
            f"  const std::span in(x, n * m{i}::inputs);\n"
            f"  if (!m{i}::predict_rows(in, {{out, n * m{i}::outputs}})) *out = 9;\n}}\n"
            f'extern "C" void m{i}_one(const {real} *x, std::size_t, {real} *out) {{\n'
            f"  m{i}::predict(std::span<const {real}, m{i}::inputs>(x, m{i}::inputs),\n"
            f"               std::span<{real}, m{i}::outputs>(out, m{i}::outputs));\n}}\n"
            f'extern "C" int m{i}_fits() {{\n  {real} numbers[m{i}::outputs + 1] = {{}};\n'
            f"  return m{i}::predict_rows({{}}, numbers);\n}}\n"
        )
    found = library(tmp_path, "".join(text), *CPP20, "-O1", *SAME_SUMS, by=by)
    for i, case in enumerate(cases):
        out = run(found, case.model, case.x, f"m{i}_rows")
        check(case, out, by)
        np.testing.assert_array_equal(run(found, case.model, case.x[:1], f"m{i}_one"), out[:1])
        assert getattr(found, f"m{i}_fits")() == 0


def test_sums_without_fused_multiply_add(tmp_path: Path) -> None:
    model = randomized(Sequential([layers.Input(9), layers.Dense(4)], dtype="float64"))
    kernel, bias = model.get_weights()
    x = np.random.default_rng(0).normal(size=(20, 9))
    expected = np.broadcast_to(bias, (20, 4))
    for k in range(9):
        expected = expected + x[:, k : k + 1] * kernel[k]
    found = library(tmp_path, model.to_c(), *C99, UNFUSED)
    np.testing.assert_array_equal(run(found, model, x), expected)


def test_a_workspace_of_the_caller(tmp_path: Path) -> None:
    stack = [layers.Input(3), layers.CategoryEncoding(17_000), layers.Dense(1)]
    large = Sequential(stack, seed=1)
    text = large.to_c()
    assert "model_predict(const" not in text
    assert "68000 bytes" in text
    found = library(tmp_path, text, *C99, *SAME_SUMS)
    x = np.array([[0, 1, 2], [3, 5, 16_999]], np.float32)
    out = np.empty((2, 1), np.float32)
    space = np.empty(17_000, np.float32)
    call = found.model_predict_rows_in
    call.argtypes, call.restype = [*(ctypes.c_void_p,) * 2, ctypes.c_size_t, ctypes.c_void_p], None
    call(space.ctypes.data, x.ctypes.data, 2, out.ctypes.data)
    np.testing.assert_array_equal(out, large.predict(x))
    header = " ".join(large.to_hpp().split())
    assert "predict(std::span<const real, inputs> x, std::span<real, outputs> out, work" in header
    assert "predict(std::span<const real, inputs> x, std::span<real, outputs> out) {" not in header


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_are_exact(tmp_path: Path, dtype: str) -> None:
    info = np.finfo(dtype)
    rng = np.random.default_rng(7)
    awkward = [0.0, -0.0, 1, 100, 1e16, info.max, info.tiny, info.smallest_subnormal, math.pi]
    values = np.array([*awkward, *rng.normal(size=200), np.inf, -np.inf, np.nan], dtype)
    model = Sequential([layers.Input(1), layers.Dense(len(values))], dtype=dtype)
    model.set_weights([np.zeros((1, len(values))), values])
    found = library(tmp_path, model.to_c(), *C99)
    (out,) = run(found, model, np.zeros((1, 1)))
    np.testing.assert_array_equal(out, values)
    # A namespace of its own: two headers that define the same one would share their arrays.
    (tmp_path / "m.hpp").write_text(model.to_hpp(dtype), encoding="ascii")
    cpp = '#include "m.hpp"\nextern "C" void go(const REAL *x, std::size_t n, REAL *out) {'
    cpp += "  if (!SPACE::predict_rows({x, n}, {out, n * SPACE::outputs})) *out = 9;\n}\n"
    cpp = cpp.replace("REAL", "SPACE::real").replace("SPACE", dtype)
    (out,) = run(library(tmp_path, cpp, *CPP20, by="g++"), model, np.zeros((1, 1)), "go")
    np.testing.assert_array_equal(out, values)


def test_the_text(tmp_path: Path) -> None:
    stack = [layers.Input(2), layers.Dense(3, "elu", name="*/ int a; /*??/\nü"), layers.Dense(1)]
    model = Sequential(stack, name="net */", seed=1)
    assert model.to_c() == model.to_c("model")
    text = model.to_c("net")
    assert text.isascii()
    assert "#define NET_INPUTS 2\n" in text
    assert "Total params: 13 (52.00 B)" in text
    library(tmp_path, text, *C99)
    model.compile("adam", "mse")
    assert model.to_c("net") == text
    c_source.write(model, tmp_path / "net.c")
    assert (tmp_path / "net.c").read_text(encoding="ascii") == text
    cpp_header.write(model, tmp_path / "net.hpp")
    assert (tmp_path / "net.hpp").read_text(encoding="ascii") == model.to_hpp("net")
    with pytest.raises(ValueError, match=r"export: name must be an identifier of C.*'my-net'"):
        c_source.write(model, tmp_path / "my-net.c")


@pytest.mark.parametrize("method", ["to_c", "to_hpp"])
def test_what_is_refused(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Sequential([layers.Input(2), layers.Dense(3, "elu"), layers.PReLU()])
    export = getattr(model, method)
    for name in (
        "",
        "1a",
        "a-b",
        "a b",
        "für",
        "model\n",
        "double",
        "class",
        "_Bool",
        "a__b",
        "std",
    ):
        with pytest.raises(ValueError, match=f"{method}: "):
            export(name)
    with pytest.raises(TypeError, match=f"{method}: name must be a string, got 3"):
        export(3)
    with pytest.raises(ValueError, match=f"{method}: the model is not built"):
        getattr(Sequential([layers.Dense(3)]), method)()
    monkeypatch.delitem(_source_activations.TEXTS, "elu")
    with pytest.raises(ValueError, match=f"{method}: activation 'elu' has no form in C"):
        export()
    monkeypatch.delitem(_source_layers.KINDS, "dense")
    with pytest.raises(ValueError, match=f"{method}: layer 'dense' of kind 'dense' has no form"):
        export()


def test_categories_that_are_none_are_nan(tmp_path: Path) -> None:
    x = np.array([[0, 1], [0.5, 1], [1, 3], [-1, 0], [np.nan, 0], [np.inf, 0]], np.float32)
    for mode in ("multi_hot", "one_hot", "count"):
        model = Sequential([layers.Input(2), layers.CategoryEncoding(3, mode)])
        out = run(library(tmp_path, model.to_c(), *C99), model, x)
        assert np.isnan(out[1:]).all()
        np.testing.assert_array_equal(out[:1], model.predict(x[:1]))


def test_every_entry_has_a_form() -> None:
    kinds = layer_kinds(merging=False)
    assert set(_source_layers.KINDS) == kinds
