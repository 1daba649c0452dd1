# SPDX-License-Identifier: Apache-2.0
"""Callbacks that see each other's values, outlive several fits, and are not laminar's own."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import blobs, fingerprint, small_classifier

import laminar
from laminar import Sequential, callbacks, layers, ops
from laminar.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
)


def task() -> tuple[NDArray[Any], NDArray[Any]]:
    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    return x, x.sum(axis=1, keepdims=True)


def linear(**options: Any) -> Sequential:
    model = Sequential([layers.Input(3), layers.Dense(1)], seed=1)
    model.compile("sgd", "mse", **options)
    return model


class F1(Callback):
    """Puts given values into the logs."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.values[epoch] is not None:
            logs["val_f1"] = self.values[epoch]


def test_values_of_other_callbacks_are_watched_recorded_and_written(tmp_path: Path) -> None:
    values = [0.1, np.float32(0.5), np.array(0.25), 0.25, 0.2, 0.1]
    stopping = EarlyStopping(monitor="val_f1", mode="max", patience=2)
    lower = ReduceLROnPlateau(monitor="val_f1", mode="max", patience=1, factor=0.5)
    best = ModelCheckpoint(
        tmp_path / "{epoch}-{val_f1:.2f}.safetensors",
        monitor="val_f1",
        mode="max",
        save_best_only=True,
    )
    logger = CSVLogger(tmp_path / "log.csv")
    model = linear()
    history = model.fit(
        *task(), epochs=6, verbose=0, callbacks=[best, F1(values), stopping, lower, logger]
    )
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (0.5, 1, 3)
    assert history.history["val_f1"] == [0.1, 0.5, 0.25, 0.25]
    assert history.history["learning_rate"] == [0.01, 0.01, 0.01, 0.005]
    names = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert names == ["1-0.10.safetensors", "2-0.50.safetensors"]
    assert (tmp_path / "log.csv").read_text().startswith("epoch,learning_rate,loss,val_f1\n")
    assert pickle.loads(pickle.dumps(model)).history.history == history.history


