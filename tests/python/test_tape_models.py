# SPDX-License-Identifier: Apache-2.0
"""Loops of one's own: models, layers and losses on tapes, and what optimizers make of these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import (
    GradientTape,
    Input,
    Model,
    Sequential,
    Variable,
    activations,
    constraints,
    layers,
    losses,
    ops,
    optimizers,
    regularizers,
)
from laminar.callbacks import LambdaCallback

RNG = np.random.default_rng(190)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1)


def stack(dtype: str = "float32") -> Sequential:
    parts = [Input(6), layers.Dense(8, "tanh"), layers.Dense(5, "relu"), layers.Dense(2)]
    return Sequential(parts, dtype=dtype, seed=4)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "lamb", "adafactor"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loop_trains_like_train_on_batch(name: str, dtype: str) -> None:
    def optimizer() -> Any:
        if name == "momentum":
            return optimizers.SGD(0.05, momentum=0.9, nesterov=True)
        return optimizers.get(name)

    mine, theirs, own = stack(dtype), stack(dtype), optimizer()
    theirs.compile(optimizer(), "mse")
    loss_of = losses.MeanSquaredError()
    for _ in range(5):
        for first in range(0, 40, 16):
            x, y = X[first : first + 16], Y[first : first + 16]
            with GradientTape() as tape:
                loss = loss_of(y, mine(x, training=True))
            gradients = tape.gradient(loss, mine.trainable_variables)
            own.apply_gradients(zip(gradients, mine.trainable_variables, strict=True))
            assert float(loss) == pytest.approx(theirs.train_on_batch(x, y), rel=1e-5)
    assert own.iterations == 15
    for here, there in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-6)


LOSSES = {
    "mse": (losses.MeanSquaredError(), "real"),
    "mae": (losses.MeanAbsoluteError(), "real"),
    "rmse": (losses.RootMeanSquaredError(), "real"),
    "huber": (losses.Huber(0.3), "real"),
    "sum": (losses.LogCosh(reduction="sum"), "real"),
    "none": (losses.MeanSquaredError(reduction="none"), "real"),
    "binary": (losses.BinaryCrossentropy(), "share"),
    "logits": (losses.BinaryCrossentropy(from_logits=True), "logit"),
    "categorical": (losses.CategoricalCrossentropy(), "softmax"),
    "sparse": (losses.SparseCategoricalCrossentropy(from_logits=True), "class"),
    "weighted": (losses.MeanSquaredError(reduction="mean_with_sample_weight"), "weighted"),
    "cosine": (losses.CosineSimilarity(), "real"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_against_differences(name: str) -> None:
    loss, kind = LOSSES[name]
    z = RNG.normal(size=(5, 3))
    y: Any = RNG.normal(size=(5, 3))
    weight = RNG.uniform(0.5, 2, size=5) if kind == "weighted" else None
    if kind in ("share", "softmax"):
        z = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    if kind in ("share", "softmax", "logit"):
        y = np.eye(3)[[0, 2, 1, 1, 0]]
    if kind == "class":
        y = np.array([0, 2, 1, 1, 0])
    p = Variable(z)
    with GradientTape() as tape:
        value = loss(y, p, weight)
    np.testing.assert_allclose(value.numpy(), loss(y, z, weight))
    gradient = tape.gradient(value, p)
    for index in np.ndindex(*z.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = z.copy()
            moved[index] += step
            ends.append(np.sum(loss(y, moved, weight)))
        assert gradient.numpy()[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=2e-8)


def test_gradients_of_a_loss_go_on() -> None:
    p = Variable(RNG.normal(size=(5, 3)))
    with GradientTape() as tape:
        rows = losses.MeanSquaredError(reduction="none")(np.zeros((5, 3)), p)
        value = ops.sum(rows * np.arange(5.0))
    expected = 2 / 3 * p.numpy() * np.arange(5.0)[:, None]
    np.testing.assert_allclose(tape.gradient(value, p).numpy(), expected)


def two_ends() -> Model:
    a, b = Input(3, name="a"), Input(2, name="b")
    joined = layers.Dense(4, "tanh")(layers.Concatenate()([a, b]))
    return Model({"a": a, "b": b}, [layers.Dense(1)(joined), layers.Dense(2)(joined)], seed=1)


def test_several_inputs_and_outputs() -> None:
    model = two_ends()
    a = ops.convert_to_tensor(X[:, :3])
    with GradientTape() as tape:
        tape.watch(a)
        first, second = model({"a": a, "b": X[:, 3:5]})
        loss = ops.sum(first * first) + 3 * ops.sum(second)
    d_a, *d_weights = tape.gradient(loss, [a, *model.trainable_variables])
    expected, wanted = model.vjp(
        {"a": X[:, :3], "b": X[:, 3:5]}, [2 * first.numpy(), np.full((40, 2), 3.0)]
    )
    np.testing.assert_allclose(d_a.numpy(), expected[0], rtol=1e-5)
    for mine, known in zip(d_weights, wanted, strict=True):
        np.testing.assert_allclose(mine.numpy(), known, rtol=1e-5)
    with GradientTape() as tape:  # one end alone
        first, second = model({"a": a, "b": X[:, 3:5]})
        loss = ops.sum(second)
    assert not tape.gradient(loss, model.trainable_variables)[2].numpy().any()


def second_derivatives(model: Any, x: Any) -> tuple[Any, Any]:
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            u = model(x)
        d_u = inner.gradient(u, x)
    return d_u, outer.gradient(d_u, x)


@pytest.mark.parametrize("kind", ["sequential", "graph", "own"])
def test_second_derivatives_of_models(kind: str) -> None:
    class Wave(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.inner = layers.Dense(4, "tanh")
            self.w = self.add_weight((4, 1))

        def call(self, inputs: Any) -> Any:
            return ops.matmul(self.inner(inputs), self.w)

    x = np.linspace(-1, 1, 9).reshape(-1, 1)
    if kind == "sequential":
        parts = [Input(1), layers.Dense(8, "tanh"), layers.LayerNormalization(), layers.Dense(1)]
        model: Any = Sequential(parts, dtype="float64", seed=3)
    elif kind == "graph":
        inp = Input(1)
        hidden = layers.Dense(6, "softplus")(inp)
        joined = layers.Multiply()([hidden, layers.Dense(6, "tanh")(inp)])
        model = Model(inp, layers.Dense(1)(joined), dtype="float64", seed=3)
    else:
        model = Sequential([Input(1), Wave(), layers.Dense(1)], dtype="float64", seed=3)
    d_u, dd_u = second_derivatives(model, ops.convert_to_tensor(x))
    h = 1e-4
    ends = [model.predict(x + step) for step in (h, 0, -h)]
    np.testing.assert_allclose(d_u.numpy(), (ends[0] - ends[2]) / (2 * h), rtol=1e-4)
    np.testing.assert_allclose(dd_u.numpy(), (ends[0] - 2 * ends[1] + ends[2]) / h**2, rtol=1e-3)


def test_an_equation_is_solved_by_second_derivatives() -> None:
    """u'' + u = 0 with u(0) = 0 and u'(0) = 1: the loss has the second derivative by the input."""
    model = Sequential(
        [Input(1), layers.Dense(12, "tanh"), layers.Dense(12, "tanh"), layers.Dense(1)],
        dtype="float64",
        seed=7,
    )
    x = ops.convert_to_tensor(np.linspace(0, 1.5, 20).reshape(-1, 1))
    optimizer = optimizers.Adam(0.02)
    start = None
    for _ in range(250):
        with GradientTape() as tape:
            d_u, dd_u = second_derivatives(model, x)
            u = model(x)
            loss = ops.mean((dd_u + u) ** 2) + u[0, 0] ** 2 + (d_u[0, 0] - 1) ** 2
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        start = float(loss) if start is None else start
    assert float(loss) < 0.02 * start
    assert np.abs(model.predict(x.numpy()) - np.sin(x.numpy())).max() < 0.1


