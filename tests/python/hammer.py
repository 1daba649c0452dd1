# SPDX-License-Identifier: Apache-2.0
"""Four threads fit, compile, evaluate, predict, save, load, copy and resume one model, all at once.

``python tests/python/hammer.py 600`` does it for so many seconds and prints what happened. A call
may be refused where another thread trains the model, with a RuntimeError that says so; all else
must go through, and what it returns must fit one state of the model. Best under AddressSanitizer,
see CONTRIBUTING.md.
"""

from __future__ import annotations

import collections
import copy
import faulthandler
import pickle
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import laminar
from laminar import Sequential, layers
from laminar.callbacks import EarlyStopping, LambdaCallback

REFUSALS = ("is being trained", "has compiled the model or changed its layers meanwhile")
METRICS = (["accuracy"], [], ["accuracy", "sparse_top_k_categorical_accuracy"])


class Hammer:
    """One model, its data, and the calls that threads make.

    Parameters
    ----------
    folder : path
        Where models are saved.
    """

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.folder = folder
        self.x = rng.normal(size=(400, 12)).astype(np.float32)
        self.y = rng.integers(0, 3, 400).astype(np.int32)
        self.model = self.made()
        self.done: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        for number in range(4):
            self.model.save(self.path(number))

    def made(self) -> Sequential:
        stack = [layers.Input(12), layers.Dense(96, "relu"), layers.Dense(3, "softmax")]
        model = Sequential(stack, seed=1)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def path(self, number: int) -> str:
        return str(self.folder / f"{number}.safetensors")

    def fit(self, seed: random.Random) -> None:
        noted: list[float] = []
        each = LambdaCallback(on_epoch_end=lambda epoch, logs: noted.append(self.predicted()[0]))
        self.model.fit(
            self.x,
            self.y,
            batch_size=seed.choice([16, 64, 400]),
            epochs=seed.choice([1, 3]),
            verbose=0,
            validation_split=seed.choice([0.0, 0.25]),
            callbacks=[each, EarlyStopping("loss", patience=5)],
        )
        assert noted

    def resume(self, seed: random.Random) -> None:
        """Only where the file and the model are compiled alike; the core compares them."""
        callbacks = seed.choice([None, [EarlyStopping("loss", patience=5)]])
        try:
            self.model.fit(
                self.x,
                self.y,
                batch_size=16,
                epochs=3,
                verbose=0,
                callbacks=callbacks,
                resume=self.path(seed.randrange(4)),
            )
        except ValueError as error:
            if "resume" not in str(error):
                raise

    def train(self, seed: random.Random) -> None:
        self.model.train_on_batch(self.x, self.y)

    def compile(self, seed: random.Random) -> None:
        metrics = seed.choice(METRICS)
        self.model.compile("adam", "sparse_categorical_crossentropy", metrics=metrics)

    def evaluate(self, seed: random.Random) -> None:
        values = self.model.evaluate(self.x, self.y, return_dict=True)
        assert next(iter(values)) == "loss"
        assert all(np.isfinite(value) for value in values.values()), values
        assert 0 <= values.get("accuracy", 0) <= 1, values

    def gradients(self, seed: random.Random) -> None:
        loss, gradients = self.model.loss_and_gradients(self.x, self.y)
        assert np.isfinite(loss)
        assert [g.shape for g in gradients] == [w.shape for w in self.model.get_weights()]

    def predicted(self) -> Any:
        outputs = self.model.predict(np.repeat(self.x[:1], 300, axis=0))
        assert (outputs == outputs[0]).all(), "rows of one call saw several states"
        assert abs(float(outputs[0].sum()) - 1) < 1e-5
        return outputs[0]

    def predict(self, seed: random.Random) -> None:
        self.predicted()

    def weights(self, seed: random.Random) -> None:
        """Weights of one state predict what the model of that state does."""
        twin = copy.copy(self.model)
        other = pickle.loads(pickle.dumps(twin))
        assert np.array_equal(twin.predict(self.x[:8]), other.predict(self.x[:8]))
        self.model.set_weights(twin.get_weights())
        self.model.layers[0].set_weights(self.model.layers[0].get_weights())

    def save(self, seed: random.Random) -> None:
        self.model.save(self.path(seed.randrange(4)))

    def load(self, seed: random.Random) -> None:
        """What another thread has saved is whole, and can be trained on."""
        loaded = laminar.load_model(self.path(seed.randrange(4)))
        assert loaded.predict(self.x[:5]).shape == (5, 3)
        loaded.fit(self.x[:32], self.y[:32], epochs=1, verbose=0)
        self.model.set_weights(loaded.get_weights())

    def rate(self, seed: random.Random) -> None:
        optimizer = self.model.optimizer
        assert optimizer is not None
        assert optimizer.learning_rate > 0
        assert optimizer.iterations >= 0
        optimizer.learning_rate = 1e-3

    def calls(self) -> list[Callable[[random.Random], None]]:
        often = [self.fit, self.fit, self.resume, self.compile, self.evaluate, self.predict]
        return [*often, self.train, self.gradients, self.weights, self.save, self.load, self.rate]

    def strike(self, number: int, until: float) -> None:
        seed = random.Random(number)
        while time.monotonic() < until and not self.wrong:
            call = seed.choice(self.calls())
            try:
                call(seed)
                self.done[call.__name__] += 1
            except RuntimeError as error:
                if not any(text in str(error) for text in REFUSALS):
                    self.wrong.append(f"{call.__name__}: {error!r}")
                self.done[f"{call.__name__} refused"] += 1
            except BaseException as error:
                self.wrong.append(f"{call.__name__}: {error!r}")
                raise


def run(seconds: float, folder: Path, threads: int = 4) -> Hammer:
    """Let the threads strike for some time."""
    hammer = Hammer(folder)
    until = time.monotonic() + seconds
    pool = [
        threading.Thread(target=hammer.strike, args=(number, until)) for number in range(threads)
    ]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    return hammer


if __name__ == "__main__":
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as name:
        found = run(float(sys.argv[1]) if len(sys.argv) > 1 else 10, Path(name))
    for what, times in sorted(found.done.items()):
        print(f"{what:20} {times}")
    print("wrong:", found.wrong or "nothing")
    sys.exit(1 if found.wrong else 0)
