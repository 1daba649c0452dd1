# SPDX-License-Identifier: Apache-2.0
"""Preparation that stays with the model, and the lookups that come before it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from laminar import Sequential, layers

X = np.random.default_rng(0).normal([1.0, 20.0, -3.0], [2.0, 0.1, 0.0], (50, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adapted_moments(dtype: str) -> None:
    normalization = layers.Normalization()
    assert normalization.mean is None
    normalization.adapt(X)
    model = Sequential([normalization, layers.Dense(1)], dtype=dtype)
    first = Sequential([layers.Normalization(mean=X.mean(axis=0), variance=X.var(axis=0))])
    model.predict(X)
    np.testing.assert_allclose(normalization.get_weights()[0], X.mean(axis=0), rtol=1e-6)
    out = first.predict(X)
    np.testing.assert_allclose(out[:, :2].mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(out[:, :2].std(axis=0), 1, atol=1e-3)
    np.testing.assert_array_equal(out[:, 2], 0)  # a feature without variance


def test_adapting_a_built_model_and_back() -> None:
    model = Sequential([layers.Input(3), layers.Normalization(), layers.Dense(1)], dtype="float64")
    normalization = model.layers[0]
    assert isinstance(normalization, layers.Normalization)
    assert normalization.mean == [0, 0, 0]
    normalization.adapt(X)
    assert normalization.mean == pytest.approx(X.mean(axis=0))
    with pytest.raises(ValueError, match=r"weights\[0\] must be \(3,\), got \(4,\)"):
        normalization.adapt(np.ones((5, 4)))
    assert normalization.mean == pytest.approx(X.mean(axis=0))
    copy = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    copy.layers[1].set_weights(model.layers[1].get_weights())
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    moments = {"mean": normalization.mean, "variance": normalization.variance}
    there = Sequential([layers.Input(3), layers.Normalization(**moments)], dtype="float64")
    back = Sequential(
        [layers.Input(3), layers.Normalization(**moments, invert=True)], dtype="float64"
    )
    np.testing.assert_allclose(back.predict(there.predict(X))[:, :2], X[:, :2], rtol=1e-12)


def test_one_moment_for_all_features_and_more_axes() -> None:
    one = Sequential([layers.Input(3), layers.Normalization(mean=2, variance=4)], dtype="float64")
    np.testing.assert_allclose(one.predict(X), (X - 2) / 2)
    images = X[:48].reshape(16, 3, 3)
    normalization = layers.Normalization()
    normalization.adapt(images)
    model = Sequential([normalization], dtype="float64")
    expected = (images - X[:48].mean(axis=0)) / np.maximum(X[:48].std(axis=0), 1e-7)
    np.testing.assert_allclose(model.predict(images), expected, rtol=1e-9, atol=1e-7)
    with pytest.raises(ValueError, match="data must be finite"):
        normalization.adapt([[np.nan, 1, 2]])
    with pytest.raises(ValueError, match="got"):
        Sequential([layers.Input(4), layers.Normalization(mean=[1, 2, 3], variance=[1, 1, 1])])


def test_training_leaves_moments_alone() -> None:
    normalization = layers.Normalization()
    normalization.adapt(X)
    model = Sequential([normalization, layers.Dense(1)], seed=1)
    model.compile("adam", "mse")
    model.fit(X, np.ones(50), epochs=3, verbose=0)
    np.testing.assert_allclose(normalization.get_weights()[0], X.mean(axis=0), rtol=1e-6)


def test_rescaling_discretization_and_categories() -> None:
    x = [[-1.0, 0.0, 0.5, 7.0]]
    chain = Sequential(
        [
            layers.Rescaling(2, offset=1),
            layers.Discretization([0, 1, 3]),
            layers.CategoryEncoding(4),
        ]
    )
    np.testing.assert_array_equal(chain.predict(x), [[1, 0, 1, 1]])
    count = Sequential([layers.CategoryEncoding(4, "count")])
    np.testing.assert_array_equal(count.predict([[1, 1, 3]]), [[0, 2, 0, 1]])
    one_hot = Sequential([layers.CategoryEncoding(3, "one_hot")])
    np.testing.assert_array_equal(one_hot.predict([[2], [0]]), [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(ValueError, match=r"whole numbers from 0 to 2.*row 1, column 0 is 3"):
        one_hot.predict([[2], [3]])
    for layer in (layers.CategoryEncoding(2), layers.Discretization([1])):
        with pytest.raises(ValueError, match="before the layers that are trained"):
            Sequential([layers.Input(3), layers.Dense(3), layer])


def test_gradients_go_through_what_scales() -> None:
    middle: list[layers.Layer] = [
        layers.Rescaling(0.3, offset=1),
        layers.Normalization(mean=[0.5, -1, 2], variance=[4, 1, 0.25]),
        layers.Normalization(mean=[0.5, -1, 2], variance=[4, 1, 0.25], invert=True),
    ]
    x = np.random.default_rng(2).normal(size=(6, 4))
    for layer in middle:
        stack = [layers.Input(4), layers.Dense(3, "tanh"), layer, layers.Dense(1)]
        model = Sequential(stack, dtype="float64", seed=1)
        model.compile("sgd", "mse")
        y = np.linspace(-1, 1, 6)
        weights = model.get_weights()
        _, gradients = model.loss_and_gradients(x, y)
        for place in ((0, 0), (2, 1)):
            losses = []
            for step in (1e-6, -1e-6):
                moved = [w.copy() for w in weights]
                moved[0][place] += step
                model.set_weights(moved)
                losses.append(model.evaluate(x, y))
            slope = (losses[0] - losses[1]) / 2e-6
            assert gradients[0][place] == pytest.approx(slope, rel=1e-5)
        model.set_weights(weights)
        before = model.evaluate(x, y)
        model.fit(x, y, epochs=5, verbose=0)
        assert model.evaluate(x, y) < before


WORDS = ["b", "a", "b", "c", "a", "b"]


def test_words_become_numbers() -> None:
    lookup = layers.StringLookup()
    with pytest.raises(ValueError, match="no vocabulary yet"):
        lookup(WORDS)
    lookup.adapt(WORDS)
    assert lookup.get_vocabulary() == ["b", "a", "c"]
    assert lookup.vocabulary_size() == 4
    np.testing.assert_array_equal(lookup([["a", "z"], ["b", "c"]]), [[2, 0], [1, 3]])
    config = json.loads(json.dumps(lookup.get_config()))
    twin = layers.StringLookup.from_config(config)
    np.testing.assert_array_equal(twin(WORDS), lookup(WORDS))
    assert repr(twin).startswith("StringLookup(vocabulary=['b', 'a', 'c']")
    strict = layers.StringLookup(["a", "b"], num_oov_indices=0)
    np.testing.assert_array_equal(strict(np.array(["b", "a"], dtype=object)), [1, 0])
    with pytest.raises(ValueError, match="'z' is not in the vocabulary"):
        strict(["z"])
    several = layers.StringLookup(["a"], num_oov_indices=3)
    np.testing.assert_array_equal(several(["a", "x", "x"])[0], 3)
    assert several(["x"]) < 3
    limited = layers.StringLookup(max_tokens=2)
    limited.adapt(WORDS)
    assert limited.get_vocabulary() == ["b"]


def test_vectors_of_words_and_of_keys() -> None:
    data = [["a", "a"], ["b", "z"]]
    for mode, expected in (
        ("multi_hot", [[0, 1, 0], [1, 0, 1]]),
        ("count", [[0, 2, 0], [1, 0, 1]]),
        ("one_hot", [[[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]]]),
    ):
        lookup = layers.StringLookup(["a", "b"], output_mode=mode)
        np.testing.assert_array_equal(lookup(data), expected)
    keys = layers.IntegerLookup()
    keys.adapt([700, 12, 700])
    np.testing.assert_array_equal(keys([12, 700, 5]), [2, 1, 0])
    model = Sequential([layers.CategoryEncoding(3, "one_hot"), layers.Dense(1)])
    assert model.predict(keys([12, 700, 5]).reshape(-1, 1)).shape == (3, 1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.StringLookup([1, 2]), TypeError, "must hold strings"),
        (lambda: layers.IntegerLookup([0.5]), TypeError, "must hold integers"),
        (lambda: layers.StringLookup(["a", "a"]), ValueError, "a value twice"),
        (lambda: layers.StringLookup(output_mode="onehot"), ValueError, "did you mean 'one_hot'"),
        (lambda: layers.StringLookup(vocabluary=["a"]), TypeError, "did you mean 'vocabulary'"),
        (lambda: layers.StringLookup(num_oov_indices=-1), ValueError, "num_oov_indices"),
    ],
)
def test_bad_lookups(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_lookups_are_no_layers() -> None:
    with pytest.raises(TypeError, match=r"Layer or an Input.*call it on the data instead"):
        Sequential([layers.StringLookup(["red"]), layers.Dense(2)])  # type: ignore[list-item]
