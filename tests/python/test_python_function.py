# SPDX-License-Identifier: Apache-2.0
"""Functions of Python inside models, and layers that look at whole batches in training."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import laminar
from laminar import GradientTape, Input, Sequential, Variable, layers, models, ops

Array = NDArray[Any]


def softsign(x: Array) -> Array:
    return x / (1 + abs(x))


def softsign_vjp(x: Array, y: Array, d: Array) -> Array:
    return d / (1 + abs(x)) ** 2


class Called(layers.Layer):
    def __init__(self, function: Any, **options: Any) -> None:
        super().__init__(**options)
        self.function = function

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], 5), "glorot_uniform")

    def call(self, inputs: Any) -> Any:
        return self.function(inputs @ self.kernel)


class Known(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], 5), "glorot_uniform")

    def call(self, inputs: Any) -> Any:
        return ops.softsign(inputs @ self.kernel)


class Centred(layers.Layer):
    """Values less the batch's mean, which prediction has in a moving average: here in none."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight((input_shape[-1],), "ones")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            return (inputs - ops.mean(inputs, axis=0, keepdims=True)) * self.scale
        return inputs * self.scale


def model_of(middle: layers.Layer, dtype: str = "float64") -> Sequential:
    laminar.utils.set_random_seed(5)
    model = Sequential([Input((3,)), layers.Dense(4, "tanh"), middle, layers.Dense(1)], dtype=dtype)
    model.compile("adam", "mse")
    return model


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[Array, Array]:
    x = rng.normal(size=(48, 3))
    return x, x[:, :1] ** 2


def test_on_arrays(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 3))
    two = ops.python_function(lambda a, b: a @ b.T, output_shape=(4,))
    assert np.array_equal(two(x, x), x @ x.T)
    single = ops.python_function(softsign)(x.astype(np.float32))
    assert single.dtype == np.float32


def test_it_trains_as_operations_do(data: tuple[Array, Array]) -> None:
    x, y = data
    seen: list[int] = []

    def forward(x: Array) -> Array:
        seen.append(len(x))
        return softsign(x)

    own = model_of(Called(ops.python_function(forward, softsign_vjp)))
    known = model_of(Known())
    for model in (own, known):
        model.fit(x, y, epochs=3, batch_size=16, verbose=0)
    assert set(seen) == {16}  # whole batches
    for a, b in zip(own.get_weights(), known.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(own.predict(x), known.predict(x), rtol=1e-12)


@pytest.mark.parametrize(
    "middle", [lambda: Called(ops.python_function(softsign, softsign_vjp)), Centred]
)
def test_threads(middle: Any, data: tuple[Array, Array]) -> None:
    results = []
    for threads in (1, 2, 3):
        laminar.set_num_threads(threads)
        model = model_of(middle(), "float32")
        model.fit(data[0], data[1], epochs=2, batch_size=16, verbose=0)
        results.append(model.get_weights())
    laminar.set_num_threads(0)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_rows_may_be_brought_together_in_training(data: tuple[Array, Array]) -> None:
    x, y = data
    model = model_of(Centred())
    before = model.get_weights()
    loss = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx(np.square(model.predict(x) - y).mean())
    step = model.train_on_batch(x, y)
    hidden = np.tanh(x @ before[0] + before[1])
    centred = (hidden - hidden.mean(axis=0)) * before[2]
    assert step == pytest.approx(np.square(centred @ before[3] + before[4] - y).mean(), rel=1e-9)


def test_gradients_of_what_looks_at_whole_batches(data: tuple[Array, Array]) -> None:
    x, _ = data
    model = model_of(Centred())
    with GradientTape() as tape:
        loss = ops.sum(ops.square(model(x, training=True)))
    found = tape.gradient(loss, model.trainable_variables)

    def value(weights: list[Array]) -> float:
        hidden = np.tanh(x @ weights[0] + weights[1])
        centred = (hidden - hidden.mean(axis=0)) * weights[2]
        return float(np.square(centred @ weights[3] + weights[4]).sum())

    weights = model.get_weights()
    for i, gradient in enumerate(found):
        expected = np.zeros_like(weights[i])
        for at in np.ndindex(expected.shape):
            for sign in (1, -1):
                moved = [w.copy() for w in weights]
                moved[i][at] += sign * 1e-6
                expected[at] += sign * value(moved) / 2e-6
        np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-6, atol=1e-6)


