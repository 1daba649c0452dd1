# SPDX-License-Identifier: Apache-2.0
"""Callbacks between batches: when they are called, what they see, and that they change no bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import blobs, fingerprint, small_classifier

from laminar import Sequential, callbacks, layers
from laminar.callbacks import Callback, LambdaCallback


class Batches(Callback):
    """Writes down every call within an epoch."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.logs: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: callbacks.Logs = None) -> None:
        self.calls.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch: int, logs: callbacks.Logs = None) -> None:
        self.calls.append(("begin", batch))

    def on_train_batch_end(self, batch: int, logs: callbacks.Logs = None) -> None:
        self.calls.append(("end", batch))
        self.logs.append(dict(logs or {}))


def test_calls_and_their_order() -> None:
    x, y = blobs()
    recorder = Batches()
    model = small_classifier(metrics=["accuracy"])
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=recorder)
    epoch = [(kind, batch) for batch in range(3) for kind in ("begin", "end")]
    assert recorder.calls == ["epoch 0", *epoch, "epoch 1", *epoch]
    # At an epoch's end its mean is that of all its rows.
    for number in (0, 1):
        assert recorder.logs[3 * number + 2] == {
            key: values[number] for key, values in history.history.items()
        }


@pytest.mark.kernels
@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_listening_changes_no_bit(batch_size: int) -> None:
    x, y = blobs()
    results = set()
    for heard in (None, Batches()):
        model = small_classifier(metrics=["accuracy"])
        history = model.fit(
            x, y, batch_size=batch_size, epochs=3, verbose=0, callbacks=heard, validation_split=0.2
        )
        results.add((fingerprint(model.get_weights()), str(history.history)))
    assert len(results) == 1


def test_a_hook_sees_the_present_weights() -> None:
    rows = 12
    model = Sequential([layers.Input(rows), layers.Dense(1, use_bias=False)], seed=1)
    model.set_weights([np.zeros((rows, 1))])
    model.compile({"name": "sgd", "learning_rate": 0.5}, "mse")
    seen: list[int] = []

    def look(batch: int, logs: Any) -> None:
        assert model.optimizer is not None
        assert model.optimizer.iterations == batch + 1
        seen.append(np.count_nonzero(model.get_weights()[0]))
        assert np.count_nonzero(model.predict(np.eye(rows))) == batch + 1

    model.fit(
        np.eye(rows),
        np.arange(1, rows + 1),
        batch_size=1,
        verbose=0,
        callbacks=LambdaCallback(on_train_batch_end=look),
    )
    assert seen == list(range(1, rows + 1))


def test_a_hook_may_change_weights_and_rate() -> None:
    x, y = blobs()
    model, twin = small_classifier(), small_classifier()

    def change(batch: int, logs: Any) -> None:
        assert model.optimizer is not None
        model.optimizer.learning_rate = 0.01 / (batch + 1)
        model.set_weights([w / 2 for w in model.get_weights()])

    model.fit(
        x,
        y,
        batch_size=10,
        shuffle=False,
        verbose=0,
        callbacks=LambdaCallback(on_train_batch_begin=change),
    )
    for batch in range(4):
        assert twin.optimizer is not None
        twin.optimizer.learning_rate = 0.01 / (batch + 1)
        twin.set_weights([w / 2 for w in twin.get_weights()])
        part = slice(10 * batch, 10 * batch + 10)
        twin.train_on_batch(x[part], y[part])
    assert fingerprint(model.get_weights()) == fingerprint(twin.get_weights())


def test_stop_training_ends_the_epoch_at_once() -> None:
    x, y = blobs()
    model = small_classifier()
    recorder = Batches()

    def stop(batch: int, logs: Any) -> None:
        model.stop_training = batch == 1

    both = [LambdaCallback(on_train_batch_end=stop), recorder]
    history = model.fit(x, y, batch_size=10, epochs=5, verbose=0, callbacks=both)
    assert model.optimizer is not None
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]
    assert history.history["loss"] == [recorder.logs[-1]["loss"]]
    assert recorder.calls[-1] == ("end", 1)


def test_an_exception_in_a_hook_reaches_the_caller() -> None:
    x, y = blobs()
    model = small_classifier()

    def fail(batch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        model.fit(x, y, verbose=0, callbacks=LambdaCallback(on_train_batch_end=fail))
    model.fit(x, y, verbose=0)


def test_the_structure_stays() -> None:
    x, y = blobs()
    model = small_classifier()
    hook = LambdaCallback(on_train_batch_end=lambda batch, logs: model.compile("sgd", "mse"))
    with pytest.raises(RuntimeError, match="the model is being trained"):
        model.fit(x, y, verbose=0, callbacks=hook)
