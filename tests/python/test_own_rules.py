# SPDX-License-Identifier: Apache-2.0
"""Regularizers and constraints that are functions of the user's own, beside the built-in ones."""

from __future__ import annotations

import copy
import functools
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import run_python, spec_id, specs

import laminar
from laminar import (
    GradientTape,
    Input,
    Model,
    Sequential,
    Variable,
    _core,
    constraints,
    layers,
    models,
    ops,
    optimizers,
    regularizers,
    utils,
)

Array = np.ndarray[Any, Any]


def squares(w: Any, factor: float = 0.01) -> Any:
    return factor * ops.sum(ops.square(w))


def absolute(w: Any) -> Any:
    return 0.02 * ops.sum(ops.abs(w))


def positive(w: Any) -> Any:
    return ops.maximum(w, 0.0)


def short(w: Any) -> Any:
    norms = ops.sqrt(ops.sum(ops.square(w), axis=0, keepdims=True))
    return w * ops.clip(norms, 0.0, 0.7) / (norms + 1e-7)


class Cubes(regularizers.Regularizer):
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: Any) -> Any:
        return self.factor * ops.sum(ops.abs(x) ** 3)


class Between(constraints.Constraint):
    def __init__(self, least: float, most: float) -> None:
        super().__init__()
        self.least, self.most = least, most

    def __call__(self, w: Any) -> Any:
        return ops.clip(w, self.least, self.most)


PENALTIES: dict[str, tuple[Any, Any]] = {
    "squares": (squares, regularizers.L2(0.01)),
    "partial": (functools.partial(squares, factor=0.3), regularizers.L2(0.3)),
    "absolute": (absolute, regularizers.L1(0.02)),
    "lambda": (lambda w: squares(w) + absolute(w), regularizers.L1L2(0.02, 0.01)),
}
LIMITS: dict[str, tuple[Any, Any]] = {
    "positive": (positive, constraints.NonNeg()),
    "short": (short, constraints.MaxNorm(0.7)),
}


@pytest.fixture
def x(rng: np.random.Generator) -> Array:
    return rng.normal(size=(64, 5)).astype(np.float32)


@pytest.fixture
def y(x: Array) -> Array:
    return np.sin(x).sum(axis=1, keepdims=True)


def net(dtype: str = "float32", units: int = 8, **rules: Any) -> Sequential:
    parts = [layers.Dense(units, "tanh", **rules), layers.Dense(1)]
    model = Sequential([Input(5), *parts], seed=3, dtype=dtype)
    model.compile(optimizers.SGD(0.1), "mse")
    return model


def fitted(model: Any, x: Array, y: Array, epochs: int = 4) -> list[float]:
    return list(model.fit(x, y, epochs=epochs, batch_size=16, verbose=0).history["loss"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_like_the_built_in_ones(name: str, dtype: str, x: Array, y: Array) -> None:
    found = []
    for rule in PENALTIES[name]:
        model = net(dtype, kernel_regularizer=rule, bias_regularizer=rule)
        losses = fitted(model, x, y)
        found.append((losses, model.get_weights(), model.evaluate(x, y, verbose=0)))
    tolerance = 1e-5 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=tolerance)
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=tolerance)
    for ours, theirs in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=10 * tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LIMITS)
def test_limits_like_the_built_in_ones(name: str, dtype: str, x: Array, y: Array) -> None:
    found = []
    for rule in LIMITS[name]:
        model = net(dtype, kernel_constraint=rule)
        fitted(model, x, y)
        found.append(model.get_weights())
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 if dtype == "float32" else 1e-10)


def test_classes_of_one_s_own(x: Array, y: Array) -> None:
    model = net(kernel_regularizer=Cubes(0.05), kernel_constraint=Between(-0.2, 0.3))
    fitted(model, x, y)
    kernel = model.get_weights()[0]
    assert kernel.min() >= np.float32(-0.2)
    assert kernel.max() <= np.float32(0.3)
    penalty = 0.05 * (np.abs(kernel.astype(float)) ** 3).sum()
    error = float(((model.predict(x) - y) ** 2).mean())
    assert model.evaluate(x, y, verbose=0) == pytest.approx(error + penalty, rel=1e-5)
    assert Cubes(2.0)(np.full(3, 2.0)) == 48


