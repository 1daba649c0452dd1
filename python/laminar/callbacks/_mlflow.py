# SPDX-License-Identifier: Apache-2.0
"""A training as a run of MLflow."""

from __future__ import annotations

import os
import sys
from typing import Any

from .._component import flag
from .._spelling import keywords
from ._base import Callback, Logs
from ._outside import package, parameters, summary


class MLflow(Callback):
    """Records a training as MLflow's autologging does; needs ``pip install laminar[mlflow]``.

    Parameters of the training (epochs, optimizer and loss with their arguments), the values of each
    epoch, the model's summary and the trained model become those of a run. Where a run is active,
    it is that one, which stays active; else one is started and ended: as failed where training
    ends with an error, as killed at Ctrl-C and where Optuna prunes the trial.
    ``laminar.load_model`` loads the artifact ``model/model.safetensors``.

    Parameters
    ----------
    run_name : str, optional
        The name of a run that is started here.
    log_models : bool
        Whether the trained model becomes an artifact.

    Raises
    ------
    ImportError
        Where MLflow is missing; the message says how to get it.
    TypeError, ValueError
        Where an argument is wrong.

    Notes
    -----
    Parameters of a run cannot change: those of a second training in the same run are recorded as
    far as they are new.

    Examples
    --------
    >>> import mlflow
    >>> from laminar import Sequential, callbacks, layers
    >>> mlflow.set_tracking_uri("file:mlruns")
    >>> model = Sequential([layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> with mlflow.start_run() as run:
    ...     history = model.fit(
    ...         [[1.0], [2.0]], [1.0, 2.0], epochs=3, verbose=0, callbacks=callbacks.MLflow()
    ...     )
    ...
    >>> mlflow.get_run(run.info.run_id).data.metrics["loss"] == history.history["loss"][-1]
    True
    """

    @keywords()
    def __init__(self, run_name: str | None = None, log_models: bool = True) -> None:
        package("MLflow", "mlflow", "MLflow", "mlflow")
        if run_name is not None and not isinstance(run_name, str):
            raise TypeError(f"MLflow: run_name must be a string, got {run_name!r}")
        self.run_name = run_name
        self.log_models = flag(log_models, "MLflow: log_models")
        self._run: str | None = None  # the run's id
        self._started = False  # by this callback

    @property
    def _mlflow(self) -> Any:
        return package("MLflow", "mlflow", "MLflow", "mlflow")

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start a run where none is active, and record the parameters."""
        run = self._mlflow.active_run()
        self._started = run is None
        if run is None:
            run = self._mlflow.start_run(run_name=self.run_name)
        self._run = run.info.run_id
        known = self._mlflow.get_run(self._run).data.params
        found = parameters(self.model, self.params)
        self._mlflow.log_params({key: value for key, value in found.items() if key not in known})
        self._mlflow.log_text(summary(self.model), "model_summary.txt")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Record all values of the epoch."""
        values = {key: float(value) for key, value in (logs or {}).items()}
        self._mlflow.log_metrics(values, step=epoch)

    def on_train_end(self, logs: Logs = None) -> None:
        """Record the model, and end the run that was started here."""
        if self.log_models:
            import tempfile  # takes milliseconds that most programs do not need

            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.safetensors")
                self.model.save(path)
                self._mlflow.log_artifact(path, "model")
        self._end("FINISHED")

    def _left(self) -> None:
        kind = sys.exc_info()[0]
        ended = kind is not None and (
            issubclass(kind, KeyboardInterrupt) or kind.__name__ == "TrialPruned"
        )
        self._end("KILLED" if ended else "FAILED")

    def _end(self, status: str) -> None:
        if self._started and self._run is not None:
            self._mlflow.end_run(status)
        self._run, self._started = None, False
