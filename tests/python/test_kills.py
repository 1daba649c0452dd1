# SPDX-License-Identifier: Apache-2.0
"""A training that is killed again and again ends in the bits of one that never was.

LAMINAR_KILLS in the environment says how often; three times unless it is set.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import laminar

# Prints a line when training begins and after each file of a checkpoint; at the end how many
# batches it took itself, and the hash of all that it ends in.
PROGRAM = """
import hashlib, json, os, sys
import numpy as np
import laminar
from laminar import Sequential, layers
from laminar.callbacks import Callback, EarlyStopping, ModelCheckpoint

path, epochs = sys.argv[1], int(sys.argv[2])

class Report(Callback):
    batches = 0
    file = os.stat(path).st_ino if os.path.exists(path) else None

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        if os.path.exists(path) and os.stat(path).st_ino != self.file:
            self.file = os.stat(path).st_ino
            print("saved", flush=True)

rng = np.random.default_rng(0)
x = rng.normal(size=(2000, 20)).astype(np.float32)
y = (x @ rng.normal(size=(20, 3))).argmax(axis=1).astype(np.int32)
model = Sequential(
    [layers.Input(20), layers.Dense(64, "relu"), layers.BatchNormalization(),
     layers.Dropout(0.2), layers.Dense(3, "softmax")], seed=5)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
print("begin", flush=True)
report = Report()
history = model.fit(
    x, y, batch_size=10, epochs=epochs, validation_split=0.1, verbose=0,
    callbacks=[EarlyStopping(patience=1000), ModelCheckpoint(path, save_freq=%d), report],
    resume=path if os.path.exists(path) else None)
digest = hashlib.sha256(json.dumps(history.history).encode())
for array in model.get_weights():
    digest.update(array.tobytes())
print(report.batches, digest.hexdigest(), flush=True)
"""
BATCHES_A_FILE = 150
BATCHES_AN_EPOCH = 180
EPOCHS = 40


def start(path: Path, epochs: int = EPOCHS) -> subprocess.Popen[str]:
    package = os.path.dirname(os.path.dirname(laminar.__file__))
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM % BATCHES_A_FILE, str(path), str(epochs)],
        env={**os.environ, "PYTHONPATH": package},
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return how many batches a program took, and the hash that it ends with."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    batches, digest = out.splitlines()[-1].split()
    return int(batches), digest


def killed(process: subprocess.Popen[str], saves: int, wait: float) -> bool:
    """Kill a training some time after a number of saves; return False where it ends before."""
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    for _ in range(saves):
        if process.stdout.readline() != "saved\n":
            break
    time.sleep(wait)
    process.kill()
    process.communicate(timeout=300)
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


def test_kills_leave_no_trace(tmp_path: Path) -> None:
    wanted = int(os.environ.get("LAMINAR_KILLS", "3"))
    batches, expected = ended(start(tmp_path / "straight.safetensors"))
    assert batches == EPOCHS * BATCHES_AN_EPOCH
    rng = random.Random(1)
    path = tmp_path / "killed.safetensors"
    kills = trainings = 0
    while kills < wanted:
        # A kill waits for a file, so each start but the first of a training resumes. Where a
        # process ends before it is killed, so does the training.
        for _ in range(min(5, wanted - kills)):
            if not killed(start(path), rng.randrange(1, 8), rng.uniform(0.0, 0.02)):
                break
            kills += 1
            assert path.exists()
        batches, digest = ended(start(path))
        assert digest == expected
        assert batches < EPOCHS * BATCHES_AN_EPOCH
        trainings += 1
        path.unlink()
    print(f"{kills} kills in {trainings} trainings: {expected}")
