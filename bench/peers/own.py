# SPDX-License-Identifier: Apache-2.0
"""The cases with parts of the user's own: two layers and two losses that no library brings.

As those of graphs.py they are written once, in operations that every rival brings along, and their
gradients once more in NumPy. A layer stands between others in a network that is no stack; a loss
trains a stack whose widths its case has.
"""

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

FEATURES, CENTRES = 16, 64  # of the layer of radial basis functions
GAMMA = 1 / FEATURES
INPUTS, WIDTH, BLOCKS = 64, 128, 2  # of the network of gated residual blocks
COMPONENTS = 8  # of the mixture
KINDS = ("radial", "gated")  # of networks
FAR = -1e9  # the risk of who is no longer observed

Weights = list[np.ndarray]
Operations = (
    Any  # a namespace with NumPy's names: exp, log_softmax, logsumexp, square, sum, where, …
)


def _logsumexp(x: np.ndarray, axis: int) -> np.ndarray:
    top = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=axis)) + top.squeeze(axis)


NUMPY = SimpleNamespace(
    dense=lambda x, w, b: x @ w + b,
    exp=np.exp,
    log_softmax=lambda x: x - _logsumexp(x, -1)[:, None],
    logsumexp=_logsumexp,
    relu=lambda x: np.maximum(x, 0),
    sigmoid=lambda x: 1 / (1 + np.exp(-x)),
    square=np.square,
    sum=np.sum,
    tanh=np.tanh,
    transpose=np.transpose,
    where=np.where,
)


# ---- layers -------------------------------------------------------------------------------------


def radial(x: Any, centres: Any, ops: Operations) -> Any:
    """Return exp(-gamma |x - c|^2) for each centre c."""
    return ops.exp(-GAMMA * ops.sum(ops.square(x[:, None, :] - centres), axis=-1))


def gated(x: Any, w: list[Any], ops: Operations) -> Any:
    """Return x + tanh(x V + v) sigmoid(x G + g)."""
    return x + ops.tanh(ops.dense(x, w[0], w[1])) * ops.sigmoid(ops.dense(x, w[2], w[3]))


def tables(kind: str) -> int:
    """Return 0: no network here has tables."""
    return 0


def shapes(kind: str, vocabulary: int) -> list[tuple[int, ...]]:
    """Return the shapes of the weights."""
    if kind == "radial":
        return [(CENTRES, FEATURES), (CENTRES, 1), (1,)]
    widths = [(INPUTS, WIDTH), *[(WIDTH, WIDTH)] * (2 * BLOCKS), (WIDTH, 1)]
    return list(itertools.chain.from_iterable((width, width[1:]) for width in widths))


def inputs(kind: str, vocabulary: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return samples."""
    width = FEATURES if kind == "radial" else INPUTS
    return rng.standard_normal((rows, width), dtype=np.float32)


def logits(kind: str, w: list[Any], x: Any, ops: Operations) -> Any:
    """Return the output, (rows, 1)."""
    if kind == "radial":
        return ops.dense(radial(x, w[0], ops), w[1], w[2])
    h = ops.relu(ops.dense(x, w[0], w[1]))
    for block in range(BLOCKS):
        h = gated(h, w[2 + 4 * block : 6 + 4 * block], ops)
    return ops.dense(h, w[-2], w[-1])


def gradients(kind: str, w: Weights, x: np.ndarray, delta: np.ndarray) -> Weights:
    """Return the gradient by the weights, given that by the output."""
    result = [np.zeros_like(each) for each in w]

    def back(i: int, h: np.ndarray, d: np.ndarray) -> np.ndarray:
        result[i], result[i + 1] = h.T @ d, d.sum(axis=0)
        return d @ w[i].T

    if kind == "radial":
        phi = radial(x, w[0], NUMPY)
        d = -2 * GAMMA * phi * back(1, phi, delta)
        result[0] = d.sum(axis=0)[:, None] * w[0] - d.T @ x
        return result
    h = [NUMPY.relu(NUMPY.dense(x, w[0], w[1]))]
    for block in range(BLOCKS):
        h.append(gated(h[-1], w[2 + 4 * block : 6 + 4 * block], NUMPY))
    d = back(len(w) - 2, h[-1], delta)
    for block in reversed(range(BLOCKS)):
        i, inside = 2 + 4 * block, h[block]
        value = np.tanh(NUMPY.dense(inside, w[i], w[i + 1]))
        gate = NUMPY.sigmoid(NUMPY.dense(inside, w[i + 2], w[i + 3]))
        by_value = back(i, inside, d * gate * (1 - value**2))
        d = d + by_value + back(i + 2, inside, d * value * gate * (1 - gate))
    back(0, x, d * (h[0] > 0))
    return result


# ---- losses -------------------------------------------------------------------------------------


def cox(y: Any, risk: Any, ops: Operations) -> Any:
    """Return minus Cox's partial log-likelihood, a number for each row; y: time and event."""
    time, event = y[:, :1], y[:, 1]
    at_risk = ops.where(time <= ops.transpose(time), ops.transpose(risk), FAR)
    return event * (ops.logsumexp(at_risk, axis=1) - risk[:, 0])


def mixture(y: Any, out: Any, ops: Operations) -> Any:
    """Return minus the log-likelihood of a mixture of normal distributions, without constants.

    `out` has the logits of the components, their means and the logarithms of their deviations.
    """
    means, deviations = out[:, COMPONENTS : 2 * COMPONENTS], out[:, 2 * COMPONENTS :]
    z = (y - means) * ops.exp(-deviations)
    shares = ops.log_softmax(out[:, :COMPONENTS])
    return -ops.logsumexp(shares - 0.5 * ops.square(z) - deviations, axis=1)


LOSSES: dict[str, Callable[..., Any]] = {"cox": cox, "mixture": mixture}


def targets(loss: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return targets for samples."""
    if loss == "cox":
        time = rng.exponential(np.exp(0.5 * x[:, 0] - np.square(x[:, 1]) / 4))
        return np.stack([time, rng.random(len(x)) < 0.7], axis=1).astype(np.float32)
    side = np.where(rng.random(len(x)) < 0.5, 1, -1)
    return (side * np.sin(x[:, 0]) + 0.2 * rng.standard_normal(len(x)))[:, None].astype(np.float32)


def delta(loss: str, y: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean over a batch by the outputs."""
    if loss == "cox":
        time, event = y[:, :1], y[:, 1]
        at_risk = np.where(time <= time.T, out.T, FAR)
        share = np.exp(at_risk - _logsumexp(at_risk, 1)[:, None])
        return ((event @ share - event) / len(y))[:, None]
    means, deviations = out[:, COMPONENTS : 2 * COMPONENTS], out[:, 2 * COMPONENTS :]
    z = (y - means) * np.exp(-deviations)
    prior = NUMPY.log_softmax(out[:, :COMPONENTS])
    share = np.exp(NUMPY.log_softmax(prior - 0.5 * np.square(z) - deviations))
    parts = [np.exp(prior) - share, -share * z * np.exp(-deviations), share * (1 - np.square(z))]
    return np.concatenate(parts, axis=1) / len(y)