def test_layers_on_their_own() -> None:
    class Scaled(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((input_shape[-1],), "ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.w

    dense, scaled = layers.Dense(3, "tanh"), Scaled()
    x = ops.convert_to_tensor(X)
    with GradientTape() as tape:
        tape.watch(x)
        value = ops.sum(scaled(dense(x)))
    d_x, d_w, d_kernel, d_bias = tape.gradient(value, [x, scaled.w, *dense.trainable_variables])
    slope = 1 - np.tanh(X @ dense.kernel + dense.bias) ** 2
    np.testing.assert_allclose(d_x.numpy(), slope @ dense.kernel.T, atol=1e-5)
    np.testing.assert_allclose(d_kernel.numpy(), X.T @ slope, atol=1e-4)
    np.testing.assert_allclose(d_bias.numpy(), slope.sum(axis=0), atol=1e-4)
    np.testing.assert_allclose(d_w.numpy(), np.tanh(X @ dense.kernel).sum(axis=0), atol=1e-4)
    scaled.trainable_variables[0].assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(scaled.w.numpy(), [1, 2, 3])
    scaled.w.assign_add([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(scaled.get_weights()[0], [2, 3, 4])


def test_variables_of_a_model() -> None:
    parts = [Input(6), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)]
    model = Sequential(parts)
    names = [variable.name for variable in model.trainable_variables]
    assert names == [w.name for w in model.weights if w.trainable]
    assert [v.name for v in model.variables] == [w.name for w in model.weights]
    assert [v.name for v in model.non_trainable_variables] == [
        "batch_normalization/moving_mean",
        "batch_normalization/moving_variance",
    ]
    assert model.variables[0] is model.layers[0].variables[0] is model.trainable_weights[0]
    model.layers[0].trainable = False
    assert len(model.trainable_variables) == len(names) - 2
    kernel = model.variables[-2]
    kernel.assign(np.ones((4, 2)))
    np.testing.assert_array_equal(model.layers[-1].kernel, np.ones((4, 2)))
    np.testing.assert_array_equal(model.get_weights()[-2], kernel.numpy())


def test_dropout_is_drawn_for_each_call_and_kept_for_the_way_back() -> None:
    model = Sequential([Input(6), layers.Dropout(0.5)], seed=1)
    x = ops.convert_to_tensor(np.ones((40, 6), np.float32))
    masks = []
    for _ in range(2):
        with GradientTape() as tape:
            tape.watch(x)
            out = model(x, training=True)
        np.testing.assert_array_equal(tape.gradient(out, x).numpy(), out.numpy())
        masks.append(out.numpy())
    assert (masks[0] != masks[1]).any()
    np.testing.assert_array_equal(model(x, training=False).numpy(), x.numpy())
    assert isinstance(model(x.numpy(), training=True), np.ndarray)


def test_batches_are_followed_in_training() -> None:
    model = Sequential([Input(6), layers.BatchNormalization()])
    out = model(X, training=True)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=0), 1, atol=2e-3)


def test_constraints_hold_after_an_update() -> None:
    layer = layers.Dense(3, kernel_constraint=constraints.NonNeg())
    model = Sequential([Input(6), layer])
    with GradientTape() as tape:
        loss = ops.sum(model(X) * 100)
    variables = model.trainable_variables
    optimizer = optimizers.SGD(1.0)
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    assert layer.kernel.min() == 0


def test_own_variables_are_updated() -> None:
    w, b = Variable(np.zeros((6, 2)), name="w"), Variable(np.zeros(2), name="b")
    optimizer = optimizers.Adam(0.1)
    for _ in range(200):
        with GradientTape() as tape:
            loss = ops.mean(ops.square(ops.matmul(X, w) + b - X[:, :2] - 3))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
    np.testing.assert_allclose(w.numpy(), np.eye(6)[:, :2], atol=0.02)
    np.testing.assert_allclose(b.numpy(), 3, atol=0.02)


def test_updates_that_are_refused() -> None:
    a, b = Variable([1.0], name="a"), Variable([2.0], name="b")
    double = Variable([1.0], name="d", dtype="float64")
    optimizer = optimizers.SGD(0.5)
    for pairs, error, message in (
        ([([1.0], a), ([1.0], double)], TypeError, "Variable 'd' is float64, Variable 'a' is fl"),
        ([([1.0, 2.0], a)], ValueError, r"gradient of Variable 'a' must be of shape \(1,\), got"),
        ([(["x"], a)], TypeError, "gradient of Variable 'a' must hold numbers"),
        ([(None, a)], ValueError, "no variable has a gradient"),
        ([([1.0], a), ([1.0], np.ones(1))], TypeError, "variable 1 must be a variable like the"),
    ):
        with pytest.raises(error, match=message):
            optimizer.apply_gradients(pairs)
    np.testing.assert_array_equal([a.numpy(), b.numpy()], [[1], [2]])
    with pytest.warns(UserWarning, match="SGD: no gradient of Variable 'b'"):
        optimizer.apply_gradients([([1.0], a), (None, b)])
    np.testing.assert_array_equal([a.numpy(), b.numpy()], [[0.5], [2]])
    with pytest.raises(ValueError, match="SGD: has state for the 1 variables of its first call"):
        optimizer.apply_gradients([([1.0], b)])


def test_gradients_after_the_weights_have_changed() -> None:
    model = stack()
    with GradientTape(persistent=True) as tape:
        loss = ops.sum(model(X))
    variables = model.trainable_variables
    optimizers.SGD(0.1).apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    with pytest.raises(RuntimeError, match="its weights have changed since the call"):
        tape.gradient(loss, variables)


def test_what_has_no_second_derivative_says_so() -> None:
    model = Sequential([Input(6), layers.Dense(4), layers.BatchNormalization(), layers.Dense(1)])
    x = ops.convert_to_tensor(X)
    with pytest.raises(ValueError, match="its output for a row depends on the whole batch"):
        second_derivatives(model, x)
    p = Variable(X)
    with GradientTape() as outer:
        with GradientTape() as inner:
            loss = losses.MeanSquaredError()(np.zeros_like(X), p)
        gradient = inner.gradient(loss, p)
    with pytest.raises(ValueError, match="MeanSquaredError: has no second derivative; write the"):
        outer.gradient(gradient, p)
    with GradientTape() as tape:
        tape.watch(x)
        loss = losses.MeanSquaredError()(x, p)
    with pytest.raises(ValueError, match="MeanSquaredError: has no gradient by y_true"):
        tape.gradient(loss, x)


@pytest.mark.parametrize("name", ["l1", "l2", "l1_l2", "orthogonal_regularizer"])
def test_penalties(name: str) -> None:
    regularizer = regularizers.get(name)
    w = Variable(RNG.normal(size=(4, 3)))
    with GradientTape() as tape:
        value = 3 * regularizer(w)
    assert float(value) == pytest.approx(3 * regularizer(w.numpy()))
    gradient = tape.gradient(value, w).numpy()
    for index in np.ndindex(4, 3):
        ends = []
        for step in (1e-6, -1e-6):
            moved = w.numpy()
            moved[index] += step
            ends.append(3 * regularizer(moved))
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_activations_on_tapes() -> None:
    x = Variable([[-1.0, 2.0]])
    with GradientTape() as tape:
        value = activations.relu(x) + activations.get("softplus")(x)
    expected = np.array([[0, 1]]) + 1 / (1 + np.exp([[1.0, -2.0]]))
    np.testing.assert_allclose(tape.gradient(value, x).numpy(), expected, rtol=1e-6)


def test_layers_in_several_models() -> None:
    inp = Input(6)
    shared = layers.Dense(3, "tanh")
    first, second = Model(inp, shared(inp)), Model(inp, layers.Dense(1)(shared(inp)))
    optimizer = optimizers.SGD(0.1, momentum=0.9)

    def value(weights: Any) -> float:
        shared.set_weights(weights)
        return float(np.mean(first(X) ** 2) + np.mean((second(X) - 1) ** 2))

    for _ in range(3):
        with GradientTape() as tape:
            loss = ops.mean(first(X) ** 2) + ops.mean((second(X) - 1) ** 2)
        variables = second.trainable_variables
        assert variables[0] is shared.variables[0] is first.trainable_variables[0]
        gradients = tape.gradient(loss, variables)
        kernel, bias = shared.get_weights()
        step = np.zeros_like(kernel)
        step[2, 1] = 0.01
        ends = [value([kernel + step, bias]), value([kernel - step, bias])]
        assert gradients[0].numpy()[2, 1] == pytest.approx((ends[0] - ends[1]) / 0.02, abs=1e-3)
        shared.set_weights([kernel, bias])
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])
        assert (first.get_weights()[0] != kernel).any()


