# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from laminar import Sequential, activations, initializers, layers, optimizers


def test_dense_takes_strings_objects_and_configurations() -> None:
    for activation in ("elu", activations.ELU(), activations.ELU, {"name": "elu"}, activations.elu):
        assert layers.Dense(3, activation).activation._spec() == {"name": "elu", "alpha": 1.0}
    dense = layers.Dense(3, kernel_initializer=initializers.RandomNormal(stddev=0.5))
    drawn = {"name": "random_normal", "mean": 0, "stddev": 0.5, "seed": None}
    assert dense.kernel_initializer._spec() == drawn


def test_spellings_of_older_keras() -> None:
    assert layers.Dropout(p=0.5).rate == 0.5  # type: ignore[call-arg]
    old = layers.Dense(output_dim=3, input_dim=4, init="ones", bias=False)  # type: ignore[call-arg]
    assert (old.units, old.input_shape, old.use_bias) == (3, (4,), False)
    assert layers.Input(input_shape=(4,)).shape == (4,)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Dense(0), ValueError, "Dense: units must be at least 1, got 0"),
        (lambda: layers.Dense(-3), ValueError, "Dense: units must be at least 1, got -3"),
        (lambda: layers.Dense(2.5), TypeError, "Dense: units must be an integer, got 2.5"),
        (lambda: layers.Dense("3"), TypeError, "Dense: units must be an integer, got '3'"),
        (lambda: layers.Dense(3, "rellu"), ValueError, "did you mean 'relu'"),
        (lambda: layers.Dense(3, use_bias=1), TypeError, "Dense: use_bias must be True or False"),
        (lambda: layers.Dense(unites=3), TypeError, "'unites'; did you mean 'units'"),
        (lambda: layers.Dense(3, kernel_initializer="he"), ValueError, "unknown initializer 'he'"),
        (lambda: layers.Dense(3, name=3), TypeError, "Dense: name must be a string, got 3"),
        (lambda: layers.Dense(3, activation=3), TypeError, "activation must be a name"),
        (lambda: layers.Dropout(1), ValueError, r"Dropout: rate must be in \[0, 1\)"),
        (lambda: layers.Dropout(-0.1), ValueError, r"Dropout: rate must be in \[0, 1\)"),
        (lambda: layers.Dropout("0.5"), TypeError, "Dropout: rate must be a number"),
        (lambda: layers.Activation(), TypeError, "activation"),
        (lambda: layers.Input(()), ValueError, "Input: shape must be the shape of one sample"),
        (lambda: layers.Dropout(0.5, seed=-1), ValueError, "Dropout: seed must be at least 0"),
        (lambda: layers.Dropout(0.5, seed=2**63), ValueError, "Dropout: seed must be less than"),
        (lambda: layers.GaussianNoise(-1), ValueError, "GaussianNoise: stddev must be at least 0"),
        (lambda: layers.AlphaDropout(1), ValueError, r"AlphaDropout: rate must be in \[0, 1\)"),
        (lambda: layers.Maxout(3, 0), ValueError, "Maxout: pieces must be at least 1"),
        (lambda: layers.Softmax(axis=1), ValueError, "Softmax: axis must be -1"),
        (
            lambda: layers.LayerNormalization(epsilon=0),
            ValueError,
            "epsilon must be greater than 0",
        ),
        (lambda: layers.RMSNormalization(epsilon=0), ValueError, "epsilon must be greater than 0"),
        (lambda: layers.LeakyReLU(-0.1), ValueError, "negative_slope must not be negative"),
        (lambda: layers.Reshape((-1, -1)), ValueError, "Reshape: target_shape must hold positive"),
        (lambda: layers.Reshape("ab"), TypeError, "Reshape: target_shape must be a tuple"),
        (lambda: layers.Rescaling("2"), TypeError, "Rescaling: scale must be a number"),
        (lambda: layers.Discretization([1, 1]), ValueError, "must be numbers that increase"),
        (lambda: layers.Discretization(3), TypeError, "bin_boundaries must be a list of numbers"),
        (lambda: layers.CategoryEncoding(3, "multihot"), ValueError, "did you mean 'multi_hot'"),
        (lambda: layers.Normalization(mean=1), ValueError, "mean and variance go together"),
        (lambda: layers.Normalization(mean=[1], variance=[-1]), ValueError, "must not be negative"),
        (lambda: layers.Input((0,)), ValueError, "Input: shape must be at least 1"),
        (lambda: layers.Input((None,)), ValueError, "shape must have a size for each axis"),
        (lambda: layers.Input((None, 3)), ValueError, r"without the rows, got \(None, 3\)"),
        (lambda: layers.Input(None), TypeError, "shape must be an integer or a tuple of integers"),
        (lambda: layers.Input("3"), TypeError, r"such as \(features,\), got '3'"),
        (lambda: layers.Input(2.0), TypeError, r"such as \(features,\), got 2.0"),
        (lambda: layers.Input((2, "a")), TypeError, "Input: shape must be an integer, got 'a'"),
        (lambda: layers.Input(-1), ValueError, "Input: shape must be at least 1, got -1"),
        (lambda: layers.Input(True), TypeError, "Input: shape must be an integer, got True"),
        (lambda: layers.Input(3, dtype="string"), ValueError, "dtype must be a type of numbers"),
        (lambda: layers.Dense(3, input_shape=()), ValueError, r"Dense: input_shape .*\(1,\)"),
    ],
)
def test_bad_arguments(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("shape", [5, (5,), [5], np.int64(5), (np.int32(5),)])
def test_shapes_of_one_axis_are_given_as_tuples_or_numbers(shape: Any) -> None:
    for given in (layers.Input(shape), layers.Input(shape=shape, dtype="int32")):
        assert given.shape == (5,)


def test_configuration_round_trip() -> None:
    for layer in (
        layers.Dense(
            3, activations.LeakyReLU(0.1), False, "he_normal", "ones", name="a", input_shape=(4,)
        ),
        layers.Activation("tanh"),
        layers.Dropout(0.25, name="drop"),
    ):
        config = layer.get_config()
        twin = layers.get({"class_name": type(layer).__name__, "config": config})
        assert twin.get_config() == config
        assert type(twin) is type(layer)


def test_weights_of_one_layer() -> None:
    model = Sequential([layers.Input(4), layers.Dense(3), layers.Dropout(0.1), layers.Dense(2)])
    first, dropout, last = model.layers
    assert (first.name, dropout.name, last.name) == ("dense", "dropout", "dense_1")
    assert [layer.count_params() for layer in model.layers] == [15, 0, 8]
    assert [layer.output_shape for layer in model.layers] == [(None, 3), (None, 3), (None, 2)]
    np.testing.assert_equal(first.get_weights() + last.get_weights(), model.get_weights())
    assert dropout.get_weights() == []
    dropout.set_weights([])
    last.set_weights([np.ones((3, 2)), [5, 6]])
    np.testing.assert_array_equal(model.get_weights()[3], [5, 6])
    before = model.get_weights()
    for bad, message in (
        ([np.ones((3, 2))], "takes 2 arrays, got 1"),
        ([np.ones((2, 3)), [5, 6]], r"weights\[0\] must be \(3, 2\), got \(2, 3\)"),
    ):
        with pytest.raises(ValueError, match=f"set_weights of layer 'dense_1'.*{message}"):
            last.set_weights(bad)
    with pytest.raises(TypeError, match="must hold booleans, integers or floats"):
        last.set_weights([np.ones((3, 2)), ["5", "6"]])
    np.testing.assert_equal(model.get_weights(), before)


def test_a_layer_without_a_built_model_says_so() -> None:
    for layer in (layers.Dense(3), Sequential([layers.Dense(3)]).layers[0]):
        assert not layer.built
        for ask in ("get_weights", "count_params", "output_shape"):
            with pytest.raises(ValueError, match="layer 'dense' has no weights and no shape yet"):
                getattr(layer, ask)()


def test_dropout_scales_what_it_keeps() -> None:
    rate = 0.25
    model = Sequential([layers.Input(1), layers.Dense(1000), layers.Dropout(rate)], seed=4)
    model.set_weights([np.zeros((1, 1000)), np.ones(1000)])
    model.compile(optimizers.SGD(1000.0), "mse")
    np.testing.assert_array_equal(model.predict([[1.0]]), np.ones((1, 1000)))
    # d_b of the mse towards 0 is 2 / 1000 times the mask's square.
    model.train_on_batch([[1.0]], np.zeros((1, 1000)))
    masks = (1 - model.get_weights()[1]) / 2
    kept = masks > 0
    np.testing.assert_allclose(masks[kept], (1 - rate) ** -2, rtol=1e-5)
    assert kept.mean() == pytest.approx(1 - rate, abs=0.06)
