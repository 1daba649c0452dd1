# SPDX-License-Identifier: Apache-2.0
"""The formulas of the network in plain NumPy and float64, independent of the core.

Nothing here is fast or clever: each function is the published formula, so that it can be checked
by eye. Losses and gradients are those of the mean over rows of weight times loss.
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
            return z - z.max(axis=1, keepdims=True) - _log_of_sum(z)
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


def _log_of_sum(z: Array) -> Array:
    """Return ln sum exp(z - max z), keeping what little the others add to the largest."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    np.put_along_axis(powers, z.argmax(axis=1)[:, np.newaxis], 0, axis=1)
    return np.log1p(powers.sum(axis=1, keepdims=True))


def _sparsemax_threshold(z: Array) -> Array:
    """Return what a row's largest values exceed by 1 together."""
    ordered = -np.sort(-z, axis=1)
    thresholds = (ordered.cumsum(axis=1) - 1) / np.arange(1, z.shape[1] + 1)
    size = (ordered > thresholds).sum(axis=1, keepdims=True)
    return np.take_along_axis(thresholds, size - 1, axis=1)


def smoothed(spec: Spec, y: NDArray[Any], p: Array) -> Array:
    """Return targets as the loss takes them: one-hot, smoothed; zeros for an ignored class."""
    name, k = spec["name"], p.shape[1]
    if name.startswith("sparse"):
        hot: Array = (y[:, np.newaxis] == np.arange(k)).astype(np.float64)
        return hot if spec["ignore_class"] is None else hot * kept(spec, y)[:, np.newaxis]
    share = spec.get("label_smoothing", 0.0)
    return y * (1 - share) + share / (2 if name.startswith("binary") else k)


def kept(spec: Spec, y: NDArray[Any]) -> Array:
    """Return 0 for rows of the ignored class, else 1."""
    ignored = spec.get("ignore_class")
    return np.ones(len(y)) if ignored is None else (y != ignored).astype(np.float64)


def shares(spec: Spec, p: Array) -> Array:
    """Return the probabilities of outputs, or of logits."""
    if spec["name"].startswith("binary"):
        return activate({"name": "sigmoid"}, p) if spec["from_logits"] else clipped(p)
    if spec["from_logits"]:
        return activate({"name": "softmax"}, p)
    return clipped(p / p.sum(axis=1, keepdims=True))


def clipped(p: Array, highest: float = 1 - MARGIN) -> Array:
    return np.clip(p, MARGIN, highest)


def deviance(power: float, y: Array, p: Array) -> Array:
    """Return Tweedie's deviance of each output."""
    if power == 0:
        return (y - p) ** 2
    if power == 1:
        return 2 * (np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / p), 0) - y + p)
    if power == 2:
        return 2 * (np.log(p / y) + y / p - 1)
    a, b = 1 - power, 2 - power
    return 2 * (np.maximum(y, 0) ** b / (a * b) - y * p**a / a + p**b / b)


def lengths(x: Array) -> Array:
    return np.maximum(np.sqrt((x**2).sum(axis=1, keepdims=True)), MARGIN)


def overlap(spec: Spec, y: Array, p: Array) -> tuple[Array, Array, float, float]:
    """Return what two sets share, what they are in all, and the weights of what only one has."""
    alpha, beta = spec.get("alpha", 0.5), spec.get("beta", 0.5)
    common = (y * p).sum(axis=1, keepdims=True)
    only = alpha * (y * (1 - p)).sum(axis=1, keepdims=True)
    other = beta * ((1 - y) * p).sum(axis=1, keepdims=True)
    margin = MARGIN / 2 if spec["name"] == "dice" else MARGIN
    return common, common + only + other + margin, alpha, beta


