# SPDX-License-Identifier: Apache-2.0
"""Weights of int8 and bfloat16 beside those of float32: `python bench/quantized.py`.

Times of 1024-2048-2048-1024 for some numbers of rows, one thread, in turn; what rounding changes in
the accuracy on digits and, where its files are (bench/estimators/data.py), on Adult.
"""

import argparse
import copy
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import laminar
from laminar import layers

sys.path.insert(0, str(Path(__file__).parent / "estimators"))
from data import DATA  # which lies beside the other benchmark

WIDTHS = (1024, 2048, 2048, 1024)
MODES = ("int8", "bfloat16")


def rounded(model: laminar.Sequential) -> dict[str, laminar.Sequential]:
    """Return the model and its rounded copies."""
    models = {"float32": model}
    for mode in MODES:
        models[mode] = copy.deepcopy(model)
        models[mode].quantize(mode)
    return models


def times(rounds: int) -> None:
    """Print the table of times."""
    hidden = [layers.Dense(width, "relu") for width in WIDTHS[1:-1]]
    models = rounded(
        laminar.Sequential([layers.Input(WIDTHS[0]), *hidden, layers.Dense(WIDTHS[-1])], seed=1)
    )
    laminar.set_num_threads(1)
    print("| rows | float32, µs | int8, µs | ratio | bfloat16, µs | ratio |")
    print("|---|---|---|---|---|---|")
    for rows in (1, 2, 4, 8, 32, 1024):
        x = np.random.default_rng(7).normal(size=(rows, WIDTHS[0])).astype(np.float32)
        repeats = max(1, 16 // rows)
        taken: dict[str, list[float]] = {name: [] for name in models}
        for r in range(-1, rounds if rows < 1000 else 9):  # the first one warms up
            for name, model in models.items():
                start = time.perf_counter()
                for _ in range(repeats):
                    model.predict(x)
                if r >= 0:
                    taken[name].append((time.perf_counter() - start) / repeats)
        full, *others = (statistics.median(taken[name]) for name in models)
        cells = [f"{1e6 * t:.0f} | {full / t:.2f}" for t in others]
        print(f"| {rows} | {1e6 * full:.0f} | {' | '.join(cells)} |")


def accuracies(seeds: int) -> None:
    """Print what rounding changes in the accuracy on held-out rows."""
    print("\n| data | accuracy of float32 | int8, points | bfloat16, points | largest of a seed |")
    print("|---|---|---|---|---|")
    for name in ("digits", "adult"):
        try:
            x, x_test, y, y_test = DATA[name]()
        except FileNotFoundError as error:
            print(f"{name} is left out: {error.filename} is missing")
            continue
        found = []
        for seed in range(seeds):
            model = laminar.Sequential(
                [layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(10, "softmax")],
                seed=seed,
            )
            model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
            epochs = 40 if name == "digits" else 5
            model.fit(x, y.astype(np.int32), epochs=epochs, verbose=0)
            each = rounded(model).values()
            found.append([m.evaluate(x_test, y_test.astype(np.int32))[1] for m in each])
        points = 100 * np.array(found)
        changes = points[:, 1:] - points[:, :1]
        means = " | ".join(f"{change:+.2f}" for change in changes.mean(axis=0))
        print(f"| {name} | {points[:, 0].mean():.2f} | {means} | {np.abs(changes).max():.2f} |")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print(f"instruction set: {laminar.show_config()['isa']}\n")
    times(options.rounds)
    accuracies(options.seeds)


if __name__ == "__main__":
    main()