def test_what_a_callback_computes_with_operations_is_watched() -> None:
    x, y = task()
    seen = []

    class Worst(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            error = ops.abs(self.model(ops.convert_to_tensor(x)) - y)
            logs["worst"] = ops.max(error)  # a tensor
            seen.append(float(logs["worst"]))

    def huber(y: Any, p: Any) -> Any:
        return ops.where(ops.abs(y - p) < 1, 0.5 * (y - p) ** 2, ops.abs(y - p) - 0.5)

    model = Sequential([layers.Input(3), layers.Dense(1)], seed=1)
    model.compile("sgd", huber)
    stopping = EarlyStopping("worst", mode="min", patience=1, min_delta=1e6)
    history = model.fit(x, y, epochs=9, verbose=0, callbacks=[Worst(), stopping])
    assert len(history.epoch) == 2
    assert history.history["worst"] == seen
    assert stopping.best == seen[0]


def test_values_of_some_epochs_leave_the_others_empty(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    adds = F1([None, 0.5, None])
    history = linear().fit(*task(), epochs=3, verbose=0, callbacks=[adds, CSVLogger(path)])
    lines = [line.split(",") for line in path.read_text().splitlines()]
    assert lines[0] == ["epoch", "loss", "val_f1"]
    assert [line[0] for line in lines[1:]] == ["0", "1", "2"]
    assert [line[2] for line in lines[1:]] == ["", "0.5", ""]
    assert history.history["val_f1"] == [0.5]
    with pytest.raises(ValueError, match="has the columns epoch, loss, val_f1, now there are"):
        linear(metrics=["mae"]).fit(*task(), verbose=0, callbacks=[CSVLogger(path, append=True)])


def test_a_missing_value_warns_with_those_there_are_and_stops_nothing(tmp_path: Path) -> None:
    for watching in (
        EarlyStopping(monitor="val_f1", mode="max"),
        ReduceLROnPlateau(monitor="val_f1", mode="max"),
        ModelCheckpoint(
            tmp_path / "a.safetensors", monitor="val_f1", mode="max", save_best_only=True
        ),
    ):
        with pytest.warns(UserWarning, match=r"no 'val_f1' to monitor; they have .*loss") as seen:
            history = linear().fit(
                *task(), epochs=3, verbose=0, callbacks=[LambdaCallback(), watching]
            )
        assert len(seen) == 1
        assert len(history.epoch) == 3
    assert not (tmp_path / "a.safetensors").exists()
    # One that adds the value later in the list is too late, unless it is a checkpoint that watches.
    with pytest.warns(UserWarning, match="must come before this one"):
        linear().fit(
            *task(),
            epochs=2,
            verbose=0,
            callbacks=[EarlyStopping(monitor="val_f1", mode="max"), F1([1, 1])],
        )


def test_without_callbacks_that_could_add_it_a_wrong_key_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="there is no 'val_f1' to monitor"):
        linear().fit(*task(), verbose=0, callbacks=[EarlyStopping(monitor="val_f1", mode="max")])
    with pytest.raises(ValueError, match="mode must be 'min' or 'max' for 'val_f1'"):
        linear().fit(*task(), verbose=0, callbacks=[F1([1]), EarlyStopping(monitor="val_f1")])
    for key, sign in (("val_auc", -1.0), ("val_mae", 1.0)):
        stopping = EarlyStopping(monitor=key)
        adds = LambdaCallback(on_epoch_end=lambda _, logs, key=key: logs.update({key: 0.5}))
        linear().fit(*task(), verbose=0, callbacks=[adds, stopping])
        assert stopping._sign == sign
    rate = LambdaCallback()
    watching = EarlyStopping(monitor="learning_rate", mode="min")
    scheduler = callbacks.LearningRateScheduler(lambda epoch: 0.1)
    linear().fit(*task(), verbose=0, callbacks=[rate, scheduler, watching])
    assert watching.best == pytest.approx(0.1)


def test_what_is_no_number_in_the_logs_is_refused_with_its_callback() -> None:
    for wrong in ("0.5", [0.5, 0.25], None):
        adds = LambdaCallback(on_epoch_end=lambda _, logs, wrong=wrong: logs.update(mine=wrong))
        with pytest.raises(TypeError, match=r"what callback LambdaCallback puts .* got 'mine': "):
            linear().fit(*task(), verbose=0, callbacks=[adds])


# ---- Several fits.


def test_a_worse_model_never_overwrites_the_best_file(tmp_path: Path) -> None:
    x, y = task()
    path = tmp_path / "best.safetensors"
    best = ModelCheckpoint(path, save_best_only=True)
    model = linear()
    values = []
    for spoil in (False, False, True, True):
        if spoil:
            model.set_weights([v + 50 for v in model.get_weights()])
        history = model.fit(x, y, validation_data=(x, y), callbacks=[best], verbose=0)
        values += history.history["val_loss"]
        assert best.best == min(values)
        assert laminar.load_model(path).evaluate(x, y) == pytest.approx(min(values), rel=1e-5)
    best.monitor = "loss"  # another value has another best
    model.fit(x, y, callbacks=[best], verbose=0)
    assert best.best > min(values)


def test_a_best_value_of_a_file_replaces_no_better_one(tmp_path: Path) -> None:
    best = ModelCheckpoint(tmp_path / "a.safetensors", monitor="loss", save_best_only=True)
    best.set_state({"best": 3.0, "batches": 1})
    assert best.best == 3.0
    best.set_state({"best": 5.0, "batches": 1})
    assert best.best == 3.0
    threshold = ModelCheckpoint(
        tmp_path / "a.safetensors", "loss", save_best_only=True, initial_value_threshold=1e-9
    )
    model = linear()
    for _ in range(2):
        model.fit(*task(), verbose=0, callbacks=[threshold])
        assert threshold.best == 1e-9
    assert not (tmp_path / "a.safetensors").exists()


def test_early_stopping_begins_anew_unless_the_training_goes_on() -> None:
    x, y = task()
    stopping = EarlyStopping(monitor="loss", patience=9)
    model = linear()
    model.fit(x, y, epochs=3, verbose=0, callbacks=[stopping])
    best, weights = stopping.best, fingerprint(model.get_weights())
    # It goes on with an initial epoch: what is worse than the best so far is not kept.
    model.set_weights([v + 50 for v in model.get_weights()])
    model.fit(x, y, epochs=5, initial_epoch=3, verbose=0, callbacks=[stopping])
    assert stopping.best == best
    assert fingerprint(model.get_weights()) == weights
    # Else each fit is a training of its own, so that nothing leaks from one into another.
    model.set_weights([v + 50 for v in model.get_weights()])
    model.fit(x, y, epochs=2, verbose=0, callbacks=[stopping])
    assert stopping.best > best
    assert fingerprint(model.get_weights()) != weights
    other = linear()
    other.fit(x, y, epochs=5, initial_epoch=3, verbose=0, callbacks=[stopping])
    assert stopping.best_epoch >= 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, FloatingPointError])
