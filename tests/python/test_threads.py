# SPDX-License-Identifier: Apache-2.0
"""One model in several threads: readers see one state, changes wait for nobody or are refused."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import hammer
import numpy as np
import pytest
from support import fingerprint

import laminar
from laminar import Sequential, layers
from laminar.callbacks import Callback, LambdaCallback

ROWS = 2000
X = np.random.default_rng(0).normal(size=(ROWS, 12)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, ROWS).astype(np.int32)


def classifier(width: int = 96, metrics: tuple[str, ...] = ("accuracy",)) -> Sequential:
    model = Sequential(
        [layers.Input(12), layers.Dense(width, "relu"), layers.Dense(3, "softmax")], seed=1
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


class InThread:
    """A call in another thread, until it ends; its error is raised again."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._error: BaseException | None = None
        self.result: Any = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:
            self._error = error

    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> Any:
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self.result


class Training:
    """A fit in another thread, as long as the block."""

    def __init__(self, model: Sequential, **options: Any) -> None:
        self.model, self.options = model, options
        self.stop = False
        self.begun = threading.Event()

    def __enter__(self) -> Training:
        def on_epoch_end(epoch: int, logs: Any) -> None:
            self.begun.set()
            if self.stop:
                self.model.stop_training = True

        watch = LambdaCallback(on_epoch_end=on_epoch_end)
        self.thread = InThread(
            lambda: self.model.fit(X, Y, epochs=10**6, verbose=0, callbacks=[watch], **self.options)
        )
        assert self.begun.wait(60)
        return self

    def __exit__(self, *error: object) -> None:
        self.stop = True
        self.thread.join()


@pytest.fixture(params=[4, 96], ids=["small", "general"])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_an_evaluation_has_the_metrics_of_one_compilation() -> None:
    model = classifier()
    x = np.tile(X, (10, 1))
    y = np.tile(Y, 10)
    results: list[dict[str, float]] = []
    ended = threading.Event()

    def evaluate() -> None:
        while not ended.is_set():
            results.append(model.evaluate(x, y, return_dict=True))

    threads = [InThread(evaluate) for _ in range(2)]
    until = time.monotonic() + 1
    while time.monotonic() < until:
        metrics = ["accuracy", "sparse_top_k_categorical_accuracy"][: 1 + len(results) % 2]
        model.compile("adam", "sparse_categorical_crossentropy", metrics=metrics)
    ended.set()
    for thread in threads:
        thread.join()
    assert {len(result) for result in results} <= {2, 3}
    assert len({result["loss"] for result in results}) == 1


CHANGES: dict[str, Callable[[Sequential], object]] = {
    "compile": lambda model: model.compile("sgd", "sparse_categorical_crossentropy"),
    "fit": lambda model: model.fit(X, Y, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
    "set_weights": lambda model: model.set_weights(model.get_weights()),
    "add": lambda model: model.add(layers.Dense(2)),
    "pop": lambda model: model.pop(),
    "find_learning_rate": lambda model: model.find_learning_rate(X, Y),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_refused_while_another_thread_trains(name: str) -> None:
    model = classifier()
    with (
        Training(model),
        pytest.raises(RuntimeError, match=f"^{name}: the model is being trained by another"),
    ):
        CHANGES[name](model)
    if name in ("pop", "find_learning_rate"):  # which end otherwise here
        return
    CHANGES[name](model)


def test_what_changes_a_part_is_refused_as_well() -> None:
    model = classifier()
    assert model.optimizer is not None
    with Training(model):
        with pytest.raises(RuntimeError, match="set_weights: the model is being trained"):
            model.layers[0].set_weights(model.layers[0].get_weights())
        with pytest.raises(RuntimeError, match="learning_rate: the model is being trained"):
            model.optimizer.learning_rate = 0.5


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "set_weights"])
def test_changes_are_refused_in_callbacks(name: str) -> None:
    model = classifier()
    seen: list[str] = []

    def change(*_: object) -> None:
        with pytest.raises(RuntimeError, match=f"^{name}: the model is being trained$") as error:
            CHANGES[name](model)
        seen.append(str(error.value))

    each = LambdaCallback(on_epoch_end=change, on_train_batch_end=change)
    model.fit(X[:64], Y[:64], verbose=0, callbacks=[each])
    assert len(seen) == 3


def test_callbacks_may_still_look_and_change_numbers(tmp_path: Path) -> None:
    model = classifier()
    path = tmp_path / "model.safetensors"

    def look(*_: object) -> None:
        model.predict(X)
        model.evaluate(X, Y)
        model.loss_and_gradients(X[:50], Y[:50])
        model.save(path)
        assert fingerprint(copy.copy(model).get_weights()) == fingerprint(model.get_weights())
        model.set_weights([w * 0.5 for w in model.get_weights()])
        assert fingerprint(laminar.load_model(path).get_weights()) != fingerprint(
            model.get_weights()
        )
        assert model.optimizer is not None
        model.optimizer.learning_rate *= 0.5

    each = LambdaCallback(on_epoch_end=look, on_train_batch_end=look)
    model.fit(X[:64], Y[:64], verbose=0, callbacks=[each])
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == pytest.approx(1e-3 / 8)