def losses(spec: Spec, y: NDArray[Any], p: Array) -> Array:
    """Return the loss of each row; from_logits means that p are logits.

    That of rmse is the row's mean square, of which `finish` takes the root.
    """
    e = None if y.ndim == 1 else y - p
    match spec["name"]:
        case "mse" | "rmse":
            return (e**2).mean(axis=1)
        case "mae":
            return np.abs(e).mean(axis=1)
        case "huber":
            size, delta = np.abs(e), spec["delta"]
            return np.where(size <= delta, e**2 / 2, delta * (size - delta / 2)).mean(axis=1)
        case "log_cosh":
            return np.log(np.cosh(e)).mean(axis=1)
        case "mape":
            return 100 * (np.abs(e) / np.maximum(np.abs(y), MARGIN)).mean(axis=1)
        case "msle":
            high = np.maximum(y, MARGIN), np.maximum(p, MARGIN)
            return (np.log((1 + high[0]) / (1 + high[1])) ** 2).mean(axis=1)
        case "quantile":
            q = spec["quantile"]
            return np.maximum(q * e, (q - 1) * e).mean(axis=1)
        case "hinge" | "squared_hinge":
            short = np.maximum(1 - np.where(y == 0, -1, y) * p, 0)
            return (short ** (2 if spec["name"] == "squared_hinge" else 1)).mean(axis=1)
        case "categorical_hinge":
            return np.maximum(((1 - y) * p).max(axis=1) - (y * p).sum(axis=1) + 1, 0)
        case "poisson":
            return (p - y * np.log(p + MARGIN)).mean(axis=1)
        case "kl_divergence":
            y = clipped(y, 1)
            return (y * np.log(y / clipped(p, 1))).sum(axis=1)
        case "tweedie" | "gamma":
            return deviance(spec.get("power", 2.0), y, p).mean(axis=1)
        case "cosine_similarity":
            return -(y / lengths(y) * (p / lengths(p))).sum(axis=1)
        case "dice" | "tversky":
            common, total, _, _ = overlap(spec, y, p)
            return (1 - common / total)[:, 0]
        case "binary_crossentropy" | "binary_focal_crossentropy":
            y, p = smoothed(spec, y, p), shares(spec, p)
            value = -(y * np.log(p) + (1 - y) * np.log(1 - p))
            if "gamma" in spec:
                value = value * (y * (1 - p) + (1 - y) * p) ** spec["gamma"]
                if spec["apply_class_balancing"]:
                    value = value * (y * spec["alpha"] + (1 - y) * (1 - spec["alpha"]))
            return value.mean(axis=1)
        case "categorical_crossentropy" | "sparse_categorical_crossentropy":
            return -(smoothed(spec, y, p) * np.log(shares(spec, p))).sum(axis=1)
        case "categorical_focal_crossentropy":
            y, p = smoothed(spec, y, p), shares(spec, p)
            return -(spec["alpha"] * (1 - p) ** spec["gamma"] * y * np.log(p)).sum(axis=1)
        case _:
            raise NotImplementedError(spec["name"])


def finish(spec: Spec, mean: float) -> float:
    """Return the loss of a batch from the mean over its rows."""
    return float(np.sqrt(mean)) if spec["name"] == "rmse" else float(mean)


def finish_slope(spec: Spec, mean: float) -> float:
    """Return the derivative of `finish`; 0 where a root has none."""
    if spec["name"] != "rmse":
        return 1.0
    return float(0.5 / np.sqrt(mean)) if mean > 0 else 0.0


