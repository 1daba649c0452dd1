# SPDX-License-Identifier: Apache-2.0
"""Training that stays within a limit of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import run_python

from laminar import Sequential, layers
from laminar._component import number_of_bytes


def model_of(dtype: str = "float64") -> Sequential:
    stack = [layers.Input(20), layers.Dense(30, "tanh"), layers.Dropout(0.2), layers.Dense(2)]
    model = Sequential(stack, dtype=dtype, seed=3)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_parts_of_a_batch_add_up_to_it(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(3000, 20)), rng.normal(size=(3000, 2))
    weight = rng.uniform(0, 2, 3000)
    results = []
    for limit in (None, "1MB", 400_000):
        model = model_of()
        history = model.fit(
            x, y, batch_size=None, epochs=4, verbose=0, sample_weight=weight, memory_limit=limit
        )
        assert model.optimizer is not None
        assert model.optimizer.iterations == 4
        results.append((model.get_weights(), history.history))
    for weights, history in results[1:]:
        for a, b in zip(weights, results[0][0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
        for key, values in history.items():
            np.testing.assert_allclose(values, results[0][1][key], rtol=1e-12)


def test_a_limit_that_nothing_fits_in_is_refused(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(300, 20)), rng.normal(size=(300, 2))
    model = model_of()
    before = model.get_weights()
    for limit, message in (
        (1000, "memory_limit must leave room for the weights"),
        ("1 kB", "got 1000"),
        ("a lot", "such as '2GB'"),
        (0, "at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(x, y, batch_size=None, verbose=0, memory_limit=limit)
    with pytest.raises(TypeError, match="memory_limit"):
        model.fit(x, y, memory_limit=1.5)  # type: ignore[arg-type]
    np.testing.assert_equal(model.get_weights(), before)


def test_sizes_are_read() -> None:
    assert number_of_bytes("2GB", "n") == 2_000_000_000
    assert number_of_bytes("1.5 MiB", "n") == 3 * 2**19
    assert number_of_bytes("512", "n") == 512
    for bad in ("", "GB", "2 apples", "-1GB", "0B", "1e40GB"):
        with pytest.raises(ValueError, match="n must be"):
            number_of_bytes(bad, "n")


def test_a_mapped_file_larger_than_the_memory_is_trained_on(tmp_path: Path) -> None:
    """A file of 512 MB in a process that may take 100 MB more than it has."""
    run = run_python(
        f"""
import os
os.environ["OMP_NUM_THREADS"] = "1"  # a thread's stack counts as memory
import resource
import numpy as np
import laminar
rows, features = 1_000_000, 128
path = {str(tmp_path / "x.npy")!r}
x = np.lib.format.open_memmap(path, "w+", np.float32, (rows, features))
x[::1000] = 1  # the rest stays a hole in the file
del x
x = np.load(path, mmap_mode="r")
y = np.ones((rows, 1), np.float32)
model = laminar.Sequential([laminar.Input(features), laminar.layers.Dense(32, "relu"),
                            laminar.layers.Dense(1)], seed=1)
model.compile("sgd", "mse")
held = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmData" in line)
resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + 100_000_000,) * 2)
try:
    np.ones((rows, features), np.float32)
    raise SystemExit("the limit does not hold")
except MemoryError:
    pass
history = model.fit(x, y, batch_size=None, epochs=2, verbose=0, memory_limit="50MB")
losses = history.history["loss"]
assert losses[1] < losses[0], losses
"""
    )
    assert run.returncode == 0, run.stderr + run.stdout