def test_predictions_are_of_one_state_while_weights_are_set() -> None:
    model = classifier(width=300)
    x = np.tile(X, (20, 1))
    states = [model.get_weights(), [w * -0.5 for w in model.get_weights()]]
    expected = []
    for state in states:
        model.set_weights(state)
        expected.append(fingerprint([model.predict(x)]))
    ended = threading.Event()
    seen: list[str] = []

    def predict() -> None:
        while not ended.is_set():
            seen.append(fingerprint([model.predict(x)]))

    threads = [InThread(predict) for _ in range(2)]
    until = time.monotonic() + 1
    while time.monotonic() < until or len(seen) < 4:
        for state in states:
            model.set_weights(state)
    ended.set()
    for thread in threads:
        thread.join()
    assert set(seen) <= set(expected)


def test_a_prediction_outlives_a_resumed_training(tmp_path: Path) -> None:
    model = classifier(width=300)
    path = tmp_path / "model.safetensors"
    model.fit(X[:64], Y[:64], verbose=0)
    model.save(path)
    x = np.tile(X, (40, 1))
    expected = fingerprint([model.predict(x)])
    thread = InThread(lambda: fingerprint([model.predict(x)]))
    for _ in range(4):
        model.fit(X[:64], Y[:64], verbose=0, epochs=2, resume=path)
    assert thread.join() == expected


class Noted(Callback):
    """Hashes of the weights between all steps."""

    def __init__(self) -> None:
        self.states: set[str] = set()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.states.add(fingerprint(self.model.get_weights()))


def test_other_threads_see_states_between_steps(width: int, tmp_path: Path) -> None:
    """Weights, predictions, copies and files, all of one step; the run has no callbacks."""
    noted = Noted()
    rehearsal = classifier(width)
    rehearsal.fit(X, Y, epochs=40, verbose=0, callbacks=[noted])
    noted.states.add(fingerprint(classifier(width).get_weights()))

    model = classifier(width)
    reference = classifier(width)
    seen: list[str] = []
    thread = InThread(lambda: model.fit(X, Y, epochs=40, verbose=0))
    alive = True
    while alive:
        alive = thread.alive()
        seen.append(fingerprint(model.get_weights()))
        twin = pickle.loads(pickle.dumps(model))
        seen.append(fingerprint(twin.get_weights()))
        assert np.isfinite(model.predict(X)).all()
        model.loss_and_gradients(X, Y)
        model.evaluate(X, Y)
    thread.join()
    assert set(seen) <= noted.states
    reference.fit(X, Y, epochs=40, verbose=0)
    assert fingerprint(reference.get_weights()) == fingerprint(model.get_weights())


def resumed(path: Path, build: Callable[[], Sequential], **options: Any) -> str:
    model = build()
    history = model.fit(X, Y, verbose=0, resume=path, **options)
    return fingerprint([*model.get_weights(), np.array(history.history["loss"])])


@pytest.mark.parametrize("memory_limit", [None, 2**19])
def test_a_file_that_another_thread_saves_goes_on_to_the_same_bits(
    width: int, memory_limit: int | None, tmp_path: Path
) -> None:
    if width == 4 and memory_limit is not None:
        pytest.skip("a small network's batches need no parts")
    options: dict[str, Any] = {
        "epochs": 30,
        "batch_size": 32 if memory_limit is None else 1000,
        "validation_split": 0.1,
        "memory_limit": memory_limit,
    }

    def build() -> Sequential:
        return classifier(width)

    reference = build()
    history = reference.fit(X, Y, verbose=0, **options)
    expected = fingerprint([*reference.get_weights(), np.array(history.history["loss"])])
    model = build()
    files: list[Path] = []
    thread = InThread(lambda: model.fit(X, Y, verbose=0, **options))
    while thread.alive() and len(files) < 8:
        path = tmp_path / f"{len(files)}.safetensors"
        model.save(path)
        if model.optimizer is not None and model.optimizer.iterations > 0:
            files.append(path)
        time.sleep(0.01)
    thread.join()
    for path in files:
        assert resumed(path, build, **options) == expected


Handling: TypeAlias = Callable[[Callable[[], None]], None]


