# SPDX-License-Identifier: Apache-2.0
"""Plain functions as activations and initializers, and what layers of one's own may not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laminar import Input, Model, Sequential, activations, layers, models, ops


def softcap(x: Any) -> Any:
    return 3 * ops.tanh(x / 3)


def test_functions_are_activations(rng: np.random.Generator, tmp_path: Path) -> None:
    x = rng.normal(size=(20, 4)).astype(np.float32)
    model = Sequential(
        [Input((4,)), layers.Dense(5, softcap), layers.Activation(softcap), layers.Dense(1)],
        seed=1,
    )
    assert [layer.name for layer in model.layers] == ["dense", "activation", "dense_1"]
    kernel, bias, last, _ = model.get_weights()
    hidden = 3 * np.tanh(np.tanh((x @ kernel + bias) / 3))
    np.testing.assert_allclose(model.predict(x), hidden @ last, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.layers[0].kernel, kernel)
    model.compile("adam", "mse")
    model.fit(x, x[:, 0], verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    start = Input((4,))
    graph = Model(start, layers.Dense(5, lambda x: ops.maximum(x, 0))(start))
    plain = layers.Dense(5, "relu")
    plain(x)
    plain.set_weights(graph.get_weights())
    np.testing.assert_array_equal(graph.predict(x), plain(x))


def test_activations_are_operations_too() -> None:
    class Gated(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return activations.gelu(inputs) * activations.get("elu")(inputs, alpha=0.5)

    x = np.array([[-1.0, 0.5, 2.0]], np.float32)
    expected = activations.gelu(x) * activations.ELU(0.5)(x)
    np.testing.assert_allclose(Gated()(x), expected, rtol=1e-6)
    start = Input((3,))
    np.testing.assert_allclose(
        Model(start, activations.mish(start)).predict(x), activations.mish(x), rtol=1e-6
    )


def test_functions_are_initializers(rng: np.random.Generator) -> None:
    def ramp(shape: Any, dtype: Any = None) -> Any:
        return np.arange(np.prod(shape)).reshape(shape) / 10

    model = Sequential([Input((3,)), layers.Dense(2, kernel_initializer=ramp)], dtype="float64")
    np.testing.assert_array_equal(model.get_weights()[0], ramp((3, 2)))
    layer = layers.Dense(2, "tanh", kernel_initializer=lambda shape: np.ones(shape))
    layer(np.ones((1, 3)))
    np.testing.assert_array_equal(layer.get_weights()[0], np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"initializer 'wrong' must return shape \(3, 2\), got"):

        def wrong(shape: Any) -> Any:
            return np.ones(4)

        Sequential([Input((3,)), layers.Dense(2, kernel_initializer=wrong)])


# ---- Layers that cannot be.


class Given(layers.Layer):
    """A layer whose call and build are given."""

    def __init__(self, function: Callable[..., Any], make: Callable[..., Any] | None = None):
        super().__init__(name="mine")
        self.function, self.make = function, make

    def build(self, input_shape: Any) -> None:
        if self.make is not None:
            self.make(self, input_shape)

    def call(self, inputs: Any) -> Any:
        return self.function(self, inputs)


class Forgetful(layers.Layer):
    def __init__(self) -> None:
        self.units = 3

    def call(self, inputs: Any) -> Any:
        return inputs


class Empty(layers.Layer):
    pass


OTHER = Given(lambda self, x: x * self.w, lambda self, shape: weigh(self, (3,)))


def weigh(layer: Any, shape: Any, **options: Any) -> None:
    layer.w = layer.add_weight(shape, **options)


def inner(kind: Callable[[], Any]) -> Any:
    """Return a layer with another inside."""
    made = Given(lambda self, x: self.part(x))
    made.part = kind()
    return made


def looped() -> Any:
    made = Given(lambda self, x: x)
    made.part = Given(lambda self, x: x)
    made.part.part = made
    return made


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no call": (Empty, NotImplementedError, r"Empty: a layer of one's own defines call\(self"),
    "weight in call": (
        lambda: Given(lambda self, x: x * self.add_weight((3,))),
        RuntimeError,
        "Given: add_weight in call would make a new weight for each call: make it in",
    ),
    "before build": (
        lambda: Given(lambda self, x: x * self.w),
        AttributeError,
        "no attribute 'w'",
    ),
    "another's weight": (
        lambda: Given(lambda self, x: x * OTHER.w),
        ValueError,
        "layer 'mine': call reads <variable w of shape .3,.>, which is none of its weights",
    ),
    "shape of a weight": (
        lambda: Given(lambda self, x: x, lambda self, shape: weigh(self, shape)),
        ValueError,
        r"add_weight: shape must hold positive integers, got \(None, 3\)",
    ),
    "unknown initializer": (
        lambda: Given(lambda self, x: x, lambda self, s: weigh(self, (3,), initializer="zero")),
        ValueError,
        "unknown initializer 'zero'; did you mean 'zeros'",
    ),
    "nothing": (lambda: Given(lambda self, x: None), TypeError, "layer 'mine': call: must return"),
    "no rows": (
        lambda: Given(lambda self, x: ops.sum(x, axis=0)),
        ValueError,
        r"must return a value for each row, of shape \(None, …\), got \(3,\); it does not depend",
    ),
    "one number": (
        lambda: Given(lambda self, x: ops.sum(x, axis=1)),
        ValueError,
        r"got \(None,\); laminar\.ops\.expand_dims\(x, -1\)",
    ),
    "mixed rows": (
        lambda: Given(lambda self, x: x - ops.mean(x, axis=0)),
        ValueError,
        "call brings together rows of a batch",
    ),
    "if": (
        lambda: Given(lambda self, x: x if ops.sum(x) > 0 else -x),
        TypeError,
        r"laminar\.ops\.where",
    ),
    "numpy": (lambda: Given(lambda self, x: np.tanh(x)), TypeError, r"write laminar\.ops\.tanh"),
    "shapes": (
        lambda: Given(lambda self, x: x @ self.w, lambda self, s: weigh(self, (4, 2))),
        ValueError,
        r"matmul: .* got \(None, 3\) and \(4, 2\)",
    ),
    "batch normalization": (
        lambda: inner(layers.BatchNormalization),
        ValueError,
        "BatchNormalization cannot be inside a layer of one's own: its output for a row depends",
    ),
    "seed inside": (
        lambda: inner(lambda: layers.Dropout(0.5, seed=3)),
        ValueError,
        "a seed of its own is not taken inside a layer of one's own",
    ),
    "itself inside": (looped, ValueError, "has itself among its layers"),
    "a layer on an array": (
        lambda: inner(lambda: layers.Lambda(lambda x: layers.Dense(2)(np.ones((2, 3))))),
        ValueError,
        r"layer 'dense': takes a value for each row, of shape \(None, …\), got \(2, 3\)",
    ),
    "a layer made in call": (
        lambda: Given(lambda self, x: layers.Dense(2)(x)),
        ValueError,
        "call reads <variable kernel .*, which is none of its weights",
    ),
    "symbols in call": (
        lambda: Given(lambda self, x: x + Input((3,))),
        TypeError,
        "add: x2 is a symbol of a model",
    ),
    "activation": (
        lambda: layers.Dense(2, lambda x: ops.sum(x, axis=-1, keepdims=True)),
        ValueError,
        r"its activation must return the shape that it is given, \(None, 2\), got \(None, 1\)",
    ),
    "activation of nothing": (
        lambda: layers.Dense(2, lambda x: None),
        TypeError,
        "layer 'dense': call: must return a value",
    ),
    "lambda": (lambda: layers.Lambda(3), TypeError, "Lambda: function must be callable, got 3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_layers(name: str) -> None:
    make, kind, message = WRONG[name]
    OTHER(np.ones((1, 3)))
    with pytest.raises(kind, match=message):
        Sequential([Input((3,)), make()])
    with pytest.raises(kind, match=message):
        make()(np.ones((2, 3)))
    with pytest.raises(kind, match=message):
        make()(Input((3,)))
    model = Sequential([layers.Dense(3)])
    model.add(layers.Dense(1))
    if name != "lambda":
        model.add(layers.Dense(3))
        with pytest.raises(kind, match=message):
            model.add(make())
            model.build((None, 3))
        model.pop()
        assert not model.built or model.predict(np.ones((1, 3))).shape == (1, 3)


def test_the_constructor_of_the_base_may_be_left_out() -> None:
    model = Sequential([Input((3,)), Forgetful(), layers.Dense(1)])
    assert [layer.name for layer in model.layers] == ["forgetful", "dense"]
    assert Forgetful()(np.ones((1, 3))).tolist() == [[1, 1, 1]]


def test_what_failed_can_be_tried_again() -> None:
    tries = []

    class Late(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((3,))
            tries.append(1)
            if len(tries) == 1:
                raise OSError("not yet")

        def call(self, inputs: Any) -> Any:
            return inputs * self.w

    layer = Late()
    with pytest.raises(OSError, match="not yet"):
        layer(np.ones((1, 3)))
    assert layer(np.ones((1, 3))).shape == (1, 3)
    assert len(layer.weights) == 1


def test_build_may_be_called() -> None:
    dense = layers.Dense(2)
    dense.build((None, 3))
    assert [w.shape for w in dense.weights] == [(3, 2), (2,)]
    before = dense.get_weights()
    dense.build((None, 3))  # once
    np.testing.assert_array_equal(dense.get_weights()[0], before[0])
    merged = layers.Concatenate()
    merged.build([(None, 3), (None, 4)])
    with pytest.raises(ValueError, match=r"input_shape must be at least 1, got 0"):
        layers.Dense(2).build((None, 0))

    class Built(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((input_shape[-1],), "ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.w

    class Below(Built):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.b = self.add_weight((input_shape[-1],), "zeros")

        def call(self, inputs: Any) -> Any:
            return super().call(inputs) + self.b

    for kind, count in ((Built, 1), (Below, 2)):
        own = kind()
        own.build((None, 3))
        np.testing.assert_array_equal(own(np.ones((2, 3))), np.ones((2, 3)))
        assert len(own.weights) == count


def test_add_weight_is_for_layers_of_one_s_own() -> None:
    with pytest.raises(TypeError, match="Dense: add_weight is for layers of one's own"):
        layers.Dense(3).add_weight((3,))
    with pytest.raises(ValueError, match="takes shape"):
        OTHER(np.ones((1, 3)))
        OTHER.w.assign(np.ones(4))
