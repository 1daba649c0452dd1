# SPDX-License-Identifier: Apache-2.0
"""Layers of the user's own: what they compute, that they train, and that files need no class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import run_python

import laminar
from laminar import Input, Model, Sequential, layers, models, ops, utils

Array = NDArray[np.float32]


def softcap(x: Any) -> Any:
    return 3 * ops.tanh(x / 3)


class Affine(layers.Layer):
    def __init__(self, units: int = 4, activation: str = "tanh", **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.activation = activation

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], self.units), "glorot_uniform")
        self.bias = self.add_weight((self.units,), "zeros")
        self.built = True

    def call(self, inputs: Any) -> Any:
        return getattr(ops, self.activation)(inputs @ self.kernel + self.bias)


class Block(layers.Layer):
    """A gated residual block: layers of both kinds inside, one of them used twice."""

    def __init__(self, units: int, rate: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.rate = units, rate
        self.first = layers.Dense(units, "relu")
        self.gate = Affine(units, "sigmoid")
        self.parts = [layers.LayerNormalization(), layers.Dropout(rate)]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        hidden = self.parts[0](self.first(inputs))
        gate = self.gate(hidden)
        return self.parts[1](hidden * gate + self.first(inputs))


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[Array, Array]:
    x = rng.normal(size=(64, 3)).astype(np.float32)
    return x, x.sum(axis=1)


def trained(model: Any, data: tuple[Array, Array], epochs: int = 3, **options: Any) -> list[float]:
    if not model._compiled:
        model.compile("adam", "mse")
    history = model.fit(*data, epochs=epochs, batch_size=16, verbose=0, **options)
    return list(history.history["loss"])


def test_arrays_are_computed_at_once(data: tuple[Array, Array]) -> None:
    layer = Affine(5)
    y = layer(data[0])
    expected = np.tanh(data[0] @ layer.kernel.numpy() + layer.bias.numpy())
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)
    assert [w.name for w in layer.weights] == ["affine/kernel", "affine/bias"]
    assert layer.count_params() == 20
    assert layer.built
    np.testing.assert_array_equal(layer(data[0][:2]), y[:2])


def test_it_is_as_good_as_the_layer_there_is(data: tuple[Array, Array]) -> None:
    weights = None
    results = []
    for kind in (Affine(8), layers.Dense(8, "tanh")):
        model = Sequential([Input((3,)), kind, layers.Dense(1)], seed=3)
        weights = model.get_weights() if weights is None else weights
        model.set_weights(weights)
        losses = trained(model, data, epochs=5)
        results.append((losses, model.predict(data[0])))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-4)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-3, atol=1e-4)


def by_differences(model: Any, x: Any, d_y: Any) -> list[Any]:
    """Return the gradients of sum(d_y * model(x)) by the weights."""
    weights = model.get_weights()
    gradients = [np.zeros_like(w) for w in weights]
    for k, weight in enumerate(weights):
        for place in np.ndindex(weight.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = [w.copy() for w in weights]
                moved[k][place] += step
                model.set_weights(moved)
                sides.append(float((model.predict(x) * d_y).sum()))
            gradients[k][place] = (sides[0] - sides[1]) / 2e-6
    model.set_weights(weights)
    return gradients


def test_gradients(rng: np.random.Generator) -> None:
    start = Input((3,))
    model = Model(start, layers.Dense(2)(Block(4)(start)), seed=0, dtype="float64")
    x, d_y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    d_x, made = model.vjp(x, d_y)
    expected = by_differences(model, x, d_y)
    for ours, theirs in zip(made, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    step = 1e-6 * np.eye(3)[0]
    moved = (model.predict(x + step) - model.predict(x - step)) / 2e-6
    np.testing.assert_allclose(d_x[:, 0], (moved * d_y).sum(axis=1), rtol=1e-6, atol=1e-7)


def test_several_threads_give_the_same_bits(data: tuple[Array, Array]) -> None:
    found = []
    for threads in (1, 3):
        laminar.set_num_threads(threads)
        start = Input((3,))
        model = Model(start, layers.Dense(1)(Block(16, rate=0.3)(start)), seed=1)
        trained(model, data)
        found.append(model.get_weights())
    for one, several in zip(*found, strict=True):
        np.testing.assert_array_equal(one, several)


def test_layers_inside_have_weights_once(data: tuple[Array, Array]) -> None:
    block = Block(4, name="b")
    start = Input((3,))
    model = Model(start, layers.Dense(1)(block(start)))
    names = [w.name for w in block.weights]
    assert names == [
        "b/first/kernel",
        "b/first/bias",
        "b/gate/kernel",
        "b/gate/bias",
        "b/parts_0/gamma",
        "b/parts_0/beta",
    ]
    assert block.first.get_weights()[0].shape == (3, 4)
    assert block.gate.kernel.numpy().shape == (4, 4)
    assert block.first.count_params() == 16
    before = block.first.get_weights()[0]
    trained(model, data)
    assert not np.array_equal(block.first.get_weights()[0], before)
    block.gate.bias.assign(np.full(4, 2.0))
    np.testing.assert_array_equal(model.get_weights()[3], np.full(4, 2.0))


def test_training_differs_where_it_is_asked_for(data: tuple[Array, Array]) -> None:
    class Noisy(layers.Layer):
        def call(self, inputs: Any, training: bool | None = None) -> Any:
            return inputs + 100.0 if training else inputs

    model = Sequential([Input((3,)), Noisy(), layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x, y = data
    predicted = model.evaluate(x, y, verbose=0)
    model.set_weights([np.ones((3, 1)), np.zeros(1)])
    assert model.train_on_batch(x, y) > 1e4 > predicted
    np.testing.assert_allclose(Noisy()(x), x)
    np.testing.assert_allclose(Noisy()(x, training=True), x + 100.0)
    block = Block(400, rate=0.5)
    first, second = block(x, training=True), block(x, training=True)
    assert 0.4 < np.mean(first == 0) < 0.6
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(block(x), block(x, training=False))


def test_the_layer_is_traced_once_for_each_mode(data: tuple[Array, Array]) -> None:
    calls: list[Any] = []

    class Counted(layers.Layer):
        def call(self, inputs: Any, training: bool | None = None) -> Any:
            calls.append((inputs.shape, training))
            return inputs

    model = Sequential([Input((3,)), Counted(), layers.Dense(1)])
    trained(model, data, epochs=2)
    model.predict(data[0])
    assert calls == [((None, 3), False), ((None, 3), True)]


def test_several_inputs() -> None:
    class Mixed(layers.Layer):
        def build(self, input_shape: Any) -> None:
            assert input_shape == [(None, 3), (None, 2, 4)]
            self.weight = self.add_weight((3, 4))

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return ops.matmul(b, ops.expand_dims(a @ self.weight, -1))[:, :, 0]

    a, b = np.ones((5, 3), np.float32), np.ones((5, 2, 4), np.float32)
    layer = Mixed()
    y = layer([a, b])
    assert y.shape == (5, 2)
    starts = [Input((3,)), Input((2, 4))]
    model = Model(starts, layer(starts))
    np.testing.assert_array_equal(model.predict([a, b]), y)


def test_lambda(data: tuple[Array, Array], tmp_path: Path) -> None:
    layer = layers.Lambda(lambda x: ops.square(x) + 1)
    np.testing.assert_allclose(layer(data[0]), data[0] ** 2 + 1, rtol=1e-6)
    model = Sequential([Input((3,)), layer, layers.Dense(1)])
    trained(model, data)
    model.save(tmp_path / "model.safetensors")
    again = models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(data[0]), model.predict(data[0]))
    assert Sequential.from_config(model.get_config()).layers[0].name == "lambda"


def test_initializers_may_be_functions_and_values_may_be_given() -> None:
    class Grid(layers.Layer):
        def build(self, input_shape: Any) -> None:
            def spaced(shape: Any, dtype: Any = None) -> Any:
                return np.linspace(0, 1, shape[0])

            self.centres = self.add_weight((5,), spaced, trainable=False)
            self.factor = self.add_weight(initializer="ones", name="factor")

        def call(self, inputs: Any) -> Any:
            return ops.exp(-ops.square(inputs - self.centres) * self.factor)

    layer = Grid()
    x = np.array([[0.25]], np.float32)
    np.testing.assert_allclose(layer(x), np.exp(-((x - np.linspace(0, 1, 5)) ** 2)), rtol=1e-6)
    assert [w.trainable for w in layer.weights] == [False, True]
    layer.factor.assign(4.0)
    np.testing.assert_allclose(layer(x), np.exp(-4 * (x - np.linspace(0, 1, 5)) ** 2), rtol=1e-6)


def test_regularizers_and_constraints(data: tuple[Array, Array]) -> None:
    class Held(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(
                (input_shape[-1], 1), "ones", regularizer="l2", constraint="non_neg"
            )

        def call(self, inputs: Any) -> Any:
            return inputs @ self.kernel

    model = Sequential([Input((3,)), Held()])
    trained(model, (data[0], -data[1]), epochs=20)
    assert model.get_weights()[0].min() >= 0


def test_frozen_layers_stay(data: tuple[Array, Array]) -> None:
    block = Block(4)
    block.gate.trainable = False
    start = Input((3,))
    model = Model(start, layers.Dense(1)(block(start)))
    before = block.gate.get_weights()
    trained(model, data)
    for old, new in zip(before, block.gate.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_names(data: tuple[Array, Array], tmp_path: Path) -> None:
    class Dense(Affine):  # which the core has a layer of
        pass

    names = {"affine", "affine_1", "affine_2", "dense", "dense_1", "dense_2", "b"}
    stack = [Affine(), Affine(), Dense(), layers.Dense(4, softcap), layers.Dense(4)]
    stack += [Affine(name="b"), Affine()]
    model = Sequential([Input((3,)), *stack])
    assert {layer.name for layer in model.layers} == names
    assert len({weight.name for weight in model.weights}) == 14
    model.save(tmp_path / "model.safetensors")
    again = models.load_model(tmp_path / "model.safetensors")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    made = [layer for layer in stack if layer.name != "b"]
    assert made[0].name == "affine"
    start = Input((3,))
    graph = Model(start, Affine()(Affine()(start)))
    assert [layer.name for layer in graph.layers] == ["affine", "affine_1"]


def test_layers_inside_can_be_frozen_and_freed(data: tuple[Array, Array], tmp_path: Path) -> None:
    block = Block(4)
    block.gate.trainable = False
    start = Input((3,))
    model = Model(start, layers.Dense(1)(block(start)))
    trained(model, data)
    model.save(tmp_path / "model.safetensors")
    frozen = block.gate.get_weights()
    for known in ({}, {"Block": Block}):
        again = models.load_model(tmp_path / "model.safetensors", custom_objects=known)
        trained(again, data)
        kept = again.get_weights()[2:4]
        for old, new in zip(frozen, kept, strict=True):
            np.testing.assert_array_equal(old, new)
        again.compile("adam", "mse")  # nothing has changed
        trained(again, data)
        np.testing.assert_array_equal(again.get_weights()[2], frozen[0])
    block.gate.trainable = True
    trained(model, data)
    np.testing.assert_array_equal(block.gate.get_weights()[0], frozen[0])  # not yet compiled
    model.compile("adam", "mse")
    trained(model, data)
    assert not np.array_equal(block.gate.get_weights()[0], frozen[0])


INSIDE = [
    layers.Dense(3, "gelu"),
    layers.Dense(2, use_bias=False),
    layers.Activation("selu"),
    layers.LeakyReLU(0.2),
    layers.Softmax(),
    layers.PReLU(),
    layers.Maxout(3),
    layers.LayerNormalization(),
    layers.RMSNormalization(),
    layers.Dropout(0.5),
    layers.AlphaDropout(0.5),
    layers.GaussianNoise(0.5),
    layers.GaussianDropout(0.5),
    layers.Rescaling(2.0, 1.0),
    layers.Normalization(mean=[0.0, 1, 2, 3], variance=[1.0, 4, 9, 0]),
    layers.Reshape((2, 2)),
    layers.Flatten(),
]
TWO = [
    layers.Add(),
    layers.Subtract(),
    layers.Multiply(),
    layers.Average(),
    layers.Maximum(),
    layers.Minimum(),
    layers.Concatenate(),
    layers.Dot(normalize=True),
]


def test_every_layer_is_inside_one_or_refused() -> None:
    from laminar.layers import _expanding

    apart = {"embedding", "operations", *_expanding._REASONS}
    tried = {layer._entry for layer in (*INSIDE, *TWO)} | apart
    assert tried == set(layers.Layer._classes)


@pytest.mark.parametrize("inner", [*INSIDE, *TWO], ids=lambda layer: type(layer).__name__)
def test_layers_of_laminar_inside(inner: Any, rng: np.random.Generator) -> None:
    inner = type(inner).from_config(inner.get_config())
    two = inner._merges

    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def call(self, inputs: Any) -> Any:
            return self.inner([inputs, ops.sin(inputs)] if two else inputs)

    x = rng.normal(size=(6, 4)).astype(np.float32)
    outer = Outer()
    y = outer(x)
    alone = type(inner).from_config(inner.get_config())
    given = [x, np.sin(x)] if two else x
    alone(given)
    if outer.built:
        moved = [rng.normal(size=w.shape).astype(np.float32) for w in outer.get_weights()]
        outer.set_weights(moved)
        alone.set_weights(moved)
    y = outer(x)
    np.testing.assert_allclose(y, alone(given), rtol=2e-5, atol=2e-6)


def test_an_embedding_inside() -> None:
    class Pair(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.table = layers.Embedding(5, 2)

        def call(self, inputs: Any) -> Any:
            return ops.sum(self.table(inputs), axis=1)

    layer = Pair()
    x = np.array([[0, 4], [2, 2]], np.float32)
    table = None if not layer(x).size else layer.table.embeddings
    np.testing.assert_allclose(layer(x), table[x.astype(int)].sum(axis=1), rtol=1e-6)


def test_operations_on_symbols(data: tuple[Array, Array], tmp_path: Path) -> None:
    a, b = Input((3,)), Input((3,))
    z = ops.exp(a) * 2 + b / 3 - 1
    z = ops.where(z > 0, z, -z)
    first, second = ops.split(ops.concatenate([z, a], axis=-1), 2, axis=1)
    y = layers.Dense(1)(first**2 + second[:, ::-1] + np.ones(3, np.float32) * abs(a))
    assert y.shape == (1,)
    model = Model([a, b], y)
    x = data[0]
    assert {"exp", "multiply", "where", "split", "split_1", "power", "getitem"} <= {
        layer.name for layer in model.layers
    }
    u = np.abs(np.exp(x) * 2 + x / 3 - 1)
    kernel, bias = model.get_weights()
    expected = (u**2 + x[:, ::-1] + np.abs(x)) @ kernel + bias
    np.testing.assert_allclose(model.predict([x, x]), expected, rtol=1e-5, atol=1e-5)
    model.compile("adam", "mse")
    model.fit([x, x], data[1], verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict([x, x]), model.predict([x, x]))


# ---- Files.

ELSEWHERE = """
import sys
import numpy as np
from laminar import models
model = models.load_model(sys.argv[1] if len(sys.argv) > 1 else {path!r})
x = np.load({data!r})
model.fit(x["x"], x["y"], epochs=2, batch_size=16, verbose=0)
np.savez({out!r}, *model.get_weights(), predicted=model.predict(x["x"]))
"""


def test_a_file_trains_on_where_nobody_knows_the_class(
    data: tuple[Array, Array], tmp_path: Path
) -> None:
    start = Input((3,))
    model = Model(start, layers.Dense(1)(Block(8, rate=0.2)(start)), seed=4)
    trained(model, data)
    path, kept, out = (str(tmp_path / n) for n in ("m.safetensors", "d.npz", "o.npz"))
    model.save(path)
    np.savez(kept, x=data[0], y=data[1])
    done = run_python(ELSEWHERE.format(path=path, data=kept, out=out))
    assert done.returncode == 0, done.stderr
    trained(model, data, epochs=2)
    found = np.load(out)
    np.testing.assert_array_equal(found["predicted"], model.predict(data[0]))
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_array_equal(found[f"arr_{i}"], weight)


def test_loaded_layers_are_of_their_class_where_that_is_known(
    data: tuple[Array, Array], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    model = Sequential([Input((3,)), Affine(4, "relu"), layers.Dense(1)])
    trained(model, data)
    model.save(path)
    plain = models.load_model(path)
    assert type(plain.layers[0]) is layers.Operations
    assert plain.layers[0].name == "affine"
    assert [w.name for w in plain.weights] == [w.name for w in model.weights]
    known = models.load_model(path, custom_objects={"Affine": Affine})
    assert type(known.layers[0]) is Affine
    assert known.layers[0].units == 4
    assert known.layers[0].activation == "relu"
    np.testing.assert_array_equal(known.layers[0].kernel, model.layers[0].kernel)
    with utils.custom_object_scope({"Affine": Affine}):
        assert type(models.load_model(path).layers[0]) is Affine
    again = tmp_path / "again.safetensors"
    plain.save(again)  # what has no class here has it there
    assert type(models.load_model(again, custom_objects={"Affine": Affine}).layers[0]) is Affine
    for other in (plain, known):
        np.testing.assert_array_equal(other.predict(data[0]), model.predict(data[0]))
    assert type(models.clone_model(model).layers[0]) is Affine


def test_registered_classes_are_found(data: tuple[Array, Array], tmp_path: Path) -> None:
    @utils.register_keras_serializable()
    class Doubled(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2

    path = tmp_path / "model.safetensors"
    model = Sequential([Input((3,)), Doubled(), layers.Dense(1)])
    model.save(path)
    assert type(models.load_model(path).layers[0]) is Doubled
    json.dumps(model.get_config())
    assert type(Sequential.from_config(model.get_config()).layers[0]) is Doubled


class Around(layers.Layer):
    """A layer around others, which are arguments."""

    def __init__(self, inner: Any, *more: Any, scale: float = 1.0) -> None:
        super().__init__()
        self.inner, self.more, self.scale = inner, more, scale

    def call(self, inputs: Any) -> Any:
        """Return what they make one after the other, scaled."""
        for layer in (self.inner, *self.more):
            inputs = layer(inputs)
        return inputs * self.scale


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: Around(layers.Dense(2, "tanh"), scale=3.0), Around),
        (lambda: Around(Around(layers.Dense(2), scale=2.0)), Around),
        (lambda: Around(layers.Dense(5), layers.Dense(2)), layers.Operations),
        (lambda: Around(Sequential([layers.Dense(2)])), layers.Operations),
        (lambda: Around(layers.Lambda(lambda x: x[:, :2])), layers.Operations),
    ],
    ids=["layer", "own layer", "more than named", "model", "lambda"],
)
def test_layers_as_arguments(
    make: Any, kind: type[Any], data: tuple[Array, Array], tmp_path: Path
) -> None:
    x, _ = data
    model = Sequential([Input((3,)), make()])
    expected = model.predict(x)
    model.save(tmp_path / "model.safetensors")
    for known, wanted in (({"Around": Around}, kind), ({}, layers.Operations)):
        loaded = models.load_model(tmp_path / "model.safetensors", custom_objects=known)
        assert type(loaded.layers[0]) is wanted
        np.testing.assert_array_equal(loaded.predict(x), expected)
    clone = models.clone_model(model)
    assert type(clone.layers[0]) is kind
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(x), expected)


def test_layers_of_classes_that_are_not_known_are_operations(
    data: tuple[Array, Array], tmp_path: Path
) -> None:
    class Inner(layers.Layer):
        """Nobody knows it later."""

        def call(self, inputs: Any) -> Any:
            """Return the square."""
            return inputs * inputs

    model = Sequential([Input((3,)), Around(Inner())])
    model.save(tmp_path / "model.safetensors")
    path = tmp_path / "model.safetensors"
    loaded = models.load_model(path, custom_objects={"Around": Around})
    assert type(loaded.layers[0]) is layers.Operations
    loaded = models.load_model(path, custom_objects={"Around": Around, "Inner": Inner})
    assert type(loaded.layers[0].inner) is Inner


def test_what_a_layer_inside_was_recorded_with_stays(data: tuple[Array, Array]) -> None:
    dropout = layers.Dropout(0.5)
    Sequential([Input((3,)), Around(layers.Dense(2), dropout)])
    with pytest.raises(AttributeError, match="rate cannot be changed inside layer 'around', whose"):
        dropout.rate = 0.1
