# SPDX-License-Identifier: Apache-2.0
"""What exchange formats have in common: unlisted layers, hostile names, small files that grow."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import LAYER_STACKS, randomized, sample
from support import layer_kinds

from laminar import Sequential, _core, layers, load_model
from laminar.exchange import _onnx_layers, _source_layers, torch_weights

FORMATS = {"onnx": "m.onnx", "torch": "m.safetensors", "c": "m.c", "hpp": "m.hpp"}

NASTY = (
    "NUM(x)",
    "NUM(1.5)",
    "REAL_OF(n)",
    "OURS_dense(",
    "MATH_exp",
    "NONE",
    "FROM",
    "TO",
    "*/ int a; /*",
    "*\\\n/",
    "??/",
    "// \\",
    "#define x 1",
    "line\nbreak\r\u2028end",
    "\x1b[31mred\x1b[0m",
    "\u202eright to left",
    "{0}%s$(id)`id`",
    "quotes\"'",
    "input",
    "output",
    "__metadata__",
    "a/kernel",
    "extra",
    "optimizer.0",
    "training",
    "a",
    "ü" * 300,
    " ",
)


def export(model: Sequential, folder: Path, format: str) -> Path:
    if format == "onnx":
        pytest.importorskip("onnx", reason="onnx is not installed")
    path = folder / FORMATS[format]
    model.export(path, format)
    return path


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("weights", [False, True])
def test_a_layer_that_no_format_lists_is_refused_by_name(
    tmp_path: Path, format: str, weights: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "prelu" if weights else "gaussian_noise"
    last = layers.PReLU(name="mine") if weights else layers.GaussianNoise(0.5, name="mine")
    model = Sequential([layers.Input(3), layers.Dense(2), last])
    for listed in (_onnx_layers.WRITERS, _source_layers.KINDS, torch_weights._NAMES):
        monkeypatch.delitem(listed, kind, raising=False)
    others = tuple(each for each in torch_weights._WITHOUT_WEIGHTS if each != kind)
    monkeypatch.setattr(torch_weights, "_WITHOUT_WEIGHTS", others)
    with pytest.raises(ValueError, match="'mine'"):
        export(model, tmp_path, format)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_every_kind_of_layer_is_exported_or_refused_by_name(tmp_path: Path, format: str) -> None:
    """What is written has all weights; that its numbers are right is tested format by format."""
    seen = set()
    for stack in LAYER_STACKS.values():
        shape, made = stack()
        model = randomized(Sequential([layers.Input(shape), *made], seed=3))
        seen |= {layer._entry for layer in model.layers}
        try:
            path = export(model, tmp_path, format)
        except ValueError as error:
            assert any(repr(layer.name) in str(error) for layer in model.layers), error
            assert format == "torch", error
            continue
        if format == "torch":
            written = sum(array.size for array in _core.read_safetensors(path)[0].values())
            assert written >= model.count_params()
    assert seen == layer_kinds(merging=False)


def test_every_kind_of_layer_is_listed_once() -> None:
    kinds = layer_kinds(merging=False)
    assert set(_onnx_layers.WRITERS) == kinds
    assert set(_source_layers.KINDS) == kinds
    listed = [*torch_weights._NAMES, *torch_weights._WITHOUT_WEIGHTS]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= kinds


@pytest.fixture
def named() -> Sequential:
    """Return a model whose layers have the nastiest names."""
    stack: list[layers.Layer] = [layers.Dense(3, "tanh", name=name) for name in NASTY]
    stack += [layers.LayerNormalization(name=f"{name} 2") for name in NASTY]
    return randomized(Sequential([layers.Input(3), *stack], name="*/ NUM(x)\x1b[31m", seed=1))


def test_names_change_nothing_in_files(tmp_path: Path, named: Sequential) -> None:
    x = sample((3,), 5)
    named.compile("adam", "mse")
    named.save(tmp_path / "m.safetensors")
    named.save_weights(tmp_path / "w.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in named.layers]
    np.testing.assert_array_equal(loaded.predict(x), named.predict(x))
    for name in ("m", "w"):
        fresh = Sequential.from_config(named.get_config())
        fresh.load_weights(tmp_path / f"{name}.safetensors")
        np.testing.assert_array_equal(fresh.predict(x), named.predict(x))


def test_names_change_nothing_in_programs(tmp_path: Path, named: Sequential) -> None:
    for by, standard, format in (("gcc", "c99", "c"), ("g++", "c++20", "hpp")):
        if shutil.which(by) is None:
            pytest.skip(f"there is no compiler {by}")
        path = export(named, tmp_path, format)
        source = path if format == "c" else tmp_path / "main.cpp"
        if format == "hpp":
            source.write_text(f'#include "{path.name}"\nint main() {{}}\n')
        flags = [f"-std={standard}", "-trigraphs", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        done = subprocess.run(
            [by, *flags, str(source)], capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "NUM(x): Dense, 3 to 3" in path.read_text()  # a comment, as it is


def test_names_change_nothing_in_onnx(tmp_path: Path, named: Sequential) -> None:
    path = export(named, tmp_path, "onnx")
    reference = pytest.importorskip("onnx.reference")
    x = sample((3,), 5).astype(np.float32)
    found = reference.ReferenceEvaluator(str(path)).run(None, {"input": x})[0]
    np.testing.assert_allclose(found, named.predict(x), rtol=1e-4, atol=1e-4)


def test_names_change_nothing_in_torch_weights(tmp_path: Path, named: Sequential) -> None:
    path = export(named, tmp_path, "torch")
    fresh = Sequential.from_config(named.get_config())
    fresh.load_torch_weights(path)
    for a, b in zip(fresh.get_weights(), named.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_do_not_act_on_a_terminal(named: Sequential) -> None:
    texts: list[str] = []
    named.summary(print_fn=lambda text: texts.append(str(text)))
    for line in texts[0].split("\n"):
        assert line.replace("─", "-").isprintable(), line


# Small files that ask for much: constants that grow by repeated operators, and declared widths.


def _growing(onnx: Any, kind: str) -> list[Any]:
    node = onnx.helper.make_node
    if kind == "Concat":
        made = [node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], axis=0) for i in range(40)]
        return [*made, node("Reshape", ["x", "c40"], ["y"])]
    if kind == "Add":
        made = []
        for i in range(4):
            made.append(node("Unsqueeze", [f"c{i}", "axis"], [f"u{i}"]))
            made.append(node("Add", ["c0", f"u{i}"], [f"c{i + 1}"]))
        return [*made, node("Reshape", ["x", "c4"], ["y"])]
    if kind == "Transpose":
        made = [node("Transpose", ["k"], [f"t{i}"]) for i in range(60)]
        made += [node("Reshape", [f"t{i}", "axis"], [f"r{i}"]) for i in range(60)]
        return [*made, node("MatMul", ["x", "k"], ["y"])]
    if kind == "Mul":  # a map of a row and a column
        return [node("Mul", ["x", "row"], ["z"]), node("Mul", ["z", "column"], ["y"])]
    return [
        node("MatMul", ["x", "k"], ["z"]),
        node("Expand", ["z", "wide"], ["e"]),
        node("Mul", ["e", "two"], ["y"]),
    ]


@pytest.mark.parametrize("kind", ["Concat", "Add", "Transpose", "Mul", "Expand"])
def test_small_onnx_files_stay_small(tmp_path: Path, kind: str) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    constants = {
        "c0": np.arange(64),
        "axis": np.array([-1]),
        "wide": np.array([1, 10**9]),
        "k": np.ones((300, 1) if kind == "Expand" else (300, 300), np.float32),
        "row": np.ones((1, 300), np.float32),
        "column": np.ones((300, 1), np.float32),
        "two": np.array([2.0], np.float32),
    }
    ends = [
        onnx.helper.make_tensor_value_info(name, 1, ["N", size])
        for name, size in (("x", 300), ("y", None))
    ]
    graph = onnx.helper.make_graph(
        _growing(onnx, kind),
        "g",
        ends[:1],
        ends[1:],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"m\.onnx: ") as refused:
        load_model(path)
    assert "node" in str(refused.value) or "features" in str(refused.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_a_rescaling_may_be_of_any_width(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    ends = [onnx.helper.make_tensor_value_info(name, 1, ["N", 3 * 2**20]) for name in "xy"]
    node = onnx.helper.make_node("Mul", ["x", "half"], ["y"])
    half = onnx.numpy_helper.from_array(np.float32(0.5), "half")
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:], [half])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    loaded = load_model(tmp_path / "m.onnx")
    assert isinstance(loaded.layers[0], layers.Rescaling)


@pytest.mark.parametrize("what", ["links", "many", "zip"])
def test_small_keras_files_stay_small(tmp_path: Path, what: str) -> None:
    """One array that many names lead to, more arrays than a layer has, and packed zeros."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        first = file.create_dataset("layers/dense/vars/0", data=np.zeros((1000, 1000), np.float32))
        for i in range(1, 15 if what == "links" else 2000 if what == "many" else 1):
            file[f"layers/dense/vars/{i}"] = first
    entries: list[dict[str, Any]] = [
        {
            "module": "keras.layers",
            "class_name": "Dense",
            "config": {"name": "dense", "units": 1000, "activation": "linear", "use_bias": False},
            "registered_name": None,
        }
    ]
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "m", "layers": entries, "build_input_shape": [None, 1000]},
        "registered_name": "Sequential",
    }
    packed = zipfile.ZIP_DEFLATED if what == "zip" else zipfile.ZIP_STORED
    with zipfile.ZipFile(tmp_path / "m.keras", "w", packed) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(tmp_path / "w.h5", "model.weights.h5")
    message = {
        "links": "take more bytes than its weights have",
        "many": "2000 arrays, too many",
        "zip": r"model\.weights\.h5 would take",
    }[what]
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / "m.keras")
