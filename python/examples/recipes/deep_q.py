# SPDX-License-Identifier: Apache-2.0
"""Deep Q-learning: a pole is balanced on a cart, learning from one push at a time.

A network gives the value of pushing the cart left and right. Each push is put into a memory, from
which 32 are drawn at random for one update towards the reward and the value of what came next, as
an older copy of the network sees it (Mnih et al., 2015). Targets of what was not done are NaN,
which count for nothing with ``ignore_nan``. The network that learns says which of the next pushes
is best, the older one what that is worth (van Hasselt et al., 2016).
"""

from __future__ import annotations

import math

import numpy as np
from _recipe import check

from laminar import Input, Sequential, layers, optimizers

STEPS, MOST, ROWS = 8000, 200, 32
DISCOUNT, START, EXPLORED, FOLLOWS = 0.99, 200, 1500, 200


def moved(state, push):
    """Return the state (position, speed, angle, turning) of a cart a fiftieth second later."""
    place, speed, angle, turning = state
    sin, cos = math.sin(angle), math.cos(angle)
    along = (10 * push + 0.05 * turning**2 * sin) / 1.1
    bend = (9.8 * sin - cos * along) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    force = along - 0.05 * bend * cos / 1.1
    return (
        place + 0.02 * speed,
        speed + 0.02 * force,
        angle + 0.02 * turning,
        turning + 0.02 * bend,
    )


class Memory:
    """What was seen, done and got, and what came of it; the oldest makes room for the newest."""

    def __init__(self, size, features):
        self.states = np.zeros((size, features), np.float32)
        self.nexts = np.zeros((size, features), np.float32)
        self.actions = np.zeros(size, np.int64)
        self.rewards = np.zeros(size, np.float32)
        self.stands = np.zeros(size, np.float32)
        self.count = 0

    def add(self, state, action, reward, following, stands):
        """Remember one push."""
        at = self.count % len(self.states)
        self.states[at], self.nexts[at] = state, following
        self.actions[at], self.rewards[at], self.stands[at] = action, reward, stands
        self.count += 1

    def drawn(self, rng, rows):
        """Return some of them at random."""
        at = rng.integers(0, min(self.count, len(self.states)), rows)
        return (
            self.states[at],
            self.actions[at],
            self.rewards[at],
            self.nexts[at],
            self.stands[at],
        )


class Agent:
    """Two networks, one that learns and an older one."""

    def __init__(self, features, actions):
        self.model, self.target = (
            Sequential(
                [
                    Input((features,)),
                    layers.Dense(64, "relu"),
                    layers.Dense(64, "relu"),
                    layers.Dense(actions),
                ],
                seed=1,
            )
            for _ in range(2)
        )
        self.model.compile(optimizers.Adam(1e-3), loss="huber", ignore_nan=True)
        self.wanted = np.empty((ROWS, actions), np.float32)
        self.rows = np.arange(ROWS)

    def best(self, state):
        """Return the action that seems best."""
        return int(self.model.predict(state)[0].argmax())

    def learn(self, states, actions, rewards, nexts, stands):
        """Make one update."""
        best = self.model.predict(nexts).argmax(axis=1)
        later = self.target.predict(nexts)[self.rows, best]
        self.wanted.fill(np.nan)
        self.wanted[self.rows, actions] = rewards + DISCOUNT * stands * later
        return self.model.train_on_batch(states, self.wanted)

    def follow(self):
        """Let the older network become as the other one is."""
        self.target.set_weights(self.model.get_weights())


def played(agent, steps, rng):
    """Play and learn; return for how many steps the pole stood each time."""
    memory = Memory(10_000, 4)
    lengths, length = [], 0
    state = tuple(rng.uniform(-0.05, 0.05, 4))
    for step in range(steps):
        if rng.random() < max(0.02, 1 - step / EXPLORED):
            action = int(rng.integers(2))
        else:
            action = agent.best(np.array([state], np.float32))
        following = moved(state, 1.0 if action else -1.0)
        stands = abs(following[0]) < 2.4 and abs(following[2]) < 0.21
        memory.add(state, action, 1.0, following, stands)
        state, length = following, length + 1
        if not stands or length == MOST:
            lengths.append(length)
            state, length = tuple(rng.uniform(-0.05, 0.05, 4)), 0
        if step >= START:
            agent.learn(*memory.drawn(rng, ROWS))
        if step % FOLLOWS == 0:
            agent.follow()
    return lengths


def main() -> None:
    """Play and learn."""
    lengths = played(Agent(4, 2), STEPS, np.random.default_rng(3))
    check("steps that a pole stands at first", np.mean(lengths[:10]), below=50)
    check("steps of 200 after learning", np.mean(lengths[-10:]), above=90)


if __name__ == "__main__":
    main()
