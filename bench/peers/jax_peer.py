# SPDX-License-Identifier: Apache-2.0
"""JAX: a whole epoch compiled into one lax.scan, the fastest way to train that it offers."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import cases
import graphs
import own
import worker

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}
OUTPUTS: dict[str, Callable[..., jax.Array]] = {
    "binary": jax.nn.sigmoid,
    "categorical": jax.nn.softmax,
    "mse": lambda z: z,
}

OPERATIONS = graphs.Operations(
    lambda x, w, b: x @ w + b,
    jax.nn.relu,
    lambda table, rows: table[rows],
    lambda parts: jnp.concatenate(parts, axis=1),
)
OWN = SimpleNamespace(
    **vars(jnp)
    | {
        "dense": OPERATIONS.dense,
        "log_softmax": jax.nn.log_softmax,
        "logsumexp": jax.nn.logsumexp,
        "relu": jax.nn.relu,
        "sigmoid": jax.nn.sigmoid,
    }
)


def logits(case: cases.Case, weights: list[jax.Array], x: jax.Array) -> jax.Array:
    """Return the network's output before its last activation."""
    if case.graph:
        network = cases.network_of(case)
        out: jax.Array = network.logits(
            case.graph, weights, x, OWN if network is own else OPERATIONS
        )
        return out
    for i in range(0, len(weights), 2):
        x = x @ weights[i] + weights[i + 1]
        if i + 2 < len(weights):
            x = ACTIVATIONS[case.activation](x)
    return x


def loss(case: cases.Case, weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean loss of a batch, from logits."""
    z = logits(case, weights, x)
    if case.loss in own.LOSSES:
        mean: jax.Array = own.LOSSES[case.loss](y, z, OWN).mean()
        return mean
    if case.loss == "categorical":
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
    if case.loss == "binary":
        return (jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))).mean()
    return ((z - y) ** 2).mean()


def step(case: cases.Case, state: Any, batch: Any) -> tuple[Any, None]:
    """Return the state (weights, m, v, t) after one update."""
    weights, m, v, t = state
    gradient = jax.grad(partial(loss, case))(weights, *batch)
    if case.optimizer == "sgd":
        weights = [
            w - cases.SGD["learning_rate"] * g for w, g in zip(weights, gradient, strict=True)
        ]
        return (weights, m, v, t), None
    b1, b2 = cases.ADAM["beta_1"], cases.ADAM["beta_2"]
    t = t + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, gradient)
    rate = cases.ADAM["learning_rate"] / (1 - b1**t)
    weights = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v / (1 - b2**t)) + cases.ADAM["epsilon"]),
        weights,
        m,
        v,
    )
    return (weights, m, v, t), None


class Peer:
    """Weights and optimizer state, and the compiled epoch."""

    by_rows = False

    @staticmethod
    def set_threads(threads: int) -> None:
        """Do nothing: XLA counts the processors that this process may use."""

    @staticmethod
    def versions() -> dict[str, str]:
        """Return the version."""
        return {"jax": jax.__version__}

    def __init__(self, case: cases.Case, x: np.ndarray, y: np.ndarray, weights: cases.Weights):
        self.case = case
        start = [jnp.array(w) for w in weights]
        zeros = [jnp.zeros_like(w) for w in start]
        self.state = (start, zeros, [jnp.zeros_like(w) for w in start], jnp.float32(0))
        self.batches = tuple(jnp.array(a.reshape(-1, case.batch, *a.shape[1:])) for a in (x, y))
        self.epoch = jax.jit(
            lambda state, batches: jax.lax.scan(partial(step, case), state, batches)[0],
            donate_argnums=0,
        )

    def fit(self, epochs: int) -> None:
        """Train."""
        for _ in range(epochs):
            self.state = self.epoch(self.state, self.batches)
        jax.block_until_ready(self.state)

    def weights(self) -> cases.Weights:
        """Return the weights."""
        return [np.asarray(w) for w in self.state[0]]

    def predictors(self, x: np.ndarray) -> list[Callable[[], jax.Array]]:
        """Return a function that predicts x, a JAX array already."""
        array = jnp.array(x)
        weights = self.state[0]
        forward = jax.jit(lambda w, x: OUTPUTS[self.case.loss](logits(self.case, w, x)))
        return [lambda: forward(weights, array).block_until_ready()]

    def as_numpy(self, outputs: jax.Array) -> np.ndarray:
        """Return the outputs as an array."""
        return np.asarray(outputs)


if __name__ == "__main__":
    worker.main(Peer)
