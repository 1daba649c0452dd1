# SPDX-License-Identifier: Apache-2.0
"""The formulas of the network in plain NumPy and float64, independent of the core.

Nothing here is fast or clever: each function is the published formula, so that it can be checked
by eye. Losses and gradients are those of the weighted mean over rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Spec = dict[str, Any]

MARGIN = 1e-7  # probabilities are kept this far from 0 and 1, as in Keras


def activate(spec: Spec, z: Array) -> Array:
    """Return a = f(z)."""
    match spec["name"]:
        case "linear":
            return z
        case "step":
            return np.where(z > 0, 1.0, 0.0)
        case "sigmoid":
            return 1 / (1 + np.exp(-z))
        case "tanh":
            return np.tanh(z)
        case "relu":
            return np.maximum(z, 0)
        case "leaky_relu":
            return np.where(z >= 0, z, spec["negative_slope"] * z)
        case "elu":
            return np.where(z > 0, z, spec["alpha"] * np.expm1(np.minimum(z, 0)))
        case "softmax":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)
        case name:
            raise NotImplementedError(name)


def activation_gradient(spec: Spec, z: Array, d_a: Array) -> Array:
    """Return d_z of d_a."""
    a = activate(spec, z)
    match spec["name"]:
        case "linear":
            return d_a
        case "sigmoid":
            return d_a * a * (1 - a)
        case "tanh":
            return d_a * (1 - a**2)
        case "relu":
            return d_a * (z > 0)
        case "leaky_relu":
            return d_a * np.where(z > 0, 1, spec["negative_slope"])
        case "elu":
            return d_a * np.where(z > 0, 1, spec["alpha"] * np.exp(np.minimum(z, 0)))
        case "softmax":
            return a * (d_a - (d_a * a).sum(axis=1, keepdims=True))
        case name:
            raise NotImplementedError(name)


def losses(spec: Spec, y: NDArray[Any], p: Array) -> Array:
    """Return the loss of each row; from_logits means that p are logits."""
    name, smoothing = spec["name"], spec.get("label_smoothing", 0.0)
    match name:
        case "mse":
            return ((y - p) ** 2).mean(axis=1)
        case "mae":
            return np.abs(y - p).mean(axis=1)
        case "huber":
            e, delta = np.abs(y - p), spec["delta"]
            return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2)).mean(axis=1)
        case "binary_crossentropy":
            if spec["from_logits"]:
                p = activate({"name": "sigmoid"}, p)
            else:
                p = np.clip(p, MARGIN, 1 - MARGIN)
            y = y * (1 - smoothing) + smoothing / 2
            return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1)
        case "categorical_crossentropy" | "sparse_categorical_crossentropy":
            if name.startswith("sparse"):
                y = np.eye(p.shape[1])[y]
            if spec["from_logits"]:
                p = activate({"name": "softmax"}, p)
            else:
                p = np.clip(p / p.sum(axis=1, keepdims=True), MARGIN, 1 - MARGIN)
            y = y * (1 - smoothing) + smoothing / p.shape[1]
            return -(y * np.log(p)).sum(axis=1)
        case _:
            raise NotImplementedError(name)


def loss_gradient(spec: Spec, y: NDArray[Any], p: Array) -> Array:
    """Return the derivative of each row's loss by p."""
    name, k, smoothing = spec["name"], p.shape[1], spec.get("label_smoothing", 0.0)
    match name:
        case "mse":
            return 2 * (p - y) / k
        case "mae":
            return np.sign(p - y) / k
        case "huber":
            return np.clip(p - y, -spec["delta"], spec["delta"]) / k
        case "binary_crossentropy":
            y = y * (1 - smoothing) + smoothing / 2
            if spec["from_logits"]:
                return (activate({"name": "sigmoid"}, p) - y) / k
            inside = np.clip(p, MARGIN, 1 - MARGIN)
            return np.where(inside == p, (1 - y) / (1 - inside) - y / inside, 0) / k
        case "categorical_crossentropy" | "sparse_categorical_crossentropy":
            if name.startswith("sparse"):
                y = np.eye(k)[y]
            y = y * (1 - smoothing) + smoothing / k
            if spec["from_logits"]:
                return activate({"name": "softmax"}, p) * y.sum(axis=1, keepdims=True) - y
            share = p / p.sum(axis=1, keepdims=True)
            y = np.where(np.clip(share, MARGIN, 1 - MARGIN) == share, y, 0)
            return (y.sum(axis=1, keepdims=True) - y / share) / p.sum(axis=1, keepdims=True)
        case _:
            raise NotImplementedError(name)


