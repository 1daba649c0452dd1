# SPDX-License-Identifier: Apache-2.0
"""What a call in training keeps for the way back, and updates of weights where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from laminar import (
    GradientTape,
    Input,
    Model,
    Sequential,
    constraints,
    layers,
    losses,
    ops,
    optimizers,
)

RNG = np.random.default_rng(31)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = RNG.normal(size=(40, 2)).astype(np.float32)


def stack(*middle: layers.Layer) -> Sequential:
    return Sequential(
        [Input(6), layers.Dense(8, "tanh"), *middle, layers.Dense(5, "gelu"), layers.Dense(2)],
        seed=4,
    )


def branches() -> Model:
    x = Input((6,))
    a, b = layers.Dense(4, "relu")(x), layers.Dense(4)(x)
    return Model(x, layers.Dense(2)(layers.add([a, b])), seed=4)


MODELS: dict[str, Any] = {
    "dense": stack,
    "dropout": lambda: stack(layers.Dropout(0.4)),
    "noise": lambda: stack(layers.GaussianNoise(0.1)),
    "batch_normalization": lambda: stack(layers.BatchNormalization()),
    "layer_normalization": lambda: stack(layers.LayerNormalization()),
    "operations": lambda: stack(layers.Reshape((2, 4)), layers.Flatten()),
    "branches": branches,
}


def numbers(gradients: Any) -> list[NDArray[Any]]:
    return [gradient.numpy() for gradient in gradients]


class Counted(layers.Layer):
    """The input itself; counts how often it goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

        def forward(x: NDArray[Any]) -> NDArray[Any]:
            self.calls.append(len(x))
            return x

        self.function = ops.python_function(forward, lambda x, y, d: d)

    def call(self, x: Any) -> Any:
        return self.function(x)


def test_the_way_back_does_not_go_forward_again() -> None:
    counted = Counted()
    model = Sequential([Input(6), layers.Dense(4), counted, layers.Dense(2)])
    model(X, training=True)
    counted.calls.clear()
    with GradientTape(persistent=True) as tape:
        loss = losses.MeanSquaredError()(Y, model(X, training=True))
    first = numbers(tape.gradient(loss, model.trainable_variables))
    both = len(counted.calls)
    again = numbers(tape.gradient(loss, model.trainable_variables))  # nothing is kept for this one
    assert len(counted.calls) - both == both  # its way back goes forward first
    np.testing.assert_equal(first, again)


@pytest.mark.parametrize("name", MODELS)
def test_both_ways_have_the_same_bits(name: str) -> None:
    model = MODELS[name]()
    loss_of = losses.Huber()
    for rows in (40, 7, 40, 40, 1):  # batches of other sizes take other memory
        with GradientTape(persistent=True) as tape:
            loss = loss_of(Y[:rows], model(X[:rows], training=True))
        kept = numbers(tape.gradient(loss, model.trainable_variables))
        anew = numbers(tape.gradient(loss, model.trainable_variables))
        np.testing.assert_equal(kept, anew)


def test_several_calls_keep_what_is_theirs() -> None:
    model, loss_of = stack(layers.Dropout(0.3)), losses.MeanSquaredError()
    parts = [slice(0, 16), slice(16, 32), slice(32, 40)]
    with GradientTape(persistent=True) as tape:
        each = [loss_of(Y[part], model(X[part], training=True)) for part in parts]
        total = each[0] + each[1] + each[2]
    together = numbers(tape.gradient(total, model.trainable_variables))
    alone = [numbers(tape.gradient(loss, model.trainable_variables)) for loss in reversed(each)]
    for whole, *terms in zip(together, *alone, strict=True):
        np.testing.assert_allclose(whole, sum(terms), rtol=1e-5, atol=1e-6)


def test_layers_that_change_between_both_ways_are_not_taken_for_those_that_were() -> None:
    dropout = layers.Dropout(0.5)
    model = stack(dropout)
    with GradientTape() as tape:
        loss = losses.MeanSquaredError()(Y, model(X, training=True))
    dropout.rate = 0.1
    with pytest.raises(RuntimeError, match="have changed"):
        tape.gradient(loss, model.trainable_variables)
    with GradientTape(persistent=True) as again:
        loss = losses.MeanSquaredError()(Y, model(X, training=True))
    kept = numbers(again.gradient(loss, model.trainable_variables))
    np.testing.assert_equal(kept, numbers(again.gradient(loss, model.trainable_variables)))


def test_weights_that_change_in_between_are_refused() -> None:
    model = stack()
    with GradientTape() as tape:
        loss = losses.MeanSquaredError()(Y, model(X, training=True))
    model.set_weights([2 * weight for weight in model.get_weights()])
    with pytest.raises(RuntimeError, match="its weights have changed since the call"):
        tape.gradient(loss, model.trainable_variables)


@pytest.mark.parametrize("name", [*MODELS, "frozen", "constraint"])
@pytest.mark.parametrize("rule", ["sgd", "adam", "lamb"])
def test_weights_are_updated_as_arrays_are(name: str, rule: str) -> None:
    if name == "constraint":
        model = stack(layers.Dense(8, kernel_constraint=constraints.MaxNorm(1.0)))
    else:
        model = MODELS.get(name, stack)()
    if name == "frozen":
        model.layers[1].trainable = False
    of_model, of_arrays = optimizers.get(rule), optimizers.get(rule)
    arrays = [np.array(variable) for variable in model.trainable_variables]
    for step in range(3):
        with GradientTape() as tape:
            loss = losses.MeanSquaredError()(Y, model(X, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(gradients, model.trainable_variables, strict=True)
        assert of_model.apply_gradients(pairs) == step + 1
        of_arrays.apply(numbers(gradients), arrays)
        for i, variable in enumerate(model.trainable_variables):
            if variable._constraint is not None:
                arrays[i] = np.array(variable._constraint(arrays[i]), np.float32)
            np.testing.assert_equal(np.array(variable), arrays[i])


def test_gradients_in_other_forms_are_taken_as_before() -> None:
    model, optimizer = stack(), optimizers.SGD(0.5)
    variables = model.trainable_variables
    ones: list[Any] = [ops.ones_like(variable) for variable in variables]
    optimizer.apply(ones, variables)
    before = model.get_weights()
    others = [np.ones(variable.shape) for variable in variables]  # float64, and arrays
    optimizer.apply_gradients(list(zip(others, variables, strict=True)))
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_allclose(now, then - 0.5, rtol=1e-6)
    with pytest.raises(ValueError, match="must be of shape"):
        optimizer.apply([ops.ones_like(variables[0])] * len(variables), variables)
    with pytest.raises(ValueError, match="has state for the 6 variables"):
        optimizer.apply(ones[:2], variables[:2])
    assert optimizer.iterations == 2
