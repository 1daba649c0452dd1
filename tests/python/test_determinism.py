# SPDX-License-Identifier: Apache-2.0
"""Results are the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import fingerprint

import laminar
from laminar import Sequential, datasets, layers

pytestmark = pytest.mark.kernels

THREADS = (1, 2, 3, 4, 8)


def digits_model(dtype: str = "float32") -> Sequential:
    """Return the agreed network on digits, which the C++ example trains too."""
    model = Sequential(
        [
            layers.Dense(128, "relu"),
            layers.Dropout(0.2),
            layers.Dense(64, "relu"),
            layers.Dropout(0.2),
            layers.Dense(10, "softmax"),
        ],
        dtype=dtype,
        seed=7,
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("batch_size", [32, 300, None])
def test_trained_weights_are_the_same_bits(batch_size: int | None) -> None:
    (x, y), test = datasets.load_digits()
    results = set()
    for threads in THREADS:
        laminar.set_num_threads(threads)
        model = digits_model()
        history = model.fit(
            x, y, batch_size, epochs=3, verbose=0, validation_data=test, validation_split=0.0
        )
        everything = str((history.history, model.evaluate(*test)))
        results.add((fingerprint(model.get_weights()), everything))
    assert len(results) == 1


@pytest.mark.parametrize(
    ("optimizer", "dtype"), [("sgd", "float64"), ("rmsprop", "float32"), ("adam", "float64")]
)
def test_large_layers_are_the_same_bits(optimizer: str, dtype: str) -> None:
    (x, y), _ = datasets.load_digits()
    results = set()
    for threads in THREADS:
        laminar.set_num_threads(threads)
        model = Sequential(
            [layers.Dense(513, "elu"), layers.Dense(257, "tanh"), layers.Dense(10, "softmax")],
            dtype=dtype,
            seed=1,
        )
        model.compile(optimizer, "sparse_categorical_crossentropy")
        model.fit(x[:600], y[:600], batch_size=128, epochs=1, verbose=0)
        _, gradients = model.loss_and_gradients(x[:601], y[:601])
        results.add(fingerprint([*model.get_weights(), *gradients, model.predict(x)]))
    assert len(results) == 1


def every_layer() -> list[layers.Layer]:
    """Return layers of every class, at least once."""
    return [
        layers.Reshape((8, 8)),
        layers.Normalization(),
        layers.Rescaling(2.0, 0.5),
        layers.Discretization([0.25, 0.5, 0.75, 1.0, 1.5]),
        layers.LayerNormalization(),
        layers.Flatten(),
        layers.Dense(70),
        layers.BatchNormalization(),
        layers.Activation("tanh"),
        layers.GaussianNoise(0.1),
        layers.Dense(33),
        layers.RMSNormalization(),
        layers.PReLU(),
        layers.Dropout(0.2),
        layers.Maxout(17, pieces=3),
        layers.GaussianDropout(0.2, seed=3),
        layers.ELU(),
        layers.AlphaDropout(0.1),
        layers.Dense(16),
        layers.SmoothClip(1.5),
        layers.PiecewiseLinearEncoding([[-1.0, 0.0, 1.0]] * 16),
        layers.LeakyReLU(),
        layers.Dense(5),
        layers.PeriodicEmbedding(3, 0.5),
        layers.Flatten(),
        layers.ReLU(),
        layers.Dense(10),
        layers.Softmax(),
    ]


@pytest.mark.parametrize(
    ("dtype", "precision"), [("float32", None), ("float64", None), ("float32", "bfloat16")]
)
def test_every_layer_is_the_same_bits(dtype: str, precision: str | None) -> None:
    used = {type(layer) for layer in every_layer()}
    known = (*layers.Layer._classes.values(), *layers.Layer._variants)
    everything = {cls for cls in known if not cls._merges}  # which test_graphs has
    whole_numbers = {layers.CategoryEncoding, layers.Embedding}  # below
    assert everything - used == {*whole_numbers, layers.Operations}  # in test_own_layers
    (x, y), test = datasets.load_digits()
    results = set()
    for threads in THREADS:
        laminar.set_num_threads(threads)
        model = Sequential(every_layer(), dtype=dtype, seed=7, precision=precision)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x[:700], y[:700], batch_size=128, epochs=2, verbose=0)
        _, gradients = model.loss_and_gradients(x[:601], y[:601])
        results.add(fingerprint([*model.get_weights(), *gradients, model.predict(test[0])]))
    assert len(results) == 1


@pytest.mark.parametrize(
    "encoding",
    [
        lambda: [layers.CategoryEncoding(64)],
        lambda: [layers.Embedding(64, 9), layers.Flatten()],
        lambda: [layers.Embedding(64, 9, embeddings_regularizer="l2"), layers.Flatten()],
    ],
)
def test_encoded_categories_are_the_same_bits(encoding: Callable[[], list[layers.Layer]]) -> None:
    (x, y), _ = datasets.load_digits()
    tokens = (x[:600] > 0.5).argmax(axis=1).reshape(-1, 1)
    results = set()
    for threads in THREADS:
        laminar.set_num_threads(threads)
        model = Sequential(
            [*encoding(), layers.Dense(40, "relu"), layers.Dense(10, "softmax")],
            seed=2,
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(tokens, y[:600], batch_size=128, epochs=2, verbose=0)
        results.add(fingerprint(model.get_weights()))
    assert len(results) == 1
