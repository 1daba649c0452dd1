# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, small_classifier

from laminar import Sequential, callbacks, layers
from laminar.callbacks import Callback, EarlyStopping, History, LambdaCallback


class Recorder(Callback):
    """Writes down every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_train_begin(self, logs: callbacks.Logs = None) -> None:
        self.calls.append(("train begin",))

    def on_train_end(self, logs: callbacks.Logs = None) -> None:
        self.calls.append(("train end", *(logs or {})))

    def on_epoch_begin(self, epoch: int, logs: callbacks.Logs = None) -> None:
        self.calls.append(("begin", epoch))

    def on_epoch_end(self, epoch: int, logs: callbacks.Logs = None) -> None:
        self.calls.append(("end", epoch, *(logs or {})))


def fit(model: Sequential, *given: Any, **options: Any) -> History:
    x, y = blobs()
    settings = {"validation_split": 0.25, "epochs": 3, "verbose": 0, **options}
    return model.fit(x, y, callbacks=list(given), **settings)


def test_calls_and_their_order() -> None:
    recorder = Recorder()
    model = small_classifier(metrics=["accuracy"])
    fit(model, recorder, epochs=4, initial_epoch=2, batch_size=7)
    keys = ("loss", "accuracy", "val_loss", "val_accuracy")
    assert recorder.calls == [
        ("train begin",),
        ("begin", 2),
        ("end", 2, *keys),
        ("begin", 3),
        ("end", 3, *keys),
        ("train end", *keys),
    ]
    assert recorder.model is model
    assert recorder.params == {
        "epochs": 4,
        "initial_epoch": 2,
        "steps": 5,
        "verbose": 0,
        "metrics": list(keys),
    }


def test_history() -> None:
    model = small_classifier(metrics=["accuracy"])
    history = fit(model, epochs=5, initial_epoch=2)
    assert model.history is history
    assert history.epoch == [2, 3, 4]
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(len(values) == 3 for values in history.history.values())
    assert all(isinstance(value, float) for value in history.history["loss"])
    x, y = blobs()
    held_out = model.evaluate(x[30:], y[30:])
    assert history.history["val_loss"][-1] == pytest.approx(held_out[0], rel=1e-6)
    assert history.history["val_accuracy"][-1] == held_out[1]
    again = fit(model, epochs=0)
    assert (again.epoch, again.history) == ([], {})


def test_history_has_what_callbacks_add() -> None:
    def add(epoch: int, logs: Any) -> None:
        logs["rate"] = epoch / 2

    assert fit(small_classifier(), LambdaCallback(on_epoch_end=add)).history["rate"] == [0, 0.5, 1]


def test_lambda_callback() -> None:
    calls: list[Any] = []
    callback = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: calls.append(("begin", epoch)),
        on_epoch_end=lambda epoch, logs: calls.append(("end", epoch, list(logs or {}))),
        on_train_begin=lambda logs: calls.append("train begin"),
        on_train_end=lambda logs: calls.append("train end"),
    )
    fit(small_classifier(), callback, epochs=1, validation_split=0)
    assert calls == ["train begin", ("begin", 0), ("end", 0, ["loss"]), "train end"]
    with pytest.raises(TypeError, match="'on_epoch_finish'; did you mean"):
        LambdaCallback(on_epoch_finish=print)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="on_epoch_end must be callable, got 3"):
        LambdaCallback(on_epoch_end=3)  # type: ignore[arg-type]


def test_stop_training_ends_after_the_epoch() -> None:
    model = small_classifier()

    def stop(epoch: int, logs: Any) -> None:
        model.stop_training = epoch == 1

    assert fit(model, LambdaCallback(on_epoch_end=stop), epochs=9).epoch == [0, 1]
    assert fit(model, epochs=2).epoch == [0, 1]


def test_callbacks_may_use_the_model() -> None:
    x, y = blobs()
    model = small_classifier(metrics=["accuracy"])
    seen: list[Any] = []

    def use(epoch: int, logs: Any) -> None:
        assert model.optimizer is not None
        model.optimizer.learning_rate /= 2
        weights = model.get_weights()
        model.set_weights(weights)
        loss, _ = model.loss_and_gradients(x, y)
        seen.append((model.predict(x), model.evaluate(x, y)[0], loss))

    fit(model, LambdaCallback(on_epoch_end=use), epochs=3, batch_size=8)
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == 0.001 / 8
    assert len(seen) == 3
    assert (seen[0][0] != seen[1][0]).any()


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda model: model.add(layers.Dense(3)),
        lambda model: model.pop(),
        lambda model: model.compile("sgd", "mse"),
        lambda model: model.fit(*blobs()),
        lambda model: model.train_on_batch(*blobs()),
    ],
)
def test_callbacks_may_not_change_the_structure(forbidden: Any) -> None:
    model = small_classifier()
    callback = LambdaCallback(on_epoch_end=lambda epoch, logs: forbidden(model))
    with pytest.raises(RuntimeError, match="the model is being trained"):
        fit(model, callback)
    fit(model)


def test_an_exception_in_a_callback_reaches_the_caller() -> None:
    model = small_classifier(built=False)

    def fail(epoch: int, logs: Any) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fit(model, LambdaCallback(on_epoch_end=fail))
    assert model.built  # one epoch was trained
    assert model.optimizer is not None
    assert model.optimizer.iterations == 1
    fit(model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([EarlyStopping], "must be Callback objects"),
        (EarlyStopping, "must be Callback objects"),
        ([3], "must be Callback objects, got 3"),
        (3, "callbacks must be a list, got 3"),
    ],
)
def test_other_callbacks_are_refused(given: Any, message: str) -> None:
    x, y = blobs()
    with pytest.raises(TypeError, match=message):
        small_classifier().fit(x, y, callbacks=given)


def test_one_callback_stands_for_a_list() -> None:
    x, y = blobs()
    recorder = Recorder()
    small_classifier().fit(x, y, callbacks=recorder, verbose=0)
    assert len(recorder.calls) == 4


def test_calls_that_would_never_come_are_refused() -> None:
    class Batches(Callback):
        def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...

    with pytest.raises(TypeError, match="Batches has on_test_batch_end, which is never called"):
        fit(small_classifier(), Batches())


def test_evaluate_and_predict_call_too() -> None:
    calls: list[Any] = []
    callback = LambdaCallback(
        on_test_begin=lambda logs: calls.append(("test", logs)),
        on_test_end=lambda logs: calls.append(("tested", logs)),
        on_predict_begin=lambda logs: calls.append(("predict", logs)),
        on_predict_end=lambda logs: calls.append(("predicted", logs)),
    )
    x, y = blobs()
    model = small_classifier(metrics=["accuracy"])
    loss, accuracy = model.evaluate(x, y, callbacks=[callback])
    result = model.predict(x, callbacks=callback)
    np.testing.assert_array_equal(result, model.predict(x))
    assert calls == [
        ("test", None),
        ("tested", {"loss": loss, "accuracy": accuracy}),
        ("predict", None),
        ("predicted", None),
    ]
    assert callback.model is model
    with pytest.raises(TypeError, match="evaluate: callbacks must be Callback objects, got 3"):
        model.evaluate(x, y, callbacks=[3])


def test_keras_arguments_and_defaults() -> None:
    # Keras 3.12, with what laminar does otherwise on purpose: EarlyStopping restores the best
    # weights, ModelCheckpoint writes weights alone.
    expected = {
        callbacks.CSVLogger: {"separator": ",", "append": False},
        callbacks.EarlyStopping: {
            "monitor": "val_loss",
            "min_delta": 0,
            "patience": 0,
            "verbose": 0,
            "mode": "auto",
            "baseline": None,
            "restore_best_weights": True,
            "start_from_epoch": 0,
        },
        callbacks.LearningRateScheduler: {"verbose": 0},
        callbacks.ModelCheckpoint: {
            "monitor": "val_loss",
            "verbose": 0,
            "save_best_only": False,
            "save_weights_only": False,
            "mode": "auto",
            "save_freq": "epoch",
            "initial_value_threshold": None,
        },
        callbacks.ReduceLROnPlateau: {
            "monitor": "val_loss",
            "factor": 0.1,
            "patience": 10,
            "verbose": 0,
            "mode": "auto",
            "min_delta": 1e-4,
            "cooldown": 0,
            "min_lr": 0.0,
        },
    }
    for kind, defaults in expected.items():
        parameters = inspect.signature(kind).parameters.values()
        assert {p.name: p.default for p in parameters if p.default is not p.empty} == defaults
    offered = {name for name in callbacks.__all__ if name not in ("Callback", "Logs")}
    assert len(offered) >= 9


def test_csv_logger(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path)
    history = fit(small_classifier(metrics=["accuracy"]), logger, epochs=2)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    assert lines[0] == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [line[0] for line in lines[1:]] == ["0", "1"]
    for column, key in enumerate(lines[0][1:], 1):
        assert [float(line[column]) for line in lines[1:]] == history.history[key]
    fit(small_classifier(), logger, epochs=1)
    assert path.read_text().startswith("epoch,loss,val_loss\n0,")  # anew


def test_csv_logger_appends(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path, separator=";", append=True)
    fit(small_classifier(), logger, epochs=1)
    fit(small_classifier(), logger, epochs=3, initial_epoch=1)
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch;loss;val_loss"
    assert [line[0] for line in lines[1:]] == ["0", "1", "2"]
    with pytest.raises(ValueError, match="has the columns epoch, loss, val_loss, now there are"):
        fit(small_classifier(metrics=["accuracy"]), logger)
    with pytest.raises(ValueError, match="separator must be one character"):
        callbacks.CSVLogger(path, separator="; ")


def test_terminate_on_nan_ends_quietly() -> None:
    x, y = blobs()
    model = Sequential([layers.Input(6), layers.Dense(1)], seed=1)
    model.compile({"name": "sgd", "learning_rate": 1e10}, "mse")
    with pytest.raises(FloatingPointError):
        model.fit(x, y, epochs=9, verbose=0)
    model.compile({"name": "sgd", "learning_rate": 1e10}, "mse")
    recorder, terminate = Recorder(), callbacks.TerminateOnNaN()
    history = model.fit(x, y, epochs=9, verbose=0, callbacks=[recorder, terminate])
    assert len(history.epoch) < 9
    assert recorder.calls[-1][0] == "train end"
    assert terminate.reason is not None
    assert "not finite in epoch" in terminate.reason
    assert all(np.isfinite(w).all() for w in model.get_weights())
    model.set_weights([np.zeros((6, 1)), np.zeros(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(x, y, epochs=2, verbose=0, callbacks=terminate).epoch) == 2
    assert terminate.reason is None


def test_progress_bar_goes_before_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    assert callbacks.ProgbarLogger is callbacks.ProgressBar
    fit(small_classifier(), callbacks.ProgressBar(), epochs=2, verbose=0)
    assert len(capsys.readouterr().out.splitlines()) == 2
    fit(small_classifier(), callbacks.ProgressBar(verbose=0), epochs=2, verbose=2)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="ProgressBar: verbose must be"):
        callbacks.ProgressBar(verbose=3)


# EarlyStopping is driven with made-up values: what it does is a function of the logs.


class Model:
    """As much of a model as EarlyStopping needs: the weights are the number of the epoch."""

    metrics: Any = ()
    stop_training = False
    weights: Any = None

    def get_weights(self) -> Any:
        return self.weights

    def _metric_of(self, key: str) -> Any:
        return {metric.name: metric for metric in self.metrics}.get(key)

    def set_weights(self, weights: Any) -> None:
        self.weights = weights


def stopped(values: list[float], metrics: Any = (), **options: Any) -> tuple[Any, EarlyStopping]:
    """Return the weights at the end, and the callback."""
    callback = EarlyStopping(**{"monitor": "value", **options})
    model = Model()
    model.metrics = metrics
    callback.set_model(model)  # type: ignore[arg-type]
    callback.set_params({"metrics": [callback.monitor, "loss"]})
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_end(epoch, {callback.monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return model.weights, callback


def test_early_stopping_returns_to_the_best() -> None:
    weights, callback = stopped([3, 2, 1, 2, 3, 0], patience=2)
    assert (weights, callback.best, callback.best_epoch, callback.stopped_epoch) == (2, 1, 2, 4)


def test_early_stopping_without_a_stop_returns_to_the_best() -> None:
    assert stopped([3, 1, 2], patience=9)[0] == 1


def test_early_stopping_may_keep_the_last() -> None:
    assert stopped([3, 1, 2, 2], patience=2, restore_best_weights=False)[0] == 3


def test_patience_zero_stops_at_the_first_epoch_without_improvement() -> None:
    assert stopped([3, 2, 2, 1])[1].stopped_epoch == 2


def test_min_delta_is_no_improvement() -> None:
    assert stopped([3, 2.9, 2.8], min_delta=0.5, patience=1)[1].stopped_epoch == 1


def test_baseline_must_be_beaten_to_reset_the_wait() -> None:
    assert stopped([9, 8, 7, 6], baseline=5, patience=3)[1].stopped_epoch == 0
    assert stopped([9, 9, 9, 9, 9], baseline=5, patience=3)[1].stopped_epoch == 2
    assert stopped([9, 4, 4.5, 4.5], baseline=5, patience=2)[1].stopped_epoch == 3


def test_first_epochs_are_not_looked_at() -> None:
    weights, callback = stopped([0, 9, 8, 7], start_from_epoch=1, patience=1)
    assert (weights, callback.stopped_epoch) == (3, 0)


def test_nan_is_no_improvement() -> None:
    weights, callback = stopped([3, math.nan, math.nan], patience=2)
    assert (weights, callback.stopped_epoch) == (0, 2)
    assert stopped([math.nan, math.nan], patience=1)[0] == 0


def test_mode() -> None:
    assert stopped([1, 2, 3, 0], mode="max")[0] == 2
    assert stopped([3, 2, 1], mode="max")[1].stopped_epoch == 1
    accuracy = small_classifier(metrics=["acc"]).metrics
    assert stopped([1, 2, 0], accuracy, monitor="val_acc")[0] == 1
    assert stopped([2, 1, 3], accuracy, monitor="val_loss")[0] == 1


def test_early_stopping_prints_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    stopped([1, 2])
    assert capsys.readouterr().out == ""
    stopped([1, 2], verbose=1)
    assert capsys.readouterr().out == "Epoch 2: early stopping, best was 1\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no 'val_loss' to monitor; .*validation_split or validation_data"),
        ({"monitor": "accurcy"}, "no 'accurcy' to monitor; did you mean 'accuracy'"),
    ],
)
def test_a_missing_monitor_is_an_error_before_training(options: Any, message: str) -> None:
    model = small_classifier(metrics=["accuracy"], built=False)
    with pytest.raises(ValueError, match=message):
        fit(model, EarlyStopping(**options), validation_split=0)
    assert not model.built
    assert model.history is None


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "best"}, ValueError, "mode must be 'auto', 'min' or 'max'"),
        ({"patience": -1}, ValueError, "patience must be at least 0"),
        ({"patience": 1.5}, TypeError, "patience must be an integer"),
        ({"min_delta": "1"}, TypeError, "min_delta must be a number"),
        ({"patients": 1}, TypeError, "'patients'; did you mean 'patience'"),
    ],
)
def test_bad_arguments(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EarlyStopping(**options)


def test_early_stopping_in_a_real_training() -> None:
    x, y = blobs(200)
    rng = np.random.default_rng(1)
    model = small_classifier(optimizer={"name": "adam", "learning_rate": 0.05})
    shuffled = rng.permutation(y[150:])  # cannot be learned: over-fitting from early on
    history = model.fit(
        x[:150],
        y[:150],
        epochs=500,
        verbose=0,
        validation_data=(x[150:], shuffled),
        callbacks=[EarlyStopping(patience=5)],
    )
    losses = history.history["val_loss"]
    assert len(losses) < 500
    assert np.argmin(losses) == len(losses) - 6
    assert model.evaluate(x[150:], shuffled) == pytest.approx(min(losses), rel=1e-6)
