# SPDX-License-Identifier: Apache-2.0
"""Models from ONNX files: laminar's own, PyTorch's, Keras's, made by hand, and hostile ones."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import (
    ACTIVATION_SPECS,
    LAYER_STACKS,
    activation_model,
    import_keras,
    randomized,
    sample,
)

from laminar import Sequential, activations, layers
from laminar.exchange import onnx_reader, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

GOLDEN = Path(__file__).parent / "golden"
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def round_trip(model: Sequential, folder: Path) -> Sequential:
    path = folder / "m.onnx"
    path.write_bytes(onnx_writer.message(onnx, model).SerializeToString())
    return onnx_reader.load(path)


@both_dtypes
@pytest.mark.parametrize("spec", ACTIVATION_SPECS, ids=json.dumps)
def test_activations_come_back(spec: dict[str, Any], dtype: str, tmp_path: Path) -> None:
    model = activation_model(spec, dtype)
    twin = round_trip(model, tmp_path)
    x = sample((5,), 100) * 3
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=1e-6, atol=1e-12)
    written = twin.layers[0].activation  # type: ignore[attr-defined]
    # Some settings of relu are other activations, and celu of alpha 1 is elu.
    if spec["name"] != "relu" and spec != {"name": "celu", "alpha": 1.0}:
        assert written._entry == spec["name"]
        assert written.get_config() == pytest.approx(activations.get(spec).get_config())


# There are no layers for the operators of those.
READ = [name for name in LAYER_STACKS if not name.startswith(("Periodic", "Piecewise", "Smooth"))]


@both_dtypes
@pytest.mark.parametrize("name", READ)
def test_layers_come_back(name: str, dtype: str, tmp_path: Path) -> None:
    shape, stack = LAYER_STACKS[name]()
    model = randomized(Sequential([layers.Input(shape), *stack], dtype=dtype, seed=3))
    twin = round_trip(model, tmp_path)
    x = sample(shape, 50)
    x = np.minimum(np.abs(x).round(), 3) if "Category" in name else x
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=2e-5, atol=2e-6)
    assert twin.dtype == dtype


def test_an_activation_joins_its_dense(tmp_path: Path) -> None:
    stack = [layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(2, "softmax")]
    model = randomized(Sequential([layers.Input(3), *stack]))
    twin = round_trip(model, tmp_path)
    assert [type(layer).__name__ for layer in twin.layers] == [
        "Dense",
        "BatchNormalization",
        "Dense",
    ]
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    twin.compile("adam", "categorical_crossentropy")
    twin.fit(sample((3,), 8), np.eye(2)[[0, 1] * 4], verbose=0)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("torch_*.onnx")), ids=lambda path: path.stem)
def test_recorded_files_of_torch(path: Path) -> None:
    recorded = np.load(GOLDEN / "torch_files.npz", allow_pickle=False)
    x, y = recorded[f"{path.stem}/x"], recorded[f"{path.stem}/y"]
    model = onnx_reader.load(path)
    assert model.dtype == x.dtype.name
    small = 1e-6 if model.dtype == "float32" else 1e-9
    np.testing.assert_allclose(model.predict(x), y, rtol=small, atol=small)


def torch_model(name: str, dtype: str) -> tuple[int, Any, Any]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from golden import torch_models

    return (torch, *torch_models.model(name, getattr(torch, dtype)))


TORCH = ("plain", "smooth", "straight", "shrinks", "classifier", "log classifier", "batch norm")
TORCH += ("layer norm", "prelu", "shapes")


# An export by dynamo is slow: one model is enough.
EXPORTS = [(name, opset) for name in TORCH for opset in (13, 17)]
EXPORTS += [("smooth", "dynamo")]


@pytest.mark.parametrize(("name", "opset"), EXPORTS)
def test_models_of_torch(name: str, opset: Any, tmp_path: Path) -> None:
    dtype = "float64" if name in ("shrinks", "classifier", "batch norm") else "float32"
    torch, features, module = torch_model(name, dtype)
    rows = torch.from_numpy(sample((features,), 40).astype(dtype))
    path = str(tmp_path / "m.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if opset == "dynamo":
            pytest.importorskip("onnxscript", reason="onnxscript is not installed")
            program = torch.onnx.export(module, (rows,), dynamo=True, verbose=False)
            program.save(path)
        else:
            axes = {"x": {0: "n"}}
            torch.onnx.export(
                module,
                (rows,),
                path,
                dynamo=False,
                opset_version=opset,
                input_names=["x"],
                dynamic_axes=axes,
            )
    model = onnx_reader.load(path)
    assert model.dtype == dtype
    limits = {"rtol": 1e-6, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-9}
    expected = module(rows).detach().numpy()
    np.testing.assert_allclose(model.predict(rows.numpy()), expected, **limits)


@pytest.mark.parametrize("name", ["plain", "normalized"])
def test_models_of_keras(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    keras = import_keras()
    if keras.backend.backend() != "torch":
        pytest.skip("Keras exports to ONNX without TensorFlow by its torch backend alone")
    stacks = {
        "plain": [
            keras.layers.Dense(5, "relu"),
            keras.layers.Dense(4, "silu", use_bias=False),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(3, "softmax"),
        ],
        "normalized": [
            keras.layers.Dense(5, "elu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(4),
            keras.layers.PReLU(alpha_initializer="ones"),
        ],
    }
    x = sample((4,), 30).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((4,)), *stacks[name]])
        expected = model.predict(x, verbose=0)
        model.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
    twin = onnx_reader.load(tmp_path / "m.onnx")
    np.testing.assert_allclose(twin.predict(x), expected, rtol=1e-6, atol=1e-6)


# Graphs by hand: (operator, inputs, attributes) in a row. "x" is the input; the last is the output.
Nodes = list[tuple[str, list[Any], dict[str, Any]]]
RNG = np.random.default_rng(6)
KERNEL, BIAS = RNG.normal(size=(3, 4)).astype(np.float32), RNG.normal(size=4).astype(np.float32)
VECTOR = np.abs(RNG.normal(size=3)).astype(np.float32) + np.float32(0.5)


def graph(
    nodes: Nodes, shape: tuple[Any, ...] = ("n", 3), opset: int = 13, kind: Any = None
) -> Any:
    """Return a model; inputs that are arrays become initializers, "<" is the value before."""
    helper, made, constants, before = onnx.helper, [], [], "x"
    for i, (op, inputs, attributes) in enumerate(nodes):
        names = []
        for j, value in enumerate(inputs):
            if isinstance(value, str):
                names.append(before if value == "<" else value)
            else:
                names.append(f"c{i}_{j}")
                constants.append(onnx.numpy_helper.from_array(np.asarray(value), names[-1]))
        before = f"v{i}"
        made.append(helper.make_node(op, names, [before], name=f"n{i}", **attributes))
    kind = onnx.TensorProto.FLOAT if kind is None else kind
    ends = [helper.make_tensor_value_info("x", kind, shape)]
    ends.append(helper.make_tensor_value_info(before, kind, ["n", None]))
    made_graph = helper.make_graph(made, "g", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(made_graph, opset_imports=opsets, ir_version=8)


def loaded(message: Any, folder: Path) -> Sequential:
    (folder / "m.onnx").write_bytes(message.SerializeToString())
    return onnx_reader.load(folder / "m.onnx")


f32 = np.float32
BY_HAND: dict[str, tuple[Nodes, list[str]]] = {
    "gemm with factors": ([("Gemm", ["<", KERNEL, BIAS], {"alpha": 2.0, "beta": 0.5})], ["Dense"]),
    "gemm of a row": ([("Gemm", ["<", KERNEL, BIAS[np.newaxis]], {})], ["Dense"]),
    "bias first": ([("MatMul", ["<", KERNEL], {}), ("Add", [BIAS, "<"], {})], ["Dense"]),
    "transposed": (
        [("Transpose", [KERNEL.T.copy()], {"perm": [1, 0]}), ("MatMul", ["x", "<"], {})],
        ["Dense"],
    ),
    "scaler": ([("Sub", ["<", VECTOR], {}), ("Div", ["<", VECTOR], {})], ["Normalization"]),
    "unscaler": ([("Mul", ["<", VECTOR], {}), ("Add", ["<", VECTOR], {})], ["Normalization"]),
    "unscaled outputs": (
        [("Gemm", ["<", KERNEL], {}), ("Mul", ["<", BIAS**2], {}), ("Add", ["<", BIAS], {})],
        ["Dense", "Normalization"],
    ),
    "a matrix times columns": (
        [
            ("Transpose", ["<"], {"perm": [1, 0]}),
            ("MatMul", [KERNEL.T.copy(), "<"], {}),
            ("Add", ["<", BIAS[:, np.newaxis]], {}),
            ("Tanh", ["<"], {}),
            ("MatMul", [KERNEL, "<"], {}),
            ("Softmax", ["<"], {"axis": 0}),
            ("Transpose", ["<"], {"perm": [1, 0]}),
        ],
        ["Dense", "Dense"],
    ),
    "an axis for a while": (
        [
            ("Unsqueeze", ["<", np.array([1])], {}),
            ("MatMul", ["<", KERNEL], {}),
            ("Add", ["<", BIAS], {}),
            ("Squeeze", ["<", np.array([1])], {}),
        ],
        ["Dense"],
    ),
    "an axis that stays": (
        [
            ("Unsqueeze", ["<", np.array([2])], {}),
            ("Concat", ["<", "<"], {"axis": 2}),
            ("Flatten", ["<"], {}),
        ],
        ["Reshape", "Concatenate", "Flatten"],
    ),
    "some columns": (
        [("Gather", ["<", np.array([2, -3])], {"axis": 1}), ("Max", ["<", f32(-0.25)], {})],
        ["Operations", "Operations"],
    ),
    "neighbours": (
        [("Slice", ["<", *(np.array([i]) for i in (1, 3, 1, 1))], {}), ("Min", ["<", f32(2)], {})],
        ["Operations", "Operations"],
    ),
    "weights of constants": (
        [
            ("ReduceL2", [KERNEL], {"axes": [0]}),
            ("Div", [KERNEL, "<"], {}),
            ("Mul", ["<", BIAS], {}),
            ("MatMul", ["x", "<"], {}),
        ],
        ["Dense"],
    ),
    "negative scale": ([("Mul", ["<", -VECTOR], {})], ["BatchNormalization"]),
    "rescaling": (
        [("Div", ["<", f32(255)], {}), ("Sub", [f32(1), "<"], {}), ("Neg", ["<"], {})],
        ["Rescaling"],
    ),
    "map after training": (
        [("Gemm", ["<", KERNEL], {}), ("Sub", ["<", BIAS], {}), ("Mul", ["<", f32(3)], {})],
        ["Dense", "BatchNormalization"],
    ),
    "clip": (
        [("Clip", ["<", f32(0), f32(2)], {}), ("Clip", ["<", f32(0)], {})],
        ["Activation"] * 2,
    ),
    "dropout": ([("Dropout", ["<", f32(0.25)], {}), ("Identity", ["<"], {})], ["Dropout"]),
    "reshape": (
        [("Reshape", ["<", np.array([0, 3, 1])], {}), ("Flatten", ["<"], {})],
        ["Reshape", "Flatten"],
    ),
    "layer normalization": (
        [("LayerNormalization", ["<", VECTOR], {"axis": 1, "epsilon": 0.25})],
        ["LayerNormalization"],
    ),
    "rms normalization": (
        [
            ("Pow", ["<", f32(2)], {}),
            ("ReduceMean", ["<"], {"axes": [-1], "keepdims": 1}),
            ("Add", ["<", f32(1e-5)], {}),
            ("Sqrt", ["<"], {}),
            ("Reciprocal", ["<"], {}),
            ("Mul", ["x", "<"], {}),
            ("Mul", [VECTOR, "<"], {}),
        ],
        ["RMSNormalization"],
    ),
    "as of scikit-learn": (
        [
            ("Cast", ["<"], {"to": 1}),
            ("MatMul", ["<", KERNEL], {}),
            ("Add", ["<", BIAS[np.newaxis]], {}),
            ("Relu", ["<"], {}),
            ("MatMul", ["<", KERNEL.T[:, :1].copy()], {}),
            ("Add", ["<", BIAS[:1][np.newaxis]], {}),
            ("Reshape", ["<", np.array([-1, 1])], {}),
        ],
        ["Dense", "Dense", "Flatten"],
    ),
    "nothing": ([("Identity", ["<"], {})], ["Activation"]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_graphs_by_hand(name: str, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    nodes, kinds = BY_HAND[name]
    message = graph(nodes, opset=17)
    model = loaded(message, tmp_path)
    assert [type(layer).__name__ for layer in model.layers] == kinds
    x = sample((3,), 20).astype(np.float32)
    expected = ReferenceEvaluator(message).run(None, {"x": x})[0]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)


def test_old_operators_mean_what_they_did(tmp_path: Path) -> None:
    nodes: Nodes = [("Clip", ["<"], {"min": 0.0, "max": 6.0}), ("Softmax", ["<"], {})]
    model = loaded(graph(nodes, opset=9), tmp_path)
    assert [layer.activation._entry for layer in model.layers] == ["relu6", "softmax"]  # type: ignore[attr-defined]
    nodes = [
        ("Reshape", ["<", np.array([0, 3, 1])], {}),
        ("Softmax", ["<"], {}),
        ("Flatten", ["<"], {}),
    ]
    with pytest.raises(ValueError, match=r"'n1' \(Softmax\).*'axis': 1"):
        loaded(graph(nodes, opset=9), tmp_path)


def test_a_rate_of_dropout_is_kept(tmp_path: Path) -> None:
    model = loaded(graph(BY_HAND["dropout"][0]), tmp_path)
    assert model.layers[0].get_config()["rate"] == 0.25


REFUSED: dict[str, tuple[Nodes, str]] = {
    "operator": ([("Sin", ["<"], {})], r"node 'n0' \(Sin\): there is no layer for operator Sin"),
    "product": (
        [("Relu", ["x"], {}), ("Tanh", ["x"], {}), ("Div", ["v0", "v1"], {})],
        r"node 'n2' \(Div\): there is no layer for what it computes",
    ),
    "broadcast": (
        [("Gemm", ["x", KERNEL[:, :1].copy()], {}), ("Add", ["<", "x"], {})],
        r"node 'n1' \(Add\): layer 'add': inputs must be of one shape, got \(1,\) .* and \(3,\)",
    ),
    "other axis": (
        [
            ("Reshape", ["x", np.array([0, 3, 1])], {}),
            ("Concat", ["<", "<"], {"axis": 1}),
            ("Flatten", ["<"], {}),
        ],
        r"node 'n1' \(Concat\): layer 'concatenate': axis must be -1",
    ),
    "appended constant": (
        [("Reshape", ["x", np.array([1, 3])], {}), ("Concat", ["<", VECTOR[None]], {"axis": 1})],
        r"node 'n1' \(Concat\): there is no layer for what it computes",
    ),
    "matrix of two values": ([("MatMul", ["x", "x"], {})], r"'n0' \(MatMul\)|not a valid ONNX"),
    "clip": ([("Clip", ["<", f32(5), f32(-2)], {})], r"node 'n0' \(Clip\): there is no layer"),
    "transposed input": ([("Gemm", ["<", KERNEL], {"transA": 1})], r"'n0' \(Gemm\)"),
    "axis": (
        [
            ("Reshape", ["<", np.array([0, 3, 1])], {}),
            ("Softmax", ["<"], {"axis": 1}),
            ("Flatten", ["<"], {}),
        ],
        r"'n1' \(Softmax\).*'axis': 1",
    ),
    "negative slope": ([("LeakyRelu", ["<"], {"alpha": -0.5})], r"'n0' \(LeakyRelu\)"),
    "training": ([("Dropout", ["<", f32(0.5), np.array(True)], {})], r"'n0' \(Dropout\)"),
    "integers": ([("Cast", ["<"], {"to": 6}), ("Cast", ["<"], {"to": 1})], r"'n0' \(Cast\)"),
    "widths": (
        [("Reshape", ["<", np.array([-1, 3])], {}), ("Gemm", ["<", KERNEL[:2]], {})],
        "not a valid ONNX file|do not make a model",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_named(name: str, tmp_path: Path) -> None:
    nodes, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"load_model: .*m.onnx: .*({message})"):
        loaded(graph(nodes), tmp_path)


def _edited(edit: Callable[[Any], object]) -> Any:
    message = graph([("Gemm", ["<", KERNEL, BIAS], {}), ("Relu", ["<"], {})])
    edit(message)
    return message


def _external(message: Any) -> None:
    tensor = message.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def _short(message: Any) -> None:
    message.graph.initializer[0].raw_data = b"1234"


def _huge(message: Any) -> None:
    message.graph.initializer[0].dims[:] = [2**40, 2**40]


def _half(message: Any) -> None:
    message.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(KERNEL.astype(np.float16), "c0_1")
    )


def _two_inputs(message: Any) -> None:
    message.graph.input.add().CopyFrom(message.graph.input[0])
    message.graph.input[1].name = "y"


def _two_types(message: Any) -> None:
    _two_inputs(message)
    message.graph.input[1].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE


def _two_outputs(message: Any) -> None:
    message.graph.output.add().CopyFrom(message.graph.output[0])


def _no_type(message: Any) -> None:
    message.graph.input[0].type.tensor_type.elem_type = 77


def _integers(message: Any) -> None:
    message.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64


def _domain(message: Any) -> None:
    message.graph.node[1].domain = "com.example"
    message.opset_import.add(domain="com.example", version=1)


def _cycle(message: Any) -> None:
    message.graph.node[0].input[0] = message.graph.node[1].output[0]


def _unconnected(message: Any) -> None:
    message.graph.node[0].input[0] = "c0_1"


def _old_broadcast(message: Any) -> None:
    attribute = onnx.helper.make_attribute("broadcast", 1)
    message.graph.node[0].attribute.append(attribute)


def _repeated(message: Any) -> None:
    message.CopyFrom(graph([("PRelu", ["<", f32(0.5)], {})], ("n", 2**40)))


HOSTILE: dict[str, tuple[Callable[[Any], None], str]] = {
    "external data": (_external, "'c0_1' lies outside of the file"),
    "too few bytes": (_short, "damaged|not a valid"),
    "huge": (_huge, "damaged|not a valid"),
    "half": (_half, "not a valid|got FLOAT16"),
    "input that is not used": (_two_inputs, r"no output depends on Input 'y', an input"),
    "two outputs of a name": (_two_outputs, "not a valid|has two outputs named 'v1'"),
    "no type": (_no_type, "not a valid|load_model: .* must be FLOAT or DOUBLE, got 77"),
    "two types": (_two_types, "all inputs must be of one type, but 'x' is FLOAT and 'y' DOUBLE"),
    "integers": (_integers, "not a valid|operator Gemm reads the integers 'x'"),
    "domain": (_domain, "operator com.example.Relu has no layer"),
    "cycle": (_cycle, "not a valid"),
    "constant output": (_unconnected, "does not come from the inputs|no layer"),
    "unknown attribute": (_old_broadcast, "not a valid|'broadcast': 1"),
    "repeated": (_repeated, "not a valid|much larger than the file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, tmp_path: Path) -> None:
    edit, message = HOSTILE[name]
    with pytest.raises(ValueError, match=message):
        loaded(_edited(edit), tmp_path)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    model = randomized(Sequential([layers.Input(3), layers.Dense(4, "relu"), layers.Dense(2)]))
    whole = onnx_writer.message(onnx, model).SerializeToString()
    rng = np.random.default_rng(4)
    path = tmp_path / "m.onnx"
    for trial in range(300):
        content = bytearray(whole)
        if trial % 3 == 0:
            del content[int(rng.integers(len(whole))) :]
        for _ in range(int(rng.integers(1, 4))):
            if content:
                content[int(rng.integers(len(content)))] = int(rng.integers(256))
        path.write_bytes(bytes(content))
        try:
            onnx_reader.load(path)
        except ValueError as error:
            assert "load_model: " in str(error)
    for content in (b"", b"not a model"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="load_model: "):
            onnx_reader.load(path)
    with pytest.raises(FileNotFoundError):
        onnx_reader.load(tmp_path / "absent.onnx")
