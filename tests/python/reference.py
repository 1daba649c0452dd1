# SPDX-License-Identifier: Apache-2.0
"""The formulas of the network in plain NumPy and float64, independent of the core.

Nothing here is fast or clever: each function is the published formula, so that it can be checked
by eye. Losses and gradients are those of the weighted mean over rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Spec = dict[str, Any]

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
MARGIN = 1e-7  # probabilities are kept this far from 0 and 1, as in Keras


def activate(spec: Spec, z: Array) -> Array:
    """Return a = f(z)."""
    match spec["name"]:
        case "linear":
            return z
        case "step":
            return np.where(z > 0, 1.0, 0.0)
        case "sigmoid":
            return sigmoid(z)
        case "tanh":
            return np.tanh(z)
        case "relu":
            low = spec["negative_slope"] * (z - spec["threshold"])
            return np.minimum(np.where(z > spec["threshold"], z, low), _maximum(spec))
        case "leaky_relu":
            return np.where(z >= 0, z, spec["negative_slope"] * z)
        case "elu":
            return np.where(z > 0, z, spec["alpha"] * np.expm1(np.minimum(z, 0)))
        case "selu":
            return SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))
        case "celu":
            low = spec["alpha"] * np.expm1(np.minimum(z, 0) / spec["alpha"])
            return np.where(z > 0, z, low)
        case "gelu":
            return z * _gelu_gate(spec, z)
        case "softplus":
            return np.logaddexp(0, z)
        case "log_sigmoid":
            return -np.logaddexp(0, -z)
        case "softsign":
            return z / (1 + np.abs(z))
        case "silu":
            return z * sigmoid(z)
        case "mish":
            return z * np.tanh(np.logaddexp(0, z))
        case "exponential":
            return np.exp(z)
        case "hard_sigmoid":
            return np.clip(z / 6 + 0.5, 0, 1)
        case "hard_tanh":
            return np.clip(z, -1, 1)
        case "hard_silu":
            return z * np.clip((z + 3) / 6, 0, 1)
        case "relu6":
            return np.clip(z, 0, 6)
        case "tanh_shrink":
            return _tanh_shrink(z)
        case "hard_shrink":
            return np.where(np.abs(z) > spec["threshold"], z, 0)
        case "soft_shrink":
            return np.sign(z) * np.maximum(np.abs(z) - spec["threshold"], 0)
        case "threshold":
            return np.where(z > spec["threshold"], z, spec["default_value"])
        case "squareplus":
            root = np.sqrt(z**2 + spec["b"])
            return np.where(z < 0, spec["b"] / 2 / (root - z), (z + root) / 2)
        case "sparse_plus":
            return np.where(z <= -1, 0, np.where(z < 1, (z + 1) ** 2 / 4, z))
        case "sparse_sigmoid":
            return np.clip((z + 1) / 2, 0, 1)
        case "softmax":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)
        case "log_softmax":
            return z - np.logaddexp.reduce(z, axis=1, keepdims=True)
        case "sparsemax":
            return np.maximum(z - _sparsemax_threshold(z), 0)
        case name:
            raise NotImplementedError(name)


def activation_gradient(spec: Spec, z: Array, d_a: Array) -> Array:
    """Return d_z of d_a."""
    a = activate(spec, z)
    match spec["name"]:
        case "softmax":
            return a * (d_a - (d_a * a).sum(axis=1, keepdims=True))
        case "log_softmax":
            return d_a - np.exp(a) * d_a.sum(axis=1, keepdims=True)
        case "sparsemax":
            used = a > 0
            mean = (d_a * used).sum(axis=1, keepdims=True) / used.sum(axis=1, keepdims=True)
            return np.where(used, d_a - mean, 0)
        case _:
            return d_a * _slope(spec, z)


def _slope(spec: Spec, z: Array) -> Any:
    """Return f'(z) of an elementwise activation."""
    s = sigmoid(z)
    match spec["name"]:
        case "linear":
            return 1
        case "sigmoid":
            return s * (1 - s)
        case "tanh":
            return 1 - np.tanh(z) ** 2
        case "relu":
            inside = (z > spec["threshold"]) & (z < _maximum(spec))
            return np.where(z <= spec["threshold"], spec["negative_slope"], inside)
        case "leaky_relu":
            return np.where(z > 0, 1, spec["negative_slope"])
        case "elu":
            return np.where(z > 0, 1, spec["alpha"] * np.exp(np.minimum(z, 0)))
        case "selu":
            return SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(np.minimum(z, 0)))
        case "celu":
            return np.where(z > 0, 1, np.exp(np.minimum(z, 0) / spec["alpha"]))
        case "gelu":
            gate = _gelu_gate(spec, z)
            if spec["approximate"]:
                d_w = np.sqrt(8 / np.pi) * (1 + 3 * 0.044715 * z**2)
                return gate + z * gate * (1 - gate) * d_w
            return gate + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        case "softplus":
            return s
        case "log_sigmoid":
            return sigmoid(-z)
        case "softsign":
            return 1 / (1 + np.abs(z)) ** 2
        case "silu":
            return s + z * s * (1 - s)
        case "mish":
            t = np.tanh(np.logaddexp(0, z))
            return t + z * (1 - t**2) * s
        case "exponential":
            return np.exp(z)
        case "hard_sigmoid":
            return (np.abs(z) < 3) / 6
        case "hard_tanh":
            return np.abs(z) < 1
        case "hard_silu":
            return np.where(np.abs(z) < 3, (2 * z + 3) / 6, z >= 3)
        case "relu6":
            return (z > 0) & (z < 6)
        case "tanh_shrink":
            return np.tanh(z) ** 2
        case "hard_shrink" | "soft_shrink":
            return np.abs(z) > spec["threshold"]
        case "threshold":
            return z > spec["threshold"]
        case "squareplus":
            return (1 + z / np.sqrt(z**2 + spec["b"])) / 2
        case "sparse_plus":
            return np.clip((z + 1) / 2, 0, 1)
        case "sparse_sigmoid":
            return (np.abs(z) < 1) / 2
        case name:
            raise NotImplementedError(name)


