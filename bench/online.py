# SPDX-License-Identifier: Apache-2.0
"""Training a few rows at a time, and deep Q-learning beside others: `python bench/online.py`.

The first table has what an update costs by the way it is called: `fit` of many batches is the
arithmetic, what others take is told as a ratio to it. The second one plays the recipe's deep
Q-learning (`python/examples/recipes/deep_q.py`), the same loop, environment and memory, with
networks of laminar, PyTorch and JAX: first their updates from the same weights must agree; then
each figure is the wall time of a step, all in turn in one process on one processor, every other
round backwards. Ratios are medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# One thread for everybody; before others look.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "examples" / "recipes"))

import deep_q  # noqa: E402
import numpy as np  # noqa: E402
from torch_stack import torch_stack  # noqa: E402

import laminar  # noqa: E402
from laminar import callbacks, layers  # noqa: E402

WIDTHS, STEPS = (17, 64, 64, 6), 512
FEATURES, ACTIONS, PLAYED = 4, 2, 1000


class Nothing(callbacks.Callback):
    """What is called after each batch and does nothing."""

    def on_train_batch_end(self, batch: int, logs: callbacks._base.Logs = None) -> None:
        """Do nothing."""


def ways(batch: int) -> dict[str, Callable[[], object]]:
    """Return how `STEPS` updates may be made, by name; each has a model of its own."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(STEPS * batch, WIDTHS[0])).astype(np.float32)
    y = rng.normal(size=(STEPS * batch, WIDTHS[-1])).astype(np.float32)
    batches = [(x[i : i + batch], y[i : i + batch]) for i in range(0, len(x), batch)]

    def model() -> laminar.Sequential:
        hidden = [layers.Dense(width, "relu") for width in WIDTHS[1:-1]]
        made = laminar.Sequential(
            [laminar.Input(WIDTHS[:1]), *hidden, layers.Dense(WIDTHS[-1])], seed=1
        )
        made.compile("adam", "mse")
        return made

    models = [model() for _ in range(4)]

    def fit(number: int, called: Sequence[callbacks.Callback] = ()) -> None:
        models[number].fit(x, y, batch_size=batch, shuffle=False, verbose=0, callbacks=list(called))

    def one_by_one() -> None:
        for rows, targets in batches:
            models[2].train_on_batch(rows, targets)

    def fits() -> None:
        for rows, targets in batches:
            models[3].fit(rows, targets, batch_size=batch, verbose=0)

    return {
        "fit": lambda: fit(0),
        "fit, a batch callback": lambda: fit(1, [Nothing()]),
        "train_on_batch": one_by_one,
        "fit of one batch": fits,
    }


class Torch:
    """What `deep_q.Agent` does, as PyTorch's users write it."""

    def __init__(self, weights: Sequence[np.ndarray]):
        import torch

        torch.set_num_threads(1)
        self.torch = torch

        self.model, self.target = torch_stack(weights, "ReLU"), torch_stack(weights, "ReLU")
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, eps=1e-7)

    def best(self, state: np.ndarray) -> int:
        """Return the action that seems best."""
        with self.torch.no_grad():
            return int(self.model(self.torch.from_numpy(state)).argmax())

    def learn(self, *rows: np.ndarray) -> float:
        """Make one update; return the loss."""
        torch = self.torch
        states, actions, rewards, nexts, stands = map(torch.from_numpy, rows)
        with torch.no_grad():
            best = self.model(nexts).argmax(1, keepdim=True)
            later = self.target(nexts).gather(1, best)[:, 0]
            wanted = rewards + deep_q.DISCOUNT * stands * later
        values = self.model(states).gather(1, actions[:, None])[:, 0]
        loss = torch.nn.functional.huber_loss(values, wanted)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def follow(self) -> None:
        """Let the older network become as the other one is."""
        self.target.load_state_dict(self.model.state_dict())


