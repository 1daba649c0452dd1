# SPDX-License-Identifier: Apache-2.0
"""What several networks at once take beside one.

``python bench/ensembles.py [--rounds 5] [--members 5]``: one network is trained by `fit` on all
threads, then as many as asked for by `fit_many`, then these one after the other, in turns. Their
weights are compared with those of networks trained alone before a time counts. Rows and widths are
those of tables; the last column is what `fit_many` takes, in times of one network.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import laminar
from laminar import Input, Sequential, callbacks, layers

CASES = [  # rows, columns, widths
    (1_000, 10, (128, 64)),
    (10_000, 20, (64, 32)),
    (10_000, 30, (128, 64)),
    (50_000, 30, (64, 32)),
    (50_000, 30, (128, 64)),
]
ROWS_OF_A_ROUND = 300_000  # so many epochs


def network(columns: int, widths: tuple[int, ...], seed: int) -> Sequential:
    """Return a network as `laminar train` has it."""
    stack = [layers.Dense(width, "relu") for width in widths]
    model = Sequential(
        [
            Input(columns),
            layers.Normalization(mean=np.zeros(columns), variance=np.ones(columns)),
            *stack,
            layers.Dense(1),
        ],
        seed=seed,
    )
    model.compile("adam", "mse", ["mae"])
    return model


def bits(model: Sequential) -> str:
    """Return a hash of all weights."""
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def seconds(work: Callable[[], Any]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(case: tuple[int, int, tuple[int, ...]], members: int, rounds: int) -> None:
    """Print one line."""
    rows, columns, widths = case
    random = np.random.default_rng(1)
    x = random.standard_normal((rows + rows // 9, columns)).astype(np.float32)
    y = (x[:, :1] * x[:, 1:2] + np.sin(x[:, 2:3])).astype(np.float32)
    options: dict[str, Any] = {
        "batch_size": 128,
        "epochs": max(2, ROWS_OF_A_ROUND // rows),
        "validation_data": (x[rows:], y[rows:]),
        "verbose": 0,
    }
    x, y = x[:rows], y[:rows]

    def stop() -> callbacks.EarlyStopping:  # never, and its work is in the time
        return callbacks.EarlyStopping("val_loss", patience=10**6)

    expected = []
    for seed in range(members):
        alone = network(columns, widths, seed)
        alone.fit(x, y, callbacks=[stop()], **options)
        expected.append(bits(alone))
    one, many, after = [], [], []
    for _ in range(rounds):
        single = network(columns, widths, 0)
        one.append(seconds(lambda m=single: m.fit(x, y, callbacks=[stop()], **options)))
        models = [network(columns, widths, seed) for seed in range(members)]
        many.append(
            seconds(lambda m=models: laminar.fit_many(m, x, y, callbacks=[stop()], **options))
        )
        if [bits(model) for model in models] != expected:
            raise SystemExit(f"{case}: other bits than networks trained alone")
        models = [network(columns, widths, seed) for seed in range(members)]
        began = time.perf_counter()
        for model in models:
            model.fit(x, y, callbacks=[stop()], **options)
        after.append(time.perf_counter() - began)
    name = f"{rows:,} rows, {columns}-" + "-".join(map(str, widths)) + "-1"
    a, b, c = (statistics.median(times) for times in (one, many, after))
    print(f"| {name} | {a:.3f} | {b:.3f} | {c:.3f} | {b / a:.2f} |", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{laminar.get_num_threads()} threads, {arguments.members} networks; seconds, medians")
    print("| case | one | at once | one after the other | at once / one |")
    print("|---|---|---|---|---|")
    for case in CASES:
        run(case, arguments.members, arguments.rounds)


if __name__ == "__main__":
    main()