def loss_gradient(spec: Spec, y: NDArray[Any], p: Array) -> Array:
    """Return the derivative of each row's loss by p."""
    k = p.shape[1]
    e = None if y.ndim == 1 else p - y
    match spec["name"]:
        case "mse" | "rmse":
            return 2 * e / k
        case "mae":
            return np.sign(e) / k
        case "huber":
            return np.clip(e, -spec["delta"], spec["delta"]) / k
        case "log_cosh":
            return np.tanh(e) / k
        case "mape":
            return 100 * np.sign(e) / np.maximum(np.abs(y), MARGIN) / k
        case "msle":
            error = np.log((1 + np.maximum(p, MARGIN)) / (1 + np.maximum(y, MARGIN)))
            return np.where(p >= MARGIN, 2 * error / (1 + np.maximum(p, MARGIN)), 0) / k
        case "quantile":
            return np.where(e > 0, 1 - spec["quantile"], np.where(e < 0, -spec["quantile"], 0)) / k
        case "hinge" | "squared_hinge":
            y = np.where(y == 0, -1, y)
            short = np.maximum(1 - y * p, 0)
            return -y * (2 * short if spec["name"] == "squared_hinge" else short > 0) / k
        case "categorical_hinge":
            other = (1 - y) * p
            best = other == other.max(axis=1, keepdims=True)
            slope = best * (1 - y) / best.sum(axis=1, keepdims=True) - y
            return slope * (losses(spec, y, p) > 0)[:, np.newaxis]
        case "poisson":
            return (1 - y / (p + MARGIN)) / k
        case "kl_divergence":
            return np.where(clipped(p, 1) == p, -clipped(y, 1) / clipped(p, 1), 0)
        case "tweedie" | "gamma":
            return 2 * e * p ** -spec.get("power", 2.0) / k
        case "cosine_similarity":
            unit = p / lengths(p)
            turning = np.where(lengths(p) > MARGIN, losses(spec, y, p)[:, np.newaxis], 0)
            return -(y / lengths(y) + unit * turning) / lengths(p)
        case "dice" | "tversky":
            common, total, alpha, beta = overlap(spec, y, p)
            return -y / total + common / total**2 * (y - alpha * y + beta * (1 - y))
        case "binary_crossentropy" | "binary_focal_crossentropy":
            y, s = smoothed(spec, y, p), shares(spec, p)
            by_share = -y / s + (1 - y) / (1 - s)
            if "gamma" in spec:
                entropy = -(y * np.log(s) + (1 - y) * np.log(1 - s))
                missed, gamma = y * (1 - s) + (1 - y) * s, spec["gamma"]
                by_share = by_share * missed**gamma + entropy * gamma * missed ** (gamma - 1) * (
                    1 - 2 * y
                )
                if spec["apply_class_balancing"]:
                    by_share = by_share * (y * spec["alpha"] + (1 - y) * (1 - spec["alpha"]))
            return by_share * (s * (1 - s) if spec["from_logits"] else s == p) / k
        case (
            "categorical_crossentropy"
            | "sparse_categorical_crossentropy"
            | "categorical_focal_crossentropy"
        ):
            y, s = smoothed(spec, y, p), shares(spec, p)
            by_share = -y / s
            if "gamma" in spec:
                rest, gamma = 1 - s, spec["gamma"]
                bend = np.where(rest > 0, gamma * np.where(rest > 0, rest, 1) ** (gamma - 1), 0)
                by_share = spec["alpha"] * (by_share * rest**gamma + y * bend * np.log(s))
            if spec["from_logits"]:
                return s * (by_share - (s * by_share).sum(axis=1, keepdims=True))
            total = p.sum(axis=1, keepdims=True)
            by_share = np.where(s == p / total, by_share, 0)
            return (by_share - (s * by_share).sum(axis=1, keepdims=True)) / total
        case _:
            raise NotImplementedError(spec["name"])


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
    if not loss["name"].endswith("crossentropy"):
        return False
    return activation["name"] == ("sigmoid" if loss["name"].startswith("binary") else "softmax")


def loss_and_gradients(
    network: list[Dense], loss: Spec, x: Array, y: NDArray[Any], weight: Array | None = None
) -> tuple[float, list[Array]]:
    """Return the mean of weight times loss, and its derivative by each kernel and bias."""
    if fused(
        loss, network[-1].activation
    ):  # the same on logits, where nothing is rounded to 0 or 1
        network = [*network[:-1], network[-1]._replace(activation={"name": "linear"})]
        loss = {**loss, "from_logits": True}
    values, sums = forward(network, x)
    weight = (np.ones(len(x)) if weight is None else weight) * kept(loss, y)
    share = weight if loss.get("reduction") == "sum" else weight / kept(loss, y).sum()
    mean = float((share * losses(loss, y, values[-1])).sum())
    value = finish(loss, mean)
    d_a = loss_gradient(loss, y, values[-1]) * share[:, np.newaxis] * finish_slope(loss, mean)
    gradients: list[Array] = []
    for layer, z, before in zip(network[::-1], sums[::-1], values[-2::-1], strict=True):
        d_z = activation_gradient(layer.activation, z, d_a)
        gradients[:0] = [before.T @ d_z, d_z.sum(axis=0)]
        d_a = d_z @ layer.kernel.T
    return value, gradients


def updates(spec: Spec, w: Array, gradient: Any) -> Iterator[Array]:
    """Yield the weights after each update; ``gradient(w)`` gives the gradient."""
    state: dict[str, Array] = {}
    step = 0
    while True:
        step += 1
        w = updated(spec, step, w, gradient(w), state)
        yield w


