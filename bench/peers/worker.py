# SPDX-License-Identifier: Apache-2.0
"""What a rival's process does: give its answers, and times as often as it is asked, as JSON.

A rival is a class with the static methods `set_threads(n)` and `versions()`, made by
`Peer(case, x, y, weights)`, with the methods `fit(epochs)`, `weights()`, `predictors(x)` (returns
functions without arguments that return the outputs, of which the fastest counts) and
`as_numpy(outputs)`. What it cannot do
raises NotImplementedError. `by_rows` is true where the optimizer leaves rows of tables alone that a
batch does not read.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import cases


class Timer:
    """Times of call(n) / n, with n such that each takes about so many seconds."""

    def __init__(self, call: Callable[[int], object], seconds: float):
        self.call = call
        call(1)  # compiles, allocates, starts threads
        n, elapsed = 1, self._elapsed(1)
        while elapsed < seconds / 4:
            n = max(2 * n, int(n * seconds / 4 / max(elapsed, 1e-9)))
            elapsed = self._elapsed(n)
        self.n = max(1, round(n * seconds / elapsed))

    def _elapsed(self, n: int) -> float:
        start = time.perf_counter()
        self.call(n)
        return time.perf_counter() - start

    def take(self) -> float:
        """Return the time of one call."""
        return self._elapsed(self.n) / self.n


def repeated(function: Callable[[], object]) -> Callable[[int], None]:
    """Return a function that calls this one n times."""

    def call(n: int) -> None:
        for _ in range(n):
            function()

    return call


class Task:
    """A case at a rival, who is made anew for the answers and for the times."""

    def __init__(self, peer_class: Any, name: str, folder: Path):
        self.peer_class, self.case = peer_class, cases.CASES[name]
        self.data = dict(np.load(folder / f"{name}.npz"))
        self.timer: Timer | None = None

    def answers(self) -> list[list[float]]:
        """Return the loss after the check steps, or the outputs of each way to predict."""
        case, data = self.case, self.data
        rows = case.batch * case.check_steps
        weights = cases.initial_weights(data)
        peer = self.peer_class(case, data["x"][:rows], data["y"][:rows], weights)
        if case.predict:
            ways = peer.predictors(data["x"])
            return [np.ravel(peer.as_numpy(predict())).tolist() for predict in ways]
        peer.fit(1)
        return [[cases.loss_of(case, peer.weights(), data)]]

    def seconds(self, length: float) -> float:
        """Return the time of one training step, or of the prediction of one row."""
        if self.timer is None:
            self.timer = self._timer(length)
        units = len(self.data["x"]) if self.case.predict else self.case.steps
        return self.timer.take() / units

    def _timer(self, length: float) -> Timer:
        data = self.data
        peer = self.peer_class(self.case, data["x"], data["y"], cases.initial_weights(data))
        if not self.case.predict:
            return Timer(peer.fit, length)
        ways = [Timer(repeated(predict), length) for predict in peer.predictors(data["x"])]
        if len(ways) == 1:
            return ways[0]
        return min(ways, key=lambda timer: min(timer.take() for _ in range(3)))


def main(peer_class: Any) -> None:
    """Answer requests, a line of JSON each: for a case's answers, or for one of its times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--data", required=True, type=Path, help="folder with an .npz of each case")
    arguments = parser.parse_args()

    peer_class.set_threads(arguments.threads)
    by_rows = getattr(peer_class, "by_rows", False)
    print(json.dumps({"versions": peer_class.versions(), "by_rows": by_rows}), flush=True)
    name, task = "", None
    for line in sys.stdin:
        request = json.loads(line)
        if request["case"] != name:
            task = None  # first, for its memory
            name = request["case"]
            task = Task(peer_class, name, arguments.data)
        assert task is not None
        try:
            reply: dict[str, Any] = (
                {"seconds": task.seconds(request["seconds"])}
                if "seconds" in request
                else {"answers": task.answers()}
            )
        except NotImplementedError as reason:
            reply = {"not_offered": str(reason)}
        print(json.dumps(reply), flush=True)