@pytest.fixture
def on_signal() -> Iterator[Handling]:
    """Return a function that sets what SIGUSR1 calls."""
    before = signal.getsignal(signal.SIGUSR1)

    def handle(call: Callable[[], None]) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: call())

    yield handle
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no such signals")
def test_a_file_that_a_handler_saves_goes_on_to_the_same_bits(
    width: int, tmp_path: Path, on_signal: Handling
) -> None:
    options = {"epochs": 200 if width == 4 else 60, "batch_size": 32, "validation_split": 0.1}

    def build() -> Sequential:
        return classifier(width)

    reference = build()
    reference.fit(X, Y, verbose=0, **options)
    expected = fingerprint(reference.get_weights())
    model = build()
    saved: list[tuple[Path, int]] = []

    def save() -> None:
        path = tmp_path / f"{len(saved)}.safetensors"
        model.save(path)
        assert model.optimizer is not None
        saved.append((path, model.optimizer.iterations))

    on_signal(save)
    ended = threading.Event()

    def disturb() -> None:
        while not ended.wait(0.06):
            os.kill(os.getpid(), signal.SIGUSR1)

    thread = InThread(disturb)
    model.fit(X, Y, verbose=0, **options)
    ended.set()
    thread.join()
    assert fingerprint(model.get_weights()) == expected
    for path, iterations in saved[:6]:
        loaded = laminar.load_model(path)
        assert loaded.optimizer is not None
        assert loaded.optimizer.iterations == iterations
        model = build()
        model.fit(X, Y, verbose=0, resume=path, **options)
        assert fingerprint(model.get_weights()) == expected


def test_callbacks_of_a_saved_training_are_of_the_same_moment(tmp_path: Path) -> None:
    """A file has as many epochs in its history as its core has behind it."""
    model = classifier()
    with Training(model, validation_split=0.2):
        for number in range(30):
            path = tmp_path / "model.safetensors"
            model.save(path)
            loaded = laminar.load_model(path)
            assert loaded.history is not None
            core = loaded._core("test")
            assert len(loaded.history.epoch) == core.next_epoch, number
            time.sleep(0.002)


def test_a_callback_may_wait_for_another_thread(tmp_path: Path) -> None:
    model = classifier()
    done = []

    def wait(*_: object) -> None:
        for call in (
            lambda: model.predict(X),
            model.get_weights,
            lambda: model.evaluate(X, Y),
            lambda: model.save(tmp_path / "model.safetensors"),
        ):
            InThread(call).join()
            done.append(call)

    model.fit(X, Y, verbose=0, callbacks=[LambdaCallback(on_epoch_end=wait)])
    assert len(done) == 4


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 32])
@pytest.mark.parametrize("label", [3, -1, 2**31 - 1, -(2**31)])
def test_a_label_that_leaves_its_range_during_fit_ends_it(
    width: int, batch_size: int, shuffle: bool, label: int
) -> None:
    metrics = ("accuracy", "sparse_top_k_categorical_accuracy", "sparse_categorical_crossentropy")
    model = classifier(width, metrics)
    x, y = X[:64].copy(), Y[:64].copy()

    def spoil(epoch: int, logs: Any) -> None:
        y[40] = label

    spoiling = LambdaCallback(on_epoch_end=spoil)
    with pytest.raises(FloatingPointError, match="loss is not finite in epoch 2"):
        model.fit(
            x,
            y,
            batch_size=batch_size,
            epochs=3,
            shuffle=shuffle,
            callbacks=[spoiling],
            verbose=0,
        )
    assert np.isfinite(model.predict(X)).all()


def test_a_label_that_leaves_its_range_during_an_evaluation_is_refused_or_nan() -> None:
    model = classifier(metrics=("accuracy", "sparse_top_k_categorical_accuracy"))
    y = Y.copy()
    expected = model.evaluate(X, y)
    ended = threading.Event()

    def spoil() -> None:
        while not ended.is_set():
            y[40::100] = 10**9
            y[40::100] = Y[40::100]

    thread = InThread(spoil)
    for _ in range(200):
        try:
            values = model.evaluate(X, y)
        except ValueError as error:
            assert "class numbers" in str(error)
        else:
            assert values == expected or np.isnan(values[0])
    ended.set()
    thread.join()


@pytest.mark.parametrize("name", ["iterations", "learning_rate"])
def test_what_is_live_is_asked_for_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may compile between two questions."""
    optimizer = laminar.optimizers.SGD()
    live = types.SimpleNamespace(iterations=3, learning_rate=0.5)
    answers = [live]
    only_once = property(lambda self: answers.pop() if answers else None)
    monkeypatch.setattr(laminar.optimizers.Optimizer, "_live", only_once)
    assert getattr(optimizer, name) == getattr(live, name)


def test_a_model_stands_four_threads_at_once(tmp_path: Path) -> None:
    found = hammer.run(3, tmp_path)
    assert found.wrong == []
    assert sum(found.done.values()) > 20
