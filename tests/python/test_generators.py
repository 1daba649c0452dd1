# SPDX-License-Identifier: Apache-2.0
"""Batches that users bring, and epochs of some steps: what arrays in the same batches give."""

from __future__ import annotations

import gc
import signal
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import import_keras
from numpy.typing import NDArray

import laminar
from laminar import Input, Model, Sequential, callbacks, layers
from laminar.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint
from laminar.data import Dataset
from laminar.utils import PyDataset

Array = NDArray[Any]
ROWS, FEATURES, SIZE = 100, 5, 16
BATCHES = 7  # of 100 rows, the last one of 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, FEATURES)).astype(np.float32)
Y = (X[:, :1] + X[:, 1:2] ** 2 > 0.5).astype(np.float32)
LOSS = "binary_crossentropy"


def model(loss: str = LOSS, width: int = 6) -> Sequential:
    made = Sequential([layers.Dense(width, "tanh"), layers.Dense(1, "sigmoid")], seed=3)
    made.compile("adam", loss, metrics=["accuracy", "auc"])
    return made


def cut(size: int = SIZE) -> list[tuple[Array, Array]]:
    return [(X[i : i + size], Y[i : i + size]) for i in range(0, ROWS, size)]


def endless(size: int = SIZE) -> Iterator[tuple[Array, Array]]:
    while True:
        yield from cut(size)


class Batches:
    """As Keras's PyDataset: no base is needed."""

    def __init__(self, size: int = SIZE) -> None:
        self.batches = cut(size)
        self.calls: list[int | str] = []

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        self.calls.append(index)
        return self.batches[index]

    def on_epoch_begin(self) -> None:
        self.calls.append("(")

    def on_epoch_end(self) -> None:
        self.calls.append(")")


class Iterable:
    """As PyTorch's DataLoader: it may be gone through again and again, and tells no number."""

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return iter(cut())


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def refused(kind: type[Exception], match: str, call: Callable[[], Any]) -> None:
    with pytest.raises(kind, match=match):
        call()


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


def arrays_and_datasets() -> list[tuple[Any, ...]]:
    return [
        (X, Y),
        (Dataset.from_arrays(X, Y),),
        (Dataset.from_arrays(X, Y, buffer_size=4000),),
        (Dataset.from_generator(lambda: iter(cut(33))),),
    ]


@pytest.mark.parametrize("number", range(4))
def test_epochs_of_some_steps_go_through_the_data(number: int) -> None:
    given = arrays_and_datasets()[number]
    options: dict[str, Any] = {"batch_size": 20, "shuffle": False, "verbose": 0}
    expected, found = model(), model()
    expected.fit(X, Y, epochs=2, **options)
    history = found.fit(*given, epochs=10, steps_per_epoch=1, **options)
    assert same(found, expected) and history.epoch == list(range(10))
    assert history.params["steps"] == 1


@pytest.mark.parametrize("weighted", [False, True])
def test_as_many_steps_as_there_are_change_nothing(weighted: bool) -> None:
    weight = np.linspace(0.5, 3, ROWS) if weighted else None
    for given in ((X, Y, weight), (Dataset.from_arrays(X, Y, weight), None, None)):
        expected, found = model(), model()
        options: dict[str, Any] = {"batch_size": 20, "epochs": 3, "verbose": 0}
        one = expected.fit(given[0], given[1], sample_weight=given[2], **options)
        other = found.fit(given[0], given[1], sample_weight=given[2], steps_per_epoch=5, **options)
        assert same(found, expected)
        for key, values in other.history.items():
            np.testing.assert_allclose(values, one.history[key], rtol=1e-12)


