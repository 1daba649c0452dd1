# SPDX-License-Identifier: Apache-2.0
"""Models kept in files while training goes on."""

from __future__ import annotations

import os
from typing import Any

from .._component import flag, integer, number
from .._printable import printable
from .._progress import message
from .._spelling import keywords
from ._base import Logs
from ._monitor import Monitoring


class ModelCheckpoint(Monitoring):
    """Writes the model to a file, after each epoch, after the best ones, or after some batches.

    The file is that of ``model.save``: besides ``laminar.load_model``, ``fit(..., resume=path)``
    reads it and goes on from there, inside an epoch too, to the same bits as if training had never
    stopped. A file of this name is always whole.

    Parameters
    ----------
    filepath : str or path
        Ends in ``.safetensors``. ``{epoch}``, counted from 1, and the keys of the logs are filled
        in: ``"{epoch:02d}-{val_loss:.3f}.safetensors"``.
    monitor : str
        With ``save_best_only``, the key in the logs that is compared; what callbacks have written
        there included, with ``mode``.
    verbose : int
        1 prints a line for each file.
    save_best_only : bool
        Write only where the value is better than all before, those of earlier fits with this
        object included. Another value of ``monitor`` or ``mode`` begins anew.
    save_weights_only : bool
        Write the file of ``model.save_weights`` in its place, which is smaller.
    mode : {"auto", "min", "max"}
        Whether less or more is better; "auto" knows laminar's losses and metrics.
    save_freq : "epoch" or int
        An integer writes after so many batches instead.
    initial_value_threshold : float, optional
        With ``save_best_only``, the value that the first file must be better than.

    Attributes
    ----------
    best : float
        With ``save_best_only``, the best value so far.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> keep = laminar.callbacks.ModelCheckpoint("best.safetensors", "loss", save_best_only=True)
    >>> history = model.fit(x, y, epochs=2, callbacks=[keep], verbose=0)
    >>> laminar.load_model("best.safetensors").count_params()
    4
    """

    @keywords()
    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        self._set_monitor(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.save_weights_only = flag(save_weights_only, "ModelCheckpoint: save_weights_only")
        if not self.filepath.endswith(".safetensors"):
            raise ValueError(
                f"ModelCheckpoint: filepath must end in '.safetensors', got {self.filepath!r}"
            )
        self.verbose = verbose
        self.save_best_only = flag(save_best_only, "ModelCheckpoint: save_best_only")
        self.save_freq: str | int = (
            "epoch"
            if save_freq == "epoch"
            else integer(save_freq, "ModelCheckpoint: save_freq", minimum=1)
        )
        self.initial_value_threshold = (
            None
            if initial_value_threshold is None
            else number(initial_value_threshold, "ModelCheckpoint: initial_value_threshold")
        )
        self.best = float("inf")
        self._epoch = self._batches = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Check the monitored key; the best value of earlier trainings stays."""
        self._epoch, self._batches = self.params["initial_epoch"], 0
        if self.save_best_only:
            self._begin()
            self._take_if_better(self.initial_value_threshold)

    def get_state(self) -> dict[str, Any]:
        """Return the best so far, and the batches since training began."""
        return {"best": self.best, "batches": self._batches}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take it over, but for a best value that is no better than this object's."""
        self._take_if_better(state["best"])
        self._batches = state["batches"]

    def _take_if_better(self, value: float | None) -> None:
        if value is not None and self._improves(value, self.best):
            self.best = value

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch, for the name of the file."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the file, if it is time."""
        if self.save_freq == "epoch":
            self._save(logs)

    @property
    def _counts_batches(self) -> bool:
        return self.save_freq != "epoch"

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the file, if it is time; called only where ``save_freq`` counts batches."""
        self._batches += 1
        if self._batches % int(self.save_freq) == 0:
            self._save(logs)

    def _save(self, logs: Logs) -> None:
        values = dict(logs or {})
        if self.save_best_only:
            if self._counts_batches and self.monitor not in values:
                raise ValueError(
                    f"ModelCheckpoint: {self.monitor!r} is known after an epoch only; "
                    "use save_freq='epoch'"
                )
            value = self._value(values)
            if value is None or not self._improves(value, self.best):
                return
            self.best = value
        try:
            path = self.filepath.format(epoch=self._epoch + 1, **values)
        except KeyError as error:
            raise ValueError(
                f"ModelCheckpoint: filepath asks for {error}; the logs have {', '.join(values)}"
            ) from None
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            message(f"Epoch {self._epoch + 1}: model written to {printable(path)}")
