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

# Prints a line when training begins, and the hash of all that it ends in.
PROGRAM = """
import hashlib, json, os, sys
import numpy as np
import laminar
from laminar import Sequential, layers
from laminar.callbacks import EarlyStopping, ModelCheckpoint

path, epochs = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
x = rng.normal(size=(2000, 20)).astype(np.float32)
y = (x @ rng.normal(size=(20, 3))).argmax(axis=1).astype(np.int32)
model = Sequential(
    [layers.Input(20), layers.Dense(64, "relu"), layers.BatchNormalization(),
     layers.Dropout(0.2), layers.Dense(3, "softmax")], seed=5)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
print("begin", flush=True)
# Every 200 batches of 10 rows: about 20 ms here.
history = model.fit(
    x, y, batch_size=10, epochs=epochs, validation_split=0.1, verbose=0,
    callbacks=[EarlyStopping(patience=1000), ModelCheckpoint(path, save_freq=%d)],
    resume=path if os.path.exists(path) else None)
digest = hashlib.sha256(json.dumps(history.history).encode())
for array in model.get_weights():
    digest.update(array.tobytes())
print(digest.hexdigest(), flush=True)
"""
BATCHES_A_FILE = 150  # about 20 ms
EPOCHS = 40


def start(path: Path, epochs: int = EPOCHS) -> subprocess.Popen[str]:
    package = os.path.dirname(os.path.dirname(laminar.__file__))
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM % BATCHES_A_FILE, str(path), str(epochs)],
        env={**os.environ, "PYTHONPATH": package},
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """Return the hash that a program ends with."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return out.split()[-1]


def test_kills_leave_no_trace(tmp_path: Path) -> None:
    wanted = int(os.environ.get("LAMINAR_KILLS", "3"))
    expected = ended(start(tmp_path / "straight.safetensors"))
    rng = random.Random(1)
    kills = trainings = resumed = 0
    path = tmp_path / "killed.safetensors"
    while kills < wanted or path.exists():
        process = start(path)
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        resumed += path.exists()
        if kills < wanted:
            time.sleep(rng.uniform(0.0, 0.15))
            process.send_signal(signal.SIGKILL)
        out, _ = process.communicate(timeout=300)
        if process.returncode == -signal.SIGKILL:
            kills += 1
            continue
        assert process.returncode == 0
        assert out.split()[-1] == expected
        trainings += 1
        path.unlink()
    assert kills == wanted
    assert trainings > 0
    print(f"{kills} kills, {resumed} of the starts resumed, {trainings} trainings: {expected}")
