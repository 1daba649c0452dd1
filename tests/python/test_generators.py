# SPDX-License-Identifier: Apache-2.0
"""Batches that users bring: what arrays in the same batches give."""

from __future__ import annotations

import gc
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from batches import (
    BATCHES,
    FEATURES,
    ROWS,
    SIZE,
    Array,
    Batches,
    Iterable,
    X,
    Y,
    cut,
    endless,
    model,
    refused,
    same,
)

import laminar
from laminar import Sequential, callbacks, layers
from laminar.callbacks import LambdaCallback
from laminar.data import Dataset
from laminar.utils import PyDataset


@pytest.mark.parametrize("width", [6, 600])  # both ways of going through a network
def test_batches_give_the_bits_of_arrays(width: int) -> None:
    expected = model(width=width)
    history = expected.fit(
        X, Y, SIZE, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y)
    ).history
    options: dict[str, Any] = {"epochs": 3, "verbose": 0, "shuffle": False}
    steps = {"steps_per_epoch": BATCHES, "validation_steps": BATCHES}
    for fed, others in (
        ((endless(), endless()), steps),
        ((Batches(), Batches()), {}),
        ((Batches(), Batches()), steps),
        ((Iterable(), Iterable()), {}),
        ((Iterable(), Iterable()), steps),
        ((iter(cut() * 3), endless()), steps),
    ):
        found = model(width=width)
        got = found.fit(fed[0], validation_data=fed[1], **options, **others)
        assert same(found, expected)
        assert got.history.keys() == history.keys()
        for key, values in got.history.items():
            np.testing.assert_allclose(values, history[key], rtol=1e-12)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_any_number_of_threads_gives_the_same_bits(threads: int) -> None:
    def trained() -> Sequential:
        found = model(width=700)
        found.fit(endless(33), steps_per_epoch=5, epochs=2, verbose=0)
        found.fit(Batches(33), epochs=2, verbose=0)
        return found

    before = laminar.get_num_threads()
    expected = trained()
    laminar.set_num_threads(threads)
    try:
        assert same(trained(), expected)
    finally:
        laminar.set_num_threads(before)


def test_a_batch_is_an_update_of_its_rows_whatever_their_number() -> None:
    sizes = [3, 40, 1, 7, 20, 29]
    ends = np.cumsum(sizes)
    batches = [(X[e - n : e], Y[e - n : e]) for n, e in zip(sizes, ends, strict=True)]
    expected, found = model(), model()
    for x, y in batches:
        expected.train_on_batch(x, y)
    history = found.fit(iter(batches), verbose=0)
    assert same(found, expected)
    assert found.optimizer is not None and found.optimizer.iterations == len(sizes)
    assert history.epoch == [0]


def test_weights_of_rows_are_those_of_train_on_batch() -> None:
    weight = np.linspace(0, 2, ROWS).astype(np.float32)
    expected, found = model(), model()
    for first in range(0, ROWS, SIZE):
        part = slice(first, first + SIZE)
        expected.train_on_batch(X[part], Y[part], weight[part], class_weight={0: 1, 1: 3})
    three = [(x, y, weight[i * SIZE : (i + 1) * SIZE]) for i, (x, y) in enumerate(cut())]
    found.fit(iter(three), class_weight={0: 1, 1: 3}, verbose=0)
    assert same(found, expected)
    given = expected.evaluate(X, Y, sample_weight=weight)
    np.testing.assert_allclose(found.evaluate(iter(three)), given, rtol=1e-12)


