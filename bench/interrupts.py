# SPDX-License-Identifier: Apache-2.0
"""How soon Ctrl-C is answered, wherever it comes: `python bench/interrupts.py`.

Each kind of long call is interrupted at several moments. Printed is each kind's slowest answer: the
time from the signal to KeyboardInterrupt, for the command line to the end of the process.
"""

from __future__ import annotations

import argparse
import os
import pickle
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import laminar
from laminar import Sequential, layers, losses, metrics
from laminar.data import Dataset

MOMENTS = (0.15, 0.4, 1.0)  # seconds after the call
Call = Callable[[], Any]


class TooSoonError(Exception):
    """The call was over before the signal came."""


def seconds_to_answer(call: Call, moment: float) -> float:
    """Return how long `call` goes on after an interrupt that comes at a moment."""
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(moment, interrupt)
    timer.start()
    try:
        call()
    except KeyboardInterrupt:
        answered = time.perf_counter()
        timer.join()
        return answered - sent
    try:  # the signal may be on its way
        timer.cancel()
        timer.join()
        time.sleep(0.01)
    except KeyboardInterrupt:
        pass
    raise TooSoonError


def network(width: int, hidden: int = 2, **options: Any) -> Sequential:
    """Return a compiled network of 20 inputs and one output."""
    inner = [layers.Dense(width, "relu", **options) for _ in range(hidden)]
    model = Sequential([layers.Input(20), *inner, layers.Dense(1)], seed=1)
    model.compile("adam", "mse")
    return model


def repeated(call: Call, times: int = 10_000) -> Call:
    """Return a call that makes another one many times."""

    def calls() -> None:
        for _ in range(times):
            call()

    return calls