def test_what_runs_out_is_said() -> None:
    with pytest.warns(UserWarning, match="after 1 of 2 batches of an epoch; training ends"):
        history = model().fit(iter([(X, Y)] * 5), epochs=4, steps_per_epoch=2, verbose=0)
    assert history.epoch == [0, 1, 2]
    with pytest.warns(UserWarning, match="run out after 2 epochs; training ends") as caught:
        history = model().fit(iter([(X, Y)] * 4), epochs=4, steps_per_epoch=2, verbose=0)
    assert history.epoch == [0, 1] and caught[0].filename == __file__
    short = model()
    told = "after [12] of [35] batches of an epoch; the epoch ends"
    with pytest.warns(UserWarning, match=told) as caught:
        short.fit(X, Y, 20, epochs=2, steps_per_epoch=3, verbose=0)
        short.fit(Batches(50), epochs=2, steps_per_epoch=5, verbose=0)
    assert short.optimizer is not None and short.optimizer.iterations == 3 + 2 + 2 * 2
    assert {warning.filename for warning in caught} == {__file__}
    calls: list[Callable[[], Any]] = [
        lambda: short.fit(X, Y, verbose=0, validation_data=(X, Y), validation_steps=5),
        lambda: short.fit(X, Y, verbose=0, validation_data=Batches(), validation_steps=8),
        lambda: short.evaluate(X, Y, steps=5),
        lambda: short.evaluate(iter(cut()), steps=8),
        lambda: short.predict(X, steps=5),
        lambda: short.predict(Dataset.from_arrays(X), steps=5),
        lambda: short.predict(Dataset.from_generator(lambda: iter(cut())), steps=5),
        lambda: short.predict(iter(cut()), steps=8),
    ]
    for call in calls:
        with pytest.warns(UserWarning, match=r"run out after \d of \d batches") as caught:
            call()
        assert caught[0].filename == __file__
    refused(
        ValueError,
        "fit: validation_data: the data have run out",
        lambda: model().fit(
            X, Y, epochs=3, validation_data=iter([(X, Y)] * 2), validation_steps=1, verbose=0
        ),
    )


def test_just_enough_is_said_nothing_about() -> None:
    drawn = []

    def counted() -> Iterator[tuple[Array, Array]]:
        for number in range(100):
            drawn.append(number)
            yield X, Y

    model().fit(counted(), epochs=3, steps_per_epoch=2, verbose=0)
    assert drawn == list(range(6))  # none was asked for in vain
    model().fit(iter([(X, Y)] * 6), epochs=3, steps_per_epoch=2, verbose=0)
    model().fit(iter([(X, Y)] * 6), verbose=0)


@pytest.mark.parametrize(
    ("freq", "after"),
    [(1, [0, 1, 2, 3, 4, 5]), (4, [3]), ([2, 6, 9], [1, 5]), (range(1, 3), [0, 1])],
)
def test_validation_after_some_epochs(freq: Any, after: list[int], tmp_path: Path) -> None:
    expected = model()
    every = expected.fit(X, Y, epochs=6, validation_data=(X, Y), verbose=0).history
    found = model()
    log = callbacks.CSVLogger(tmp_path / "log.csv")
    history = found.fit(
        X,
        Y,
        epochs=6,
        validation_data=(X, Y),
        validation_freq=freq,
        callbacks=[log, EarlyStopping(patience=9)],
        verbose=0,
    )
    assert same(found, expected) or len(after) < 6  # EarlyStopping has set the best weights
    assert history.history["loss"] == every["loss"]
    for key in ("val_loss", "val_accuracy", "val_auc"):
        assert history.history[key] == [every[key][epoch] for epoch in after]
    lines = (tmp_path / "log.csv").read_text().splitlines()
    column = lines[0].split(",").index("val_loss")
    filled = [bool(line.split(",")[column]) for line in lines[1:]]
    assert filled == [epoch in after for epoch in range(6)]
    found.save(tmp_path / "m.safetensors")
    loaded = laminar.load_model(tmp_path / "m.safetensors")
    assert loaded.history is not None and loaded.history.history == history.history
    assert loaded.history._of["val_loss"] == after