def updated(spec: Spec, t: int, w: Array, g: Array, state: dict[str, Array]) -> Array:
    """Return the weights after update number ``t``, 1 for the first; ``state`` is kept for it."""
    lr = spec["learning_rate"]
    b1, b2 = spec.get("beta_1", 0.0), spec.get("beta_2", 0.0)
    eps = spec.get("epsilon", 0.0)

    def kept(name: str, start: float = 0.0) -> Array:
        return state.setdefault(name, np.full_like(w, start))

    def mean(name: str, beta: float, value: Array) -> Array:
        state[name] = beta * kept(name) + (1 - beta) * value
        return state[name]

    match spec["name"]:
        case "sgd":
            down = lr * spec["dampening"] * g
            velocity = state["v"] = spec["momentum"] * kept("v") - down
            return w + (spec["momentum"] * velocity - down if spec["nesterov"] else velocity)
        case "rmsprop":
            variance = mean("s", spec["rho"], g**2)
            if spec["centered"]:
                variance = variance - mean("m", spec["rho"], g) ** 2
            state["v"] = spec["momentum"] * kept("v") + lr * g / np.sqrt(variance + eps)
            return w - state["v"]
        case "adagrad":
            state["s"] = kept("s", spec["initial_accumulator_value"]) + g**2
            return w - lr * g / np.sqrt(state["s"] + eps)
        case "adadelta":
            s = mean("s", spec["rho"], g**2)
            delta = np.sqrt(kept("d") + eps) / np.sqrt(s + eps) * g
            mean("d", spec["rho"], delta**2)
            return w - lr * delta
        case "adam" | "adamw":
            if spec["name"] == "adamw":
                w = w - lr * spec["weight_decay"] * w
            m, v = mean("m", b1, g), mean("v", b2, g**2)
            if spec["amsgrad"]:
                v = state["largest"] = np.maximum(kept("largest"), v)
            rate = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
            return w - rate * m / (np.sqrt(v) + eps)
        case "adamax":
            m = mean("m", b1, g)
            state["u"] = np.maximum(b2 * kept("u"), np.abs(g))
            return w - lr / (1 - b1**t) * m / (state["u"] + eps)
        case "nadam":
            u = [b1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
            m, v = mean("m", b1, g), mean("v", b2, g**2)
            ahead = u[t] * m / (1 - np.prod(u)) + (1 - u[t - 1]) * g / (1 - np.prod(u[:t]))
            return w - lr * ahead / (np.sqrt(v / (1 - b2**t)) + eps)
        case "radam":
            m, v = mean("m", b1, g) / (1 - b1**t), mean("v", b2, g**2)
            limit = 2 / (1 - b2) - 1
            length = limit - 2 * t * b2**t / (1 - b2**t)
            if length <= 5:
                return w - lr * m
            known = (length - 4) * (length - 2) * limit
            rectified = np.sqrt(known / ((limit - 4) * (limit - 2) * length))
            return w - lr * m * rectified * np.sqrt(1 - b2**t) / (np.sqrt(v) + eps)
        case "ftrl":
            power = -spec["learning_rate_power"]
            before = kept("s", spec["initial_accumulator_value"])
            after = state["s"] = before + g**2
            pull = (after**power - before**power) / lr
            shrinkage = 2 * spec["l2_shrinkage_regularization_strength"]
            z = state["z"] = kept("z") + g + shrinkage * w - pull * w
            l1 = spec["l1_regularization_strength"]
            l2 = spec["l2_regularization_strength"] + spec["beta"] / (2 * lr)
            return (np.clip(z, -l1, l1) - z) / (after**power / lr + 2 * l2)
        case "lion":
            direction = np.sign(b1 * kept("m") + (1 - b1) * g)
            mean("m", b2, g)
            return w - lr * direction
        case "rprop":
            agreement = np.sign(kept("g") * g)
            factor = np.where(
                agreement > 0, spec["eta_plus"], np.where(agreement < 0, spec["eta_minus"], 1.0)
            )
            state["d"] = np.clip(kept("d", lr) * factor, spec["step_min"], spec["step_max"])
            state["g"] = np.where(agreement < 0, 0.0, g)
            return w - np.sign(state["g"]) * state["d"]
        case name:
            raise NotImplementedError(name)