KINDS: dict[str, Callable[..., Any]] = {
    "dense": lambda **rules: layers.Dense(4, **{f"kernel_{k}": r for k, r in rules.items()}),
    "maxout": lambda **rules: layers.Maxout(4, **{f"bias_{k}": r for k, r in rules.items()}),
    "prelu": lambda **rules: layers.PReLU(**{f"alpha_{k}": r for k, r in rules.items()}),
    "batch": lambda **rules: layers.BatchNormalization(
        **{f"gamma_{k}": r for k, r in rules.items()}
    ),
    "layer": lambda **rules: layers.LayerNormalization(
        **{f"beta_{k}": r for k, r in rules.items()}
    ),
    "activation": lambda **rules: layers.Dense(
        4, lambda v: 2 * ops.tanh(v), **{f"kernel_{k}": r for k, r in rules.items()}
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_with_weights_takes_them(kind: str, x: Array, y: Array) -> None:
    found = []
    for rules in ((squares, positive), (regularizers.L2(0.01), constraints.NonNeg())):
        made = KINDS[kind](regularizer=rules[0], constraint=rules[1])
        model = Sequential([Input(5), made, layers.Dense(1)], seed=1)
        model.compile("sgd", "mse")
        found.append((fitted(model, x, y), model.get_weights()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    for ours, theirs in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


class Own(layers.Layer):
    def __init__(self, rule: Any = None, limit: Any = None) -> None:
        super().__init__()
        self.rule, self.limit = rule, limit

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            (input_shape[-1], 3), regularizer=self.rule, constraint=self.limit
        )

    def call(self, inputs: Any) -> Any:
        return ops.tanh(inputs @ self.kernel)


def test_weights_of_layers_of_one_s_own(x: Array, y: Array) -> None:
    found = []
    for rules in ((squares, positive), ("l2", "non_neg")):
        model = Sequential([Input(5), Own(*rules), layers.Dense(1)], seed=1)
        model.compile("sgd", "mse")
        found.append((fitted(model, x, y), model.get_weights()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    np.testing.assert_allclose(found[0][1][0], found[1][1][0], atol=1e-5)
    assert found[0][1][0].min() >= 0


def test_graphs_and_shared_layers(x: Array, y: Array) -> None:
    start = Input(5)
    shared = layers.Dense(5, kernel_regularizer=squares, kernel_constraint=positive)
    model = Model(start, layers.Dense(1)(shared(shared(start))))
    model.compile("sgd", "mse")
    fitted(model, x, y)
    kernel = model.get_weights()[0]
    assert kernel.min() >= 0
    error = float(((model.predict(x) - y) ** 2).mean())
    penalty = 0.01 * (kernel.astype(float) ** 2).sum()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(error + penalty, rel=1e-5)


def test_the_same_bits_on_several_threads(x: Array, y: Array) -> None:
    found = []
    for threads in (1, 3):
        laminar.set_num_threads(threads)
        model = net(units=70, kernel_regularizer=squares, kernel_constraint=short)
        fitted(model, x, y)
        found.append(model.get_weights())
    for one, several in zip(*found, strict=True):
        np.testing.assert_array_equal(one, several)


ELSEWHERE = """
import sys
import numpy as np
from laminar import models
data = np.load({data!r})
model = models.load_model({path!r})
model.fit(data["x"], data["y"], epochs=2, batch_size=16, verbose=0)
np.savez({out!r}, *model.get_weights())
"""


@pytest.mark.parametrize("own", [False, True])
def test_files_train_on_where_nobody_knows_the_functions(
    own: bool, x: Array, y: Array, tmp_path: Path
) -> None:
    first = Own(squares, short) if own else layers.Dense(6, "tanh", True)
    if not own:
        first = layers.Dense(6, "tanh", kernel_regularizer=squares, kernel_constraint=short)
    model = Sequential([Input(5), first, layers.Dense(1)], seed=2)
    model.compile("adam", "mse")
    fitted(model, x, y)
    path, data, out = (str(tmp_path / n) for n in ("m.safetensors", "d.npz", "o.npz"))
    model.save(path)
    np.savez(data, x=x, y=y)
    done = run_python(ELSEWHERE.format(path=path, data=data, out=out))
    assert done.returncode == 0, done.stderr
    fitted(model, x, y, epochs=2)
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_array_equal(np.load(out)[f"arr_{i}"], weight)
    if not own:
        again = models.load_model(path)
        assert again.layers[0].kernel_regularizer.name == "squares"
        assert again.layers[0].kernel_constraint.get_config()["name"] == "short"
        with pytest.raises(
            ValueError, match=r"was made for weights of shape \(5, 6\), got \(4, 6\)"
        ):
            Sequential([Input(4), layers.Dense.from_config(again.layers[0].get_config())])


def test_copies_and_configurations(x: Array, y: Array) -> None:
    model = net(kernel_regularizer=squares, kernel_constraint=short)
    fitted(model, x, y)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert fitted(twin, x, y, 2) == fitted(copy.copy(model), x, y, 2)
    fresh = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    fresh.set_weights(model.get_weights())
    fresh.compile("sgd", "mse")
    assert fresh.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert models.clone_model(model).layers[0].kernel_regularizer.name == "squares"
    unknown = Sequential([layers.Dense(3, kernel_regularizer=squares)])
    for twin_of in (models.clone_model, copy.deepcopy):
        with pytest.raises(ValueError, match="regularizer 'squares' was a function of Python's"):
            twin_of(unknown)


def test_functions_by_name(x: Array, y: Array) -> None:
    with utils.custom_object_scope({"squares": squares, "Cubes": Cubes, "positive": positive}):
        layer = layers.Dense(3, kernel_regularizer="squares", kernel_constraint="positive")
        assert layer.kernel_regularizer is not None
        assert layer.kernel_regularizer([1.0, 2.0]) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="unknown regularizer 'squares'"):
        layers.Dense(3, kernel_regularizer="squares")


# ---- On arrays, and in loops of one's own.


def test_calls_on_arrays() -> None:
    w = np.array([[-1.0, 2.0], [3.0, -4.0]])
    assert regularizers.get(squares)(w) == pytest.approx(0.3)
    assert regularizers.get(squares)(w.astype(np.float32)) == pytest.approx(0.3)
    limit = constraints.get(positive)
    np.testing.assert_array_equal(limit(w), [[0, 2], [3, 0]])
    assert limit(w.astype(np.float32)).dtype == np.float32
    assert w[0, 0] == -1
    assert repr(limit) == "<constraint positive>"
    fresh = layers.Dense(3, kernel_constraint=positive)
    assert "kernel_constraint={'name': 'positive', " in repr(fresh)


def test_the_core_s_functions_take_programs() -> None:
    w = np.array([[-1.0, 2.0], [3.0, -4.0]])
    spec = json.dumps(regularizers.get(squares)._config_for(w.shape))
    assert _core.penalty(spec, w) == pytest.approx(0.3)
    gradient = np.ones((2, 2))
    _core.add_penalty_gradient(spec, w, gradient)
    np.testing.assert_allclose(gradient, 1 + 0.02 * w)
    _core.constrain(json.dumps(constraints.get(positive)._config_for(w.shape)), w)
    np.testing.assert_array_equal(w, [[0, 2], [3, 0]])


def test_tapes_follow_penalties() -> None:
    w = Variable([[1.0, -2.0]])
    penalty = regularizers.get(lambda w: ops.sum(w**4))
    with GradientTape() as outer:
        with GradientTape() as inner:
            value = penalty(w)
        slope = inner.gradient(value, w)
    np.testing.assert_allclose(slope.numpy(), [[4, -32]], rtol=1e-6)
    np.testing.assert_allclose(outer.gradient(slope, w).numpy(), [[12, 48]], rtol=1e-6)


def test_limits_hold_after_an_update_of_a_loop() -> None:
    for layer in (layers.Dense(3, kernel_constraint=positive), Own(limit=positive)):
        model = Sequential([Input(5), layer])
        optimizer = optimizers.SGD(1.0)
        weights = model.trainable_weights
        with GradientTape() as tape:
            loss = ops.sum(model(np.ones((2, 5), np.float32)) * 100)
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        assert model.weights[0].numpy().min() == 0


def test_in_the_call_of_a_layer() -> None:
    penalty = regularizers.get(squares)

    class Shrunk(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((input_shape[-1],), "ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.w * ops.exp(-penalty(self.w))

    x = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(Shrunk()(x), np.exp(-0.04) * x, rtol=1e-6)


SPECS = [*specs("regularizer"), *specs("constraint")]


@pytest.mark.parametrize("spec", SPECS, ids=spec_id)
@pytest.mark.parametrize("shape", [(3, 4), (1, 5), (6, 1)])
def test_built_in_ones_in_functions(
    spec: Any, shape: tuple[int, int], rng: np.random.Generator
) -> None:
    penalizes = spec in specs("regularizer")
    module: Any = regularizers if penalizes else constraints
    built_in = module.get(spec)
    own = module.Function(lambda w: 2 * built_in(w) + 1e-9 * ops.sum(w))
    w = rng.normal(size=shape)
    tolerance = {"rtol": 1e-10, "atol": 1e-6}
    np.testing.assert_allclose(own(w), 2 * built_in(w), **tolerance)

    class Inside(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape)

        def call(self, inputs: Any) -> Any:
            return inputs * ops.sum(built_in(self.w))

    layer = Inside()
    layer(np.ones((1, 1)))
    layer.w.assign(w)
    found = layer(np.ones((1, 1)))[0, 0]
    np.testing.assert_allclose(found, np.sum(built_in(w)), rtol=1e-4, atol=1e-5)


# ---- What cannot be.

OTHER = Variable([1.0, 2.0])
WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "not one number": (
        lambda w: w,
        ValueError,
        r"must return one number, of shape \(\), got \(5, 3",
    ),
    "no slope": (lambda w: ops.sum(w > 0), ValueError, "has no slope by the weights"),
    "a constant": (lambda w: 1.0, ValueError, "has no slope by the weights"),
    "NumPy": (lambda w: np.sum(w), TypeError, r"write laminar\.ops\.sum"),
    "if": (lambda w: w if ops.sum(w) > 0 else -w, TypeError, r"laminar\.ops\.where"),
    "nothing": (lambda w: None, TypeError, "must return a value, got None"),
    "a variable": (lambda w: ops.sum(w) * OTHER[0], (TypeError, ValueError), "Variable|variable"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_penalties(name: str, x: Array, y: Array) -> None:
    function, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        net(units=3, kernel_regularizer=function)
    model = net()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        Model(model.input, layers.Dense(3, kernel_regularizer=function)(model.input)).get_weights()
    with pytest.raises(error, match=message):
        Sequential([Input(5), Own(function)])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_wrong_rules() -> None:
    with pytest.raises(
        ValueError, match=r"constraint 'mine': must return weights .* \(5, 3\), got"
    ):
        Sequential([Input(5), Own(limit=constraints.Function(ops.sum, name="mine"))])
    with pytest.raises(TypeError, match=r"must be a function of the weights alone, got one of"):
        layers.Dense(3, kernel_regularizer=lambda w, x: ops.sum(w))
    with pytest.raises(TypeError, match=r"activity_regularizer must be .* a function of one's own"):
        layers.Dense(3, activity_regularizer=squares)
    for module in (regularizers, constraints):
        with pytest.raises(ValueError, match=r"Function: takes either a function or a program"):
            module.Function()
        with pytest.raises(TypeError, match="has no configuration, as it is a function"):
            module.Function(squares).get_config()
    with pytest.raises(TypeError, match="regularizer must be a name or an object of"):
        layers.Dense(3, kernel_regularizer=3)  # type: ignore[arg-type]
