# SPDX-License-Identifier: Apache-2.0
"""Time of a training step against width, depth and batch, as a picture: `python bench/growth.py`.

The line is what the machine allows: the step's floating-point operations at the peak given by
`--peak` (GFLOP/s of the cores in use together, from bench_peak). Needs matplotlib.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import laminar
from laminar import layers

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
DEPTHS = (1, 2, 4, 8, 16, 32)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
# What stays while another one grows.
WIDTH, DEPTH, BATCH = 256, 2, 128


def flops(width: int, depth: int, batch: int) -> float:
    """Return the operations of a step of `depth` square layers; the input needs no gradient."""
    return 2.0 * width * width * batch * (3 * depth - 1)


def seconds(width: int, depth: int, batch: int, least: float, rounds: int) -> float:
    """Return the shortest time of a step over several runs of at least `least` seconds."""
    steps = int(
        max(1, min(least / (1e-6 + flops(width, depth, batch) / 1e11), 1e8 / width / batch))
    )
    x = np.random.default_rng(7).standard_normal((steps * batch, width), dtype=np.float32)
    model = laminar.Sequential(
        [layers.Input((width,))] + [layers.Dense(width, "relu") for _ in range(depth)]
    )
    model.compile(laminar.optimizers.Adam(), loss="mse")
    best = np.inf
    for _ in range(rounds + 1):
        start = time.perf_counter()
        model.fit(x, x, batch_size=batch, epochs=1, shuffle=False, verbose=0)
        best = min(best, (time.perf_counter() - start) / steps)
    return float(best)


def main() -> None:
    """Measure, draw and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peak", type=float, required=True, help="GFLOP/s of one core")
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("build/bench/growth.png"))
    arguments = parser.parse_args()

    laminar.set_num_threads(1)
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", sharey=True)
    panels = (
        ("width", WIDTHS, lambda n: (n, DEPTH, BATCH), f"{DEPTH} layers, batch {BATCH}"),
        ("layers", DEPTHS, lambda n: (WIDTH, n, BATCH), f"width {WIDTH}, batch {BATCH}"),
        ("batch, rows", BATCHES, lambda n: (WIDTH, DEPTH, n), f"{DEPTH} layers, width {WIDTH}"),
    )
    for axis, (label, values, shape, title) in zip(axes, panels, strict=True):
        times = [seconds(*shape(n), arguments.seconds, arguments.rounds) for n in values]
        limit = [flops(*shape(n)) / (1e9 * arguments.peak) for n in values]
        axis.loglog(values, np.multiply(times, 1e6), "o-", label="measured")
        axis.loglog(values, np.multiply(limit, 1e6), "k--", label=f"{arguments.peak:g} GFLOP/s")
        axis.set(xlabel=label, title=title, xticks=values, xticklabels=values)
        axis.minorticks_off()
        axis.tick_params(axis="x", rotation=60)
        axis.grid(alpha=0.3)
        for n, taken, least in zip(values, times, limit, strict=True):
            print(f"{label} {n}: {1e6 * taken:.4g} µs, {least / taken:.0%} of the peak", flush=True)
    axes[0].set_ylabel("training step on one thread, µs")
    axes[0].legend()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    main()