def test_evaluate_and_predict_take_batches() -> None:
    trained = model()
    trained.fit(X, Y, verbose=0)
    values, outputs = trained.evaluate(X, Y), trained.predict(X)
    for fed in (Batches(), Iterable(), iter(cut())):
        np.testing.assert_allclose(trained.evaluate(fed), values, rtol=1e-12)
    for fed in (
        Batches(),
        Iterable(),
        iter(cut()),
        iter(x for x, _ in cut()),
        Dataset.from_arrays(X),
    ):
        np.testing.assert_array_equal(trained.predict(fed), outputs)
    part = slice(3 * SIZE)
    source = endless()
    np.testing.assert_allclose(
        trained.evaluate(source, steps=3), trained.evaluate(X[part], Y[part]), rtol=1e-12
    )
    rest = trained.predict(source, steps=4)  # the generator goes on
    np.testing.assert_array_equal(rest, outputs[3 * SIZE :])
    for given in (Batches(), Iterable()):
        np.testing.assert_array_equal(trained.predict(given, steps=3), outputs[part])
    for x in (X, Dataset.from_arrays(X, Y)):
        np.testing.assert_array_equal(trained.predict(x, SIZE, steps=3), outputs[part])
        np.testing.assert_array_equal(trained.predict(x, steps=2), outputs[:64])
    unknown = Dataset.from_generator(lambda: iter(cut(33)))
    np.testing.assert_array_equal(trained.predict(unknown, SIZE, steps=3), outputs[part])
    expected = trained.evaluate(X[part], Y[part])
    assert trained.evaluate(X, Y, SIZE, steps=3) == expected
    np.testing.assert_allclose(trained.evaluate(unknown, None, SIZE, steps=3), expected, rtol=1e-12)
    out = np.empty_like(outputs)
    assert trained.predict(Batches(), out=out) is out
    np.testing.assert_array_equal(out, outputs)


