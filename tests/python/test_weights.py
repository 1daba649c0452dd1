# SPDX-License-Identifier: Apache-2.0
"""save_weights, load_weights and ModelCheckpoint."""

from __future__ import annotations

import errno
import os
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, fingerprint, small_classifier

from laminar import Sequential, _core, layers
from laminar.callbacks import LambdaCallback, ModelCheckpoint


def fit(model: Sequential, *given: Any, **options: Any) -> Any:
    x, y = blobs()
    settings = {"validation_split": 0.25, "epochs": 3, "verbose": 0, **options}
    return model.fit(x, y, callbacks=list(given), **settings)


def test_weights_come_back_in_every_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model, other = small_classifier(seed=1), small_classifier(seed=2)
    model.save_weights(path)
    other.load_weights(str(path))
    assert fingerprint(other.get_weights()) == fingerprint(model.get_weights())
    assert os.listdir(tmp_path) == ["a.safetensors"]
    assert list(_core.read_safetensors(path)[0]) == [weight.name for weight in model.weights]
    double = Sequential(
        [layers.Input(6), layers.Dense(5, "tanh"), layers.Dropout(0.1), layers.Dense(3)],
        dtype="float64",
    )
    double.load_weights(path)
    np.testing.assert_array_equal(double.get_weights()[0], model.get_weights()[0])


def test_loading_keeps_the_optimizer(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    x, y = blobs()
    model = small_classifier()
    model.fit(x, y, verbose=0)
    model.save_weights(path)
    model.load_weights(path)
    assert model.optimizer is not None
    assert model.optimizer.iterations == 2


def test_a_file_is_replaced_unless_forbidden(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model, other = small_classifier(seed=1), small_classifier(seed=2)
    model.save_weights(path)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        other.save_weights(path, overwrite=False)
    other.save_weights(path)
    model.load_weights(path)
    assert fingerprint(other.get_weights()) == fingerprint(model.get_weights())


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model = small_classifier()
    model.save_weights(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="cannot write") as caught:
            model.save_weights(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_weights_of_a_whole_model(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    model, other = small_classifier(seed=1), small_classifier(seed=2)
    fit(model)
    model.save(path)
    other.load_weights(path)
    assert fingerprint(other.get_weights()) == fingerprint(model.get_weights())


def test_other_files_are_refused(tmp_path: Path) -> None:
    model = small_classifier()
    before = fingerprint(model.get_weights())
    path = tmp_path / "a.safetensors"
    wider = Sequential([layers.Input(6), layers.Dense(9), layers.Dense(4), layers.Dense(3)])
    wider.save_weights(path)
    with pytest.raises(ValueError, match=r"fits another model: it lacks nothing, and has dense_2/"):
        model.load_weights(path)
    wide = Sequential([layers.Input(6), layers.Dense(9), layers.Dense(3)])
    wide.save_weights(path)
    with pytest.raises(ValueError, match="shape"):
        model.load_weights(path)
    good = tmp_path / "good.safetensors"
    model.save_weights(good)
    whole = good.read_bytes()
    for damaged in (b"", b"none at all", whole[:100], whole[: len(whole) // 2], whole[200:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"not a safetensors file|the tensors have"):
            model.load_weights(path)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "absent.safetensors")
    for call in (model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match=r"must end in '.safetensors', got 'a.keras'"):
            call("a.keras")
    with pytest.raises(ValueError, match="save_weights: the model is not built"):
        small_classifier(built=False).save_weights(path)
    assert fingerprint(model.get_weights()) == before


@pytest.mark.parametrize("weights_only", [False, True])
def test_checkpoint_after_each_epoch(tmp_path: Path, weights_only: bool) -> None:
    seen: list[str] = []
    model = small_classifier()
    record = LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(fingerprint(model.get_weights()))
    )
    path = tmp_path / "{epoch:02d}.safetensors"
    fit(model, ModelCheckpoint(path, save_weights_only=weights_only), record)
    for number, expected in enumerate(seen, 1):
        model.load_weights(tmp_path / f"{number:02d}.safetensors")
        assert fingerprint(model.get_weights()) == expected
    assert len(os.listdir(tmp_path)) == 3


def test_checkpoint_of_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "best.safetensors"
    model = small_classifier(metrics=["accuracy"])
    values = iter([3.0, 1.0, 2.0, float("nan"), 0.5])
    seen: list[str] = []

    def record(epoch: int, logs: Any) -> None:
        logs["val_loss"] = next(values)
        seen.append(fingerprint(model.get_weights()))

    checkpoint = ModelCheckpoint(path, save_best_only=True, verbose=1)
    fit(model, LambdaCallback(on_epoch_end=record), checkpoint, epochs=5)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == ["Epoch 1", "Epoch 2", "Epoch 5"]
    assert checkpoint.best == 0.5
    model.load_weights(path)
    assert fingerprint(model.get_weights()) == seen[4]
    upwards = ModelCheckpoint(
        path, "val_accuracy", save_best_only=True, initial_value_threshold=2.0, verbose=1
    )
    fit(model, upwards)
    assert capsys.readouterr().out == ""
    assert upwards.best == 2.0


def test_checkpoint_after_batches(tmp_path: Path) -> None:
    model = small_classifier()
    path = tmp_path / "{epoch}-{loss:.3f}.safetensors"
    fit(model, ModelCheckpoint(path, save_freq=2), batch_size=10, epochs=2)  # 2 x 3 batches
    assert sorted(name[0] for name in os.listdir(tmp_path)) == ["1", "2", "2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filepath": "a.keras"}, r"filepath must end in '.safetensors'"),
        ({"mode": "best"}, "ModelCheckpoint: mode must be"),
        ({"save_freq": 0}, "save_freq must be at least 1"),
    ],
)
def test_bad_arguments(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**{"filepath": "a.safetensors", **options})


def test_bad_keys(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ModelCheckpoint: there is no 'val_los' to monitor"):
        fit(small_classifier(), ModelCheckpoint("a.safetensors", "val_los", save_best_only=True))
    path = tmp_path / "{accuracy}.safetensors"
    with pytest.raises(ValueError, match="asks for 'accuracy'; the logs have loss, val_loss"):
        fit(small_classifier(), ModelCheckpoint(path))
    best = ModelCheckpoint(tmp_path / "a.safetensors", save_best_only=True, save_freq=1)
    with pytest.raises(ValueError, match="'val_loss' is known after an epoch only"):
        fit(small_classifier(), best)
