# SPDX-License-Identifier: Apache-2.0
"""The callback MLflow: by a stand-in that is called as MLflow is, and by MLflow if it is there."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support import blobs, small_classifier

import laminar
from laminar import callbacks


class StandIn(ModuleType):
    """What the callback uses of MLflow: runs that are kept in lists."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.runs: dict[str, Any] = {}
        self.active: Any = None

    def active_run(self) -> Any:
        return self.active

    def start_run(self, run_id: Any = None, experiment_id: Any = None, run_name: Any = None) -> Any:
        assert self.active is None
        info = SimpleNamespace(run_id=str(len(self.runs)), run_name=run_name, status="RUNNING")
        data = SimpleNamespace(params={}, metrics=[])
        self.active = SimpleNamespace(info=info, data=data, artifacts={})
        self.runs[info.run_id] = self.active
        return self.active

    def get_run(self, run_id: str) -> Any:
        return self.runs[run_id]

    def end_run(self, status: str = "FINISHED") -> None:
        self.active.info.status, self.active = status, None

    def log_params(self, params: dict[str, Any]) -> None:
        assert not params.keys() & self.active.data.params.keys()  # which would be an error
        self.active.data.params |= {key: str(value) for key, value in params.items()}

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.active.data.metrics.append((step, metrics))

    def log_text(self, text: str, artifact_file: str) -> None:
        self.active.artifacts[artifact_file] = text

    def log_artifact(self, local_path: str, artifact_path: str | None = None) -> None:
        name = f"{artifact_path}/{Path(local_path).name}"
        self.active.artifacts[name] = Path(local_path).read_bytes()


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    return stand_in


def train(callback: callbacks.MLflow, **options: Any) -> Any:
    model = small_classifier(metrics=["accuracy"])
    settings = {"epochs": 3, "validation_split": 0.25, "verbose": 0, **options}
    return model, model.fit(*blobs(), callbacks=callback, **settings)


def test_a_run_of_its_own(mlflow: StandIn, tmp_path: Path) -> None:
    model, history = train(callbacks.MLflow("first"))
    (run,) = mlflow.runs.values()
    assert (run.info.run_name, run.info.status, mlflow.active) == ("first", "FINISHED", None)
    expected = {
        "epochs": "3",
        "optimizer": "Adam",
        "optimizer_learning_rate": "0.001",
        "loss": "SparseCategoricalCrossentropy",
        "weights": str(model.count_params()),
        "seed": str(model.seed),
    }
    assert expected.items() <= run.data.params.items()
    assert [step for step, _ in run.data.metrics] == [0, 1, 2]
    for step, values in run.data.metrics:
        assert values == {key: of[step] for key, of in history.history.items()}
    assert "Total params" in run.artifacts["model_summary.txt"]
    (tmp_path / "m.safetensors").write_bytes(run.artifacts["model/model.safetensors"])
    twin = laminar.load_model(tmp_path / "m.safetensors")
    x, _ = blobs()
    np.testing.assert_array_equal(twin.predict(x), model.predict(x))


def test_an_active_run_stays_active(mlflow: StandIn) -> None:
    run = mlflow.start_run()
    callback = callbacks.MLflow(log_models=False)
    model, _ = train(callback)
    model.fit(*blobs(), epochs=5, verbose=0, callbacks=callback)  # a second time in the same run
    assert mlflow.active is run
    assert run.data.params["epochs"] == "3"
    assert len(run.data.metrics) == 8
    assert list(run.artifacts) == ["model_summary.txt"]


TRIAL_PRUNED = type("TrialPruned", (Exception,), {})  # as Optuna calls it


@pytest.mark.parametrize(
    ("error", "status"),
    [(OSError, "FAILED"), (KeyboardInterrupt, "KILLED"), (TRIAL_PRUNED, "KILLED")],
)
def test_a_training_that_fails_or_is_ended(
    mlflow: StandIn, error: type[BaseException], status: str
) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise error("the disk is full")

    both = [callbacks.MLflow(), callbacks.LambdaCallback(on_epoch_end=fail)]
    with pytest.raises(error):
        train(both)  # type: ignore[arg-type]
    (run,) = mlflow.runs.values()
    assert (run.info.status, mlflow.active) == (status, None)


def test_losses_of_several_outputs_are_told_apart(mlflow: StandIn) -> None:
    x = laminar.Input((3,))
    outputs = {name: laminar.layers.Dense(1, name=name)(x) for name in ("a", "b")}
    model = laminar.Model(x, outputs)
    model.compile("sgd", {"a": laminar.losses.Huber(2.0), "b": "mae"})
    ones = np.ones(8)
    y = {"a": ones, "b": ones}
    model.fit(np.ones((8, 3)), y, verbose=0, callbacks=callbacks.MLflow())
    (run,) = mlflow.runs.values()
    expected = {"loss_a": "Huber", "loss_a_delta": "2.0", "loss_b": "MeanAbsoluteError"}
    assert expected.items() <= run.data.params.items()


def test_bad_arguments(mlflow: StandIn) -> None:
    with pytest.raises(TypeError, match="MLflow: run_name must be a string, got 3"):
        callbacks.MLflow(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="MLflow: log_models must be True or False"):
        callbacks.MLflow(log_models=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unknown argument 'log_model'; did you mean 'log_models'"):
        callbacks.MLflow(log_model=True)  # type: ignore[call-arg]


def test_the_stand_in_has_the_signatures_of_mlflow() -> None:
    real = pytest.importorskip("mlflow", reason="mlflow is not installed")
    names = [name for name in vars(StandIn) if not name.startswith("_")]
    assert len(names) == 8
    for name in names:
        own = inspect.signature(getattr(StandIn, name)).parameters
        others = inspect.signature(getattr(real, name)).parameters
        for (place, parameter), known in zip(enumerate(list(own)[1:]), others, strict=False):
            assert parameter == known, (name, place)
            assert own[parameter].default == others[known].default


def test_real_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = real.get_tracking_uri()
    real.set_tracking_uri((tmp_path / "runs").as_uri())
    try:
        model, history = train(callbacks.MLflow("real"))
        client = importlib.import_module("mlflow").MlflowClient()
        (run,) = client.search_runs(["0"])
        assert run.info.status == "FINISHED"
        assert run.data.params["optimizer"] == "Adam"
        kept = client.get_metric_history(run.info.run_id, "val_loss")
        assert [(m.step, m.value) for m in kept] == list(enumerate(history.history["val_loss"]))
        path = real.artifacts.download_artifacts(
            run_id=run.info.run_id, artifact_path="model/model.safetensors"
        )
        twin = laminar.load_model(path)
        np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])
    finally:
        real.set_tracking_uri(before)
