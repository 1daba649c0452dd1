# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, kinds_of, small_classifier

import laminar
from laminar import Sequential, layers


def test_four_ways_to_give_the_input_width() -> None:
    ways = [
        Sequential([layers.Input(shape=(4,)), layers.Dense(3)], seed=1),
        Sequential([layers.Dense(3, input_shape=(4,))], seed=1),
        Sequential([layers.Dense(3, input_dim=4)], seed=1),  # type: ignore[call-arg]
        Sequential([layers.Dense(3)], seed=1),
        Sequential([layers.Dense(3)], seed=1),
    ]
    assert [model.built for model in ways] == [True, True, True, False, False]
    ways[3].build((None, 4))
    ways[4].predict(np.zeros((2, 4)))
    for model in ways:
        assert model.input_shape == (None, 4)
        assert model.output_shape == (None, 3)
        np.testing.assert_equal(model.get_weights(), ways[0].get_weights())


def test_add_and_list_are_the_same() -> None:
    listed = Sequential([layers.Input(4), layers.Dense(3, "relu"), layers.Dense(2)], seed=1)
    added = Sequential(seed=1)
    for layer in (layers.Input(4), layers.Dense(3, "relu"), layers.Dense(2)):
        added.add(layer)
    np.testing.assert_equal(added.get_weights(), listed.get_weights())
    assert kinds_of(added.weights) == kinds_of(listed.weights)
    assert added.layers[0].get_weights()[0].shape == (4, 3)


