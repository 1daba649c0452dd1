# SPDX-License-Identifier: Apache-2.0
"""Models of several inputs, branches, merges and shared layers, beside NumPy."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import fingerprint, kinds_of

import laminar
from laminar import Input, Model, Sequential, _core, layers
from laminar._inspect import described
from laminar.models import clone_model

Arrays = dict[str, NDArray[Any]]
RNG = np.random.default_rng(0)
A = RNG.normal(size=(30, 4))
B = RNG.normal(size=(30, 4))
C = RNG.normal(size=(30, 3))
MANY = A.reshape(30, 2, 2)

MERGES: dict[str, tuple[layers.Layer, Callable[[Any, Any], Any]]] = {
    "add": (layers.Add(), lambda a, b: a + b),
    "subtract": (layers.Subtract(), lambda a, b: a - b),
    "multiply": (layers.Multiply(), lambda a, b: a * b),
    "average": (layers.Average(), lambda a, b: (a + b) / 2),
    "maximum": (layers.Maximum(), np.maximum),
    "minimum": (layers.Minimum(), np.minimum),
    "concatenate": (layers.Concatenate(), lambda a, b: np.concatenate([a, b], axis=1)),
    "dot": (layers.Dot(axes=1), lambda a, b: (a * b).sum(1, keepdims=True)),
}


def cosine(a: Any, b: Any) -> Any:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1, keepdims=True) / lengths[:, None]


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def dense(model: Model, name: str, x: Any) -> Any:
    kernel, bias = model.get_layer(name).get_weights()
    return x @ kernel + bias


@pytest.mark.parametrize("name", MERGES)
def test_merges(name: str) -> None:
    layer, function = MERGES[name]
    a, b = Input(4), Input(4)
    one = type(layer).from_config(layer.get_config())
    model = Model([a, b], one([a, b]), dtype="float64")
    expected = function(A, B)
    np.testing.assert_allclose(model.predict([A, B]), expected, rtol=1e-12)
    assert model.output_shape == (None, *expected.shape[1:])
    assert model.get_layer(name) is one
    assert one.output_shape == model.output_shape
    # at once, and as functions
    np.testing.assert_allclose(type(layer)()([A, B]), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(getattr(layers, name)([A, B]), expected, rtol=1e-5, atol=1e-6)
    symbol = getattr(layers, name)([a, b], name="mine")
    assert Model([a, b], symbol).layers[0].name == "mine"


def test_merges_of_many_and_of_several_axes() -> None:
    inputs = [Input((2, 3)) for _ in range(3)]
    arrays = [RNG.normal(size=(5, 2, 3)) for _ in range(3)]
    for name, expected in (
        ("add", sum(arrays)),
        ("multiply", arrays[0] * arrays[1] * arrays[2]),
        ("average", sum(arrays) / 3),
        ("maximum", np.max(arrays, axis=0)),
        ("minimum", np.min(arrays, axis=0)),
        ("concatenate", np.concatenate(arrays, axis=2)),
    ):
        model = Model(inputs, getattr(layers, name)(inputs), dtype="float64")
        np.testing.assert_allclose(model.predict(arrays), expected, rtol=1e-12)


def test_operators_and_cosines() -> None:
    a, b = Input(4), Input(4)
    model = Model([a, b], a * b - (a + b), dtype="float64")
    np.testing.assert_allclose(model.predict([A, B]), A * B - (A + B), rtol=1e-12, atol=1e-12)
    model = Model([a, b], layers.dot([a, b], axes=(1, 1), normalize=True), dtype="float64")
    np.testing.assert_allclose(model.predict([A, B]), cosine(A, B), rtol=1e-12)


def wide_and_deep(dtype: str = "float64") -> tuple[Model, Arrays, Callable[[Model], Any]]:
    wide, many = Input(3, name="wide"), Input((2, 2), name="many")
    deep = layers.concatenate([layers.Flatten()(many), wide])
    deep = layers.Dense(4, "relu", name="d2")(layers.Dense(6, "relu", name="d1")(deep))
    out = layers.Dense(1, "sigmoid", name="out")(layers.concatenate([wide, deep]))

    def expected(model: Model) -> Any:
        deep = np.concatenate([A, C], axis=1)
        deep = relu(dense(model, "d2", relu(dense(model, "d1", deep))))
        return 1 / (1 + np.exp(-dense(model, "out", np.concatenate([C, deep], axis=1))))

    return Model([wide, many], out, seed=3, dtype=dtype), {"wide": C, "many": MANY}, expected


def two_towers(dtype: str = "float64") -> tuple[Model, Arrays, Callable[[Model], Any]]:
    user, item = Input(4, name="user"), Input(3, name="item")
    users, items = layers.Dense(4, name="u")(user), layers.Dense(4, "tanh", name="i")(item)
    score = layers.Dot(axes=1, normalize=True)([users, items])

    def expected(model: Model) -> Any:
        return cosine(dense(model, "u", A), np.tanh(dense(model, "i", C)))

    return Model([user, item], score, seed=3, dtype=dtype), {"user": A, "item": C}, expected


def residual(dtype: str = "float64") -> tuple[Model, Arrays, Callable[[Model], Any]]:
    x = Input(4, name="x")
    h = layers.Dense(8, "relu", name="start")(x)
    for i in range(3):
        h = layers.Add()(
            [h, layers.Dense(8, name=f"b{i}")(layers.Dense(8, "relu", name=f"a{i}")(h))]
        )
    out = layers.Dense(2, name="out")(h)

    def expected(model: Model) -> Any:
        h = relu(dense(model, "start", A))
        for i in range(3):
            h = h + dense(model, f"b{i}", relu(dense(model, f"a{i}", h)))
        return dense(model, "out", h)

    return Model(x, out, seed=3, dtype=dtype), {"x": A}, expected


def siamese(dtype: str = "float64") -> tuple[Model, Arrays, Callable[[Model], Any]]:
    a, b = Input(4, name="a"), Input(4, name="b")
    encoder = Sequential(
        [layers.Dense(6, "tanh", name="e1"), layers.Dense(3, name="e2")], dtype=dtype, seed=1
    )
    out = layers.Dense(1, "sigmoid", name="out")(encoder(a) - encoder(b))

    def expected(model: Model) -> Any:
        def encoded(x: Any) -> Any:
            return dense(model, "e2", np.tanh(dense(model, "e1", x)))

        return 1 / (1 + np.exp(-dense(model, "out", encoded(A) - encoded(B))))

    return Model([a, b], out, seed=3, dtype=dtype), {"a": A, "b": B}, expected


NETWORKS = [wide_and_deep, two_towers, residual, siamese]
by_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.__name__)


@by_network
def test_networks_as_numpy_has_them(network: Any) -> None:
    model, x, expected = network()
    np.testing.assert_allclose(model.predict(x), expected(model), rtol=1e-9, atol=1e-12)
    model.compile("adam", "mse")
    y = np.linspace(0, 1, 30 * model.output_shape[1]).reshape(30, -1)
    before = model.evaluate(x, y)
    assert before == pytest.approx(((expected(model) - y) ** 2).mean(), rel=1e-9)
    model.fit(x, y, epochs=20, verbose=0, batch_size=8)
    assert model.evaluate(x, y) < before
    np.testing.assert_allclose(model.predict(x), expected(model), rtol=1e-9, atol=1e-12)


@by_network
def test_gradients_are_finite_differences(network: Any) -> None:
    model, x, _ = network()
    model.compile("sgd", "mse")
    y = np.linspace(0, 1, 30 * model.output_shape[1]).reshape(30, -1)
    weights = [w + 0.05 for w in model.get_weights()]  # away from zeros, where relu bends
    model.set_weights(weights)
    _, gradients = model.loss_and_gradients(x, y)
    largest = max(abs(g).max() for g in gradients)
    for i, gradient in enumerate(gradients):
        for at in list(np.ndindex(*gradient.shape))[:5]:
            losses = []
            for step in (1e-5, -1e-5):
                moved = [w.copy() for w in weights]
                moved[i][at] += step
                model.set_weights(moved)
                losses.append(model.evaluate(x, y))
            slope = (losses[0] - losses[1]) / 2e-5
            assert gradient[at] == pytest.approx(slope, abs=1e-6 * max(largest, 1))
        model.set_weights(weights)


@by_network
def test_files_copies_and_configurations(network: Any, tmp_path: Path) -> None:
    model, x, _ = network("float32")
    y = np.linspace(0, 1, 30 * model.output_shape[1]).reshape(30, -1)
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, verbose=0)
    path = tmp_path / "m.safetensors"
    model.save(path)
    twins = [laminar.load_model(path), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    expected = model.predict(x)
    for twin in twins:
        assert type(twin) is Model
        np.testing.assert_array_equal(twin.predict(x), expected)
        assert twin.get_config() == model.get_config()
        assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    model.fit(x, y, verbose=0)
    for twin in twins:
        twin.fit(x, y, verbose=0)
        assert fingerprint(twin.get_weights()) == fingerprint(model.get_weights())
    config = json.loads(json.dumps(model.get_config()))
    fresh = Model.from_config(config)
    assert fresh.get_config() == model.get_config()
    assert kinds_of(fresh.weights) == kinds_of(model.weights)
    if network is not siamese:  # whose encoder has drawn weights before
        assert fingerprint(fresh.get_weights()) == fingerprint(network("float32")[0].get_weights())
    clone = clone_model(model)
    assert kinds_of(clone.weights) == kinds_of(model.weights)
    assert fingerprint(clone.get_weights()) != fingerprint(fresh.get_weights())
    weights = tmp_path / "w.safetensors"
    model.save_weights(weights)
    clone.load_weights(weights)
    np.testing.assert_array_equal(clone.predict(x), model.predict(x))
    assert f"{path}: a model of laminar" in described(str(path))


@by_network
def test_training_goes_on_from_a_file(network: Any, tmp_path: Path) -> None:
    model, x, _ = network("float32")
    y = np.linspace(0, 1, 30 * model.output_shape[1]).reshape(30, -1)
    model.compile("adam", "mse")
    whole = pickle.loads(pickle.dumps(model))
    whole.fit(x, y, epochs=4, verbose=0, batch_size=8)
    path = str(tmp_path / "m.safetensors")

    def checkpoint() -> list[Any]:
        return [laminar.callbacks.ModelCheckpoint(path, save_freq=6)]

    model.fit(x, y, epochs=2, verbose=0, batch_size=8, callbacks=checkpoint())
    resumed, _, _ = network("float32")
    resumed.compile("adam", "mse")
    resumed.fit(x, y, epochs=4, verbose=0, batch_size=8, resume=path, callbacks=checkpoint())
    assert fingerprint(resumed.get_weights()) == fingerprint(whole.get_weights())


def test_an_encoder_is_taken_out_of_an_autoencoder() -> None:
    x = Input(6)
    code = layers.Dense(2, "tanh", name="code")(layers.Dense(5, "relu")(x))
    out = layers.Dense(6)(layers.Dense(5, "relu", name="expand")(code))
    before = Model(x, code)
    model = Model(x, out, seed=1, dtype="float32")
    data = RNG.normal(size=(30, 6)).astype(np.float32)
    model.compile("adam", "mse")
    model.fit(data, data, epochs=2, verbose=0)
    after = Model(model.inputs, model.get_layer("code").output)
    w = model.get_weights()
    expected = np.tanh(relu(data @ w[0] + w[1]) @ w[2] + w[3])
    for encoder in (before, after):
        np.testing.assert_allclose(encoder.predict(data), expected, atol=1e-6)
    decoder = Model(model.get_layer("code").output, model.output)
    np.testing.assert_allclose(decoder.predict(after.predict(data)), model.predict(data), atol=1e-6)
    joined = Model(x, decoder(before(x)))
    np.testing.assert_array_equal(joined.predict(data), model.predict(data))
    joined.compile("sgd", "mse")
    joined.fit(data, data, verbose=0)
    np.testing.assert_array_equal(joined.predict(data), model.predict(data))


def test_hidden_outputs_of_a_stack() -> None:
    stack = Sequential([Input(4), layers.Dense(5, "relu", name="h"), layers.Dense(2)], seed=1)
    stack.compile("sgd", "mse")
    stack.fit(A, A[:, :2], verbose=0)
    hidden = Model(stack.inputs, [stack.get_layer("h").output, stack.output])
    w = stack.get_weights()
    h, y = hidden.predict(A)
    np.testing.assert_allclose(h, relu(A @ w[0] + w[1]), atol=1e-5)
    np.testing.assert_allclose(y, stack.predict(A), atol=1e-6)
    hidden.compile("sgd", "mse")
    hidden.fit(A, [A[:, :1].repeat(5, 1), A[:, :2]], verbose=0)
    np.testing.assert_array_equal(stack.predict(A), hidden.predict(A)[1])


def test_outputs_come_as_they_were_given() -> None:
    x = Input(4, name="x")
    one, two = layers.Dense(2)(x), layers.Dense(3)(x)
    assert Model(x, one).predict(A).shape == Model([x], [one]).predict([A]).shape == (30, 2)
    listed = Model(x, [one, two])
    assert [p.shape for p in listed.predict(A)] == [(30, 2), (30, 3)]
    assert listed.output_shape == [(None, 2), (None, 3)]
    named = Model({"x": x}, {"p": one, "q": two}).predict({"x": A})
    assert {name: p.shape for name, p in named.items()} == {"p": (30, 2), "q": (30, 3)}
    np.testing.assert_array_equal(named["q"], listed.predict(A)[1])
    assert list(Model(x, {"p": one}).predict(A)) == ["p"]
    assert all(part.flags.c_contiguous for part in listed.predict(A))
    with pytest.raises(ValueError, match="predict: out is for models of one output"):
        listed.predict(A, out=np.empty((30, 5), np.float32))


def test_data_of_several_inputs() -> None:
    model, x, _ = wide_and_deep("float32")
    model.compile("sgd", "mse")
    y = np.linspace(0, 1, 30)
    expected = model.predict(x)
    for same in ([C, MANY], (C, MANY), {"many": MANY.tolist(), "wide": C}, np.hstack([C, A])):
        np.testing.assert_array_equal(model.predict(same), expected)
    np.testing.assert_array_equal(model(x), expected)
    dataset = laminar.data.Dataset.from_arrays(np.hstack([C, A]).astype(np.float32), y)
    assert model.evaluate(dataset) == model.evaluate(x, y)
    assert model.train_on_batch(x, y) == pytest.approx(((expected[:, 0] - y) ** 2).mean(), rel=1e-5)
    history = model.fit(x, y, verbose=0, validation_data=([C, MANY], y), epochs=2)
    assert history.history["val_loss"][1] == pytest.approx(model.evaluate(x, y), rel=1e-6)
    model.fit(x, y, verbose=0, validation_split=0.5)
    assert model.loss_and_gradients(x, y)[0] == pytest.approx(model.evaluate(x, y), rel=1e-6)
    with pytest.warns(UserWarning, match="find_learning_rate: the loss"):
        assert model.find_learning_rate(x, y, batch_size=8, start=0.1, end=1.0, steps=9).rates


def test_names_are_unique_and_stay() -> None:
    a = Input(4)
    first = layers.Dense(3)
    second = layers.Dense(3, name="dense")
    model = Model(a, second(first(a)))
    assert [layer.name for layer in model.layers] == ["dense_1", "dense"]
    assert [w.name for w in model.weights][::2] == ["dense_1/kernel", "dense/kernel"]
    assert model.input_names == ["input"]
    named, other = Input(4, name="input_1"), Input(4)
    assert Model([a, named, other], layers.add([a, named, other])).input_names == [
        *("input", "input_1", "input_2"),
    ]


def test_summary_says_what_is_connected() -> None:
    model, _, _ = siamese()
    lines: list[str] = []
    model.summary(print_fn=lambda text: lines.extend(text.split("\n")))
    rows = {line.split()[0]: line for line in lines[4:] if line and line[0].isalpha()}
    assert "Connected to" in lines[2]
    assert rows["a"].split()[:2] == ["a", "(Input)"] and rows["a"].endswith("-")
    assert rows["e1"].endswith("a; b")
    assert rows["e2"].endswith("e1; e1")
    assert rows["subtract"].endswith("e2, e2")
    model.summary(print_fn=lambda text: lines.append(text), line_length=60, show_trainable=True)
    assert max(map(len, lines[-1].split("\n"))) <= 60
    chain = Model(a := Input(3), layers.Dense(2)(a))
    chain.summary(print_fn=lambda text: lines.append(text))
    assert "Connected" not in lines[-1]


def test_losses_follow_the_last_activation() -> None:
    a, b = Input(4), Input(3)
    out = layers.Dense(3, "softmax")(layers.concatenate([a, b]))
    model = Model([a, b], out)
    model.compile("adam")
    model.fit([A, C], np.arange(30) % 3, verbose=0)
    assert type(model.loss).__name__ == "SparseCategoricalCrossentropy"
    with pytest.warns(UserWarning, match="softmax with binary_crossentropy"):
        model.compile("adam", "binary_crossentropy")


@by_network
def test_the_same_bits_for_any_number_of_threads(network: Any) -> None:
    found = set()
    before = laminar.get_num_threads()
    try:
        for threads in (1, 2, 3, 4, 8):
            laminar.set_num_threads(threads)
            model, x, _ = network("float32")
            model.compile("adam", "mse")
            y = np.linspace(0, 1, 30 * model.output_shape[1]).reshape(30, -1)
            model.fit(x, y, epochs=3, batch_size=7, verbose=0)
            found.add(fingerprint([*model.get_weights(), model.predict(x)]))
    finally:
        laminar.set_num_threads(before)
    assert len(found) == 1


def test_deep_graphs_are_walked_without_recursion() -> None:
    x = Input(2)
    h = x
    for _ in range(3000):
        h = layers.ReLU()(h)
    model = Model(x, h)
    assert len(model.layers) == 3000
    np.testing.assert_allclose(model.predict(A[:, :2]), relu(A[:, :2]), rtol=1e-6)


@by_network
def test_files_that_python_has_not_written(network: Any, tmp_path: Path) -> None:
    model, x, _ = network("float32")
    path = tmp_path / "m.safetensors"
    _core.save_model(model._core("save"), path, True, {}, {})
    loaded = laminar.load_model(path)
    assert type(loaded) is Model
    arrays = list(x.values())
    np.testing.assert_array_equal(loaded.predict(arrays), model.predict(x))
    if len(x) > 1:  # of one input the core keeps no name
        assert loaded.input_names == model.input_names
        np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert kinds_of(loaded.weights) == kinds_of(model.weights)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]


def test_chains_are_exported_as_stacks_are() -> None:
    x = Input(4)
    chain = Model(x, layers.Dense(2, "softmax")(layers.Dense(3, "relu")(x)), name="m", seed=1)
    stack = Sequential(
        [Input(4), layers.Dense(3, "relu"), layers.Dense(2, "softmax")], name="m", seed=1
    )
    np.testing.assert_array_equal(chain.predict(A), stack.predict(A))
    assert chain.to_c() == stack.to_c()
    assert chain.to_hpp() == stack.to_hpp()
