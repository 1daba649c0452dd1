# SPDX-License-Identifier: Apache-2.0
"""Products of bfloat16 beside those of float32: `python bench/bfloat16.py`.

Trains 1024-2048-2048-1024 on the outputs of another network, from the same weights, in both
precisions: first 200 steps, whose losses are compared step by step, then for time, in turn.
"""

import argparse
import statistics
import time

import numpy as np

import laminar
from laminar import layers

WIDTHS = (1024, 2048, 2048, 1024)
BATCH = 1024
PRECISIONS = ("float32", "bfloat16")


def network(precision: str, seed: int) -> laminar.Sequential:
    """Return the network, compiled."""
    hidden = [layers.Dense(width, "relu") for width in WIDTHS[1:-1]]
    stack = [layers.Input(WIDTHS[0]), *hidden, layers.Dense(WIDTHS[-1])]
    model = laminar.Sequential(stack, seed=seed, precision=precision)
    model.compile(laminar.optimizers.SGD(0.05, momentum=0.9), "mse")
    return model


def losses(precision: str, x: np.ndarray, y: np.ndarray, steps: int) -> np.ndarray:
    """Return the loss of each step."""
    model = network(precision, 1)
    batches = len(x) // BATCH
    return np.array(
        [
            model.train_on_batch(x[start : start + BATCH], y[start : start + BATCH])
            for start in (step % batches * BATCH for step in range(steps))
        ]
    ).reshape(steps)


def seconds(model: laminar.Sequential, x: np.ndarray, y: np.ndarray) -> float:
    """Return the time of a step of one epoch."""
    start = time.perf_counter()
    model.fit(x, y, BATCH, epochs=1, shuffle=False, verbose=0)
    return (time.perf_counter() - start) * BATCH / len(x)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print(f"instruction set: {laminar.show_config()['isa']}")
    rng = np.random.default_rng(7)
    x = rng.normal(size=(4 * BATCH, WIDTHS[0])).astype(np.float32)
    y = network("float32", 2).predict(x)

    full, rounded = (losses(precision, x, y, options.steps) for precision in PRECISIONS)
    apart = np.abs(rounded - full) / full
    print(f"loss of float32 from {full[0]:.5f} to {full[-1]:.5f} in {options.steps} steps;")
    print(f"bfloat16's is apart by at most {100 * apart.max():.3f} %, ", end="")
    print(f"{100 * apart[-1]:.3f} % in the last step")

    x, y = x[: 2 * BATCH], y[: 2 * BATCH]
    for threads in (1, 2):
        laminar.set_num_threads(threads)
        models = {precision: network(precision, 1) for precision in PRECISIONS}
        times: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
        for r in range(-1, options.rounds):  # the first one warms up
            for precision in PRECISIONS if r % 2 == 0 else reversed(PRECISIONS):
                taken = seconds(models[precision], x, y)
                if r >= 0:
                    times[precision].append(taken)
        full_time, rounded_time = (statistics.median(times[p]) for p in PRECISIONS)
        print(
            f"{threads} threads: float32 {1e3 * full_time:.1f} ms a step, bfloat16 "
            f"{1e3 * rounded_time:.1f} ms: {full_time / rounded_time:.2f} times faster"
        )


if __name__ == "__main__":
    main()