class Dense(NamedTuple):
    """A layer's weights and activation."""

    kernel: Array
    bias: Array
    activation: Spec


def forward(network: list[Dense], x: Array) -> tuple[list[Array], list[Array]]:
    """Return the layers' inputs, then the output; and their z."""
    values, sums = [np.asarray(x, np.float64)], []
    for layer in network:
        sums.append(values[-1] @ layer.kernel + layer.bias)
        values.append(activate(layer.activation, sums[-1]))
    return values, sums


def fused(loss: Spec, activation: Spec) -> bool:
    """Return whether a loss is that of its own activation, which is computed on logits."""
    own = {"sigmoid": "binary_crossentropy", "softmax": "categorical_crossentropy"}
    return loss["name"].removeprefix("sparse_") == own.get(activation["name"])


def loss_and_gradients(
    network: list[Dense], loss: Spec, x: Array, y: NDArray[Any], weight: Array | None = None
) -> tuple[float, list[Array]]:
    """Return the weighted mean of the loss, and its derivative by each kernel and bias."""
    if fused(
        loss, network[-1].activation
    ):  # the same on logits, where nothing is rounded to 0 or 1
        network = [*network[:-1], network[-1]._replace(activation={"name": "linear"})]
        loss = {**loss, "from_logits": True}
    values, sums = forward(network, x)
    weight = np.ones(len(x)) if weight is None else weight
    share = weight / weight.sum()
    value = float((share * losses(loss, y, values[-1])).sum())
    d_a = loss_gradient(loss, y, values[-1]) * share[:, np.newaxis]
    gradients: list[Array] = []
    for layer, z, before in zip(network[::-1], sums[::-1], values[-2::-1], strict=True):
        d_z = activation_gradient(layer.activation, z, d_a)
        gradients[:0] = [before.T @ d_z, d_z.sum(axis=0)]
        d_a = d_z @ layer.kernel.T
    return value, gradients


def updates(spec: Spec, w: Array, gradient: Any) -> Iterator[Array]:
    """Yield the weights after each update; ``gradient(w)`` gives the gradient."""
    lr = spec["learning_rate"]
    first, second, velocity = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    step = 0
    while True:
        step += 1
        g = gradient(w)
        match spec["name"]:
            case "sgd":
                velocity = spec["momentum"] * velocity - lr * g
                w = w + (spec["momentum"] * velocity - lr * g if spec["nesterov"] else velocity)
            case "rmsprop":
                second = spec["rho"] * second + (1 - spec["rho"]) * g**2
                first = spec["rho"] * first + (1 - spec["rho"]) * g
                variance = second - first**2 if spec["centered"] else second
                velocity = spec["momentum"] * velocity + lr * g / np.sqrt(
                    variance + spec["epsilon"]
                )
                w = w - velocity
            case "adam":
                b1, b2 = spec["beta_1"], spec["beta_2"]
                first = b1 * first + (1 - b1) * g
                second = b2 * second + (1 - b2) * g**2
                rate = lr * np.sqrt(1 - b2**step) / (1 - b1**step)
                w = w - rate * first / (np.sqrt(second) + spec["epsilon"])
            case name:
                raise NotImplementedError(name)
        yield w