def kink_distance(spec: Spec, z: Array) -> Array:
    """Return how far each z is from a place where the slope jumps, infinity where there is none."""
    match spec["name"]:
        case "relu":
            kinks = [spec["threshold"], _maximum(spec)]
        case "relu6":
            kinks = [0, 6]
        case "hard_sigmoid" | "hard_silu":
            kinks = [-3, 3]
        case "hard_tanh" | "sparse_sigmoid" | "sparse_plus":
            kinks = [-1, 1]
        case "hard_shrink" | "soft_shrink":
            kinks = [-spec["threshold"], spec["threshold"]]
        case "threshold":
            kinks = [spec["threshold"]]
        case "leaky_relu" | "elu" | "selu" | "celu":
            kinks = [0]
        case "sparsemax":
            return np.abs(z - _sparsemax_threshold(z))
        case _:
            kinks = [np.inf]
    return np.abs(z[..., np.newaxis] - np.array(kinks)).min(axis=-1)


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), without overflow."""
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1) / (1 + e)


def _maximum(spec: Spec) -> float:
    """Return the largest value of a relu."""
    return np.inf if spec["max_value"] is None else spec["max_value"]


def _gelu_gate(spec: Spec, z: Array) -> Array:
    if spec["approximate"]:
        return sigmoid(np.sqrt(8 / np.pi) * (z + 0.044715 * z**3))
    return np.vectorize(math.erfc, otypes=[float])(-z / np.sqrt(2)) / 2


def _tanh_shrink(z: Array) -> Array:
    """Return z - tanh(z), by its series where the difference loses digits."""
    near = np.where(np.abs(z) < 0.05, z, 0)
    series = near**3 / 3 - 2 * near**5 / 15 + 17 * near**7 / 315 - 62 * near**9 / 2835
    return np.where(near != 0, series, z - np.tanh(z))


def _sparsemax_threshold(z: Array) -> Array:
    """Return what a row's largest values exceed by 1 together."""
    ordered = -np.sort(-z, axis=1)
    thresholds = (ordered.cumsum(axis=1) - 1) / np.arange(1, z.shape[1] + 1)
    size = (ordered > thresholds).sum(axis=1, keepdims=True)
    return np.take_along_axis(thresholds, size - 1, axis=1)


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
