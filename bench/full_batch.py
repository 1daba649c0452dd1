# SPDX-License-Identifier: Apache-2.0
"""Exact batch descent on a mapped file larger than the memory: `python bench/full_batch.py`.

Writes a float32 data set (4 GB unless told otherwise) to a folder, maps it read-only, limits the
process's own memory as `ulimit -d` does (mappings of files do not count) and trains with all rows
as one batch. Prints the time of an update and the largest memory taken beyond the mapping.
"""

import argparse
import pathlib
import resource
import tempfile
import threading
import time

import numpy as np

import laminar
from laminar import layers

FEATURES = 64


def status(key: str) -> int:
    """Return a size in bytes from the kernel's account of this process."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024


def written(path: pathlib.Path, rows: int) -> np.ndarray:
    """Return the targets of random samples, which are written to a file block by block."""
    rng = np.random.default_rng(1)
    direction = rng.normal(size=FEATURES).astype(np.float32)
    x = np.lib.format.open_memmap(path, "w+", np.float32, (rows, FEATURES))
    y = np.empty((rows, 1), np.float32)
    for first in range(0, rows, 1 << 18):
        part = rng.random((min(1 << 18, rows - first), FEATURES), np.float32)
        x[first : first + len(part)] = part
        y[first : first + len(part), 0] = np.tanh(part @ direction)
    return y


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--limit", type=float, default=1, help="of the process, in gigabytes")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folder", help="for the data set, removed at the end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = pathlib.Path(folder) / "x.npy"
        rows = int(options.gigabytes * 1e9) // (4 * FEATURES)
        y = written(path, rows)
        x = np.load(path, mmap_mode="r")
        resource.setrlimit(resource.RLIMIT_DATA, (int(options.limit * 1e9),) * 2)
        model = laminar.Sequential(
            [layers.Input(FEATURES), layers.Dense(64, "relu"), layers.Dense(1)], seed=1
        )
        model.compile(laminar.optimizers.SGD(0.01), "mse")
        done = threading.Event()
        most = [status("RssAnon")]

        def watch() -> None:
            while not done.wait(0.02):
                most[0] = max(most[0], status("RssAnon"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        history = model.fit(
            x, y, batch_size=None, epochs=options.epochs, verbose=0, memory_limit="200MB"
        )
        seconds = (time.perf_counter() - start) / options.epochs
        done.set()
        watcher.join()
        losses = ", ".join(f"{loss:.4f}" for loss in history.history["loss"])
        print(f"{x.nbytes / 1e9:.2f} GB of samples, {rows} rows; own memory limited to ", end="")
        print(f"{options.limit} GB; resident beyond the mapping at most {most[0] / 1e6:.0f} MB,")
        print(f"of which targets {y.nbytes / 1e6:.0f} MB; {seconds:.2f} s an update; {losses}")


if __name__ == "__main__":
    main()
