# SPDX-License-Identifier: Apache-2.0
"""Graphs from ONNX files: laminar's own, PyTorch's, Keras's, and made by hand."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import import_keras, sample
from golden import graph_models
from numpy.typing import NDArray
from random_graphs import predictions, random_graph, randomize

import laminar
from laminar import Input, Model, Sequential, layers
from laminar.exchange import onnx_reader, onnx_writer

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
CLOSE = {"float32": 2e-5, "float64": 1e-11}


def round_trip(model: Any, folder: Path) -> Any:
    path = folder / "m.onnx"
    path.write_bytes(onnx_writer.message(onnx, model).SerializeToString())
    return onnx_reader.load(path)


def assert_same(twin: Any, model: Any, x: list[NDArray[Any]]) -> None:
    close = CLOSE[model.dtype]
    for got, wanted in zip(predictions(twin, x), predictions(model, x), strict=True):
        limit = close * max(1, float(np.nanmax(np.abs(wanted))))
        np.testing.assert_allclose(got, wanted, rtol=close, atol=limit)


@pytest.mark.parametrize("build", graph_models.MODELS, ids=lambda build: build.__name__)
def test_networks_come_back(build: Any, tmp_path: Path) -> None:
    model, (x, _) = build(laminar)
    randomize(model, 5)
    twin = round_trip(model, tmp_path)
    parts = list(x.values()) if isinstance(x, dict) else x if isinstance(x, list) else [x]
    assert_same(twin, model, [np.reshape(part, (len(part), -1)) for part in parts])
    assert twin.count_params() == model.count_params()  # shared weights are so again
    if len(model.inputs) > 1:
        assert twin.input_names == model.input_names
    assert type(twin) is (Sequential if build is graph_models.autoencoder else Model)


@pytest.mark.parametrize("seed", range(80))
def test_random_graphs_come_back(seed: int, tmp_path: Path) -> None:
    model, x = random_graph(seed, ("float32", "float64")[seed % 2])
    twin = round_trip(model, tmp_path)
    assert twin.dtype == model.dtype
    assert_same(twin, model, x)
    again = round_trip(twin, tmp_path)
    assert_same(again, model, x)
    assert len(again.layers) == len(twin.layers)


def test_kinds_of_layers_come_back(tmp_path: Path) -> None:
    a, b = Input(4, name="a"), Input(4, name="b")
    mean = layers.average([a, b, layers.ReLU()(a)])
    most = layers.maximum([mean, b, a])
    least = layers.minimum([most, a])
    cosine, dot = layers.dot([a, least], normalize=True), layers.dot([b, most])
    square = layers.multiply([mean, mean])
    both = layers.concatenate([cosine, dot, square])
    model = Model([a, b], {"p": both, "q": least - a})
    twin = round_trip(model, tmp_path)
    kinds = sorted(type(layer).__name__ for layer in twin.layers)
    expected = [type(layer).__name__ for layer in model.layers if type(layer) is not layers.ReLU]
    assert kinds == sorted([*expected, "Activation"])
    dots = [layer for layer in twin.layers if type(layer) is layers.Dot]
    assert sorted(layer.normalize for layer in dots) == [False, True]
    x = [sample((4,), 9), sample((4,), 9)[::-1].copy()]
    assert list(twin.predict(x)) == ["p", "q"]
    assert_same(twin, model, x)
    listed = round_trip(Model([a, b], [least, most]), tmp_path)
    assert isinstance(listed.predict(x), list)


def test_shared_layers_are_shared_and_others_are_not(tmp_path: Path) -> None:
    a, b = Input(4, name="a"), Input(4, name="b")
    encoder = Sequential([layers.Dense(3, "tanh"), layers.LayerNormalization(), layers.PReLU()])
    model = Model([a, b], encoder(a) - encoder(b), seed=1)
    randomize(model, 3)
    twin = round_trip(model, tmp_path)
    assert [type(layer).__name__ for layer in twin.layers].count("Dense") == 1
    assert twin.count_params() == model.count_params()
    # Nothing has trained these, so that their tensors have equal values.
    fresh = Model([a, b], layers.LayerNormalization()(a) - layers.LayerNormalization()(b))
    assert len(round_trip(fresh, tmp_path).layers) == 3
    twin.compile("adam", "mse")
    twin.fit([sample((4,), 8), sample((4,), 8)], np.ones((8, 3)), verbose=0)


def torch_modules(torch: Any) -> dict[str, tuple[list[int], Any]]:
    """Return networks and the widths of their inputs."""
    nn = torch.nn
    base: Any = nn.Module

    class Block(base):  # type: ignore[misc]
        def __init__(self, width: int) -> None:
            super().__init__()
            self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(0.2)
            self.first, self.second = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

        def forward(self, x: Any) -> Any:
            return x + self.drop(self.second(torch.nn.functional.gelu(self.first(self.norm(x)))))

    class Residual(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.start, self.end = nn.Linear(5, 8), nn.Linear(8, 2)
            self.blocks = nn.ModuleList([Block(8) for _ in range(3)])
            self.scale = nn.BatchNorm1d(8)

        def forward(self, x: Any) -> Any:
            h = torch.relu(self.start(x))
            for block in self.blocks:
                h = block(h)
            return self.end(0.5 * self.scale(h) + h)

    class TwoInputs(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Linear(3, 4), nn.Linear(5, 4)
            self.head = nn.Sequential(nn.Linear(11, 6), nn.SiLU(), nn.Linear(6, 1))

        def forward(self, a: Any, b: Any) -> Any:
            u, v = torch.relu(self.left(a)), torch.tanh(self.right(b))
            return torch.sigmoid(self.head(torch.cat([u, torch.maximum(u, v), a], dim=1)))

    class Siamese(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))

        def forward(self, a: Any, b: Any) -> Any:
            u, v = self.encoder(a), self.encoder(b)
            return (u * v).sum(dim=1, keepdim=True), (u - v) ** 2, torch.abs(u - v)

    class Recommender(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.user, self.item = nn.Linear(3, 4), nn.Linear(5, 4)

        def forward(self, a: Any, b: Any) -> Any:
            u, v = self.user(a), self.item(b)
            angle, dot = torch.nn.functional.cosine_similarity(u, v, dim=1), (u * v).sum(1)
            joined = torch.cat([angle.unsqueeze(1), dot.unsqueeze(-1), u], dim=1)
            return torch.sigmoid(dot) * 0.5 + angle, joined

    class Embedded(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.user, self.words = nn.Embedding(7, 4), nn.Embedding(9, 3)
            self.wide, self.head = nn.Linear(2, 4), nn.Linear(10, 1)

        def forward(self, user: Any, words: Any, numbers: Any) -> Any:
            u, w = self.user(user), self.words(words)
            wide = torch.relu(self.wide(numbers))
            score = (u * wide).sum(1, keepdim=True)
            return score + self.head(torch.cat([u, w.flatten(1)], dim=1))

    class Average(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            return (
                (self.a(x) + self.b(x) + x[:, :3] * 0) / 2 if False else (self.a(x) + self.b(x)) / 2
            )

    return {
        "residual": ([5], Residual()),
        "two inputs": ([3, 5], TwoInputs()),
        "siamese": ([4, 4], Siamese()),
        "recommender": ([3, 5], Recommender()),
        "embedded": ([0, 2, 2], Embedded()),
        "average": ([4], Average()),
    }


@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize(
    "name", ["residual", "two inputs", "siamese", "recommender", "embedded", "average"]
)
def test_networks_of_torch(name: str, opset: int, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(3)
    widths, module = torch_modules(torch)[name]
    module.eval()
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.dtype.is_floating_point:  # no two tensors shall have equal values
                tensor.add_(torch.from_numpy(rng.uniform(0, 0.2, tuple(tensor.shape))))
    x = [sample((width,), 20).astype(np.float32) * (i + 1) for i, width in enumerate(widths)]
    if name == "embedded":  # one category a row, two of another kind, and numbers
        ids = rng.integers(0, 7, (20, 3))
        x[:2] = ids[:, 0], ids[:, 1:]
    rows = tuple(map(torch.from_numpy, x))
    expected = module(*rows)
    names = [f"in{i}" for i in range(len(x))]
    path = str(tmp_path / "m.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            rows,
            path,
            dynamo=False,
            opset_version=opset,
            input_names=names,
            dynamic_axes={key: {0: "n"} for key in names},
        )
    model = onnx_reader.load(path)
    several = expected if isinstance(expected, tuple) else (expected,)
    for got, wanted in zip(predictions(model, x), several, strict=True):
        expected = wanted.detach().numpy()
        expected = expected if expected.ndim > 1 else expected[:, None]  # one number a row
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6)
    assert model.count_params() >= sum(p.numel() for p in module.parameters())
    if name == "siamese":
        assert model.count_params() == sum(p.numel() for p in module.parameters())
        assert [type(layer).__name__ for layer in model.layers].count("Dense") == 2
    if name == "average":
        assert [type(layer).__name__ for layer in model.layers][-1] == "Average"


def keras_networks(keras: Any) -> dict[str, tuple[list[int], Any]]:
    k = keras.layers
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    encoder = keras.Sequential([keras.Input((4,)), k.Dense(6, "relu"), k.Dense(3)])
    left, right = encoder(a), encoder(b)
    merged = k.Concatenate()(
        [k.Add()([left, right]), k.Multiply()([left, right]), k.Average()([left, right, left]), a]
    )
    extremes = [k.Maximum()([left, right]), k.Minimum()([left, right])]
    h = k.Dense(8, "relu")(a)
    for _ in range(2):
        f = k.Dense(8)(k.BatchNormalization()(k.Dense(8, "silu")(h)))
        h = k.add([h, f])
    return {
        "siamese": ([4, 4], keras.Model([a, b], k.Dense(1, "sigmoid")(merged))),
        "two outputs": ([4, 4], keras.Model([a, b], [k.subtract(extremes), left])),
        "residual": ([4], keras.Model(a, k.Dense(2, "softmax")(h))),
    }


@pytest.mark.parametrize("name", ["siamese", "two outputs", "residual"])
def test_networks_of_keras(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    keras = import_keras()
    if keras.backend.backend() != "torch":
        pytest.skip("Keras exports to ONNX without TensorFlow by its torch backend alone")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.utils.set_random_seed(3)
        widths, model = keras_networks(keras)[name]
        x = [sample((width,), 20).astype(np.float32) * (i + 1) for i, width in enumerate(widths)]
        expected = model.predict(x if len(x) > 1 else x[0], verbose=0)
        model.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
    twin = onnx_reader.load(tmp_path / "m.onnx")
    wanted = expected if isinstance(expected, list) else [expected]
    for got, other in zip(predictions(twin, x), wanted, strict=True):
        np.testing.assert_allclose(got, other, rtol=1e-5, atol=2e-6)


def by_hand(nodes: list[tuple[str, list[Any], dict[str, Any]]], ends: list[str]) -> Any:
    """Return a file with inputs a and b of three values, its values named v0, v1, …"""
    helper, made, constants = onnx.helper, [], []
    for i, (op, inputs, attributes) in enumerate(nodes):
        names = []
        for j, value in enumerate(inputs):
            names.append(value if isinstance(value, str) else f"c{i}_{j}")
            if not isinstance(value, str):
                constants.append(onnx.numpy_helper.from_array(np.asarray(value), names[-1]))
        made.append(helper.make_node(op, names, [f"v{i}"], name=f"n{i}", **attributes))
    kind = onnx.TensorProto.FLOAT
    given = [helper.make_tensor_value_info(name, kind, ["n", 3]) for name in "ab"]
    last = [helper.make_tensor_value_info(name, kind, ["n", None]) for name in ends]
    made_graph = helper.make_graph(made, "g", given, last, constants)
    return helper.make_model(made_graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


f32 = np.float32
KERNEL = np.random.default_rng(6).normal(size=(3, 4)).astype(f32)
BY_HAND: dict[str, tuple[Any, list[str], list[str]]] = {
    "many at once": (
        [("Max", ["a", "b", "a"], {}), ("Sum", ["v0", "b", "a"], {}), ("Mean", ["v1", "a"], {})],
        ["v2"],
        ["Maximum", "Add", "Average"],
    ),
    "differences": (
        [("Sub", ["a", "b"], {}), ("Pow", ["v0", f32(2)], {}), ("Abs", ["v0"], {})],
        ["v1", "v2"],
        ["Subtract", "Multiply", "Rescaling", "Maximum"],
    ),
    "one kernel": (
        [
            ("MatMul", ["a", "b0"], {}),
            ("Identity", ["b0"], {}),
            ("MatMul", ["b", "v1"], {}),
            ("Min", ["v0", "v2"], {}),
        ],
        ["v3"],
        ["Dense", "Minimum"],
    ),
    "scaled branch": (
        [
            ("MatMul", ["a", KERNEL], {}),
            ("Mul", ["v0", f32(0.1)], {}),
            ("MatMul", ["b", -KERNEL], {}),
            ("Add", ["v2", "v1"], {}),
        ],
        ["v3"],
        ["Dense", "Dense", "Rescaling", "Add"],
    ),
    "mean by a factor": (
        [("Add", ["a", "b"], {}), ("Add", ["v0", "a"], {}), ("Mul", ["v1", f32(1 / 3)], {})],
        ["v2"],
        ["Average"],
    ),
    "input and inner value": (
        [("Relu", ["a"], {}), ("Add", ["v0", "b"], {}), ("Identity", ["b"], {})],
        ["v1", "v0", "v2"],
        ["Activation", "Add"],
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_graphs_by_hand(name: str, tmp_path: Path) -> None:
    from onnx.reference import ReferenceEvaluator

    nodes, ends, kinds = BY_HAND[name]
    message = by_hand(nodes, ends)
    if name == "one kernel":
        message.graph.initializer.append(onnx.numpy_helper.from_array(KERNEL, "b0"))
    (tmp_path / "m.onnx").write_bytes(message.SerializeToString())
    model = onnx_reader.load(tmp_path / "m.onnx")
    assert sorted(type(layer).__name__ for layer in model.layers) == sorted(kinds)
    x = [sample((3,), 20).astype(f32), sample((3,), 20)[::-1].astype(f32)]
    expected = ReferenceEvaluator(message).run(None, dict(zip("ab", x, strict=True)))
    for got, wanted in zip(predictions(model, x), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (("Add", ["v1", "a"], {}), r"'n2' \(Add\): it takes values without an axis of features"),
        (("Softmax", ["v1"], {}), r"'n2' \(Softmax\): it takes values without an axis"),
        (("Concat", ["v1", "v1"], {"axis": 0}), r"'n2' \(Concat\): it takes values without"),
        (("Mul", ["v1", np.ones((3, 1), f32)], {}), r"'n2' \(Mul\): a map must have one number"),
    ],
)
def test_values_without_an_axis_stay_among_themselves(
    node: Any, message: str, tmp_path: Path
) -> None:
    dot = [("Mul", ["a", "b"], {}), ("ReduceSum", ["v0", np.array([1])], {"keepdims": 0})]
    (tmp_path / "m.onnx").write_bytes(by_hand([*dot, node], ["v2"]).SerializeToString())
    with pytest.raises(ValueError, match=f"{message}|not a valid ONNX"):
        onnx_reader.load(tmp_path / "m.onnx")


def test_deep_graphs_are_read_without_recursion(tmp_path: Path) -> None:
    nodes: list[Any] = [("Add", ["a", "b"], {})]
    nodes += [("Mul" if i % 2 else "Add", [f"v{i}", "a"], {}) for i in range(1500)]
    (tmp_path / "m.onnx").write_bytes(by_hand(nodes, ["v1500"]).SerializeToString())
    model = onnx_reader.load(tmp_path / "m.onnx")
    assert len(model.layers) > 1400


OPERATORS = (
    *(
        "Add",
        "Mul",
        "Sub",
        "Div",
        "Concat",
        "Max",
        "Min",
        "Mean",
        "Gather",
        "Relu",
        "Softmax",
        "Abs",
    ),
    *("Neg", "Pow", "Tanh", "ReduceSum", "ReduceMean", "Flatten", "Identity"),
)


def mutated(message: Any, rng: np.random.Generator) -> bytes:
    """Return a file with another operator, input or attribute somewhere."""
    other = onnx.ModelProto()
    other.CopyFrom(message)
    nodes = other.graph.node
    for _ in range(int(rng.integers(1, 3))):
        place = int(rng.integers(len(nodes)))
        node = nodes[place]
        ends = [*other.graph.input, *other.graph.initializer]
        known = [end.name for end in ends] + [o for n in list(nodes)[:place] for o in n.output]
        name = known[int(rng.integers(len(known)))]
        match int(rng.integers(4)):
            case 0 if node.input:
                node.input[int(rng.integers(len(node.input)))] = name
            case 1:
                node.input.append(name)
            case 2:
                for attribute in node.attribute:
                    attribute.i = int(rng.integers(-2, 3))
            case _:
                node.op_type = OPERATORS[int(rng.integers(len(OPERATORS)))]
    content: bytes = other.SerializeToString()
    return content


@pytest.mark.parametrize("seed", range(200, 230))
def test_files_are_refused_or_mean_what_they_say(seed: int, tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    model, x = random_graph(seed)
    message, rng = onnx_writer.message(onnx, model), np.random.default_rng(seed)
    for _ in range(20):
        content = mutated(message, rng)
        (tmp_path / "m.onnx").write_bytes(content)
        try:
            twin = onnx_reader.load(tmp_path / "m.onnx")
        except ValueError as error:
            assert "load_model: " in str(error)
            continue
        try:
            session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            names = [each.name for each in session.get_inputs()]
            expected = session.run(None, dict(zip(names, x, strict=True)))
        except Exception:  # whatever the runtime raises where shapes do not fit
            continue
        for got, wanted in zip(predictions(twin, x), expected, strict=True):
            limit = 1e-4 * max(1.0, float(np.nanmax(np.abs(wanted))))
            np.testing.assert_allclose(got, wanted.reshape(len(wanted), -1), rtol=1e-4, atol=limit)