def test_weights_are_updated_where_they_have_moved_to() -> None:
    model, optimizer = stack(), optimizers.SGD(0.1)
    moving = model.layers[0].trainable_variables

    def step() -> None:
        with GradientTape() as tape:
            loss = ops.sum(model(X))
        gradients = tape.gradient(loss, moving)
        before = [np.array(each) for each in moving]
        optimizer.apply_gradients(zip(gradients, moving, strict=True))
        for old, gradient, new in zip(before, gradients, model.get_weights(), strict=False):
            np.testing.assert_allclose(new, old - 0.1 * gradient.numpy(), rtol=1e-5, atol=1e-7)

    step()
    model.add(layers.Dense(1))  # another core model
    step()
    model = Model(model.inputs, model.layers[1].output)  # two of which have the layer now
    step()
    assert optimizer.iterations == 3


def test_losses_follow_what_becomes_of_their_arguments() -> None:
    loss, prediction = losses.Huber(delta=0.5), ops.convert_to_tensor(3 * Y)

    def value(of: Any) -> tuple[float, float]:
        return of(Y, 3 * Y), float(of(Y, prediction))

    before = value(loss)
    loss.delta = 2.0
    assert value(loss) == value(losses.Huber(delta=2.0)) != before


def normalized(name: str | None = None) -> Sequential:
    batch = layers.BatchNormalization(momentum=0.9, name=name)
    return Sequential([Input(6), layers.Dense(4), batch, layers.Dense(1)], seed=2)


