# SPDX-License-Identifier: Apache-2.0
"""`laminar train`'s network beside scikit-learn's, on Adult: `python bench/estimators/train.py`.

Both train 128 and 64 relu units with Adam, batches of 128, on the same encoded and standardized
rows, as many epochs as told, in turns. Prints the median ratio of the times of fit, for the
network that `laminar train` makes and for laminar's MLPClassifier. Limit the threads of both by
OMP_NUM_THREADS and OPENBLAS_NUM_THREADS, and the processors by taskset.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import data
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as Peer

import laminar
from laminar import layers
from laminar.data import Dataset
from laminar.sklearn import MLPClassifier


def seconds(call: Callable[[], Any]) -> float:
    """Return the time of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Encode, train in turns, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = Dataset.from_files(data.FOLDER / "adult-train.csv", "column15")  # it has no header
    assert rows.mean is not None and rows.variance is not None
    batch = next(iter(rows.batches(len(rows), shuffle=False)))
    x = ((batch[0] - rows.mean) / np.sqrt(rows.variance)).astype(np.float32)
    y = batch[1].reshape(-1).astype(int)

    def network() -> None:
        model = laminar.Sequential(
            [layers.Dense(128, "relu"), layers.Dense(64, "relu"), layers.Dense(1, "sigmoid")],
            seed=0,
        )
        model.compile("adam", "binary_crossentropy")
        model.fit(x, y, batch_size=128, epochs=arguments.epochs, verbose=0)

    def estimator(kind: Any) -> Callable[[], Any]:
        made = kind(
            (128, 64), batch_size=128, max_iter=arguments.epochs, n_iter_no_change=10**6, tol=0.0
        )
        return lambda: made.fit(x, y)

    calls = {
        "network": network,
        "estimator": estimator(MLPClassifier),
        "scikit-learn": estimator(Peer),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(arguments.rounds):
        for name, call in calls.items():
            times[name].append(seconds(call))
    peer = statistics.median(times.pop("scikit-learn"))
    print(f"scikit-learn: {peer:.3f} s for {arguments.epochs} epochs of {len(y):,} rows")
    for name, measured in times.items():
        median = statistics.median(measured)
        spread = f"{min(measured):.3f}-{max(measured):.3f}"
        print(f"{name}: {median:.3f} s ({spread}), {peer / median:.1f} times less")


if __name__ == "__main__":
    main()
