# SPDX-License-Identifier: Apache-2.0
"""Processes that fork or end while threads compute."""

from __future__ import annotations

import os

import pytest
from support import run_python

FORK = """
import os, threading, time, warnings
import numpy as np
import laminar
from test_threads import classifier, Training, X, Y
warnings.simplefilter("ignore")  # Python 3.12 warns of any fork beside threads
model, other = classifier(300), classifier()
expected = other.predict(X)
with Training(model):
    for _ in range(5):
        child = os.fork()
        if child == 0:
            said = []
            for call in (model.get_weights, lambda: model.predict(X), lambda: model.evaluate(X, Y),
                         lambda: model.save("never.safetensors"), lambda: model.fit(X, Y),
                         lambda: model.compile("adam", "mse"),
                         lambda: model.set_weights([])):
                try:
                    call()
                except RuntimeError as error:
                    said.append("forked" in str(error))
            good = len(said) == 7 and all(said)
            good = good and np.array_equal(other.predict(X), expected)
            other.fit(X, Y, verbose=0)
            made = classifier()
            os._exit(0 if good else 1)
        until = time.monotonic() + 60
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
            if time.monotonic() > until:
                os.kill(child, 9)
            time.sleep(0.01)
        print(os.waitstatus_to_exitcode(ended[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_while_another_thread_trains_says_so() -> None:
    done = run_python(FORK)
    assert (done.returncode, done.stdout) == (0, "0\n" * 5), done.stderr


FORK_IN_CALLBACK = """
import os, warnings
from laminar.callbacks import LambdaCallback
from test_threads import classifier, X, Y
warnings.simplefilter("ignore")
model = classifier()
def fork(epoch, logs):
    child = os.fork()
    if child == 0:
        model.predict(X)
        model.get_weights()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
model.fit(X, Y, verbose=0, callbacks=[LambdaCallback(on_epoch_end=fork)])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_in_a_callback_reads_the_model() -> None:
    done = run_python(FORK_IN_CALLBACK)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


EXIT = """
import threading, time
import numpy as np
import laminar
from laminar.callbacks import LambdaCallback
from test_threads import classifier, X, Y
laminar.set_num_threads({threads})
begun = threading.Event()
x, y = np.tile(X, (20, 1)), np.tile(Y, 20)

def data():
    for _ in range(10**6):
        yield X[:100], Y[:100]

def slow():
    for _ in range(10**6):
        time.sleep(0.001)
        yield X[:100], Y[:100]

def run():
    model = classifier({width})
    if {width} > 4:
        model.fit(X, Y, verbose=0)
    begun.set()
    {what}

threading.Thread(target=run, daemon=True).start()
begun.wait()
time.sleep({delay})
"""
DAEMONS = {
    "fit": "model.fit(x, y, epochs=10**6, verbose=0)",
    "fit, called between batches": "model.fit(x, y, epochs=10**6, verbose=0, callbacks="
    "[LambdaCallback(on_train_batch_end=lambda b, l: None)])",
    "fit, a callback sleeps": "model.fit(x, y, epochs=10**6, verbose=0, callbacks="
    "[LambdaCallback(on_train_batch_end=lambda b, l: time.sleep(0.3))])",
    "fit, a callback computes": "model.fit(x, y, epochs=10**6, verbose=0, callbacks="
    "[LambdaCallback(on_train_batch_end=lambda b, l: sum(range(100000)))])",
    "fit, of a data set": "model.fit(laminar.data.Dataset.from_generator(data), "
    "epochs=10**6, verbose=0)",
    "fit, of a slow data set": "model.fit(laminar.data.Dataset.from_generator(slow), "
    "epochs=10**6, verbose=0)",
    "train_on_batch": "while True: model.train_on_batch(x, y)",
    "predict": "while True: model.predict(x)",
    "evaluate": "while True: model.evaluate(x, y)",
    "evaluate, of a data set": "model.evaluate(laminar.data.Dataset.from_generator(data))",
    "gradients": "while True: model.loss_and_gradients(x, y)",
}


@pytest.mark.parametrize("what", DAEMONS)
def test_the_interpreter_ends_quietly_while_a_daemon_thread_computes(what: str) -> None:
    for width, threads, delay in ((4, 1, 0.0), (256, 2, 0.1)):
        code = EXIT.format(threads=threads, width=width, what=DAEMONS[what], delay=delay)
        done = run_python(code)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (width, threads)