def test_weights_are_described_in_order() -> None:
    model = Sequential([layers.Input(4), layers.Dense(3, name="first"), layers.Dense(2)])
    described = [(weight.name, weight.shape) for weight in model.weights]
    assert described == [
        ("first/kernel", (4, 3)),
        ("first/bias", (3,)),
        ("dense/kernel", (3, 2)),
        ("dense/bias", (2,)),
    ]
    assert all(weight.trainable for weight in model.weights)
    assert model.count_params() == 23
    assert [w.shape for w in model.get_weights()] == [shape for _, shape in described]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layers": [3]}, TypeError, "add: layer must be a Layer or an Input, got 3"),
        ({"layers": ["dense"]}, TypeError, "add: layer must be a Layer or an Input"),
        ({"layers": [layers.Dense]}, TypeError, "add: layer must be a Layer or an Input"),
        ({"dtype": "float16"}, ValueError, "dtype must be 'float32' or 'float64', got 'float16'"),
        ({"dtype": ">f4"}, ValueError, "dtype must be 'float32' or 'float64'"),
        ({"dtype": None}, ValueError, "dtype must be 'float32' or 'float64'"),
        ({"dtype": "flaot32"}, TypeError, "dtype must be a type of numbers"),
        ({"precision": "float64"}, ValueError, "must be 'float32' or 'bfloat16' where dtype is"),
        ({"precision": "bf16"}, ValueError, "precision must be .* got 'bf16'"),
        ({"precision": "bfloat16", "dtype": "float64"}, ValueError, "must be 'float64' where"),
        ({"precision": 16}, TypeError, "precision must be a text or None, got 16"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"seed": 2**64}, ValueError, "seed must be less than"),
        ({"seed": 1.5}, TypeError, "seed must be an integer"),
        ({"sed": 1}, TypeError, "'sed'; did you mean 'seed'"),
    ],
)
def test_bad_arguments(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Sequential(**arguments)


def test_the_largest_seed() -> None:
    model = Sequential([layers.Input(2), layers.Dense(2)], seed=2**64 - 1)
    assert model.seed == 2**64 - 1
    assert np.isfinite(model.get_weights()[0]).all()


@pytest.mark.parametrize("precision", [None, "float32", "bfloat16"])
def test_precision(precision: str | None, tmp_path: Path) -> None:
    model = Sequential([layers.Input(9), layers.Dense(5)], precision=precision, seed=4)
    assert model.precision == (precision or "float32")
    assert model.dtype == "float32"
    x = np.random.default_rng(1).normal(size=(7, 9)).astype(np.float32)
    full = Sequential([layers.Input(9), layers.Dense(5)], seed=4)
    np.testing.assert_array_equal(model.get_weights()[0], full.get_weights()[0])
    told: list[str] = []
    model.summary(print_fn=told.append)
    assert ("products of bfloat16" in told[0]) == (precision == "bfloat16")
    apart = np.abs(model.predict(x) - full.predict(x)).max()
    assert (apart > 0) == (precision == "bfloat16")
    assert apart < 0.05
    model.compile("adam", "mse")
    model.fit(x, x[:, :5], verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = laminar.load_model(tmp_path / "model.safetensors")
    twins = [loaded, copy.deepcopy(model), Sequential.from_config(model.get_config())]
    twins[2].set_weights(model.get_weights())
    for twin in twins:
        assert twin.precision == model.precision
        np.testing.assert_array_equal(twin.predict(x), model.predict(x))
    double = Sequential.from_config(full.get_config() | {"dtype": "float64"})
    assert (double.dtype, double.precision) == ("float64", "float64")
    old = {key: value for key, value in model.get_config().items() if key != "precision"}
    assert Sequential.from_config(old).precision == "float32"


@pytest.mark.parametrize("dtype", ["float32", "float64", np.float32, np.dtype("f8")])
def test_dtype(dtype: Any) -> None:
    model = Sequential([layers.Input(2), layers.Dense(2)], dtype=dtype)
    assert model.dtype == np.dtype(dtype).name
    assert model.get_weights()[0].dtype == np.dtype(dtype)
    assert model.predict([[1, 2]]).dtype == np.dtype(dtype)


def test_inputs_that_disagree() -> None:
    with pytest.raises(ValueError, match="an Input must come first"):
        Sequential([layers.Dense(3), layers.Input(4)])
    with pytest.raises(ValueError, match="an Input must come first"):
        Sequential([layers.Input(4), layers.Input(4)])
    with pytest.raises(ValueError, match=r"Input has shape \(4,\).*input_shape is \(5,\)"):
        Sequential([layers.Input(4), layers.Dense(3, input_shape=(5,))])


def test_build_refuses() -> None:
    model = Sequential([layers.Dense(3)])
    with pytest.raises(ValueError, match="build: the input width is unknown"):
        model.build()
    with pytest.raises(ValueError, match=r"layer 'dense': takes samples of shape \(features,\)"):
        model.build((None, 3, 4))
    with pytest.raises(ValueError, match="build: input_shape must be at least 1"):
        model.build((None, 0))
    with pytest.raises(ValueError, match="build: the model has no layers"):
        Sequential().build(4)
    assert not model.built
    model.build(4)
    model.build((None, 4))
    with pytest.raises(ValueError, match=r"takes input of shape \(4,\), got \(5,\)"):
        model.build(5)


def test_what_is_not_built_says_so() -> None:
    for model in (Sequential(), Sequential([layers.Dense(3)])):
        for name in ("get_weights", "count_params"):
            with pytest.raises(ValueError, match=f"{name}: the model is not built"):
                getattr(model, name)()
        with pytest.raises(ValueError, match="weights: the model is not built"):
            model.weights  # noqa: B018  # the look-up is the test


def test_set_weights_refuses_before_anything_changes() -> None:
    model = Sequential([layers.Input(4), layers.Dense(3)])
    before = model.get_weights()
    for bad in ([np.ones((4, 3))], [np.ones((3, 4)), np.ones(3)], []):
        with pytest.raises(ValueError, match="set_weights"):
            model.set_weights(bad)
    with pytest.raises(TypeError, match=r"set_weights: weights\[1\] must hold"):
        model.set_weights([np.ones((4, 3)), ["a", "b", "c"]])
    np.testing.assert_equal(model.get_weights(), before)
    model.set_weights([np.ones((4, 3), np.int64)[::-1], [1, 2, 3]])
    np.testing.assert_array_equal(model.predict(np.ones((1, 4))), [[5, 6, 7]])


def test_get_weights_gives_copies() -> None:
    model = Sequential([layers.Input(4), layers.Dense(3)])
    model.get_weights()[0][:] = 99
    assert (model.get_weights()[0] != 99).all()


def test_layers_keep_their_weights_when_the_stack_changes() -> None:
    x, y = blobs()
    model = small_classifier()
    model.fit(x, y, verbose=0)
    trained = model.get_weights()
    popped = model.pop()
    np.testing.assert_equal(model.get_weights(), trained[:2])
    model.add(layers.Dense(3, "softmax"))
    np.testing.assert_equal(model.get_weights()[:2], trained[:2])
    model.fit(x, y, verbose=0)  # compiled as before
    heir = Sequential([layers.Input(5), popped])
    np.testing.assert_equal(heir.get_weights(), trained[2:])
    misfit = Sequential([popped]) if heir.pop() is popped else None
    assert misfit is not None
    with pytest.raises(ValueError, match=r"must be \(6, 3\), got \(5, 3\)"):
        misfit.build(6)
    assert not misfit.built
    misfit.build(5)
    np.testing.assert_equal(misfit.get_weights(), trained[2:])


def test_a_layer_belongs_to_one_model() -> None:
    layer = layers.Dense(3)
    model = Sequential([layers.Input(4), layer])
    with pytest.raises(ValueError, match="layer 'dense' belongs to a model already"):
        Sequential([layer])
    with pytest.raises(ValueError, match="layer 'dense' belongs to a model already"):
        model.add(layer)
    assert len(model.layers) == 1
    twin = layers.Dense.from_config(layer.get_config())
    assert Sequential([twin]).layers == [twin]


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="a layer named 'a' already"):
        Sequential([layers.Dense(3, name="a"), layers.Dense(3, name="a")])
    with pytest.raises(ValueError, match="pop: the model has no layers"):
        Sequential().pop()


def test_configuration_makes_the_same_model() -> None:
    model = small_classifier()
    config = json.loads(json.dumps(model.get_config()))
    twin = Sequential.from_config(config)
    assert twin.get_config() == model.get_config()
    np.testing.assert_equal(twin.get_weights(), model.get_weights())
    unbuilt = Sequential([layers.Dense(3)], name="mine", dtype="float64")
    assert Sequential.from_config(unbuilt.get_config()).get_config() == unbuilt.get_config()
    assert repr(unbuilt) == "<Sequential 'mine': 1 layers, float64>"


def test_memory_is_released_at_once() -> None:
    x, y = blobs()
    model = small_classifier()
    history = model.fit(x, y, verbose=0)
    gone = weakref.ref(model)
    gc.disable()
    try:
        del model
        assert gone() is None
    finally:
        gc.enable()
    assert history.history["loss"]


def test_many_threads_may_come_first() -> None:
    x, _ = blobs()
    expected = Sequential([layers.Dense(3)], seed=1).predict(x)
    for _ in range(20):
        model = Sequential([layers.Dense(3)], seed=1)
        with ThreadPoolExecutor(4) as pool:
            for result in pool.map(lambda _, model=model: model.predict(x), range(4)):
                np.testing.assert_array_equal(result, expected)