@pytest.mark.parametrize("restore", [True, False])
def test_the_best_weights_come_back_whatever_ends_training(
    error: type[BaseException], restore: bool
) -> None:
    x, y = task()
    model = linear()
    kept: list[str] = []

    def on_epoch_end(epoch: int, logs: Any) -> None:
        kept.append(fingerprint(model.get_weights()))
        if epoch == 0:
            model.optimizer.learning_rate = 0.0 if error is FloatingPointError else 2.0
        if epoch == 1 and error is FloatingPointError:
            model.set_weights([np.full((3, 1), 1e30), np.zeros(1)])
        elif epoch == 2:
            raise error("here")

    stopping = EarlyStopping(monitor="loss", patience=9, restore_best_weights=restore)
    with pytest.raises(error):
        model.fit(
            x,
            y,
            epochs=4,
            verbose=0,
            callbacks=[stopping, LambdaCallback(on_epoch_end=on_epoch_end)],
        )
    best = kept[stopping.best_epoch]
    assert (fingerprint(model.get_weights()) == best) == restore
    assert (stopping.best_weights is not None) == restore


def test_best_weights_stay_there_after_fit() -> None:
    model = linear()
    stopping = EarlyStopping(monitor="loss", patience=2)
    model.fit(*task(), epochs=3, verbose=0, callbacks=[stopping])
    assert stopping.best_weights is not None
    assert fingerprint(stopping.best_weights) == fingerprint(model.get_weights())


# ---- Callbacks that are no subclasses.


class Duck:
    """As much of a callback as is needed."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("begin", self.params["epochs"]))  # type: ignore[attr-defined]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append((epoch, sorted(logs)))
        logs["duck"] = epoch
        self.model.stop_training = epoch == 1  # type: ignore[attr-defined]


def test_objects_with_methods_of_a_callback_will_do() -> None:
    duck = Duck()
    model = linear()
    history = model.fit(*task(), epochs=5, verbose=0, callbacks=[duck])
    assert duck.model is model  # type: ignore[attr-defined]
    assert duck.calls == [("begin", 5), (0, ["loss"]), (1, ["loss"])]
    assert history.history["duck"] == [0.0, 1.0]
    model.fit(*task(), verbose=0, callbacks=duck)  # one stands for a list
    model.evaluate(*task(), callbacks=[duck])
    model.predict(task()[0], callbacks=[duck])


def test_a_foreign_base_class_s_empty_answers_are_not_asked() -> None:
    def nothing(self: Any, *arguments: Any) -> None:
        raise AssertionError("the base answers nothing")

    hooks = ["on_train_batch_begin", "on_train_batch_end", "on_batch_end", "on_epoch_begin"]
    base = type("Callback", (), dict.fromkeys(hooks, nothing))
    seen: list[int] = []
    mine = type(
        "Mine", (base,), {"on_epoch_end": lambda self, epoch, logs=None: seen.append(epoch)}
    )
    linear().fit(*task(), epochs=2, verbose=0, callbacks=[mine()])
    assert seen == [0, 1]
    never = type("Never", (base,), {"on_batch_end": nothing})
    with pytest.raises(TypeError, match="callback Never has on_batch_end, which is never called"):
        linear().fit(*task(), verbose=0, callbacks=[never()])


def test_states_of_foreign_callbacks_are_kept_in_checkpoints(tmp_path: Path) -> None:
    class Counting:
        count = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.count += 1

        def get_state(self) -> dict[str, Any]:
            return {"count": self.count}

        def set_state(self, state: dict[str, Any]) -> None:
            self.count = state["count"]

    path = tmp_path / "{epoch}.safetensors"
    linear().fit(*task(), epochs=3, verbose=0, callbacks=[Counting(), ModelCheckpoint(path)])
    again = Counting()
    linear().fit(
        *task(),
        epochs=3,
        verbose=0,
        callbacks=[again, ModelCheckpoint(path)],
        resume=tmp_path / "2.safetensors",
    )
    assert again.count == 3


@pytest.mark.parametrize("wrong", [object(), 3, "es", EarlyStopping, Duck, print, {"a": 1}])
def test_what_has_no_method_of_a_callback_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="callbacks must be"):
        linear().fit(*task(), verbose=0, callbacks=[wrong])


def test_batch_hooks_of_a_subclass_of_model_checkpoint_are_called(tmp_path: Path) -> None:
    class Counting(ModelCheckpoint):
        batches = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches += 1

    x, y = blobs()
    counting = Counting(tmp_path / "a.safetensors")
    small_classifier().fit(x, y, batch_size=8, verbose=0, callbacks=[counting])
    assert counting.batches == -(-len(x) // 8)
    plain = ModelCheckpoint(tmp_path / "b.safetensors")
    plain.save_freq = 2
    small_classifier().fit(x, y, batch_size=8, verbose=0, callbacks=[plain])
    assert (tmp_path / "b.safetensors").exists()
