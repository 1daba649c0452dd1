# SPDX-License-Identifier: Apache-2.0
"""What a rival's process does: check its answer, or take a time, and print it as JSON.

A rival is a class with the static methods `set_threads(n)` and `versions()`, made by
`Peer(case, x, y, weights)`, with the methods `fit(epochs)`, `weights()`, `predictor(x)` (returns a
function without arguments that returns the outputs) and `as_numpy(outputs)`. What it cannot do
raises NotImplementedError. `by_rows` is true where the optimizer leaves rows of tables alone that a
batch does not read.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import cases


def seconds_per_call(call: Callable[[int], object], seconds: float, repeats: int = 3) -> float:
    """Return the median over `repeats` of the time of call(n) / n, with n filling `seconds`."""
    call(1)  # compiles, allocates, starts threads
    n = 1
    while True:
        start = time.perf_counter()
        call(n)
        elapsed = time.perf_counter() - start
        if elapsed >= seconds / 4:
            break
        n = max(2 * n, int(n * seconds / 4 / max(elapsed, 1e-9)))
    n = max(1, round(n * seconds / elapsed))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call(n)
        times.append((time.perf_counter() - start) / n)
    return statistics.median(times)


def answer(peer_class: Any, case: cases.Case, data: cases.Arrays) -> list[float]:
    """Return the rival's answer: the loss after the check steps, or the outputs."""
    weights = cases.initial_weights(data)
    rows = case.batch * case.check_steps
    peer = peer_class(case, data["x"][:rows], data["y"][:rows], weights)
    if case.predict:
        return np.ravel(peer.as_numpy(peer.predictor(data["x"])())).tolist()
    peer.fit(1)
    return [cases.loss_of(case, peer.weights(), data)]


def seconds_per_unit(
    peer_class: Any, case: cases.Case, data: cases.Arrays, seconds: float
) -> float:
    """Return the time of one training step, or of the prediction of one row."""
    peer = peer_class(case, data["x"], data["y"], cases.initial_weights(data))
    if not case.predict:
        return seconds_per_call(peer.fit, seconds) / case.steps
    predict = peer.predictor(data["x"])

    def call(n: int) -> None:
        for _ in range(n):
            predict()

    return seconds_per_call(call, seconds) / len(data["x"])


def main(peer_class: Any) -> None:
    """Run one check or one timing, as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", required=True, choices=cases.CASES)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--data", required=True, help="the .npz that run.py wrote for this case")
    parser.add_argument("--seconds", type=float, help="take a time of about this length")
    arguments = parser.parse_args()

    case = cases.CASES[arguments.case]
    data = dict(np.load(arguments.data))
    peer_class.set_threads(arguments.threads)
    by_rows = getattr(peer_class, "by_rows", False)
    result: dict[str, Any] = {"versions": peer_class.versions(), "by_rows": by_rows}
    try:
        if arguments.seconds:
            result["seconds"] = seconds_per_unit(peer_class, case, data, arguments.seconds)
        else:
            result["answer"] = answer(peer_class, case, data)
    except NotImplementedError as reason:
        result["not_offered"] = str(reason)
    print(json.dumps(result))
