# SPDX-License-Identifier: Apache-2.0
"""Tapes in calls that are traced: gradients by inputs as parts of layers and losses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import GradientTape, Input, Sequential, layers, models, ops
from laminar.compat import tensorflow as tf

RNG = np.random.default_rng(27)


class Derivatives(layers.Layer):
    """A function of one input beside its first derivatives."""

    def __init__(self, function: Callable[[Any], Any], count: int) -> None:
        super().__init__()
        self.function, self.count = function, count

    def call(self, inputs: Any) -> Any:
        values = [self.function(inputs)]

        def derived(order: int) -> Any:
            if order == 0:
                return values[0]
            with GradientTape() as tape:
                tape.watch(inputs)
                before = derived(order - 1)
            values.append(tape.gradient(before, inputs))
            return values[-1]

        derived(self.count)
        return ops.concatenate(values, axis=-1)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[Callable[[Any], Any]]]] = {
    "sin": (ops.sin, [np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x)]),
    "cube": (lambda x: x**3, [lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x]),
    "exp": (lambda x: ops.exp(2 * x), [lambda x, n=n: 2**n * np.exp(2 * x) for n in range(5)]),
    "sigmoid": (
        ops.sigmoid,
        [lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2],
    ),
    "softplus": (ops.softplus, [lambda x: np.log1p(np.exp(x)), lambda x: 1 / (1 + np.exp(-x))]),
    "infinite numbers": (
        lambda x: ops.where(x > 0.5, x * x, ops.minimum(x, np.inf)),
        [lambda x: np.where(x > 0.5, x * x, x), lambda x: np.where(x > 0.5, 2 * x, 1)],
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name: str) -> None:
    function, expected = FUNCTIONS[name]
    x = np.linspace(0.2, 1.4, 7).reshape(-1, 1)
    model = Sequential([Input((1,)), Derivatives(function, len(expected) - 1)], dtype="float64")
    np.testing.assert_allclose(model.predict(x), np.hstack([f(x) for f in expected]), rtol=1e-12)


class Field(layers.Layer):
    """A network, its slopes and its second slopes by both columns of its input."""

    def __init__(self, activation: str = "tanh") -> None:
        super().__init__()
        self.parts = [layers.Dense(6, activation), layers.Dense(5, activation), layers.Dense(1)]

    def field(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x

    def call(self, inputs: Any) -> Any:
        a, b = inputs[:, :1], inputs[:, 1:]
        with GradientTape(persistent=True) as outer:
            outer.watch({"a": a, "b": b})
            with GradientTape() as inner:
                inner.watch([a, b])
                u = self.field(ops.concatenate([a, b], axis=1))
            first = inner.gradient(u, {"a": a, "b": b})
        second = [outer.gradient(first[key], value) for key, value in (("a", a), ("b", b))]
        return ops.concatenate([u, first["a"], first["b"], *second], axis=1)


def around(value: Callable[[Any], Any], x: Any, column: int, step: float) -> tuple[Any, Any]:
    """Return the first and second differences by a column."""
    move = np.zeros(x.shape[1])
    move[column] = step
    below, here, above = value(x - move), value(x), value(x + move)
    return (above - below) / (2 * step), (above - 2 * here + below) / step**2


@pytest.mark.parametrize("activation", ["tanh", "gelu", "softplus", "silu"])
def test_a_network_against_differences(activation: str) -> None:
    model = Sequential([Input((2,)), Field(activation)], dtype="float64", seed=5)
    x = RNG.normal(size=(9, 2))
    made = model.predict(x)
    for column in (0, 1):
        first, second = around(lambda x: model.predict(x)[:, 0], x, column, 1e-4)
        np.testing.assert_allclose(made[:, 1 + column], first, atol=1e-7)
        np.testing.assert_allclose(made[:, 3 + column], second, atol=1e-6)


def residual(y_true: Any, y_pred: Any) -> Any:
    return ops.square(y_pred[:, 1] * y_pred[:, 2] + y_pred[:, 3] - 2 * y_pred[:, 4] - y_true[:, 0])


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_third_derivatives_train(activation: str) -> None:
    """The gradient of a loss of second derivatives by the weights."""
    model = Sequential([Input((2,)), Field(activation)], dtype="float64", seed=5)
    model.compile("adam", residual)
    x, y = RNG.normal(size=(9, 2)), RNG.normal(size=(9, 1))
    _, gradients = model.loss_and_gradients(x, y)
    weights = model.get_weights()
    for place, gradient in enumerate(gradients):
        for index in np.ndindex(*gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [weight.copy() for weight in weights]
                moved[place][index] += step
                model.set_weights(moved)
                ends.append(model.loss_and_gradients(x, y)[0])
            model.set_weights(weights)
            expected = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(gradient[index], expected, rtol=1e-6, atol=1e-7)


def test_a_loop_computes_the_same() -> None:
    """Tapes around the layer that are not traced agree with those in it."""
    layer = Field()
    model = Sequential([Input((2,)), layer], dtype="float64", seed=5)
    x = RNG.normal(size=(9, 2))
    expected = model.predict(x)
    tensor = ops.convert_to_tensor(x)
    with GradientTape() as outer:
        outer.watch(tensor)
        with GradientTape() as inner:
            inner.watch(tensor)
            u = model(tensor)[:, :1]
        first = inner.gradient(u, tensor)
        column = first[:, 1:]
    np.testing.assert_allclose(first.numpy(), expected[:, 1:3], rtol=1e-12)
    second = outer.gradient(column, tensor)
    np.testing.assert_allclose(second.numpy()[:, 1], expected[:, 4], rtol=1e-12)


def test_any_number_of_threads_trains_the_same_bits() -> None:
    x, y = RNG.normal(size=(300, 2)), RNG.normal(size=(300, 1))
    found = []
    before = laminar.get_num_threads()
    try:
        for threads in (1, 2, 3):
            laminar.set_num_threads(threads)
            model = Sequential([Input((2,)), Field()], seed=5)
            model.compile("adam", residual)
            model.fit(x, y, epochs=3, batch_size=128, verbose=0)
            found.append(b"".join(weight.tobytes() for weight in model.get_weights()))
    finally:
        laminar.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_a_file_needs_no_class(tmp_path: Path) -> None:
    x, y = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 1))
    model = Sequential([Input((2,)), Field()], seed=5)
    model.compile("adam", residual)
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "field.safetensors")
    loaded = models.load_model(tmp_path / "field.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    for each in (model, loaded):
        each.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_onnx_has_the_slopes(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    model = Sequential([Input((2,)), Field()], seed=5)
    x = RNG.normal(size=(9, 2)).astype(np.float32)
    model.export(tmp_path / "field.onnx")
    session = runtime.InferenceSession(tmp_path / "field.onnx")
    (made,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(made, model.predict(x), rtol=1e-5, atol=1e-5)


def traced(function: Callable[[Any], Any], x: Any = None) -> Any:
    """Return what a function makes of a batch in a layer's call."""

    class Part(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return function(inputs)

    x = np.array([[0.5, 1.0], [2.0, 3.0]]) if x is None else x
    return Sequential([Input(x.shape[1:]), Part()], dtype="float64").predict(x)


def test_followed_as_outside() -> None:
    seen: list[Any] = []

    def call(x: Any) -> Any:
        seen.clear()  # of the other mode
        with GradientTape(persistent=True) as tape:
            y = x * x
        seen.append(tape.gradient(y, x))  # not watched
        seen.append(tape.gradient(y, x, unconnected_gradients="zero"))
        with GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
            z = ops.sum(y, axis=-1)
        seen.append(tape.gradient(ops.floor(y), x))  # has no slope
        seen.append(tape.gradient(z, [y, x]))  # by a value on the way as well
        seen.append(tape.gradient(x, y))  # does not depend on it
        seen.append(tape.gradient([y, z], x))
        seen.append(tape.gradient(y, x, output_gradients=ops.exp(x)))
        total = ops.sum(y)  # over all rows: their gradients still are of one row each
        seen.append(tape.gradient(total, x))
        given = [made for made in (seen[1], *seen[3], *seen[5:]) if made is not None]
        return ops.concatenate([ops.broadcast_to(made, (None, 2)) for made in given], axis=-1)

    x = np.array([[0.5, 1.0], [2.0, 3.0]])
    made = traced(call, x)
    assert seen[0] is None and seen[2] is None and seen[4] is None
    expected = [0 * x, np.ones_like(x), 2 * x, 4 * x, 2 * x * np.exp(x), 2 * x]
    np.testing.assert_allclose(made, np.hstack(expected), rtol=1e-14)


def test_with_tensorflows_names() -> None:
    def call(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.square(x), axis=1)
        return tape.gradient(y, x)

    np.testing.assert_array_equal(traced(call), [[1, 2], [4, 6]])


def test_in_a_loss() -> None:
    """A loss of the slope of another one by the outputs."""

    def loss(y_true: Any, y_pred: Any) -> Any:
        with GradientTape() as tape:
            tape.watch(y_pred)
            inner = ops.sum((y_true - y_pred) ** 4, axis=-1)
        return ops.sum(ops.square(tape.gradient(inner, y_pred)), axis=-1)

    made = laminar.losses.get(loss)([[1.0, 2.0]], [[0.5, 4.0]])
    assert float(made) == pytest.approx((4 * 0.5**3) ** 2 + (4 * 2.0**3) ** 2)


def test_dropout_draws_once() -> None:
    """What goes forward and its slope are of the same units."""

    class Dropped(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = layers.Dropout(0.5)

        def call(self, inputs: Any, training: bool = False) -> Any:
            with GradientTape() as tape:
                tape.watch(inputs)
                y = self.dropout(inputs, training=training) ** 2
            return y * 0 + tape.gradient(y, inputs) * inputs - 2 * y

    x = RNG.normal(size=(50, 8)).astype(np.float32)
    np.testing.assert_allclose(Dropped()(x, training=True), 0, atol=1e-5)


def no_gradient(x: Any, tape: GradientTape) -> Any:
    return tape.gradient(x[:, 0], x, output_gradients=x)


def twice(x: Any, tape: GradientTape) -> Any:
    tape.gradient(x, x)
    return tape.gradient(x, x)


def word(x: Any, tape: GradientTape) -> Any:
    return tape.gradient(x, "x")


REFUSED: dict[str, tuple[Callable[[Any, GradientTape], Any], type[Exception], str]] = {
    "shape": (no_gradient, ValueError, r"output_gradients must be of the target's shape \(None,\)"),
    "number": (
        lambda x, tape: tape.gradient([x, x], x, output_gradients=[x, x, x]),
        ValueError,
        "output_gradients must be a list of 2, got 3",
    ),
    "twice": (twice, RuntimeError, "persistent=True"),
    "source": (word, TypeError, "sources must be variables and tensors, .* got str"),
    "word": (
        lambda x, tape: tape.gradient(x, x, unconnected_gradients="nothing"),
        ValueError,
        "unconnected_gradients must be 'none' or 'zero'",
    ),
    "rows": (lambda x, tape: x + tape.gradient(x @ x.T, x), ValueError, "rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    function, kind, message = REFUSED[name]

    def call(x: Any) -> Any:
        with GradientTape() as tape:
            tape.watch(x)
        return function(x, tape)

    with pytest.raises(kind, match=message):
        traced(call)


@pytest.mark.parametrize("told", [False, True])
def test_weights_that_are_not_trained(told: bool) -> None:
    """They are followed only where a tape is told of them."""
    seen = []

    class Fixed(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((2,), trainable=False)

        def call(self, inputs: Any) -> Any:
            with GradientTape() as tape:
                if told:
                    tape.watch(self.w)
                y = inputs * self.w
            seen.append(tape.gradient(y, self.w))
            return y

    Fixed()(np.ones((3, 2)))
    assert all((each is not None) == told for each in seen)


def test_by_a_weight() -> None:
    """A gradient by a weight is a sum over the rows, which no layer may take."""

    class Meta(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((2,))

        def call(self, inputs: Any) -> Any:
            with GradientTape() as tape:
                y = inputs * self.w
            return inputs * tape.gradient(y, self.w)

    with pytest.raises(ValueError, match="brings together rows"):
        Meta()(np.ones((3, 2)))


def test_symbols_of_a_graph() -> None:
    x = Input((2,))
    tape = GradientTape()
    with pytest.raises(TypeError, match="got Input; a symbol has no slopes: take them in the call"):
        tape.watch(x)
    y = layers.Dense(1)(x)
    with pytest.raises(TypeError, match="a symbol has no slopes"):
        tape.gradient(y, x)


def test_values_of_another_call() -> None:
    kept: list[Any] = []
    tape = GradientTape(persistent=True)

    def call(x: Any) -> Any:
        tape.watch(x)
        kept.append(x)
        return x

    traced(call)
    with pytest.raises(ValueError, match="belongs to a call that is over"):
        tape.gradient(kept[0], kept[0])
    with pytest.raises(ValueError, match="belongs to another call"):
        traced(lambda x: tape.gradient(x, x))
