# SPDX-License-Identifier: Apache-2.0
"""Models as C of integers: the C computes what the NumPy of it does, to the bit, and loses little.

Many models go into one file, as compiling is what takes time here.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from support import another
from test_c_source import compiler, randomized
from test_layers_catalogue import OTHERS, REQUIRED

from laminar import Input, Model, Sequential, _core, activations, layers
from laminar.exchange import _integer_arithmetic as arithmetic
from laminar.exchange import _integer_chain as chain
from laminar.exchange import _integer_stages as stages
from laminar.exchange import integers
from laminar.exchange.integers import IntegerProgram

C99 = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-pedantic")
# What overflows, shifts too far or reads beyond an array is said on stderr.
CHECKED = ("-fsanitize=undefined",)


class Case(NamedTuple):
    """A model, samples, and how large an error may be, as a share of the outputs' size."""

    label: str
    model: Any
    x: NDArray[Any]
    most: float = 0.03


def program_of(case: Case, folder: Path, name: str = "model", y: Any = None) -> IntegerProgram:
    program = case.model.export(folder / f"{name}.c", quantize="int8", x=case.x, y=y)
    assert isinstance(program, IntegerProgram)
    return program


def called(found: ctypes.CDLL, function: str, given: NDArray[Any], out: NDArray[Any]) -> None:
    """Call a function of a program for each row."""
    call = getattr(found, function)
    call.restype = None
    call.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    given = np.ascontiguousarray(given)
    for row, result in zip(given, out, strict=True):
        call(row.ctypes.data, result.ctypes.data)


def check(case: Case, program: IntegerProgram, found: ctypes.CDLL, name: str) -> None:
    """Compare the C with the NumPy of it on all bytes, and both with the model."""
    rng = np.random.default_rng(1)
    q = program.quantize(case.x)
    limits = np.iinfo(q.dtype)
    anything = rng.integers(limits.min, limits.max + 1, (40, q.shape[1])).astype(q.dtype)
    anything[0], anything[1] = limits.min, limits.max
    for given in (q, anything):
        expected = program.run(given)
        out = np.full_like(expected, 77)
        called(found, f"{name}_predict", given, out)
        np.testing.assert_array_equal(out, expected, err_msg=case.label)
    exact = case.model.predict(case.x).astype(np.float64)
    error = np.sqrt(np.mean(np.square(program.predict(case.x) - exact)))
    size = np.sqrt(np.mean(np.square(exact)))
    assert error <= case.most * max(size, 1e-6), f"{case.label}: {error / size}"


