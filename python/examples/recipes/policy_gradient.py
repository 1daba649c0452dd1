# SPDX-License-Identifier: Apache-2.0
"""A policy gradient: a pole is balanced on a cart by rows whose weights may be negative.

A network gives the probability of pushing the cart left or right. Many carts start at once, and
each push is a row of training: its targets are the action that was taken and how much longer than
others at that time the pole stood afterwards (REINFORCE; Williams, 1992). A push that was worse
than usual has a negative weight, which sample_weight would refuse: what was done becomes less
likely. The cart and the pole are those of Barto, Sutton and Anderson (1983).
"""

from __future__ import annotations

import numpy as np
from _recipe import check

from laminar import Input, Sequential, layers, ops, optimizers

CARTS, STEPS, ROUNDS = 64, 200, 40
RNG = np.random.default_rng(5)


def surprise(y_true, y_pred):
    """Return the weight of each row times -log of the probability of what was done."""
    done = ops.one_hot(y_true[:, 0], 2)
    return -y_true[:, 1] * ops.sum(done * ops.log_softmax(y_pred), axis=1)


def moved(state, push):
    """Return the states (position, speed, angle, turning) of carts a fiftieth second later."""
    _, speed, angle, turning = state.T
    sin, cos = np.sin(angle), np.cos(angle)
    along = (10 * push + 0.05 * turning**2 * sin) / 1.1
    bend = (9.8 * sin - cos * along) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    force = along - 0.05 * bend * cos / 1.1
    return state + 0.02 * np.stack([speed, force, turning, bend], axis=1)


def played(model):
    """Return states and actions of all carts at all times, and which poles still stood then."""
    state = RNG.uniform(-0.05, 0.05, (CARTS, 4))
    states, actions, standing = [], [], [np.full(CARTS, True)]
    for _ in range(STEPS):
        states.append(state)
        actions.append(RNG.random(CARTS) < ops.softmax(model.predict(state))[:, 1])
        state = moved(state, np.where(actions[-1], 1.0, -1.0))
        upright = (np.abs(state[:, 0]) < 2.4) & (np.abs(state[:, 2]) < 0.21)
        standing.append(standing[-1] & upright)
    return np.array(states), np.array(actions), np.array(standing)


def main() -> None:
    """Play and learn in turn."""
    model = Sequential([Input((4,)), layers.Dense(32, "tanh"), layers.Dense(2)], seed=1)
    model.compile(optimizers.Adam(0.02), loss=surprise)
    lengths = []
    for _ in range(ROUNDS):
        states, actions, standing = played(model)
        lengths.append(standing[1:].sum() / CARTS)
        still, alive = standing[1:][::-1].cumsum(axis=0)[::-1], standing[:-1]
        usual = np.sum(still * alive, axis=1) / np.maximum(alive.sum(axis=1), 1)
        weights = (still - usual[:, None])[alive]
        targets = np.stack([actions[alive], weights / (weights.std() + 1e-6)], axis=1)
        model.train_on_batch(states[alive], targets)
    check("steps that a pole stands at first", lengths[0], below=40)
    check("steps of 200 after learning", np.mean(lengths[-5:]), above=150)


if __name__ == "__main__":
    main()
