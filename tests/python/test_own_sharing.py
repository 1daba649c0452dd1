# SPDX-License-Identifier: Apache-2.0
"""Layers and models inside layers of one's own, which other models have as well."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laminar import Input, Model, Sequential, layers, models

Array = Any


class Chain(layers.Layer):
    """Layers or models one after the other."""

    def __init__(self, *parts: Any) -> None:
        super().__init__()
        self.parts = list(parts)

    def call(self, inputs: Any) -> Any:
        """Return what the last one makes."""
        for part in self.parts:
            inputs = part(inputs)
        return inputs


@pytest.fixture
def x(rng: np.random.Generator) -> Array:
    return rng.normal(size=(20, 6)).astype(np.float32)


def trained(model: Any, x: Array, y: Array) -> None:
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)


def same(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(np.array_equal, a, b))


def test_weights_that_layers_have_already_come_along(x: Array) -> None:
    first, second = layers.Dense(6), layers.Dense(6)
    second(x)
    known = second.get_weights()
    block = Chain(first, second)
    model = Sequential([block])
    expected = second(first(x))
    np.testing.assert_array_equal(model.predict(x), expected)
    assert same(second.get_weights(), known)
    alone = Chain(layers.Dense(6), Chain(second))
    with pytest.raises(
        ValueError, match=r"'dense' is inside layer 'chain' already, .*make another"
    ):
        alone(x)


@pytest.mark.parametrize("number", [0, 1])
def test_a_model_of_a_layer_inside_follows(x: Array, number: int) -> None:
    block = Chain(layers.Dense(6), layers.Dense(6))
    model = Sequential([block])
    trained(model, x, x)
    inner = block.parts[number]
    beside = Sequential([Input((6,)), inner])
    for _ in range(2):
        assert same(beside.get_weights(), inner.get_weights())
        np.testing.assert_array_equal(beside.predict(x), inner(x))
        model.fit(x, x, verbose=0)
    inner.set_weights([np.eye(6), np.ones(6)])
    np.testing.assert_array_equal(beside.predict(x), x + 1)
    np.testing.assert_array_equal(model.predict(x), block(x))
    beside.compile("adam", "mse")
    with pytest.raises(RuntimeError, match="fit: layer 'dense' is inside layer 'chain', which has"):
        beside.fit(x, x, verbose=0)
    with pytest.raises(RuntimeError, match="set_weights: layer 'dense' is inside"):
        beside.set_weights(beside.get_weights())
    trained(model, x, x)
    np.testing.assert_array_equal(beside.predict(x), inner(x))


def test_a_model_that_goes_leaves_what_was_learned_to_those_that_follow(x: Array) -> None:
    inner = layers.Dense(6)
    beside = Sequential([Input((6,)), inner])
    model = Sequential([Chain(inner, layers.Dense(6))])
    trained(model, x, x)
    known = inner.get_weights()
    del model
    gc.collect()
    assert same(inner.get_weights(), known)
    np.testing.assert_array_equal(beside.predict(x), inner(x))
    assert same(beside.get_weights(), known)
    inner.set_weights([np.eye(6), np.ones(6)])
    np.testing.assert_array_equal(beside.predict(x), x + 1)
    trained(beside, x, x)
    assert same(beside.get_weights(), inner.get_weights())


def test_models_are_inside_as_layers_are(x: Array, tmp_path: Path) -> None:
    encoder = Sequential([Input((6,)), layers.Dense(4, "relu"), layers.Dropout(0.5)])
    trained(encoder, x, x[:, :4])
    known = encoder.get_weights()
    decoder = Sequential([layers.Dense(8, "tanh"), layers.Dense(6)])
    block = Chain(encoder, decoder)
    model = Sequential([block])
    output = model.predict(x)
    assert same(encoder.get_weights(), known)
    np.testing.assert_allclose(output, decoder.predict(encoder.predict(x)), rtol=1e-6, atol=1e-6)
    assert len(model.trainable_variables) == 6
    model.compile("adam", "mse")
    model.fit(x, x, epochs=2, verbose=0)
    assert not same(encoder.get_weights(), known)
    output = model.predict(x)
    np.testing.assert_allclose(output, decoder.predict(encoder.predict(x)), rtol=1e-6, atol=1e-6)

    encoder.trainable = False
    known = encoder.get_weights()
    trained(model, x, x)
    assert same(encoder.get_weights(), known)
    assert len(model.trainable_variables) == 4

    model.save(tmp_path / "model.safetensors")
    loaded = models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))

    del model, block
    gc.collect()  # nobody else has the encoder any more
    encoder.trainable = True
    trained(encoder, x, x[:, :4])
    assert not same(encoder.get_weights(), known)


def test_graphs_are_inside_with_several_inputs_and_outputs(x: Array) -> None:
    a, b = Input((6,), name="a"), Input((3,), name="b")
    sums = layers.add([layers.Dense(3)(a), layers.Dense(3, "tanh")(b)])
    graph = Model({"a": a, "b": b}, {"sums": sums, "b": layers.Dense(3)(b)})

    class Inner(layers.Layer):
        """A graph's outputs, multiplied."""

        def __init__(self) -> None:
            super().__init__()
            self.graph = graph

        def call(self, inputs: Any) -> Any:
            """Give it all columns, and the first three."""
            made = self.graph({"a": inputs, "b": inputs[:, :3]})
            return made["sums"] * made["b"]

    model = Sequential([Inner()])
    trained(model, x, x[:, :3])
    made = graph.predict({"a": x, "b": x[:, :3]})
    np.testing.assert_allclose(model.predict(x), made["sums"] * made["b"], rtol=1e-6, atol=1e-6)