def test_moving_statistics_follow_batches_in_training() -> None:
    alone = layers.BatchNormalization(momentum=0.8)
    model = Sequential([Input(6), alone])
    mean, variance = np.zeros(6), np.ones(6)
    for start in (0, 10, 30):
        batch = X[start : start + 10]
        model(batch, training=True)
        mean = 0.8 * mean + 0.2 * batch.mean(axis=0)
        variance = 0.8 * variance + 0.2 * batch.var(axis=0)
        np.testing.assert_allclose(alone.moving_mean, mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(alone.moving_variance, variance, rtol=1e-5, atol=1e-6)
    expected = (X - mean) / np.sqrt(variance + alone.epsilon)
    np.testing.assert_allclose(model(X), expected, rtol=1e-4, atol=1e-5)
    before = model.get_weights()
    for training in (False, None):
        model(ops.convert_to_tensor(X), training=training)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_moving_statistics_are_those_of_keras() -> None:
    batch = layers.BatchNormalization(momentum=0.9)
    model = Sequential([Input(2), batch])
    x = np.array([[1, -2], [3, 0.5], [2, 4]], np.float32)
    values = [  # of Keras 3
        ([0.2, 0.0833333358], [0.9666666388, 1.5055555105]),
        ([0.5799999833, 0.2416666746], [1.1366665363, 3.7772221565]),
    ]
    for factor, (mean, variance) in zip((1, 2), values, strict=True):
        model(x * factor, training=True)
        np.testing.assert_allclose(batch.moving_mean, mean, rtol=1e-6)
        np.testing.assert_allclose(batch.moving_variance, variance, rtol=1e-6)


def test_statistics_of_a_loop_are_those_of_train_on_batch() -> None:
    y = X[:, :1]
    loop, built_in = normalized(), normalized()
    built_in.compile(optimizers.SGD(0.1), "mse")
    optimizer = optimizers.SGD(0.1)
    for _ in range(5):
        with GradientTape() as tape:
            loss = losses.MeanSquaredError()(y, loop(X, training=True))
        variables = loop.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        built_in.train_on_batch(X, y)
    for ours, theirs in zip(loop.get_weights(), built_in.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(loop.predict(X), built_in.predict(X), rtol=1e-4, atol=1e-5)


def test_statistics_may_move_several_times_on_a_tape() -> None:
    model = normalized()
    variables = model.trainable_variables
    with GradientTape(persistent=True) as tape:
        first = ops.mean(model(X[:20], training=True) ** 2)
        second = ops.mean(model(X[20:], training=True) ** 2)
        together = first + second
    made = tape.gradient(together, variables)
    parts = [tape.gradient(each, variables) for each in (first, second)]
    for both, one, other in zip(made, *parts, strict=True):
        np.testing.assert_allclose(both.numpy(), one.numpy() + other.numpy(), rtol=1e-4, atol=1e-5)
    with GradientTape() as tape:
        predicted = ops.mean(model(X) ** 2)
        model(X, training=True)  # which moves what the prediction has read
    with pytest.raises(RuntimeError, match="its weights have changed since the call"):
        tape.gradient(predicted, variables)


def test_frozen_statistics_stay() -> None:
    model = normalized("batch")
    model.get_layer("batch").trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model(X, training=True)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_models_that_share_a_layer_follow_its_statistics() -> None:
    start = Input(6)
    batch = layers.BatchNormalization()
    one = Model(start, batch(start))
    two = Model(start, layers.Dense(1)(batch(start)))
    two.predict(X)
    with GradientTape() as tape:
        loss = ops.mean(one(X, training=True)) + ops.mean(two(X, training=True))
    assert tape.gradient(loss, two.trainable_variables)[0] is not None
    mean = 0.99 * 0.01 * X.mean(axis=0) + 0.01 * X.mean(axis=0)
    for model in (one, two):
        assert model.weights[2].name == "batch_normalization/moving_mean"
        np.testing.assert_allclose(model.get_weights()[2], mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one(X), one.predict(X))


def test_statistics_in_a_callback_and_a_file(tmp_path: Path) -> None:
    model = normalized("batch")
    model.compile("sgd", "mse")
    moved = LambdaCallback(on_epoch_end=lambda epoch, logs: model(X + 5, training=True))
    model.fit(X, X[:, :1], epochs=2, verbose=0, callbacks=[moved])
    model(X, training=True)
    model.save(tmp_path / "model.safetensors")
    again = laminar.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