def test_validation_takes_the_first_steps() -> None:
    part = slice(2 * SIZE)
    expected = model()
    history = expected.fit(X, Y, epochs=2, validation_data=(X[part], Y[part]), verbose=0).history
    for data in ((X, Y), Dataset.from_arrays(X, Y), Batches(), Iterable(), iter(cut()[:2] * 2)):
        options: dict[str, Any] = {"validation_steps": 2}
        if isinstance(data, (tuple, Dataset)):
            options["validation_batch_size"] = SIZE
        found = model()
        got = found.fit(X, Y, epochs=2, validation_data=data, verbose=0, **options).history
        np.testing.assert_allclose(got["val_loss"], history["val_loss"], rtol=1e-12)
    split = model().fit(X, Y, SIZE, validation_split=0.5, validation_steps=2, verbose=0).history
    other = model().fit(X[:50], Y[:50], SIZE, validation_data=(X[50:82], Y[50:82]), verbose=0)
    assert split == other.history


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


class Stop(callbacks.Callback):
    def __init__(self, path: Path, epoch: int, batch: int) -> None:
        self.path, self.at, self.now = path, (epoch, batch), 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.now = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.now, batch) == self.at:
            self.model.save(self.path)
            raise InterruptedError


@pytest.mark.parametrize("at", [(0, 2), (2, 0), (3, 1)])
@pytest.mark.parametrize("kind", ["sequence", "sequence in steps", "arrays", "dataset", "iterable"])
def test_training_goes_on_at_the_same_bit(kind: str, at: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"

    def trained(made: Sequential, *extra: Any, resume: Path | None = None) -> Any:
        given: tuple[Any, ...] = {
            "arrays": (X, Y),
            "dataset": (Dataset.from_arrays(X, Y, buffer_size=4000),),
            "iterable": (Iterable(),),
        }.get(kind, (Batches(),))
        options: dict[str, Any] = {} if kind == "sequence" else {"steps_per_epoch": 3}
        if kind in ("arrays", "dataset"):
            options["batch_size"] = SIZE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # one of seven batches is left
            return made.fit(
                *given, epochs=5, resume=resume, callbacks=list(extra), verbose=0, **options
            )

    expected = model()
    history = trained(expected).history
    with pytest.raises(InterruptedError):
        trained(model(), Stop(path, *at))
    found = model()
    found.build(FEATURES)
    assert trained(found, resume=path).history == history
    assert same(found, expected)


def test_a_generator_cannot_be_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    trained = model()
    trained.fit(X, Y, verbose=0, callbacks=ModelCheckpoint(path))
    message = "resume: {} is a generator, and no file holds where it was"
    refused(
        ValueError,
        message.format("x"),
        lambda: trained.fit(endless(), steps_per_epoch=2, epochs=3, resume=path),
    )
    refused(
        ValueError,
        message.format("validation_data"),
        lambda: trained.fit(
            X, Y, epochs=3, resume=path, validation_data=endless(), validation_steps=2
        ),
    )


def test_what_is_wrong_is_said_before_anything_changes() -> None:
    found = model()
    fit, pair = found.fit, (X, Y)

    class Empty(Batches):
        def __len__(self) -> int:
            return 0

    drawn = endless()

    def case(kind: type[Exception], match: str, call: Any, *arguments: Any, **options: Any) -> None:
        refused(kind, match, lambda: call(*arguments, **options))
        assert not found.built, match

    case(ValueError, "steps_per_epoch must be at least 1, got 0", fit, drawn, steps_per_epoch=0)
    case(TypeError, "steps_per_epoch must be an integer, got 2.5", fit, drawn, steps_per_epoch=2.5)
    case(ValueError, "validation_steps=3 needs validation_data", fit, X, Y, validation_steps=3)
    case(
        ValueError,
        "validation_steps must be at least 1",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_steps=0,
    )
    case(
        ValueError,
        "validation_batch_size must be at least 1",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_batch_size=0,
    )
    case(
        ValueError,
        "validation_freq must be at least 1, got 0",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq=0,
    )
    case(
        ValueError,
        "validation_freq: an epoch must be at least 1",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq=[0],
    )
    case(
        ValueError,
        "validation_freq must hold an epoch",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq=[],
    )
    case(
        TypeError,
        "validation_freq must be an integer",
        fit,
        X,
        Y,
        validation_data=pair,
        validation_freq="2",
    )
    case(ValueError, "batch_size must not be given, got 8: x is a generator", fit, drawn, None, 8)
    case(ValueError, "batch_size must not be given, got 32", fit, Batches(), batch_size=32)
    case(ValueError, "evaluate: batch_size must not be given", found.evaluate, Batches(), None, 8)
    case(ValueError, "predict: batch_size must not be given", found.predict, Batches(), 8)
    case(
        ValueError,
        "validation_batch_size must not be given",
        fit,
        X,
        Y,
        validation_data=Batches(),
        validation_batch_size=8,
    )
    case(ValueError, "generator, which brings its own y", fit, iter(cut()), Y)
    case(
        ValueError,
        "sequence of batches, which brings its own sample_weight",
        fit,
        Batches(),
        sample_weight=Y,
    )
    case(ValueError, "use validation_data", fit, Batches(), validation_split=0.2)
    case(
        ValueError,
        "steps_per_epoch must be given for 3 epochs of a generator",
        fit,
        drawn,
        epochs=3,
    )
    case(
        ValueError,
        "validation_steps must be given where validation_data is a generator",
        fit,
        X,
        Y,
        epochs=2,
        validation_data=drawn,
    )
    case(ValueError, "x is a sequence of batches and has none", fit, Empty())
    case(ValueError, "x is a generator and has none", fit, iter([]))
    case(ValueError, "predict: x is a generator and has none", found.predict, iter([]))
    case(ValueError, r"batch 1 must be a tuple \(x, y\).*got ndarray", fit, iter([X]))
    case(ValueError, "batch 1 must be a tuple .*got tuple of 4", fit, iter([(X, Y, Y, Y)]))
    case(ValueError, "batch 1 must be a tuple .*got dict", fit, iter([{"x": X}]))
    case(ValueError, "batch 1: x has no rows", fit, iter([(X[:0], Y[:0])]))
    case(ValueError, "batch 1: x has 100 rows, y has 3", fit, iter([(X, Y[:3])]))
    case(
        TypeError,
        "batch 1: x must hold booleans.*got dtype object",
        fit,
        iter([(X.astype(object), Y)]),
    )
    case(TypeError, "one input; got a dict with the keys 'a'", fit, iter([({"a": X}, Y)]))
    case(TypeError, "fit: x is Batches itself, not what it returns; call it", fit, Batches)
    case(TypeError, "fit: validation_data is endless itself", fit, X, Y, validation_data=endless)
    case(TypeError, "predict: x is endless itself", found.predict, endless)
    case(ValueError, "evaluate: steps must be at least 1", found.evaluate, X, Y, steps=0)
    case(ValueError, "predict: steps must be at least 1", found.predict, X, steps=0)
    assert next(drawn)[0] is not None and len(next(drawn)[0]) == SIZE  # nothing was taken of it


def test_what_is_wrong_later_ends_training_there() -> None:
    good, broken = (X[:50], Y[:50]), X[50:].copy()
    broken[3, 2] = np.inf
    later: list[tuple[type[Exception], str, Any]] = [
        (ValueError, r"batch 2: x has rows of shape \(3,\), others have \(5,\)", (X[:, :3], Y)),
        (ValueError, "batch 2: x has no rows", (X[:0], Y[:0])),
        (ValueError, "batch 2: some rows have weights and others have none", (X, Y, Y[:, 0])),
        (ValueError, "batch 2 must be a tuple", X),
        (ValueError, "x must be finite, but row 3, column 2 is inf, in batch 2", (broken, Y[50:])),
        (TypeError, "batch 2: y must hold", (X, ["a"] * ROWS)),
    ]
    expected = model()
    expected.train_on_batch(*good)
    for kind, match, batch in later:
        found = model()
        refused(kind, match, lambda: found.fit(iter([good, batch]), verbose=0))  # noqa: B023
        assert same(found, expected), match


INPUTS = {"wide": X[:, :3], "deep": X[:, 3], "side": np.arange(2 * ROWS).reshape(ROWS, 2) / 100}


def branched() -> Model:
    wide, deep, side = Input((3,), name="wide"), Input((1,), name="deep"), Input((2,), name="side")
    hidden = layers.Dense(6, "tanh", kernel_initializer="ones")(layers.concatenate([deep, side]))
    made = Model([wide, deep, side], layers.Dense(1)(layers.concatenate([wide, hidden])), seed=5)
    made.compile("adam", "mse", metrics=["mae"])
    return made


def files_of(folder: Path, parts: int) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for key, array in {**INPUTS, "y": Y}.items():
        paths[key] = [folder / f"{key}{i}.npy" for i in range(parts)]
        for path, part in zip(paths[key], np.array_split(array, parts), strict=True):
            np.save(path, part)
    return paths


@pytest.mark.parametrize("form", ["dict", "list"])
@pytest.mark.parametrize("buffer", ["1MB", 4000])
def test_several_inputs_come_in_datasets_and_batches(
    form: str, buffer: int | str, tmp_path: Path
) -> None:
    def formed(rows: slice = slice(None)) -> Any:
        parts = {key: array[rows] for key, array in INPUTS.items()}
        return list(parts.values()) if form == "list" else dict(reversed(parts.items()))

    def batches(size: int) -> Iterator[Any]:
        for first in range(0, ROWS, size):
            part = slice(first, first + size)
            yield formed(part), Y[part]

    options: dict[str, Any] = {"shuffle": False, "verbose": 0, "epochs": 2}
    expected = branched()
    history = expected.fit(formed(), Y, 20, validation_data=(formed(), Y), **options).history
    outputs = expected.predict(formed())
    paths = files_of(tmp_path, 2)
    targets = paths.pop("y")
    datasets = [
        Dataset.from_arrays(formed(), Y, buffer_size=buffer),
        Dataset.from_generator(lambda: batches(33), buffer_size=buffer),
        Dataset.from_npy(paths, targets, buffer_size=buffer),
    ]
    for data in datasets:
        found = branched()
        got = found.fit(data, batch_size=20, validation_data=data, **options).history
        assert same(found, expected)
        np.testing.assert_allclose(got["val_loss"], history["val_loss"], rtol=1e-12)
        np.testing.assert_array_equal(found.predict(data), outputs)
        np.testing.assert_allclose(found.evaluate(data), expected.evaluate(formed(), Y), rtol=1e-12)
    data = datasets[0]
    found = branched()
    for epoch in range(2):
        for rows, y, _ in data.batches(20, shuffle=False, epoch=epoch):
            assert type(rows) is (dict if form == "dict" else list) and len(rows) == 3
            found.train_on_batch(rows, y)
    assert same(found, expected)

    class Sequence(Batches):
        def __init__(self) -> None:
            super().__init__()
            self.batches = list(batches(20))

    for given in (Sequence(), iter([*batches(20)] * 2)):
        found = branched()
        found.fit(given, steps_per_epoch=5, validation_data=Sequence(), **options)
        assert same(found, expected)
    np.testing.assert_array_equal(found.predict(Sequence()), outputs)
    np.testing.assert_array_equal(found.predict(x for x, _ in batches(20)), outputs)


def test_wrong_inputs_are_said() -> None:
    wide, deep, side = INPUTS.values()
    cases: list[tuple[str, Any]] = [
        (r"batch 1: x must be a dict with the keys .*lacks 'side'", {"wide": wide, "deep": deep}),
        ("has 'other' besides", {**INPUTS, "other": deep}),
        ("batch 1: x must be a list or a dict with one array for each input", [wide, deep]),
        (r"batch 1: x\['wide'\] must have shape \(rows, 3\)", [side, deep, wide]),
        (r"x\['wide'\] has 100 rows, .*x\['deep'\] has 7", [wide, deep[:7], side]),
    ]
    for match, x in cases:
        for given in (iter([(x, Y)]), Batches()):
            if isinstance(given, Batches):
                given.batches = [(x, Y)]
            refused(ValueError, match, lambda: branched().fit(given, verbose=0))  # noqa: B023
    from_arrays = Dataset.from_arrays
    refused(
        ValueError,
        "lacks 'side'",
        lambda: branched().fit(from_arrays({"wide": wide, "deep": deep}, Y)),
    )
    refused(
        ValueError, r"x has 100 rows, x\['b'\] has 7", lambda: from_arrays({"a": X, "b": X[:7]}, Y)
    )
    refused(ValueError, "x is an empty dict", lambda: from_arrays({}, Y))
    refused(TypeError, "got a dict with the keys", lambda: model().fit(from_arrays({"a": X}, Y)))
    refused(TypeError, "got a dict with the keys", lambda: model().predict({"a": X}))
    odd = Dataset.from_generator(lambda: iter([(INPUTS, Y), ({"wide": wide}, Y)]))
    refused(ValueError, "has the keys", lambda: list(odd.batches(8)))
    refused(ValueError, "x must name at least one file", lambda: Dataset.from_npy({}, "y.npy"))


def test_lists_of_rows_stay_rows() -> None:
    rows = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    data = Dataset.from_arrays(rows, [1.0, 2.0, 3.0])
    assert data.rows == 3 and next(data.batches(8, shuffle=False))[0].shape == (3, 2)
    pair = Dataset.from_arrays([np.arange(3), np.arange(3)], [1.0, 2.0, 3.0])
    assert pair.rows == 3 and len(next(pair.batches(8, shuffle=False))[0]) == 2
    trained = model()
    trained.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(trained.predict(memoryview(X)), trained.predict(X))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's own, of NumPy
def test_keras_does_the_same() -> None:
    keras = import_keras()
    theirs = keras.Sequential(
        [keras.Input((FEATURES,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(1, "sigmoid")]
    )
    start = [np.array(w) for w in theirs.get_weights()]
    ours = Sequential([layers.Dense(6, "tanh"), layers.Dense(1, "sigmoid")])
    ours.build(FEATURES)

    class Named(keras.utils.PyDataset):  # type: ignore[misc,name-defined]
        def __len__(self) -> int:
            return BATCHES

        def __getitem__(self, index: int) -> tuple[Array, Array]:
            return cut()[index]

    cases: list[tuple[Callable[[], tuple[Any, ...]], dict[str, Any]]] = [
        (lambda: (endless(),), {"steps_per_epoch": 5, "epochs": 4}),
        (lambda: (iter_of(cut() * 2),), {"steps_per_epoch": 5, "epochs": 3}),
        (lambda: (iter_of(cut()),), {"epochs": 1}),
        (lambda: (Named(),), {"epochs": 2}),
        (lambda: (X, Y), {"batch_size": 20, "steps_per_epoch": 2, "epochs": 5}),
        (lambda: (X, Y), {"batch_size": 20, "steps_per_epoch": 5, "epochs": 2}),
        (lambda: (X, Y), {"epochs": 6, "validation_freq": 3}),
        (lambda: (X, Y), {"epochs": 6, "validation_freq": [1, 4]}),
    ]
    for make, options in cases:
        found = []
        for made, module in ((ours, laminar), (theirs, keras)):
            made.set_weights(start)
            made.compile(module.optimizers.SGD(0.1), LOSS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                history = made.fit(
                    *make(), shuffle=False, verbose=0, validation_data=(X, Y), **options
                )
            found.append((history.history, made.get_weights()))
        (mine, weights), (wanted, expected) = found
        assert mine.keys() == wanted.keys(), options
        for key, values in mine.items():
            np.testing.assert_allclose(values, wanted[key], rtol=1e-4, err_msg=str((key, options)))
        for one, other in zip(weights, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=str(options))


def iter_of(batches: list[Any]) -> Iterator[Any]:
    yield from batches
