# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C is answered soon wherever it comes, and leaves what had been completed."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import fingerprint

from laminar import Sequential, layers, load_model

BENCH = Path(__file__).parents[2] / "bench" / "interrupts.py"
SOON = 2.0  # seconds; a quiet machine takes 0.1, and 10 where nothing is asked inside a call

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs os.kill with SIGINT")


def _bench() -> Any:
    spec = importlib.util.spec_from_file_location("interrupts", BENCH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _group(name: str) -> dict[str, Callable[[], Any]]:
    bench = _bench()
    if name == "building":
        return dict(bench.building())
    x, y = bench.rows(400_000)
    return dict(getattr(bench, name)(x, y))


@pytest.mark.parametrize("group", ["training", "building", "estimators"])
def test_an_interrupt_is_answered_soon(group: str) -> None:
    if group == "estimators":
        pytest.importorskip("sklearn")
    answer = _bench().seconds_to_answer
    slow = {}
    for name, call in _group(group).items():
        seconds = answer(call, 0.3)
        if seconds > SOON:
            slow[name] = seconds
    assert slow == {}


@pytest.mark.parametrize("normalized", [False, True])
def test_a_batch_under_way_is_abandoned(normalized: bool, rng: np.random.Generator) -> None:
    x = rng.normal(size=(100_000, 20)).astype(np.float32)
    y = x[:, :1].copy()

    def model() -> Sequential:
        normal = [layers.BatchNormalization()] if normalized else []
        made = Sequential(
            [
                layers.Input(20),
                layers.Dense(256, "relu"),
                *normal,
                layers.Dense(256),
                layers.Dense(1),
            ],
            seed=1,
        )
        made.compile("adam", "mse", metrics=["mae"])
        return made

    stopped, whole = model(), model()
    _bench().seconds_to_answer(
        lambda: stopped.fit(x, y, batch_size=None, epochs=10_000, verbose=0), 0.7
    )
    done = stopped.optimizer.iterations if stopped.optimizer is not None else 0
    if done:
        whole.fit(x, y, batch_size=None, epochs=done, verbose=0)
    assert fingerprint(stopped.get_weights()) == fingerprint(whole.get_weights())
    before = fingerprint(stopped.get_weights())
    _bench().seconds_to_answer(lambda: [stopped.loss_and_gradients(x, y) for _ in range(1000)], 0.2)
    assert fingerprint(stopped.get_weights()) == before


def test_the_command_line_says_that_it_was_interrupted_and_keeps_the_best(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    file = tmp_path / "table.csv"
    values = np.random.default_rng(0).normal(size=(2000, 3))
    np.savetxt(file, values, "%.5g", ",", header="a,b,y", comments="")
    command = [sys.executable, "-m", "laminar", "train", str(file), "--target", "y"]
    command += ["--epochs", "1000000", "--patience", "1000000"]
    command += ["--save", str(tmp_path / "best.safetensors")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(b"Epoch 2/"):
            assert process.poll() is None
        started = time.perf_counter()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert time.perf_counter() - started < 2 * SOON
    assert process.returncode == 130
    assert errors.rpartition(b"laminar: ")[2].startswith(b"interrupted after ")
    assert b"best.safetensors holds the best weights, those of epoch " in errors
    assert load_model(tmp_path / "best.safetensors").count_params() > 0
    assert b"Traceback" not in errors
