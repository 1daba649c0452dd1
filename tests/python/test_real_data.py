# SPDX-License-Identifier: Apache-2.0
"""The main job on real data: handwritten digits."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_determinism import digits_model

import laminar
from laminar import Sequential, datasets, layers

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "python" / "examples" / "digits.py"
DATA = Path(os.environ.get("LAMINAR_TEST_DATA", ROOT.parent / "shared" / "data"))


def run_example(*arguments: str) -> str:
    package = os.path.dirname(os.path.dirname(laminar.__file__))
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments],
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.kernels
def test_the_example_reaches_its_accuracy() -> None:
    found = re.search(r"test accuracy (0\.\d+)", run_example())
    assert found is not None
    assert float(found[1]) >= 0.975


@pytest.mark.kernels
def test_the_agreed_weights_do_not_depend_on_threads() -> None:
    (x, y), _ = datasets.load_digits()
    model = digits_model()
    model.fit(x, y, epochs=5, verbose=0)
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(weights.astype("<f4").tobytes())
    printed = {run_example("--hash", "--threads", str(n)) for n in (1, 2, 3, 4)}
    assert printed == {digest.hexdigest() + "\n"}


def test_mnist() -> None:
    path = DATA / "mnist10k.npz"
    if not path.exists():
        pytest.skip(f"{path} is absent; LAMINAR_TEST_DATA names its folder")
    with np.load(path) as data:
        x = data["images"].reshape(-1, 784) / np.float32(255)
        y = data["labels"]
    model = Sequential([layers.Dense(128, "relu"), layers.Dense(10, "softmax")], seed=1)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:8000], y[:8000], batch_size=128, epochs=8, verbose=0)
    assert model.evaluate(x[8000:], y[8000:])[1] >= 0.92