class Jax:
    """The same, as JAX's users write it: two compiled functions, the state donated."""

    def __init__(self, weights: Sequence[np.ndarray]):
        import jax
        import jax.numpy as jnp

        def values(w: list[Any], x: Any) -> Any:
            for i in range(0, len(w) - 2, 2):
                x = jax.nn.relu(x @ w[i] + w[i + 1])
            return x @ w[-2] + w[-1]

        def loss(w: list[Any], states: Any, actions: Any, wanted: Any) -> Any:
            error = values(w, states)[jnp.arange(len(actions)), actions] - wanted
            size = jnp.abs(error)
            return jnp.mean(jnp.where(size <= 1, error**2 / 2, size - 0.5))

        def update(state: Any, target: Any, rows: tuple[Any, ...]) -> Any:
            w, m, v, t = state
            states, actions, rewards, nexts, stands = rows
            best = values(w, nexts).argmax(1)
            later = values(target, nexts)[jnp.arange(len(best)), best]
            wanted = rewards + deep_q.DISCOUNT * stands * later
            value, g = jax.value_and_grad(loss)(w, states, actions, wanted)
            t = t + 1
            m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
            v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g, strict=True)]
            rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            w = [
                a - rate * b / (jnp.sqrt(c) + 1e-7 * jnp.sqrt(1 - 0.999**t))
                for a, b, c in zip(w, m, v, strict=True)
            ]
            return (w, m, v, t), value

        self.jax = jax
        made = [jnp.asarray(w) for w in weights]
        zeros = [jnp.zeros_like(w) for w in made]
        self.state = (made, zeros, [jnp.zeros_like(w) for w in made], jnp.float32(0))
        self.target = [jnp.array(w) for w in made]
        self.pick = jax.jit(lambda w, x: values(w, x)[0].argmax())
        self.update = jax.jit(update, donate_argnums=0)
        self.copied = jax.jit(lambda w: [jnp.array(each) for each in w])

    def best(self, state: np.ndarray) -> int:
        """Return the action that seems best."""
        return int(self.pick(self.state[0], state))

    def learn(self, *rows: np.ndarray) -> Any:
        """Make one update; return the loss."""
        self.state, value = self.update(self.state, self.target, rows)
        return value

    def follow(self) -> None:
        """Let the older network become as the other one is."""
        self.target = self.copied(self.state[0])


def agents() -> dict[str, Any]:
    """Return the players that are installed, all with the same weights."""
    own = deep_q.Agent(FEATURES, ACTIONS)
    weights = own.model.get_weights()
    own.follow()
    found: dict[str, Any] = {"laminar": own}
    for name, kind in (("torch", Torch), ("jax", Jax)):
        if importlib.util.find_spec(name):
            found[name] = kind(weights)
    return found


def check(players: dict[str, Any]) -> None:
    """Raise ValueError unless all learn the same."""
    rng = np.random.default_rng(2)
    losses: dict[str, list[float]] = {name: [] for name in players}
    for _ in range(20):
        size = (deep_q.ROWS, FEATURES)
        rows = (
            rng.normal(size=size).astype(np.float32),
            rng.integers(0, ACTIONS, deep_q.ROWS),
            rng.normal(size=deep_q.ROWS).astype(np.float32),
            rng.normal(size=size).astype(np.float32),
            np.ones(deep_q.ROWS, np.float32),
        )
        for name, player in players.items():
            losses[name].append(float(player.learn(*rows)))
    for name, values in losses.items():
        # A loss of laminar's is the mean over rows of that over the targets that are there.
        if not np.allclose(values, losses["laminar"], rtol=2e-3):
            raise ValueError(f"{name} has the losses {values}, laminar {losses['laminar']}")


def table(name: str, timed: dict[str, Callable[[], object]], steps: int, rounds: int) -> None:
    """Print the microseconds of a step for each, and the ratio to the first."""
    times: dict[str, list[float]] = {each: [] for each in timed}
    for each in timed.values():
        each()
    for r in range(rounds):
        for each in timed if r % 2 else reversed(timed):
            start = time.perf_counter()
            timed[each]()
            times[each].append((time.perf_counter() - start) / steps * 1e6)
    first = times[next(iter(timed))]
    for each, values in times.items():
        ratios = sorted(a / b for a, b in zip(values, first, strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
        print(f"| {name} | {each} | {statistics.median(values):.2f} | {spread} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    laminar.set_num_threads(1)
    shape = "-".join(map(str, WIDTHS))
    print("| | called by | µs an update | to fit |\n|---|---|---|---|")
    for batch in (1, 32):
        table(f"{shape}, batch {batch}", ways(batch), STEPS, arguments.rounds)
    players = agents()
    check(players)
    deep_q.START, deep_q.EXPLORED = deep_q.ROWS, 1  # each step asks for an action and learns

    def play(player: Any) -> Callable[[], object]:
        return lambda: deep_q.played(player, PLAYED, np.random.default_rng(1))

    print("\n| | library | µs a step | to laminar |\n|---|---|---|---|")
    timed = {name: play(player) for name, player in players.items()}
    table("deep Q-learning", timed, PLAYED, arguments.rounds)


if __name__ == "__main__":
    main()
