# SPDX-License-Identifier: Apache-2.0
"""Epochs of a number of steps, and validation after some epochs over some batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batches import (
    BATCHES,
    FEATURES,
    LOSS,
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
from exchange_models import import_keras

import laminar
from laminar import Sequential, callbacks, layers
from laminar.callbacks import EarlyStopping, ModelCheckpoint
from laminar.data import Dataset


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


def test_arrays_are_checked_before_they_are_cut_into_steps() -> None:
    broken = X.copy()
    broken[90, 2] = np.nan
    found = model()
    match = "fit: x must be finite, but row 90, column 2 is nan"
    refused(ValueError, match, lambda: found.fit(broken, Y, steps_per_epoch=1, verbose=0))
    assert not found.built


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
    assert lines[0].split(",") == ["epoch", *sorted(history.history)]
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
