# SPDX-License-Identifier: Apache-2.0
"""A layer, a loss and a metric of one's own, written in operations."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import laminar
from laminar import Tensor, layers, losses, metrics, ops

Array: TypeAlias = NDArray[np.floating[Any]]


class Gate(layers.Layer):
    """Inputs times a sigmoid of them, with a slope that is learned."""

    def __init__(self, start: float = 1.0, name: str | None = None) -> None:
        super().__init__(name)
        self.start = start

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        width = input_shape[-1]
        assert width is not None
        self.scale = self.add_weight((width,), "ones")

    def call(self, inputs: Tensor) -> Tensor:
        scaled = inputs * self.scale * self.start
        assert_type(scaled, Tensor)
        share: Tensor = ops.sigmoid(scaled)
        return inputs * share


def pinball(y_true: Tensor, y_pred: Tensor) -> Tensor:
    loss: Tensor = ops.maximum(0.9 * (y_true - y_pred), 0.1 * (y_pred - y_true))
    return loss


class Squared(losses.Loss):
    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return (y_true - y_pred) ** 2


class Within(metrics.Metric):
    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return abs(y_true - y_pred) < 0.5


def main() -> None:
    x = np.linspace(-1, 1, 64).reshape(16, 4)
    symbol = laminar.Input(4)
    assert_type(Gate()(symbol), layers.symbol.Symbol)
    model = laminar.Sequential([layers.Dense(8), Gate(start=2.0), layers.Dense(1)], seed=1)
    for own in (pinball, Squared()):
        model.compile("adam", loss=own, metrics=[Within()])
        history = model.fit(x, x[:, :1], epochs=2, verbose=0)
        assert_type(history.history["loss"], list[float])
    assert_type(model.loss, losses.Loss | list[losses.Loss | None] | None)
    assert_type(model.get_layer(index=1), layers.Layer)
    loss, gradients = model.loss_and_gradients(x, x[:, :1])
    assert_type(loss, float)
    assert_type(gradients, list[Array])
    test = model.find_learning_rate(x, x[:, :1], steps=5)
    assert_type(test.rates, list[float])
    assert_type(test.suggestion, float)


if __name__ == "__main__":
    main()
