# SPDX-License-Identifier: Apache-2.0
"""Small Keras models for the tests of ``.keras`` files; their weights are drawn from a seed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers


def _activations() -> list[Any]:
    names = "sigmoid tanh relu elu selu celu gelu softplus softsign silu mish exponential"
    names += " hard_sigmoid hard_tanh hard_silu relu6 log_sigmoid leaky_relu squareplus sparsemax"
    found = [layers.Dense(3, name) for name in names.split()]
    return [
        *found,
        layers.Dense(3, layers.LeakyReLU(0.05)),
        layers.Dense(3, keras.activations.gelu),
    ]


def stacks() -> dict[str, tuple[tuple[int, ...], list[Any]]]:
    """Return the shape of a sample and the layers of each model."""
    return {
        "classifier": ((4,), [layers.Dense(5, "relu"), layers.Dense(3, "softmax")]),
        "activations": ((3,), _activations()),
        "normalized": (
            (5,),
            [
                layers.Dense(7, use_bias=False),
                layers.BatchNormalization(epsilon=0.01, scale=False),
                layers.LayerNormalization(center=False),
                layers.Dense(1, "tanh"),
            ],
        ),
        "root mean squares": (
            (5,),
            [layers.Dense(7), layers.RMSNormalization(), layers.RMSNormalization(epsilon=0.5)],
        ),
        "learned slopes": (
            (2,),
            [layers.Dense(9), layers.PReLU(), layers.Dense(2), layers.LeakyReLU(0.2)],
        ),
        "layers": (
            (3,),
            [
                layers.Dense(4),
                layers.ReLU(2.0, 0.1, 0.2),
                layers.Dense(4),
                layers.ELU(0.7),
                layers.Activation("gelu"),
                layers.Identity(),
                layers.Dense(4),
                layers.Softmax(),
            ],
        ),
        "noise": (
            (6,),
            [
                layers.GaussianNoise(0.1),
                layers.Dense(5, "selu", kernel_initializer="lecun_normal"),
                layers.AlphaDropout(0.1),
                layers.Dropout(0.2),
                layers.GaussianDropout(0.1),
                layers.Dense(1, "sigmoid"),
            ],
        ),
        "shapes": (
            (2, 3),
            [layers.Reshape((3, -1)), layers.Flatten(), layers.Dense(17), layers.Dense(1)],
        ),
        "prepared": (
            (4,),
            [
                layers.Normalization(mean=[0.0, 1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0, 0.25]),
                layers.Rescaling(0.5, 0.25),
                layers.Dense(2),
            ],
        ),
        "adapted": ((4,), [layers.Normalization(), layers.Dense(2)]),
        "restrained": (
            (4,),
            [
                layers.Dense(
                    3, kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.1)
                ),
                layers.Dense(2, kernel_constraint=keras.constraints.MaxNorm(1.0)),
            ],
        ),
    }


def model(name: str, dtype: str = "float32", functional: bool = False) -> Any:
    """Return a model with random weights, those of variances positive."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    with all_in(dtype):
        shape, stack = stacks()[name]
        start = keras.Input(shape, dtype=dtype)
        if functional:
            value = start
            for layer in stack:
                value = layer(value)
            made = keras.Model(start, value, name="functional")
        else:
            made = keras.Sequential([start, *stack], name=name.replace(" ", "_"))
        if name == "adapted":
            stack[0].adapt(np.random.default_rng(3).normal(2, 3, (50, 4)))
    rng = np.random.default_rng(5)
    for variable in made.weights:
        if variable.path.startswith("normalization") or "seed" in variable.path:
            continue
        value = 0.7 * rng.normal(size=variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)
    return made


def sample(name: str) -> np.ndarray[Any, Any]:
    """Return samples for a model."""
    return np.random.default_rng(2).normal(size=(20, *stacks()[name][0]))


def outputs(made: Any, x: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """Return what a model predicts."""
    with all_in(dtype):
        return np.asarray(made.predict(x.astype(dtype), verbose=0))


@contextlib.contextmanager
def all_in(dtype: str) -> Iterator[None]:
    """Let Keras compute in a type: its policy, and what it rounds numbers to on the way."""
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy(dtype)
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_floatx(floatx)
