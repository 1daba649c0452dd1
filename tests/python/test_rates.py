# SPDX-License-Identifier: Apache-2.0
"""Callbacks that change the learning rate."""

from __future__ import annotations

from typing import Any

import pytest
from support import blobs, small_classifier

from laminar.callbacks import (
    Callback,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)


def fit(*given: Callback, epochs: int = 4) -> History:
    x, y = blobs()
    model = small_classifier(optimizer={"name": "sgd", "learning_rate": 0.5})
    return model.fit(x, y, validation_split=0.25, epochs=epochs, verbose=0, callbacks=list(given))


def test_a_schedule_of_the_epoch() -> None:
    history = fit(LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)))
    expected = [0.1, 0.05, 0.1 / 3, 0.025]
    assert history.history["learning_rate"] == pytest.approx(expected, rel=1e-12)


def test_a_schedule_of_epoch_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1))
    assert history.history["learning_rate"] == [0.25, 0.125, 0.0625, 0.03125]
    assert capsys.readouterr().out.splitlines()[0] == "Epoch 1: the learning rate is 0.25"


def test_a_schedule_that_is_an_object() -> None:
    class Halving:
        def __call__(self, step: int) -> float:
            return 2.0**-step

    assert fit(LearningRateScheduler(Halving())).history["learning_rate"] == [1, 0.5, 0.25, 0.125]
    # What does not tell its arguments is given the epoch.
    assert fit(LearningRateScheduler(float)).history["learning_rate"] == [0, 1, 2, 3]


def test_errors_of_a_schedule() -> None:
    def broken(epoch: int, rate: float) -> float:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        fit(LearningRateScheduler(broken))
    with pytest.raises(TypeError, match="what schedule returns must be a number, got None"):
        fit(LearningRateScheduler(lambda epoch: None))
    with pytest.raises(TypeError, match=r"schedule must be callable, got 0\.1"):
        LearningRateScheduler(0.1)  # type: ignore[arg-type]


# The epochs of ReduceLROnPlateau below are those of Keras's callback: the logs hold the rate with
# which the epoch was trained.


def reduced(values: list[float], **options: Any) -> list[float]:
    """Return the rate of each epoch, relative to the first, for made-up values."""

    def replace(epoch: int, logs: Any) -> None:
        logs["val_loss"] = values[epoch]

    plateau = ReduceLROnPlateau(**{"factor": 0.5, **options})
    history = fit(LambdaCallback(on_epoch_end=replace), plateau, epochs=len(values))
    return [rate / 0.5 for rate in history.history["learning_rate"]]


def test_plateau_lowers_the_rate_after_patience() -> None:
    assert reduced([3, 2, 2, 2, 2, 2], patience=2) == [1, 1, 1, 1, 0.5, 0.5]
    assert reduced([3, 2, 1, 0.5], patience=1) == [1, 1, 1, 1]
    assert reduced([3, 3, 3, 3], patience=1) == [1, 1, 0.5, 0.25]
    assert reduced([3, 3, 3, 3], patience=0) == [1, 1, 0.5, 0.25]


def test_plateau_min_delta_and_mode() -> None:
    assert reduced([3, 2.9, 2.8], patience=1, min_delta=0.5) == [1, 1, 0.5]
    assert reduced([1, 2, 3], patience=1, mode="max") == [1, 1, 1]
    assert reduced([3, 2, 1], patience=1, mode="max") == [1, 1, 0.5]


def test_plateau_cooldown_and_floor() -> None:
    assert reduced([3] * 7, patience=1, cooldown=2) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert reduced([3] * 7, patience=2, cooldown=2) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert reduced([3] * 5, patience=1, min_lr=0.2) == [1, 1, 0.5, 0.4, 0.4]


def test_plateau_prints_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    reduced([3, 3, 2], patience=1, verbose=1)
    assert capsys.readouterr().out == "Epoch 2: the learning rate is 0.25\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, r"factor must be in \[0, 1\), got 1.0"),
        ({"patience": -1}, "patience must be at least 0"),
        ({"mode": "up"}, "mode must be 'auto', 'min' or 'max'"),
    ],
)
def test_bad_arguments(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"ReduceLROnPlateau: {message}"):
        ReduceLROnPlateau(**options)
    with pytest.raises(ValueError, match="ReduceLROnPlateau: there is no 'val_los' to monitor"):
        fit(ReduceLROnPlateau("val_los"))
