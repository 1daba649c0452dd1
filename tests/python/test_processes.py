# SPDX-License-Identifier: Apache-2.0
"""What needs a process of its own: instruction sets, forks, Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
from support import fingerprint, run_python

import laminar
from laminar import Sequential, layers

REPORT = """
import laminar, numpy as np, reference
from laminar import Sequential, layers
from support import blobs, fingerprint, reference_network
x, y = blobs(200)
model = Sequential([layers.Dense(33, "tanh"), layers.Dense(3, "softmax")], seed=1)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=3, verbose=0)
expected = reference.forward(reference_network(model), x)[0][-1]
np.testing.assert_allclose(model.predict(x), expected, rtol=2e-5, atol=1e-6)
print(laminar.show_config()["isa"], fingerprint(model.get_weights()))
"""


@pytest.mark.parametrize("isa", laminar.show_config()["isas"])
def test_each_instruction_set_runs_when_asked_for(isa: str) -> None:
    first, second = (run_python(REPORT, LAMINAR_ISA=isa) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout.split()[0] == isa
    assert first.stdout == second.stdout


PAIRS = """
import numpy as np
from laminar import Sequential, layers
from support import fingerprint
rng = np.random.default_rng(3)
x, y = rng.normal(size=(100, 37)), rng.normal(size=(100, 5))
stack = [layers.Dense(70, "relu"), layers.Maxout(9, pieces=2), layers.Dense(5)]
model = Sequential(stack, seed=1, precision="bfloat16")
model.compile("sgd", "mse")
_, gradients = model.loss_and_gradients(x, y)
print(fingerprint([model.predict(x), *gradients]))
"""


def test_products_of_bfloat16_are_the_same_bits_on_every_instruction_set() -> None:
    done = [run_python(PAIRS, LAMINAR_ISA=isa) for isa in laminar.show_config()["isas"]]
    assert [run.stderr for run in done if run.returncode != 0] == []
    assert len({run.stdout for run in done}) == 1


def test_an_unknown_instruction_set_is_an_error() -> None:
    done = run_python(REPORT, LAMINAR_ISA="avx3")
    assert done.returncode != 0
    assert "LAMINAR_ISA" in done.stderr
    assert "'avx3'" in done.stderr
    assert "avx2" in done.stderr
    assert "ValueError" in done.stderr


FORK = """
import os, warnings
import laminar
from test_determinism import digits_model
from support import fingerprint
(x, y), _ = laminar.datasets.load_digits()
laminar.set_num_threads(4)

def train():
    model = digits_model()
    model.fit(x, y, batch_size=256, epochs=1, verbose=0)
    return fingerprint([*model.get_weights(), model.predict(x)])

expected = train()
warnings.simplefilter("ignore")  # Python 3.12 warns of any fork beside threads
child = os.fork()
if child == 0:
    os._exit(0 if train() == expected else 1)
_, status = os.waitpid(child, 0)
assert train() == expected
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_the_same() -> None:
    done = run_python(FORK)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_ctrl_c_leaves_the_last_completed_batch() -> None:
    # One epoch of many steps, so that no Python code runs which would see the signal by itself.
    rows = 5_000_000
    rng = np.random.default_rng(0)
    x = np.tile(rng.normal(size=(1000, 4)).astype(np.float32), (rows // 1000, 1))
    y = np.tile(rng.normal(size=(1000, 1)).astype(np.float32), (rows // 1000, 1))

    def build() -> Sequential:
        model = Sequential([layers.Input(4), layers.Dense(256, "tanh"), layers.Dense(1)], seed=1)
        model.compile("adam", "mse")
        return model

    for wait in (0.5, 2, 10):  # a busy machine may take longer until the first step
        model = build()
        timer = threading.Timer(wait, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
        finally:
            timer.cancel()
        if model.optimizer is not None and model.optimizer.iterations > 0:
            break
    assert model.optimizer is not None
    done = model.optimizer.iterations
    assert 0 < done < rows
    twin = build()
    twin.fit(x[:done], y[:done], batch_size=1, shuffle=False, verbose=0)
    assert fingerprint(twin.get_weights()) == fingerprint(model.get_weights())
    model.fit(x[:10], y[:10], verbose=0)