def rows(count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return inputs and targets."""
    x = np.random.default_rng(0).standard_normal((count, 20), dtype=np.float32)
    return x, x[:, :1].copy()


def training(x: NDArray[Any], y: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """Train and use networks of several sizes."""
    few, some = slice(30_000), slice(60_000)

    def fit(width: int, hidden: int, where: slice, batch: int | None, **options: Any) -> Call:
        model = network(width, hidden, **options)
        return lambda: model.fit(x[where], y[where], batch, epochs=10_000, verbose=0)

    everything = slice(None)
    yield "fit, rows one by one", fit(8, 2, everything, 1)
    yield "fit, batches of 32", fit(256, 2, everything, 32)
    yield "fit, full batch", fit(256, 2, everything, None)
    yield "fit, full batch of a wide network", fit(2048, 3, some, None)
    yield "fit, penalties in a full batch", fit(512, 2, some, None, kernel_regularizer="l2")
    wide = network(2048, 3)
    yield "predict", repeated(lambda: wide.predict(x[some]))
    yield "evaluate", repeated(lambda: wide.evaluate(x[some], y[some]))
    yield "train_on_batch", repeated(lambda: wide.train_on_batch(x[few], y[few]))
    yield "loss_and_gradients", repeated(lambda: wide.loss_and_gradients(x[few], y[few]))
    narrow = network(256)
    yield (
        "fit, a large validation set",
        lambda: narrow.fit(
            x[:320], y[:320], epochs=10_000, validation_data=(x, y), verbose=0, batch_size=320
        ),
    )
    yield (
        "find_learning_rate",
        repeated(lambda: network(1024).find_learning_rate(x[some], y[some], batch_size=20_000)),
    )


def building() -> Iterator[tuple[str, Call]]:
    """Draw initial weights that take long."""

    def build(width: int, initializer: str) -> Call:
        layer = layers.Dense(width, kernel_initializer=initializer)
        return repeated(lambda: Sequential([layers.Input(width), layer]), 3)

    yield "orthogonal initial weights", build(6000, "orthogonal")
    yield "normal initial weights", build(10_000, "he_normal")


def arrays(x: NDArray[Any], y: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """Convert, check and compare arrays."""
    double = np.ones((4_000_000, 20))
    small = network(8)
    small.predict(double[:1])
    yield "conversion of float64", repeated(lambda: small.evaluate(double, double[:, :1]))
    tall = np.full((10_000_000, 8), 0.5, np.float32)
    loss, metric = losses.BinaryCrossentropy(), metrics.AUC()
    yield "a loss of arrays", repeated(lambda: loss(tall, tall))
    yield "a metric of arrays", repeated(lambda: metric.update_state(tall, tall))
    yield "copies by pickle", repeated(lambda: pickle.dumps(network(3000, 3)))


def estimators(x: NDArray[Any], y: NDArray[Any]) -> Iterator[tuple[str, Call]]:
    """Fit estimators; nothing where scikit-learn is missing."""
    try:
        from laminar.sklearn import MLPRegressor, Perceptron
    except ImportError:
        return
    lbfgs = MLPRegressor(hidden_layer_sizes=(512, 512), solver="lbfgs", max_iter=5000, tol=0)
    yield "L-BFGS", lambda: lbfgs.fit(x[:40_000], y[:40_000].ravel())
    perceptron = Perceptron(max_iter=100_000, tol=None)
    yield "Perceptron", lambda: perceptron.fit(x, (y.ravel() > 0).astype(int))


def datasets(file: Path) -> Iterator[tuple[str, Call]]:
    """Read a file, and train on it."""
    source = Dataset.from_files(file, "y")
    model = network(8)

    def read() -> None:
        for _ in source.batches(32):
            pass

    yield "a Dataset of files", repeated(lambda: Dataset.from_files(file, "y"))
    yield "fit, a Dataset", lambda: model.fit(source, epochs=10_000, verbose=0)
    yield "batches of a Dataset", repeated(read)


def interruptible(call: Call) -> Call:
    """Return the call under Python's own handler of interrupts."""

    def called() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        call()

    return called


def command(*arguments: str) -> Callable[[float], float]:
    """Return how long `laminar` lives after an interrupt that comes at a moment."""

    def answer(moment: float) -> float:
        process = subprocess.Popen(
            [sys.executable, "-m", "laminar", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(moment)
        if process.poll() is not None:
            raise TooSoonError
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        process.wait()
        return time.perf_counter() - sent

    return answer


def kinds(folder: Path) -> Iterator[tuple[str, Callable[[float], float]]]:
    """Every kind of call by its name, and what interrupts it at a moment."""
    x, y = rows(400_000)
    file = folder / "table.csv"
    header = ",".join([*(f"x{i}" for i in range(20)), "y"])
    table = np.hstack([x[:200_000], y[:200_000]])
    np.savetxt(file, table, "%.5g", ",", header=header, comments="")

    def within(call: Call) -> Callable[[float], float]:
        return lambda moment: seconds_to_answer(interruptible(call), moment)

    for group in (
        training(x, y),
        building(),
        arrays(x, y),
        estimators(x, y),
        datasets(file),
    ):
        for name, call in group:
            yield name, within(call)
    yield "command line", command("train", str(file), "--target", "y", "--epochs", "1000")


def main() -> None:
    """Interrupt every kind at every moment, and print the slowest answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--threads", type=int, default=0, help="0: automatic")
    arguments = parser.parse_args()
    laminar.set_num_threads(arguments.threads)
    every: list[float] = []
    print("| interrupted | slowest answer, ms | moments |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, answer in kinds(Path(folder)):
            if arguments.only not in name:
                continue
            # The command's first second goes by before it computes.
            late = 1.5 if name == "command line" else 0.0
            found = []
            for moment in MOMENTS:
                try:
                    found.append(answer(moment + late))
                except TooSoonError:
                    continue
            every += found
            slowest = f"{1000 * max(found):.0f}" if found else "over too soon"
            print(f"| {name} | {slowest} | {len(found)} |", flush=True)
    print(
        f"\n{len(every)} interrupts: median {1000 * statistics.median(every):.0f} ms, "
        f"slowest {1000 * max(every):.0f} ms"
    )


if __name__ == "__main__":
    main()