def test_a_sequence_is_shuffled_by_batches() -> None:
    def calls(seed: int) -> list[int | str]:
        given = Batches()
        made = Sequential([layers.Dense(1)], seed=seed)
        made.compile("sgd", "mse")
        made.fit(given, epochs=2, verbose=0)
        assert given.calls[0] == 0  # its shapes are looked at
        return given.calls[1:]

    found = calls(1)
    assert found == calls(1) != calls(2)
    epochs = [found[1:8], found[10:17]]
    assert [found[0], found[8], found[9], found[17]] == ["(", ")", "(", ")"]
    assert all(sorted(map(int, epoch)) == list(range(BATCHES)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_a_sequence_of_keras_kind_and_one_without_end() -> None:
    class Named(PyDataset):
        def __len__(self) -> int:
            return BATCHES

        def __getitem__(self, index: int) -> Any:
            return list(cut()[index])  # Keras takes lists for tuples

    class Endless(PyDataset):
        num_batches = None

        def __getitem__(self, index: int) -> Any:
            return cut()[index % BATCHES]

    expected, found, other = model(), model(), model()
    expected.fit(endless(), steps_per_epoch=BATCHES, epochs=2, verbose=0)
    named = Named(workers=4, use_multiprocessing=False, max_queue_size=3)
    assert named.num_batches == BATCHES
    found.fit(named, epochs=2, shuffle=False, verbose=0)
    other.fit(Endless(), steps_per_epoch=BATCHES, epochs=2, verbose=0)
    assert same(found, expected) and same(other, expected)
    refused(ValueError, "fit: steps_per_epoch must be given", lambda: model().fit(Endless()))
    refused(ValueError, "evaluate: steps must be given", lambda: found.evaluate(Endless()))
    refused(ValueError, "predict: steps must be given", lambda: found.predict(Endless()))
    refused(
        ValueError,
        "fit: validation_steps must be given",
        lambda: model().fit(X, Y, validation_data=Endless(), verbose=0),
    )
    refused(NotImplementedError, "must define __len__", lambda: model().fit(PyDataset()))


class Seen(callbacks.Callback):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append("(")

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append("<")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(">")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(")")


@pytest.mark.parametrize("steps", [None, BATCHES])
def test_callbacks_see_batches(steps: int | None) -> None:
    expected = model()
    expected.fit(X, Y, SIZE, epochs=2, shuffle=False, verbose=0)
    for given in (Batches(), Iterable(), endless()):
        if steps is None and not hasattr(given, "__len__") and hasattr(given, "__next__"):
            continue
        seen, found = Seen(), model()
        found.fit(given, epochs=2, steps_per_epoch=steps, callbacks=seen, shuffle=False, verbose=0)
        assert "".join(seen.calls) == ("(" + "<>" * BATCHES + ")") * 2
        assert seen.params["steps"] == (None if isinstance(given, Iterable) and not steps else 7)
        assert same(found, expected)


def test_a_callback_ends_an_endless_training() -> None:
    def stop(batch: int, logs: Any) -> None:
        if batch == 4:
            found.stop_training = True

    found = model()
    hook = LambdaCallback(on_train_batch_end=stop)
    history = found.fit(endless(), callbacks=hook, verbose=0)
    assert history.epoch == [0]
    assert found.optimizer is not None and found.optimizer.iterations == 5


def test_a_generator_may_look_at_the_model() -> None:
    found = model()
    found.build(FEATURES)
    seen = []

    def looking() -> Iterator[tuple[Array, Array]]:
        for x, y in endless():
            assert found.predict(x).shape == y.shape
            found.evaluate(x, y)
            seen.append(found.get_weights()[0].copy())
            yield x, y

    after = []
    hook = LambdaCallback(on_train_batch_end=lambda b, logs: after.append(found.get_weights()[0]))
    thread = threading.get_ident()

    def here() -> Iterator[tuple[Array, Array]]:
        for batch in looking():
            assert threading.get_ident() == thread
            yield batch

    found.fit(here(), steps_per_epoch=4, epochs=2, callbacks=hook, verbose=0)
    assert len(seen) == 8
    for before, now in zip(after, seen[1:], strict=False):
        np.testing.assert_array_equal(before, now)


def test_a_generator_may_not_change_the_model() -> None:
    found = model()
    found.build(FEATURES)

    def changing() -> Iterator[tuple[Array, Array]]:
        yield X, Y
        found.set_weights([0 * weight for weight in found.get_weights()])
        yield X, Y

    expected = model()
    expected.train_on_batch(X, Y)
    with pytest.raises(RuntimeError, match="the model is being trained"):
        found.fit(changing(), verbose=0)
    assert same(found, expected)


def test_loaders_of_pytorch_are_iterables_of_batches() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=SIZE)
    expected, found = model(), model()
    expected.fit(X, Y, SIZE, epochs=2, shuffle=False, verbose=0)
    history = found.fit(loader, epochs=2, validation_data=loader, verbose=0)
    assert same(found, expected) and history.params["steps"] == BATCHES
    np.testing.assert_array_equal(found.predict(loader), expected.predict(X))


def test_other_threads_use_the_model_while_a_generator_takes_its_time() -> None:
    found = model()
    found.build(FEATURES)
    asked, answered = threading.Event(), threading.Event()

    def ask() -> None:
        asked.wait(60)
        found.predict(X)
        answered.set()

    other = threading.Thread(target=ask)
    other.start()

    def slow() -> Iterator[tuple[Array, Array]]:
        yield X, Y
        asked.set()
        assert answered.wait(60)  # or it would have to wait for the end of this
        yield X, Y

    found.fit(slow(), verbose=0)
    other.join()


@pytest.mark.parametrize("kind", [LookupError, KeyboardInterrupt])
def test_exceptions_arrive_unchanged_and_weights_stay(kind: type[BaseException]) -> None:
    raised = kind("the source is dry")

    def dry() -> Iterator[tuple[Array, Array]]:
        yield from cut()[:3]
        raise raised

    expected, found = model(), model()
    for x, y in cut()[:3]:
        expected.train_on_batch(x, y)
    with pytest.raises(kind) as caught:
        found.fit(dry(), steps_per_epoch=5, epochs=2, verbose=0)
    assert caught.value is raised
    assert same(found, expected)
    found.fit(X, Y, verbose=0)
    for call in (found.evaluate, found.predict):
        with pytest.raises(kind) as caught:
            call(dry())
        assert caught.value is raised


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_control_c_is_answered_while_a_generator_waits() -> None:
    def waiting() -> Iterator[tuple[Array, Array]]:
        yield X, Y
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        time.sleep(60)

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            model().fit(waiting(), verbose=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 30


def test_only_a_batch_is_held() -> None:
    class Big(np.ndarray):
        """An array that can be watched."""

    alive: list[weakref.ref[Any]] = []
    most = 0

    def big() -> Iterator[tuple[Array, Array]]:
        nonlocal most
        for x, y in endless():
            made = np.array(x).view(Big)
            alive.append(weakref.ref(made))
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))
            yield made, y
            del made

    model().fit(big(), steps_per_epoch=20, epochs=2, verbose=0)
    assert len(alive) == 40
    assert most <= 4  # the first one, that of the last update, and the new one
