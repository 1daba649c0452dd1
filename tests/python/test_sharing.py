# SPDX-License-Identifier: Apache-2.0
"""Layers that several models have: what one model learns, the others have when used next."""

from __future__ import annotations

import gc
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from support import kinds_of

from laminar import Input, Model, Sequential, layers
from laminar.callbacks import LambdaCallback
from laminar.models import clone_model

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
Y = X[:, :1]


def pair(**settings: Any) -> tuple[Sequential, Sequential]:
    """Return a model, and one that has its layers and another."""
    inner = Sequential([layers.Dense(4, "tanh"), layers.Dropout(0.5), layers.Dense(3)], seed=1)
    outer = Sequential([Input(6), inner, layers.Dense(1)], seed=2, **settings)
    return inner, outer


def dense(weights: list[Any], x: Any) -> Any:
    return np.tanh(x @ weights[0] + weights[1]) @ weights[2] + weights[3]


def test_a_sequential_in_a_sequential_is_its_layers() -> None:
    inner, outer = pair()
    assert [layer.name for layer in outer.layers] == ["dense", "dropout", "dense_1", "dense_2"]
    assert outer.layers[:3] == inner.layers
    assert inner.built
    np.testing.assert_equal(inner.get_weights(), outer.get_weights()[:4])
    np.testing.assert_allclose(inner.predict(X), dense(outer.get_weights(), X), atol=1e-6)


def test_what_one_learns_the_other_has() -> None:
    inner, outer = pair()
    before = inner.predict(X)
    outer.compile("sgd", "mse")
    for _ in range(2):  # a second time, the other has looked meanwhile
        outer.fit(X, Y, verbose=0)
        assert not np.array_equal(inner.predict(X), before)
        before = inner.predict(X)
        np.testing.assert_allclose(before, dense(outer.get_weights(), X), atol=1e-6)
        outer.train_on_batch(X, Y)
        np.testing.assert_allclose(inner.predict(X), dense(outer.get_weights(), X), atol=1e-6)
    inner.compile("adam", "mse")
    inner.fit(X, X[:, :3], verbose=0)
    for i, weights in enumerate(inner.get_weights()):
        np.testing.assert_array_equal(outer.get_weights()[i], weights)
    np.testing.assert_array_equal(outer.layers[0].get_weights()[0], inner.get_weights()[0])


def test_every_way_to_set_weights_reaches_all(tmp_path: Any) -> None:
    inner, outer = pair()
    path = tmp_path / "w.safetensors"
    inner.save_weights(path)
    first = inner.get_weights()
    twos = [np.full_like(w, 2) for w in inner.get_weights()]
    inner.set_weights(twos)
    np.testing.assert_array_equal(outer.get_weights()[0], twos[0])
    outer.layers[0].set_weights([w + 1 for w in twos[:2]])
    np.testing.assert_array_equal(inner.get_weights()[1], twos[1] + 1)
    np.testing.assert_array_equal(outer.get_weights()[1], twos[1] + 1)
    inner.load_weights(path)
    np.testing.assert_array_equal(outer.get_weights()[0], first[0])


def test_callbacks_see_other_models_as_training_goes_on() -> None:
    inner, outer = pair()
    outer.compile("sgd", "mse")
    seen: list[Any] = []

    def look(epoch: int, logs: Any) -> None:
        expected = dense(outer.get_weights(), X)
        np.testing.assert_allclose(inner.predict(X), expected, atol=1e-6)
        seen.append(expected)

    outer.fit(X, Y, verbose=0, epochs=3, callbacks=[LambdaCallback(on_epoch_end=look)])
    assert not np.array_equal(seen[0], seen[2])
    with pytest.raises(RuntimeError, match=r"set_weights: layer 'dense' is being trained in"):
        outer.fit(
            *(X, Y),
            verbose=0,
            callbacks=[
                LambdaCallback(on_epoch_end=lambda *_: inner.set_weights(inner.get_weights()))
            ],
        )


def test_a_rate_changes_in_all() -> None:
    inner, outer = pair()
    inner.layers[1].rate = 0.0  # type: ignore[attr-defined]
    outer.compile("sgd", "mse")
    loss, _ = outer.loss_and_gradients(X, Y)
    assert loss == pytest.approx(outer.evaluate(X, Y), rel=1e-5)
    assert outer.layers[1].rate == 0.0  # type: ignore[attr-defined]


