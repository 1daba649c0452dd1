# SPDX-License-Identifier: Apache-2.0
"""The callbacks TensorBoard and OptunaPruning, by what the other programs find."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, run_python, small_classifier

from laminar import callbacks

TOOLS = {"MLflow": "mlflow", "OptunaPruning": "optuna", "TensorBoard": "tensorboardX"}


def events(folder: Path) -> list[Any]:
    """Return the events that files in a folder hold."""
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")
    from tensorboardX.proto import event_pb2 as proto

    found = []
    for path in sorted(folder.glob("*tfevents*")):
        data = path.read_bytes()
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            found.append(proto.Event.FromString(data[at + 12 : at + 12 + length]))
            at += 16 + length
    return found


def values(folder: Path) -> dict[str, dict[int, Any]]:
    """Return the values under each tag, by step."""
    found: dict[str, dict[int, Any]] = {}
    for event in events(folder):
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value
    return found


def board(folder: Path, **options: Any) -> callbacks.TensorBoard:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")
    return callbacks.TensorBoard(folder, **options)


def test_tensorboard_has_all_values(tmp_path: Path) -> None:
    model = small_classifier(metrics=["accuracy"])
    history = model.fit(
        *blobs(),
        epochs=4,
        validation_split=0.25,
        verbose=0,
        callbacks=board(tmp_path, histogram_freq=2),
    )
    train, validation = values(tmp_path / "train"), values(tmp_path / "validation")
    for key, series in history.history.items():
        found = (validation if key.startswith("val_") else train)[
            f"epoch_{key.removeprefix('val_')}"
        ]
        assert list(found) == [0, 1, 2, 3]
        np.testing.assert_allclose([v.simple_value for v in found.values()], series, rtol=1e-6)
    rates = [v.simple_value for v in train["epoch_learning_rate"].values()]
    np.testing.assert_allclose(rates, 0.001, rtol=1e-6)
    (text,) = train["model/text_summary"].values()
    assert "    dense (Dense)" in text.tensor.string_val[0].decode()
    names = [weight.name for weight in model.weights]
    for name in names:
        assert list(train[name]) == [0, 2]
        assert train[name][0].histo.num > 0
    assert {tag for tag in train if "hparams" in tag} == {
        "_hparams_/experiment",
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
    }
    info = train["_hparams_/session_start_info"]
    content = next(iter(info.values())).metadata.plugin_data.content
    assert b"optimizer_learning_rate" in content and b"SparseCategoricalCrossentropy" in content
    (last,) = train["last_val_loss"].values()
    assert last.simple_value == pytest.approx(history.history["val_loss"][-1])


def test_tensorboard_goes_on_and_writes_what_callbacks_add(tmp_path: Path) -> None:
    def add(epoch: int, logs: Any) -> None:
        logs["extra"] = epoch / 2
        logs["learning_rate"] = 7.0

    model = small_classifier()
    for first in (0, 2):
        both = [
            callbacks.LambdaCallback(on_epoch_end=add),
            board(tmp_path, write_graph=False),
        ]
        model.fit(*blobs(), epochs=first + 2, initial_epoch=first, verbose=0, callbacks=both)
    train = values(tmp_path / "train")
    extra = {step: value.simple_value for step, value in train["epoch_extra"].items()}
    assert extra == {0: 0.0, 1: 0.5, 2: 1.0, 3: 1.5}
    assert {value.simple_value for value in train["epoch_learning_rate"].values()} == {7.0}
    assert "model/text_summary" not in train


def test_tensorboard_keeps_what_there_was_before_an_error(tmp_path: Path) -> None:
    def fail(epoch: int, logs: Any) -> None:
        if epoch == 1:
            raise OSError("no more")

    kept = board(tmp_path)
    with pytest.raises(OSError, match="no more"):
        small_classifier().fit(
            *blobs(),
            epochs=3,
            verbose=0,
            callbacks=[kept, callbacks.LambdaCallback(on_epoch_end=fail)],
        )
    assert list(values(tmp_path / "train")["epoch_loss"]) == [0, 1]
    assert kept._writers == {}


def test_bad_arguments_of_tensorboard(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TensorBoard: histogram_freq must be at least 0"):
        board(tmp_path, histogram_freq=-1)
    with pytest.raises(TypeError, match="TensorBoard: write_graph must be True or False"):
        board(tmp_path, write_graph=2)
    with pytest.raises(TypeError, match="unknown argument 'logdir'; did you mean 'log_dir'"):
        board(tmp_path, logdir="x")


def study(**options: Any) -> Any:
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), **options)


def test_optuna_ends_trials_that_are_worse() -> None:
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    kept = study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=1))

    def objective(trial: Any) -> float:
        model = small_classifier()
        assert model.optimizer is not None
        model.optimizer.learning_rate = (1e-2, 1e-7)[trial.number]
        stopping = callbacks.EarlyStopping(patience=50)
        pruning = callbacks.OptunaPruning(trial)
        history = model.fit(
            *blobs(),
            epochs=10,
            validation_split=0.25,
            verbose=0,
            callbacks=[pruning, stopping],
        )
        return history.history["val_loss"][-1]

    kept.optimize(objective, n_trials=2)
    first, second = kept.trials
    assert (first.state.name, second.state.name) == ("COMPLETE", "PRUNED")
    assert list(first.intermediate_values) == list(range(10))
    assert list(second.intermediate_values) == [0, 1]


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        ({"direction": "maximize"}, {}, r"of 'val_loss' less is better, .*direction='minimize'"),
        ({}, {"monitor": "val_accuracy"}, "of 'val_accuracy' more is better"),
        ({"directions": ["minimize"] * 2}, {}, "the study has 2 objectives"),
        ({}, {"monitor": "val_los"}, "there is no 'val_los' to monitor; did you mean 'val_loss'"),
    ],
)
def test_studies_that_do_not_fit(options: Any, given: Any, message: str) -> None:
    trial = study(**options).ask()
    model = small_classifier(metrics=["accuracy"])
    with pytest.raises(ValueError, match=f"OptunaPruning: {message}"):
        model.fit(
            *blobs(),
            validation_split=0.25,
            verbose=0,
            callbacks=callbacks.OptunaPruning(trial, **given),
        )


def test_trials_without_a_study_and_things_that_are_no_trial() -> None:
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    pruning = callbacks.OptunaPruning(optuna.trial.FixedTrial({}), "accuracy")
    small_classifier(metrics=["accuracy"]).fit(*blobs(), epochs=2, verbose=0, callbacks=pruning)
    with pytest.raises(TypeError, match="OptunaPruning: trial must be a trial of Optuna"):
        callbacks.OptunaPruning("val_loss")
    up = callbacks.OptunaPruning(study(direction="maximize").ask(), "accuracy", "max")
    small_classifier(metrics=["accuracy"]).fit(*blobs(), verbose=0, callbacks=up)


@pytest.mark.parametrize("name", TOOLS)
def test_a_missing_package_is_told_with_its_extra(name: str) -> None:
    code = f"""
import sys
sys.modules["{TOOLS[name]}"] = None
from laminar import callbacks
try:
    callbacks.{name}({"None" if name == "OptunaPruning" else ""})
except ImportError as error:
    print(error)
"""
    done = run_python(code)
    extra = TOOLS[name].lower().removesuffix("x")
    assert f"{name}: needs " in done.stdout, done.stderr
    assert f"pip install laminar[{extra}] brings it" in done.stdout


def test_every_tool_is_an_extra_and_none_is_imported_before() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for module in (*TOOLS.values(), "shap"):
        assert f"\n{module.lower().removesuffix('x')} = [" in project
    code = f"""
import sys
import laminar
from support import blobs, small_classifier
small_classifier().fit(*blobs(), verbose=0, callbacks=laminar.callbacks.History())
print(sorted(set(sys.modules) & {set(TOOLS.values()) | {"IPython", "shap"}!r}))
"""
    done = run_python(code)
    assert done.stdout == "[]\n", done.stderr