def compiled(
    cases: Sequence[Case], folder: Path, *flags: str, by: str = "gcc"
) -> tuple[list[IntegerProgram], ctypes.CDLL]:
    """Return the programs of models, in one library."""
    programs = [program_of(case, folder, f"m{i}") for i, case in enumerate(cases)]
    name = "all.cpp" if by.endswith("++") else "all.c"
    (folder / name).write_text("\n".join(program.source for program in programs), "ascii")
    command = [compiler(by), *flags, "-fPIC", "-shared", name, "-o", "all.so"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return programs, ctypes.CDLL(str(folder / "all.so"))


def check_all(cases: Sequence[Case], folder: Path) -> None:
    programs, found = compiled(cases, folder, *C99, *CHECKED)
    for i, (case, program) in enumerate(zip(cases, programs, strict=True)):
        check(case, program, found, f"m{i}")


@pytest.fixture(autouse=True)
def nothing_undefined(capfd: pytest.CaptureFixture[str]) -> Any:
    yield
    assert "runtime error" not in capfd.readouterr().err


def specs() -> list[dict[str, Any]]:
    """Return every activation of single values, with defaults and with every argument changed."""
    found = []
    for entry in _core.entries("activation"):
        if entry["name"] in ("softmax", *chain.ROWS):
            continue
        spec = {"name": entry["name"], **entry["parameters"]}
        found += [spec, *({**spec, name: another(entry, name)} for name in entry["parameters"])]
    return found


def test_every_kind_of_layer_has_a_form_or_advice() -> None:
    kinds = {entry["name"] for entry in _core.entries("layer")}
    assert kinds == {*chain.KINDS, *chain.REFUSED}
    both = set(chain.KINDS) & set(chain.REFUSED)
    assert both == {"operations"}  # of which some of laminar's own layers have one


def test_every_activation_has_a_form_or_advice(tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(size=(50, 6))
    for entry in _core.entries("activation"):
        model = Sequential([Input(6), layers.Dense(4, entry["name"], name="odd")], seed=1)
        if entry["name"] not in chain.ROWS:
            program_of(Case(entry["name"], model, x), tmp_path)
            continue
        with pytest.raises(ValueError, match=f"'odd': activation '{entry['name']}'.*softmax"):
            model.export(tmp_path / "m.c", quantize="int8", x=x)


def test_every_activation_between_and_behind_layers(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(300, 6)).astype(np.float32)
    cases = []
    for spec in specs():
        function = activations.get(spec)
        stack = [layers.Dense(8, function), layers.Dense(5, function)]
        model = Sequential([Input(6), *stack], seed=2)
        # Where a function jumps, a small error before it is a large one behind it.
        jumps = spec["name"] in ("step", "hard_shrink", "threshold") or spec.get("threshold")
        cases.append(Case(repr(function), model, x, 0.25 if jumps else 0.05))
    check_all(cases, tmp_path)


def test_every_activation_alone(tmp_path: Path) -> None:
    x = np.random.default_rng(5).normal(size=(300, 6)).astype(np.float32) * 3
    cases = []
    for spec in specs():
        model = Sequential([Input(6), layers.Activation(activations.get(spec))])
        jumps = spec["name"] in ("step", "hard_shrink", "threshold") or spec.get("threshold")
        cases.append(Case(str(spec), model, x, 0.1 if jumps else 2e-3))
    check_all(cases, tmp_path)


def test_every_layer_is_written_or_refused_with_advice(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    written, refused = [], set()
    for cls in (*layers.Layer._classes.values(), *layers.Layer._variants):
        if cls._merges:
            a, b = Input((4,)), Input((4,))
            model: Any = Model([a, b], cls()([a, b]))
            with pytest.raises(ValueError, match=f"{model.layers[-1].name}.*chain of layers"):
                model.export(tmp_path / "m.c", quantize="int8", x=[np.ones((3, 4))] * 2)
            refused.add(cls._entry)
            continue
        for other in ({}, OTHERS.get(cls.__name__, {})):
            given = {**REQUIRED.get(cls.__name__, {}), **other}
            categories = cls in (layers.CategoryEncoding, layers.Embedding)
            first = categories or cls is layers.Discretization  # which nothing trained precedes
            for behind in (False,) if first else (False, True):  # 8 bits of a product
                layer = cls(**given, name="odd")
                before = [layers.Dense(6, "tanh")] if behind else []
                after = [layers.Flatten(), layers.Dense(3)] if behind else []
                if isinstance(layer, layers.Softmax):
                    after = []
                stack = [Input(6), *before, layer, *after]
                model = randomized(Sequential(stack))
                x = rng.normal(size=(300, 6)).astype(np.float32)
                if categories:
                    x = np.abs(np.rint(x))
                try:
                    program_of(Case("", model, x), tmp_path)
                except ValueError as error:
                    assert re.search(r"layer 'odd' .*integers; \w{2,}", str(error))
                    refused.add(cls._entry)
                else:
                    written.append(Case(f"{layer!r} {behind}", model, x, 0.06))
    assert refused == {*chain.REFUSED} - {"slice", "batch_operations"}
    kinds = {layer._entry for case in written for layer in case.model.layers}
    assert kinds == set(chain.KINDS)
    check_all(written, tmp_path)


def trained(stack: Sequence[Any], x: Any, y: Any, loss: str = "mse", **more: Any) -> Sequential:
    model = Sequential([Input(x.shape[1:]), *stack], seed=7, **more)
    model.compile("adam", loss)
    model.fit(x, y, epochs=4, verbose=0)
    return model


def whole_models() -> list[Case]:
    """Return models as users make them."""
    rng = np.random.default_rng(8)
    dense = layers.Dense
    x = rng.normal(size=(400, 9)).astype(np.float32)
    unlike = (x * 10.0 ** np.arange(-4, 5) + 10.0 ** np.arange(9)).astype(np.float32)
    images = rng.integers(0, 256, (200, 5, 4)).astype(np.float32)
    targets = (x[:, :3] @ np.diag([1.0, 1e3, 1e-3]) + [5.0, 2e4, 0.0]).astype(np.float32)
    classes = (x[:, 0] + x[:, 1] > 0).astype(np.int32)
    crossentropy = "sparse_categorical_crossentropy"

    def normalization() -> layers.Normalization:
        return layers.Normalization(mean=unlike.mean(axis=0), variance=unlike.var(axis=0))

    back = layers.Normalization(mean=[5.0, 2e4, 0.0], variance=[1.0, 1e6, 1e-6], invert=True)
    pieces = layers.PiecewiseLinearEncoding(bins=5)
    pieces.adapt(np.asarray(x))
    norm = layers.BatchNormalization
    chained = Input((9,))
    inner = layers.Dropout(0.2)(dense(12, "relu6")(chained))
    graph = Model(chained, dense(2, "softmax")(layers.LeakyReLU(0.1)(dense(7)(inner))), seed=3)
    return [
        Case(
            "images",
            trained(
                [layers.Rescaling(1 / 255), layers.Flatten(), dense(16, "gelu"), norm(),
                 dense(3, "softmax")], images, np.arange(200) % 3, crossentropy
            ),
            images,
        ),
        Case("columns of unlike units", Sequential(
            [Input(9), normalization(), dense(16, "relu"), dense(1)], seed=4), unlike),
        Case("as laminar train does", trained(
            [normalization(), layers.SmoothClip(8.0), dense(16, "relu"), dense(1, "sigmoid")],
            unlike, classes, "binary_crossentropy"), unlike),
        Case("pieces", trained([layers.SmoothClip(4.0), pieces, dense(16, "relu"), dense(2)],
                               x, x[:, :2]), x, 0.05),
        Case("targets of unlike units", trained([dense(32, "tanh"), dense(3), back], x, targets),
             x),
        Case("norms", trained([norm(), dense(8, use_bias=False), norm(), layers.ReLU(), norm(),
                               layers.Activation("tanh"), norm(), layers.Activation("elu"),
                               dense(4), norm(), layers.Activation("silu"), norm()], x, x[:, :4],
                              dtype="float64"), x, 0.06),
        Case("graph", graph, x),
        Case("far from 0", trained([dense(8, "relu"), dense(2), layers.Rescaling(1.0, 1e6)],
                                   x, x[:, :2] + 1e6), x, 1e-5),
        Case("deep", Sequential([Input(9), *(dense(9, "elu") for _ in range(6))], seed=5), x, 0.05),
        Case("one sample", Sequential([Input(9), dense(5, "relu"), dense(1)], seed=6), x[:1]),
        Case("zeros", Sequential([Input(9), dense(5, "relu"), dense(2)], seed=6), 0 * x[:5]),
        Case("nothing", Sequential([Input(9), layers.Dropout(0.5)]), x, 1e-4),
        Case("softmax of rows", Sequential([Input(9), dense(12), layers.Softmax()], seed=6), x),
        Case("only softmax", Sequential([Input(9), layers.Softmax(), layers.Rescaling(2.0, 1.0)]),
             x, 1e-4),
        Case("a line between functions", Sequential(
            [Input(9), layers.Activation("tanh"), layers.Rescaling(3.0, -1.0),
             layers.Activation("sigmoid"), norm(), layers.Activation("elu"), dense(2)], seed=8), x),
    ]  # fmt: skip


def extreme_models() -> list[Case]:
    """Return weights and data that fixed point could stumble over."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(60, 4)).astype(np.float32)
    cases = []
    for size, bias in ((1e-30, 1e6), (1e30, 1e-30), (1e-8, 0.0), (0.0, 3.0), (0.0, 0.0), (1, 1e9)):
        model = Sequential([Input(4), layers.Dense(5, "relu"), layers.Dense(2)], seed=1)
        kernel, other = rng.normal(size=(4, 5)) * size, rng.normal(size=(5, 2))
        model.set_weights([kernel, rng.uniform(0, 1, 5) * bias, other, [0.0, 1.0]])
        cases.append(Case(f"{size} {bias}", model, x))
    model = Sequential([Input(4), layers.Dense(3, "relu"), layers.Dense(2)], seed=1)
    for factor in (1e-30, 1e-6, 1e6, 1e30):
        cases.append(Case(f"inputs of {factor}", model, (x * factor).astype(np.float32)))
    spiked = x.copy()
    spiked[7, 2] = 1e7
    cases.append(Case("an outlier", model, spiked))
    return cases


def test_whole_models(tmp_path: Path) -> None:
    check_all(whole_models(), tmp_path)


def test_extreme_weights_and_data(tmp_path: Path) -> None:
    check_all(extreme_models(), tmp_path)


@pytest.mark.parametrize("by", ["gcc", "clang", "g++"])
def test_compilers_without_warnings(by: str, tmp_path: Path) -> None:
    flags = ("-std=c++11", *C99[1:]) if by.endswith("++") else C99
    cases = whole_models()[:5]
    programs, found = compiled(cases, tmp_path, *flags, by=by)
    for i, (case, program) in enumerate(zip(cases, programs, strict=True)):
        check(case, program, found, f"m{i}")


def test_no_sum_overflows(tmp_path: Path) -> None:
    for case in (*whole_models(), *extreme_models()):
        for stage in program_of(case, tmp_path)._integers.stages:
            if isinstance(stage, stages.Product):
                assert np.abs(stage.weights).max() <= 127
                largest = 128 * np.abs(stage.weights).sum(axis=1) + np.abs(stage.bias)
                assert largest.max() < 2**31


def test_there_is_no_number_with_a_point(tmp_path: Path) -> None:
    for case in whole_models():
        source = program_of(case, tmp_path).source
        assert re.match(r"/\*\n \* Written by laminar", source)
        code = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        assert not re.search(r"\b(float|double|math|malloc|static [a-z0-9_]+\[)\b", code)
        code = re.sub(r"^#define .*?[^\\]$", "", code, flags=re.DOTALL | re.MULTILINE)
        assert not re.search(r"\d\.\d|\d[eE][-+]?\d", code)
        assert set(re.findall(r"#include (.*)", code)) == {"<stddef.h>", "<stdint.h>"}


@pytest.mark.parametrize("number", [0, 1, 4, 6])
def test_inputs_and_outputs_as_integers(number: int, tmp_path: Path) -> None:
    case = whole_models()[number]
    (program,), found = compiled([case], tmp_path, *C99, *CHECKED)
    rng = np.random.default_rng(10)
    width = case.x[0].size
    bits = program._integers.in_bits
    reached = program._integers.inputs
    middle = np.rint(-reached.offset / reached.factor)
    spread = np.ceil(200 / np.abs(reached.factor)) + 1
    for name, dtype, fraction in (
        ("uint8", "uint8", 0),
        ("int16", "int16", 0),
        ("q16", "int32", 16),
    ):
        info = np.iinfo(dtype)
        any_ = rng.integers(info.min, info.max + 1, (60, width))
        near = (middle + rng.uniform(-1, 1, (60, width)) * spread) * 2.0**fraction
        x = np.concatenate([any_, np.clip(near, info.min, info.max).astype(np.int64)]).astype(dtype)
        x[0], x[1] = info.min, info.max
        expected = program._integers.quantized_integers(x, fraction)
        q = np.zeros(x.shape, f"int{bits}")
        called(found, f"m0_quantize_{name}", x, q)
        np.testing.assert_array_equal(q, expected)
        real = (x / 2.0**fraction).reshape(-1, *case.x.shape[1:])
        with np.errstate(over="ignore"):
            assert np.abs(program.quantize(real).astype(int) - q).max() <= 1 + (number == 1) * 40
    out = rng.integers(-32768, 32768, (50, len(program._integers.outputs.factor))).astype(np.int16)
    y = np.zeros(out.shape, np.int32)
    called(found, "m0_dequantize_q16", out, y)
    exact = program._integers.outputs.real(out) * 65536
    kept = np.clip(np.floor(exact + 0.5), -(2**31), 2**31 - 1)
    np.testing.assert_allclose(y, kept, rtol=1e-6, atol=1)


def test_the_macros_say_what_integers_stand_for(tmp_path: Path) -> None:
    case = whole_models()[1]
    program = program_of(case, tmp_path)
    source = program.source.replace("\\\n", "")

    def numbers(word: str) -> NDArray[Any]:
        (text,) = re.findall(rf"#define MODEL_{word}S? [({{](.*?)[)}}]", source, re.DOTALL)
        return np.array([float(part) for part in text.split(",") if part.strip()])

    q = np.floor(numbers("INPUT_FACTOR") * case.x.astype(float) + numbers("INPUT_OFFSET") + 0.5)
    q = np.clip(q, -128, 127)
    assert np.abs(q - program.quantize(case.x)).max() <= 1
    y = numbers("OUTPUT_FACTOR") * program.run(program.quantize(case.x)) + numbers("OUTPUT_OFFSET")
    np.testing.assert_allclose(y, program.predict(case.x), rtol=1e-5, atol=1e-6)
    assert f"#define MODEL_WORKSPACE_BYTES {program.ram_bytes}\n" in source


def test_the_report_is_of_what_the_program_computes(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    x = rng.normal(size=(200, 6)).astype(np.float32)
    y = np.array(["no", "yes", "maybe"])[(x[:, 0] > 0).astype(int) + (x[:, 1] > 1)]
    model = Sequential([Input(6), layers.Dense(16, "relu"), layers.Dense(3, "softmax")], seed=1)
    model.compile("adam", metrics=["accuracy"])
    model.fit(x, y, epochs=5, verbose=0)
    program = model.export(tmp_path / "m.c", quantize="int8", x=x, y=y)
    report, exact, found = program.report, model.predict(x), program.predict(x)
    error = np.abs(found.astype(np.float64) - exact)
    assert found.dtype == np.float32
    assert report["largest_error"] == error.max()
    np.testing.assert_array_equal(report["output_errors"], error.max(axis=0))
    assert report["relative_error"] == pytest.approx(
        np.linalg.norm(error) / np.linalg.norm(exact.astype(np.float64))
    )
    names = np.array(model.class_names)
    assert report["before"] == pytest.approx(model.evaluate(x, y, return_dict=True))
    assert report["after"]["accuracy"] == pytest.approx(np.mean(names[found.argmax(axis=1)] == y))
    assert f"accuracy: {report['before']['accuracy']:.4f} with floats" in program.source
    assert (tmp_path / "m.c").read_text() == program.source
    assert program.flash_bytes > sum(w.size for w in model.get_weights())
    assert program.ram_bytes == 16
    np.testing.assert_array_equal(program.run(program.quantize(x)[:0]), np.empty((0, 3)))
    for wrong in (program.quantize(x).astype(np.int64), program.quantize(x)[0]):
        with pytest.raises(ValueError, match=r"q must be an array of int8 and shape \(n, 6\)"):
            program.run(wrong)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_losses_of_the_report_are_those_of_outputs(loss: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(size=(100, 4)).astype(np.float32)
    y = x @ rng.normal(size=(4, 2)).astype(np.float32)
    model = trained([layers.Dense(8, "relu"), layers.Dense(2)], x, y, loss)
    report = model.export(tmp_path / "m.c", quantize="int8", x=x, y=y).report
    assert report["before"]["loss"] == pytest.approx(model.evaluate(x, y))
    assert report["after"]["loss"] == pytest.approx(report["before"]["loss"], rel=0.05)


def test_a_graph_whose_ends_have_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(15)
    x, y = rng.normal(size=(80, 4)).astype(np.float32), rng.normal(size=(80, 2))
    a = Input((4,), name="a")
    model = Model({"a": a}, {"b": layers.Dense(2, name="b")(layers.Dense(6, "relu")(a))}, seed=1)
    model.compile("adam", {"b": "mse"}, metrics={"b": ["mae"]})
    model.fit({"a": x}, {"b": y}, epochs=2, verbose=0)
    named = model.export(tmp_path / "m.c", quantize="int8", x={"a": x}, y={"b": y})
    assert named.report["before"]["loss"] == pytest.approx(model.evaluate({"a": x}, {"b": y})[0])
    assert list(named.report["after"]) == list(named.report["before"])
    assert named.report["after"]["loss"] == pytest.approx(named.report["before"]["loss"], rel=0.05)
    plain = model.export(tmp_path / "m.c", quantize="int8", x=x)
    np.testing.assert_array_equal(named.predict(x), plain.predict(x))


def test_arithmetic_is_rounding() -> None:
    rng = np.random.default_rng(13)
    factors = 2.0 ** rng.uniform(-40, 10, 300)
    x = rng.integers(-(2**31), 2**31, (50, 300))
    x[0], x[1] = -(2**31), 2**31 - 1
    found = arithmetic.multiplier(factors).of(x)
    exact = x * factors
    assert np.all(np.abs(found - exact) <= 0.5 + np.abs(exact) * 2.0**-30)
    signed = factors * rng.choice([-1.0, 1.0], 300)
    shifts = rng.normal(size=300) * 2.0 ** rng.uniform(0, 20, 300)
    for fraction in (0, 16):
        given = x if fraction else x >> 16
        found = arithmetic.line(signed, shifts).of(given, 32, fraction)
        exact = np.clip(given / 2.0**fraction * signed + shifts, -(2.0**31), 2.0**31 - 1)
        # A factor that is small beside its shift keeps fewer digits, as both have one shift.
        near = (np.abs(exact) + np.abs(shifts) + 1) * 2.0**-28
        assert np.all(np.abs(found - exact) <= 0.5 + near)
    t = rng.integers(0, 25 * 65536, 5000)
    np.testing.assert_allclose(arithmetic.powers_of_two(t) / 65536, 2.0 ** (-t / 65536), atol=3e-5)
    assert arithmetic.powers_of_two(np.array([0, 2**60])).tolist() == [65536, 0]
    assert arithmetic.multiplier(0.0).of(np.array([2**31 - 1])) == 0


def _refusals(folder: Path) -> list[tuple[str, Callable[[], object]]]:
    rng = np.random.default_rng(14)
    x = rng.normal(size=(20, 4)).astype(np.float32)
    dense = layers.Dense
    model = Sequential([Input(4), dense(3)], seed=1)
    path = folder / "m.c"
    broken = Sequential([Input(4), dense(3, name="bad")])
    broken.set_weights([np.full((4, 3), np.nan), np.zeros(3)])
    inside = Sequential([Input(4), dense(3, "softmax"), dense(2, name="last")])
    a = Input((4,))
    two = Model(a, [dense(1)(a), dense(2)(a)])
    steep = Sequential([Input(4), layers.Activation("exponential"), dense(1)])
    own = Sequential([Input(4), layers.Lambda(lambda v: v * v, name="mine"), dense(1)])

    def export(which: Any = model, to: Any = path, **more: Any) -> Callable[[], object]:
        return lambda: which.export(to, **{"quantize": "int8", "x": x, **more})

    nan = x.copy()
    nan[3, 1] = np.nan
    return [
        ("no quantize 'int4'; did you mean 'int8'", export(quantize="int4")),
        ("quantize must be 'int8', got 8", export(quantize=8)),
        ("quantize writes C alone.*got '.*m.onnx'.*quantize", export(to=folder / "m.onnx")),
        ("quantize writes C alone.*got 'hpp'", export(format="hpp")),
        ("quantize needs x, some hundred samples", export(x=None)),
        ("x and y are samples for quantize", export(quantize=None)),
        ("finite numbers", export(x=nan)),
        ("inside the model that are not finite", export(steep, x=np.full((3, 4), 900.0))),
        (r"shape \(n, 4\), got \(20, 3\)", export(x=x[:, :3])),
        ("compile", export(y=np.zeros(20))),
        ("not built", export(Sequential([dense(1)]))),
        ("'bad/kernel' has a value that is not finite", export(broken)),
        ("'last' reads a softmax", export(inside)),
        ("chain of layers", export(two)),
        ("'mine' is written in operations.*export the model as C with floats", export(own)),
        ("identifier of C", export(to=folder / "a-b.c")),
    ]


def test_what_is_refused(tmp_path: Path) -> None:
    for words, call in _refusals(tmp_path):
        with pytest.raises((TypeError, ValueError), match=words):
            call()
    assert not list(tmp_path.iterdir())


def test_sums_of_too_many_products_are_refused(tmp_path: Path) -> None:
    model = Sequential([Input(140_000), layers.Dense(1)])
    with pytest.raises(ValueError, match="140000 inputs has sums of more than 32 bits"):
        model.export(tmp_path / "m.c", quantize="int8", x=np.ones((2, 140_000)))


def test_the_model_stays_as_it_is(tmp_path: Path) -> None:
    case = whole_models()[0]
    weights = case.model.get_weights()
    program_of(case, tmp_path)
    for before, after in zip(weights, case.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert case.model.quantization_mode is None
    assert integers.MODES == ("int8",)