def test_models_that_go_leave_the_weights() -> None:
    inner, outer = pair()
    outer.compile("sgd", "mse")
    outer.fit(X, Y, verbose=0)
    expected = outer.get_weights()
    del outer
    gc.collect()
    np.testing.assert_array_equal(inner.get_weights()[0], expected[0])
    again = Sequential([Input(6), inner, layers.Dense(2)])
    np.testing.assert_array_equal(again.get_weights()[0], expected[0])
    del inner
    gc.collect()
    np.testing.assert_array_equal(again.layers[0].get_weights()[0], expected[0])
    temporary = Sequential([Input(6), Sequential([layers.Dense(3)]), layers.Dense(1)])
    assert temporary.predict(X).shape == (40, 1)


def test_adding_and_removing_layers_keeps_what_is_shared() -> None:
    inner, outer = pair()
    outer.compile("sgd", "mse")
    outer.fit(X, Y, verbose=0)
    expected = inner.predict(X)
    outer.pop()
    np.testing.assert_array_equal(outer.predict(X), expected)
    outer.add(layers.Dense(2))
    outer.compile("sgd", "mse")
    outer.fit(X, X[:, :2], verbose=0)
    np.testing.assert_array_equal(inner.get_weights()[0], outer.get_weights()[0])
    last = inner.pop()
    assert last.get_weights()[0].shape == (4, 3)
    np.testing.assert_array_equal(last.get_weights()[0], outer.get_weights()[2])
    np.testing.assert_array_equal(inner.get_weights()[0], outer.get_weights()[0])


def test_precision_of_the_model_that_reads() -> None:
    inner = Sequential([Input(6), layers.Dense(4)], dtype="float64", seed=1)
    outer = Sequential([inner, layers.Dense(1)], seed=2)
    assert inner.layers[0].get_weights()[0].dtype == np.float64
    np.testing.assert_array_equal(outer.get_weights()[0], inner.get_weights()[0].astype("f4"))
    outer.set_weights([w + 1 for w in outer.get_weights()])
    np.testing.assert_array_equal(inner.get_weights()[0].astype("f4"), outer.get_weights()[0])


def test_files_and_copies_stand_alone(tmp_path: Any) -> None:
    inner, outer = pair()
    outer.compile("adam", "mse")
    outer.fit(X, Y, verbose=0)
    twin = pickle.loads(pickle.dumps(outer))
    np.testing.assert_array_equal(twin.predict(X), outer.predict(X))
    twin.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(inner.get_weights()[0], outer.get_weights()[0])
    clone = clone_model(outer)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in outer.layers]
    assert kinds_of(clone.weights) == kinds_of(outer.weights)
    assert not np.array_equal(clone.get_weights()[0], outer.get_weights()[0])
    assert clone.optimizer is None
    with pytest.raises(TypeError, match="clone_model: model must be a Sequential or a Model"):
        clone_model(outer.layers[0])  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused() -> None:
    inner = Sequential([Input(6), layers.Dense(4, name="mine")])
    with pytest.raises(ValueError, match=r"the Input has shape \(5,\), the model 'sequential'"):
        Sequential([Input(5), inner])
    with pytest.raises(ValueError, match="the model has a layer named 'mine' already"):
        Sequential([Input(6), layers.Dense(6, name="mine"), inner])
    with pytest.raises(ValueError, match="the model has layer 'mine' of 'sequential' already"):
        Sequential([Input(6), inner, inner])
    with pytest.raises(ValueError, match="the model 'sequential' has no layers"):
        Sequential([Input(6), Sequential()])
    assert len(inner.layers) == 1
    inner.predict(X)


def test_a_callback_and_another_thread_use_one_model() -> None:
    inner, outer = pair()
    outer.compile("sgd", "mse")
    inner.predict(X)
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            assert np.isfinite(inner.predict(X)).all()

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        callback = LambdaCallback(on_epoch_end=lambda *_: inner.predict(X))
        outer.fit(X, Y, epochs=200, verbose=0, callbacks=[callback])
        ended.set()
        looking.result(60)
    np.testing.assert_array_equal(inner.get_weights()[0], outer.get_weights()[0])


def test_models_are_released_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        x = Input(6)
        model = Model(x, layers.Dense(3)(layers.Dense(4)(x)))
        stack = Sequential([Input(6), layers.Dense(3)])
        cores = [weakref.ref(one) for one in (model, stack)]
        assert stack.output is not None
        del model, stack, x
        assert [core() for core in cores] == [None, None]
    finally:
        gc.enable()
