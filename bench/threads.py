# SPDX-License-Identifier: Apache-2.0
"""The automatic number of threads beside every fixed one: `python bench/threads.py`.

Trains width-width-width networks over a grid of widths and batch sizes. The rounds are interleaved
and the shortest time of each kind is kept: what is compared is the choice, not the machine's mood.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

import laminar
from laminar import layers

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
AUTOMATIC = 0


def seconds_per_step(model: laminar.Sequential, x: np.ndarray, batch: int, threads: int) -> float:
    """Return the time of one pass over x, divided by its steps."""
    laminar.set_num_threads(threads)
    start = time.perf_counter()
    model.fit(x, x, batch_size=batch, epochs=1, shuffle=False, verbose=0)
    return (time.perf_counter() - start) / (len(x) // batch)


def main() -> None:
    """Print the table and write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.05, help="length of one timing")
    parser.add_argument("--largest", type=float, default=1e11, help="skip steps of more flops")
    parser.add_argument("--out", type=Path, default=Path("build/bench/threads.json"))
    arguments = parser.parse_args()

    fixed = range(1, len(os.sched_getaffinity(0)) + 1)
    results = []
    print("| width | batch | automatic, µs | best fixed, µs (threads) | automatic / best |")
    print("|---|---|---|---|---|")
    for width in WIDTHS:
        for batch in BATCHES:
            flops = 12.0 * width * width * batch
            if flops > arguments.largest:
                continue
            steps = max(
                1, min(int(arguments.seconds / (5e-6 + flops / 1e11)), 2**24 // (batch * width))
            )
            x = np.random.default_rng(7).standard_normal((batch * steps, width), dtype=np.float32)
            model = laminar.Sequential(
                [layers.Input((width,)), layers.Dense(width, "relu"), layers.Dense(width)]
            )
            model.compile("sgd", loss="mse")
            best = dict.fromkeys((AUTOMATIC, *fixed), float("inf"))
            for threads in best:
                seconds_per_step(model, x, batch, threads)
            for _ in range(arguments.rounds):
                for threads in best:
                    best[threads] = min(best[threads], seconds_per_step(model, x, batch, threads))
            automatic = best.pop(AUTOMATIC)
            winner = min(best, key=lambda threads: best[threads])
            ratio = automatic / best[winner]
            results.append({"width": width, "batch": batch, "automatic": automatic, "fixed": best})
            row = (width, batch, f"{1e6 * automatic:.4g}", f"{1e6 * best[winner]:.4g} ({winner})")
            print(f"| {' | '.join(map(str, row))} | {ratio:.2f} |", flush=True)
    laminar.set_num_threads(AUTOMATIC)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