def test_training_reaches_models_inside(x: Array) -> None:
    block = Chain(Sequential([layers.Dropout(0.5)]))
    np.testing.assert_array_equal(block(x), x)
    assert np.mean(np.asarray(block(x, training=True)) == 0) > 0.2


def test_a_layer_of_two_models_has_its_layers_in_both(x: Array) -> None:
    block, start = Chain(layers.Dense(6)), Input((6,))
    inner = block.parts[0]
    both = [Model(start, block(start)), Model(start, block(start))]
    for model in (*both, both[0]):
        trained(model, x, x)
        for each in both:
            np.testing.assert_array_equal(each.predict(x), inner(x))


def test_layers_frozen_inside_are_not_listed_as_trained(x: Array) -> None:
    block = Chain(layers.Dense(6), layers.Dense(6))
    model = Sequential([block])
    trained(model, x, x)
    kept = model.trainable_variables
    block.parts[0].trainable = False
    trained(model, x, x)
    assert [id(each) for each in model.trainable_variables] == [id(each) for each in kept[2:]]
    block.parts[0].trainable = True
    trained(model, x, x)
    assert len(model.trainable_variables) == 4


@pytest.mark.parametrize("inside_first", [False, True])
def test_a_layer_is_not_inside_and_beside(x: Array, inside_first: bool) -> None:
    inner, start = layers.Dense(6), Input((6,))
    parts = [Chain(inner), inner] if inside_first else [inner, Chain(inner)]
    with pytest.raises(ValueError, match=r"'dense' is inside .*'chain' and beside it in the model"):
        Model(start, parts[1](parts[0](start))).predict(x)


def test_a_layer_is_not_inside_two(x: Array) -> None:
    inner = layers.Dense(6)
    with pytest.raises(ValueError, match=r"'dense' is inside layer 'chain' already"):
        Sequential([Chain(inner), Chain(inner)]).predict(x)


def test_a_model_of_another_width_is_refused(x: Array) -> None:
    with pytest.raises(ValueError, match=r"model 'narrow': input must have shape \(5,\), got \(6,"):
        Chain(Sequential([Input((5,)), layers.Dense(2)], name="narrow"))(x)
    with pytest.raises(ValueError, match="model 'empty': has no layers to call"):
        Chain(Sequential(name="empty"))(x)


def test_layers_inside_may_share_layers(x: Array) -> None:
    shared, other = layers.Dense(6), layers.Dense(6)
    first, second = Chain(shared), Chain(other, shared)
    model = Sequential([Chain(first, second)])
    np.testing.assert_array_equal(model.predict(x), shared(other(shared(x))))
    assert model.count_params() == 84
    assert same(first.get_weights(), shared.get_weights())
    assert same(model.get_weights(), [*shared.get_weights(), *other.get_weights()])
    with pytest.raises(ValueError, match="layer 'chain' has no weights"):  # in one place
        second.get_weights()
