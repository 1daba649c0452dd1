# SPDX-License-Identifier: Apache-2.0
"""Weights of models and layers as variables: their facts, what is assigned, and what they serve."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import GradientTape, Input, Model, Sequential, layers, ops, optimizers

X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)


class Scaled(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.factors = self.add_weight((input_shape[-1],), "ones", constraint="non_neg")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factors


class Tied(layers.Layer):
    """An encoder whose kernel decodes as well."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.encoder = layers.Dense(units, "tanh")

    def call(self, inputs: Any) -> Any:
        code = self.encoder(inputs)
        return ops.matmul(code, ops.transpose(self.encoder.kernel))


def net(dtype: str = "float32") -> Sequential:
    parts = [layers.Dense(4), Scaled(), layers.BatchNormalization(), layers.Dense(2)]
    return Sequential([Input(6), *parts], seed=1, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_facts_and_numbers(dtype: str) -> None:
    model = net(dtype)
    names = ["kernel", "bias", "factors", "gamma", "beta", "moving_mean", "moving_variance"]
    assert [w.name.rpartition("/")[2] for w in model.weights] == [*names, "kernel", "bias"]
    for weight, array in zip(model.weights, model.get_weights(), strict=True):
        assert weight.shape == array.shape
        assert weight.dtype == dtype
        np.testing.assert_array_equal(weight.numpy(), array)
        np.testing.assert_array_equal(np.asarray(weight), array)
        weight.numpy()[...] = 7  # a copy
        np.testing.assert_array_equal(weight, array)
    assert [w.trainable for w in model.weights] == [True] * 5 + [False] * 2 + [True] * 2
    assert [id(w) for layer in model.layers for w in layer.weights] == [
        id(w) for w in model.weights
    ]
    assert [id(w) for w in model.trainable_weights] == [id(w) for w in model.trainable_variables]


def test_what_is_assigned_is_in_the_model() -> None:
    model = net()
    dense = model.layers[0]
    assert dense.kernel is model.weights[0] is dense.weights[0]
    assert dense.bias is not None
    without = layers.Dense(3, use_bias=False)
    without.build((None, 6))
    assert without.bias is None
    model.predict(X)
    dense.kernel.assign(np.zeros((6, 4)))
    assert dense.bias.assign(np.arange(4.0)) is dense.bias
    dense.bias.assign_add(np.ones(4))
    dense.bias.assign_sub(np.full(4, 0.5))
    np.testing.assert_array_equal(model.get_weights()[0], np.zeros((6, 4)))
    np.testing.assert_array_equal(model.get_weights()[1], np.arange(4) + 0.5)
    np.testing.assert_array_equal(dense(X), np.tile(np.arange(4) + 0.5, (20, 1)))
    model.weights[2].assign([1, 2, 3, 4])
    np.testing.assert_array_equal(model.layers[1].factors, [1, 2, 3, 4])
    model.layers[2].moving_mean.assign(np.full(4, 2.0))
    np.testing.assert_array_equal(model.get_weights()[5], np.full(4, 2.0))
    before = model.get_weights()
    for value, message in ((np.zeros(3), "must be of shape"), (["a"] * 4, "must hold booleans")):
        with pytest.raises((TypeError, ValueError), match=f"variable 'dense/bias': .*{message}"):
            dense.bias.assign(value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_they_serve_as_arrays() -> None:
    dense = layers.Dense(4)
    y = dense(X)
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(np.asarray(X @ dense.kernel + dense.bias), y, rtol=1e-5, atol=1e-6)
    assert dense.kernel is not None
    assert dense.kernel != None  # noqa: E711  # what is written about biases
    assert layers.Dense(4, use_bias=False)(X).shape == (20, 4)
    assert (dense.kernel.min(), dense.kernel.mean()) == (kernel.min(), kernel.mean())
    assert (dense.kernel == kernel).all()
    assert dense.kernel.tolist() == kernel.tolist()
    assert dense.kernel.flags.writeable is False
    np.testing.assert_array_equal(dense.kernel.T, kernel.T)
    np.testing.assert_array_equal(dense.kernel[1:, 0], kernel[1:, 0])
    np.testing.assert_array_equal(dense.kernel[[0, 2]], kernel[[0, 2]])
    np.testing.assert_array_equal(dense.kernel[kernel > 0], kernel[kernel > 0])
    np.testing.assert_array_equal(np.concatenate([dense.bias, dense.bias]), [0] * 8)
    np.testing.assert_array_equal([row for row in dense.kernel], kernel)
    assert len(dense.kernel) == 6
    assert "shape (6, 4)" in repr(dense.kernel)
    for copied in (copy.copy(dense.bias), copy.deepcopy(dense.bias), np.array(dense.bias)):
        assert type(copied) is np.ndarray
        copied += 1
    assert type(pickle.loads(pickle.dumps(dense.kernel))) is np.ndarray
    np.testing.assert_array_equal(dense.bias, bias)
    with pytest.raises(ValueError, match="its parts are read-only; assign gives"):
        dense.kernel[0] = 1
    with pytest.raises(AttributeError, match="kernel cannot be set; assign and set_weights"):
        dense.kernel = kernel
    with pytest.raises(AttributeError, match="'Weight' object has no attribute 'asign'"):
        dense.kernel.asign(kernel)


def test_tapes_follow_them() -> None:
    model = net()
    dense = model.layers[0]
    with GradientTape() as tape:
        loss = ops.mean(model(X) ** 2) + ops.sum(dense.kernel**2)
        with pytest.raises(AttributeError, match=r"a tape could follow; write laminar\.ops\.mean"):
            dense.kernel.mean()
    by_kernel, by_factors = tape.gradient(loss, [dense.kernel, model.layers[1].factors])
    assert (by_kernel.shape, by_factors.shape) == ((6, 4), (4,))
    optimizers.SGD(0.1).apply_gradients([(by_kernel, dense.kernel)])
    assert not np.array_equal(dense.kernel, net().layers[0].kernel)


def test_constraints_of_own_weights_hold_after_an_update() -> None:
    model = net()
    weights = model.trainable_weights
    with GradientTape() as tape:
        loss = ops.sum(model.layers[1].factors * 100)
    optimizer = optimizers.SGD(1.0)
    optimizer.apply_gradients([(tape.gradient(loss, weights[2]), weights[2])])
    np.testing.assert_array_equal(model.layers[1].factors, np.zeros(4))


def test_what_is_known_of_them_follows_the_model() -> None:
    model = net()
    kernel = model.weights[0]
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    assert model.weights[0] is kernel
    assert [w.trainable for w in model.weights[:3]] == [False, False, True]
    assert [w.name for w in model.trainable_weights] == [
        "scaled/factors",
        "batch_normalization/gamma",
        "batch_normalization/beta",
        "dense_1/kernel",
        "dense_1/bias",
    ]
    model.layers[0].trainable = True
    model.compile("sgd", "mse")
    assert model.weights[0].trainable


def test_layers_in_two_models_and_inside_another() -> None:
    start = Input(6)
    shared = layers.Dense(3)
    one = Model(start, shared(start))
    two = Model(start, layers.Dense(1)(shared(start)))
    two.weights[0].assign(np.ones((6, 3)))
    np.testing.assert_array_equal(one.get_weights()[0], np.ones((6, 3)))
    assert one.weights[0] is two.weights[0] is shared.kernel
    tied = Sequential([Input(6), Tied(2)])
    inner = tied.layers[0].encoder
    assert [w.name for w in tied.weights] == ["tied/encoder/kernel", "tied/encoder/bias"]
    assert inner.kernel is tied.weights[0]
    inner.kernel.assign(np.zeros((6, 2)))
    np.testing.assert_array_equal(tied.predict(X), np.zeros((20, 6)))


def test_a_kernel_is_used_twice_in_a_layer_of_one_s_own() -> None:
    model = Sequential([Input(6), Tied(2)], seed=2)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(
        model.predict(X), np.tanh(X @ kernel + bias) @ kernel.T, rtol=1e-5, atol=1e-6
    )
    model.compile("adam", "mse")
    losses = model.fit(X, X, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_weights_of_many_layers_are_found_at_once() -> None:
    model = Sequential([Input(2), *(layers.Dense(2) for _ in range(400))])
    assert len(model.weights) == 800
    assert len({w.name for w in model.weights}) == 800


def test_assign_while_another_thread_trains_is_refused() -> None:
    model = net()
    model.compile("sgd", "mse")
    begun, done = threading.Event(), threading.Event()
    errors: list[str] = []

    class Waiting(laminar.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                begun.set()
                done.wait(30)

    y = np.zeros((20, 2), np.float32)
    thread = threading.Thread(
        target=lambda: model.fit(X, y, epochs=2, verbose=0, callbacks=[Waiting()])
    )
    kernel = model.weights[0]
    thread.start()
    assert begun.wait(30)
    try:
        kernel.assign(np.zeros((6, 4)))
    except RuntimeError as error:
        errors.append(str(error))
    finally:
        done.set()
        thread.join()
    assert "assign" in errors[0]
