# SPDX-License-Identifier: Apache-2.0
"""Layers and models that are called on arrays, and what layers tell of themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from laminar import Input, Sequential, layers

X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)


def test_a_layer_computes_at_once_and_keeps_its_weights() -> None:
    layer = layers.Dense(4, "relu")
    assert not layer.built
    y = layer(X)
    assert layer.built
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(y, np.maximum(X @ kernel + bias, 0), atol=1e-6)
    np.testing.assert_array_equal(layer(X.astype(np.float64)), y)
    np.testing.assert_array_equal(layer(X, training=False), y)
    model = Sequential([layer, layers.Dense(2)])
    model.build(6)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)
    assert not np.array_equal(layer(X), y)
    np.testing.assert_array_equal(model.layers[1](layer(X)), model.predict(X))
    np.testing.assert_array_equal(model(X), model.predict(X))
    np.testing.assert_array_equal(model(X, training=False), model.predict(X))


def test_layers_without_weights_and_of_float64() -> None:
    np.testing.assert_array_equal(layers.Dropout(0.5)(X), X)
    np.testing.assert_array_equal(layers.Flatten()(X.reshape(20, 2, 3)), X)
    np.testing.assert_array_equal(layers.Reshape((2, -1))(X), X.reshape(20, 2, 3))
    np.testing.assert_array_equal(layers.ReLU()(X), np.maximum(X, 0))
    model = Sequential([Input(6), layers.Dense(3)], dtype="float64", seed=1)
    assert model.layers[0](X).dtype == np.float64
    np.testing.assert_array_equal(model.layers[0](X), model.predict(X))
    normalized = layers.Normalization()
    normalized.adapt(X)
    np.testing.assert_allclose(normalized(X), (X - X.mean(0)) / X.std(0), atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda d: d(X[:, :5]), ValueError, r"layer 'd': its weights, of shapes \[\(6, 3\), \(3,"),
        (lambda d: d(X[0]), ValueError, r"layer 'd': inputs must have two dimensions"),
        (lambda d: d([["a"]]), TypeError, r"layer 'd': inputs must hold booleans, integers"),
        (lambda d: d(X, training=True), NotImplementedError, "training=True is not supported"),
        (lambda d: d(X, training=1), TypeError, "training must be True or False"),
        (lambda d: d([X, Input(6)]), TypeError, "symbols or arrays, got both in one list"),
        (lambda d: d([Input(6), Input(6)]), ValueError, "takes one symbol, got a list of 2"),
        (lambda d: Sequential([d])(X, training=1), TypeError, "training must be True or False"),
        (lambda d: Sequential([d])([Input(6), X]), TypeError, "takes symbols or arrays, got both"),
    ],
)
def test_what_cannot_be_computed(call: Any, error: type[Exception], message: str) -> None:
    layer = layers.Dense(3, name="d")
    layer(X)
    before = layer.get_weights()
    with pytest.raises(error, match=message):
        call(layer)
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_weights_by_name() -> None:
    stack = [layers.Dense(4), layers.BatchNormalization(), layers.Dense(2, use_bias=False)]
    model = Sequential([Input(6), *stack, layers.LayerNormalization(), layers.PReLU()])
    first, batch, last, norm, prelu = model.layers
    np.testing.assert_array_equal(first.kernel, model.get_weights()[0])
    np.testing.assert_array_equal(first.bias, np.zeros(4))
    assert last.bias is None
    assert [w.name for w in first.weights] == ["dense/kernel", "dense/bias"]
    assert [w.trainable for w in batch.weights] == [True, True, False, False]
    np.testing.assert_array_equal(batch.gamma, np.ones(4))
    np.testing.assert_array_equal(batch.moving_variance, np.ones(4))
    np.testing.assert_array_equal(norm.beta, np.zeros(2))
    np.testing.assert_array_equal(prelu.alpha, np.zeros(2))
    with pytest.raises(AttributeError, match="Dense: kernel cannot be set"):
        first.kernel = np.zeros((6, 4))
    with pytest.raises(ValueError, match="read-only"):
        first.kernel[0] = 1
    with pytest.raises(ValueError, match="layer 'dense' has no weights and no shape yet"):
        _ = layers.Dense(3).kernel


def test_get_layer() -> None:
    model = Sequential([Input(6), layers.Dense(4), layers.Dense(2, name="last")])
    assert model.get_layer("dense") is model.get_layer(index=0) is model.layers[0]
    assert model.get_layer("last") is model.get_layer(index=-1)
    for given, error, message in (
        ({}, ValueError, "give a name or an index, got None and None"),
        ({"name": "last", "index": 1}, ValueError, "give a name or an index, got 'last' and 1"),
        ({"name": "lst"}, ValueError, "there is no layer 'lst'; did you mean 'last'"),
        ({"index": 2}, ValueError, "the model has 2 layers, got index 2"),
        ({"index": "a"}, TypeError, "index must be an integer, got 'a'"),
        ({"name": 3}, TypeError, "name must be a string, got 3"),
    ):
        with pytest.raises(error, match=message):
            model.get_layer(**given)  # type: ignore[arg-type]


def test_one_batch_as_keras_has_it() -> None:
    model = Sequential([Input(6), layers.Dense(2)], seed=1)
    model.compile("sgd", "mse", metrics=["mae"])
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X))
    assert model.test_on_batch(X, X[:, :2]) == model.evaluate(X, X[:, :2])
    found = model.test_on_batch(X, X[:, :2], sample_weight=np.ones(20), return_dict=True)
    assert list(found) == ["loss", "mae"]


def test_symbols_of_a_sequential() -> None:
    model = Sequential([layers.Dense(4), layers.Dense(2)])
    for name in ("inputs", "outputs", "input", "output"):
        with pytest.raises(ValueError, match=f"{name.rstrip('s')}s: the model is not built"):
            getattr(model, name)
    model.build(6)
    assert model.input.shape == (6,)  # type: ignore[union-attr]
    assert model.layers[0].output.shape == (4,)
    assert model.layers[1].input is model.layers[0].output
    assert model.output is model.layers[1].output is model.outputs[0]
    assert model.layers[0].input is model.input
    with pytest.raises(ValueError, match="layer 'dense' has no input and output"):
        _ = layers.Dense(2).output
    model.add(layers.Dense(1))
    assert model.output.shape == (1,)  # type: ignore[union-attr]