def test_in_a_loss(data: tuple[Array, Array]) -> None:
    x, y = data
    square = ops.python_function(
        lambda y, p: ((p - y) ** 2).mean(axis=1),
        lambda y, p, value, d: (np.zeros_like(y), 2 * (p - y) * d[:, None] / p.shape[1]),
        output_shape=(),
    )
    weights = []
    for loss in (square, "mse"):
        model = model_of(Known())
        model.compile("adam", loss)
        model.fit(x, y, epochs=2, batch_size=16, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_on_a_tape() -> None:
    x = Variable(np.array([1.0, -2.0]))
    cube = ops.python_function(lambda x: x**3, lambda x, y, d: d * 3 * x**2)
    with GradientTape() as tape:
        y = ops.sum(cube(x))
    assert np.asarray(tape.gradient(y, x)).tolist() == [3.0, 12.0]


def test_what_it_raises_is_raised(data: tuple[Array, Array]) -> None:
    calls = 0

    def forward(x: Array) -> Array:
        nonlocal calls
        calls += 1
        if calls > 4:
            raise LookupError("enough")
        return softsign(x)

    model = model_of(Called(ops.python_function(forward, softsign_vjp)))
    with pytest.raises(LookupError, match="enough"):
        model.fit(*data, epochs=9, batch_size=16, verbose=0)
    calls = -1000
    assert np.isfinite(model.evaluate(*data, verbose=0))
    model.fit(*data, epochs=1, verbose=0)


def test_ctrl_c_ends_the_fit(data: tuple[Array, Array]) -> None:
    def forward(x: Array) -> Array:
        raise KeyboardInterrupt

    model = model_of(Called(ops.python_function(forward, softsign_vjp)))
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda x: x[:, :2], "forward must return an array of shape"),
        (lambda x: None, "forward must return an array"),
    ],
)
def test_wrong_values(forward: Any, message: str, data: tuple[Array, Array]) -> None:
    model = model_of(Called(ops.python_function(forward, softsign_vjp, name="mine")))
    with pytest.raises((ValueError, TypeError), match=f"'mine': {message}"):
        model.fit(*data, epochs=1, verbose=0)


def test_without_a_gradient(data: tuple[Array, Array]) -> None:
    with pytest.raises(ValueError, match=re.escape("the function 'mine' has no gradient (vjp)")):
        model_of(Called(ops.python_function(softsign, name="mine")))
    first = Called(ops.python_function(softsign), trainable=False)
    model = Sequential([Input((3,)), first, layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(*data, epochs=1, verbose=0)


def test_summary_files_and_exports(tmp_path: Path, data: tuple[Array, Array]) -> None:
    function = ops.python_function(softsign, softsign_vjp, name="my softsign")
    model = model_of(Called(function))
    model.predict(data[0])
    texts: list[str] = []
    model.summary(print_fn=texts.append)
    assert "Python: my softsign" in texts[0]
    for ending in (".onnx", ".c"):
        with pytest.raises(ValueError, match="calls a function of Python"):
            model.export(tmp_path / f"model{ending}")
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = models.load_model(path)
    assert np.array_equal(again.predict(data[0]), model.predict(data[0]))
    again.fit(*data, epochs=1, verbose=0)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="python_function: forward must be callable"):
        ops.python_function(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="python_function: vjp must be callable"):
        ops.python_function(softsign, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="python_function: name must be a string"):
        ops.python_function(softsign, name=3)  # type: ignore[arg-type]
