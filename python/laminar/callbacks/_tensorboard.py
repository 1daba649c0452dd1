# SPDX-License-Identifier: Apache-2.0
"""A training for TensorBoard."""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np

from .._component import flag, integer
from .._spelling import keywords
from ._base import Callback, Logs
from ._outside import package, parameters, summary

_numbers = itertools.count()


class TensorBoard(Callback):
    """Writes what TensorBoard shows; needs ``pip install laminar[tensorboard]``.

    Files are those of Keras: values of training go to ``train`` and those of validation to
    ``validation`` in the folder, under tags such as ``epoch_loss``, so that both are in one chart.
    With them come the learning rate, the model's summary as a text, and at the end of training the
    hyperparameters with the last values, for the tab HPARAMS. TensorBoard, which shows the folder,
    need not be installed to write it.

    Parameters
    ----------
    log_dir : str or path
        The folder. A training that goes on, by ``initial_epoch`` or ``resume``, goes on in it.
    histogram_freq : int
        Write histograms of all weights after every so many epochs; 0 writes none.
    write_graph : bool
        Write the model's summary.

    Raises
    ------
    ImportError
        Where tensorboardX is missing; the message says how to get it.
    TypeError, ValueError
        Where an argument is wrong.

    Examples
    --------
    >>> import os
    >>> from laminar import Sequential, callbacks, layers
    >>> model = Sequential([layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> board = callbacks.TensorBoard("logs/first", histogram_freq=1)
    >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, verbose=0, callbacks=board)
    >>> sorted(name for name in os.listdir("logs/first") if "." not in name)
    ['train']
    """

    @keywords()
    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
    ) -> None:
        package("TensorBoard", "tensorboardX", "tensorboardX", "tensorboard")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = integer(histogram_freq, "TensorBoard: histogram_freq")
        self.write_graph = flag(write_graph, "TensorBoard: write_graph")
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Write the summary."""
        self._close()
        if self.write_graph:
            text = "\n".join(f"    {line}" for line in summary(self.model).split("\n"))
            self._writer("train").add_text("model", text, self.params["initial_epoch"])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write all values of the epoch, and histograms where they are due."""
        for key, value in (logs or {}).items():
            part = "validation" if key.startswith("val_") else "train"
            tag = f"epoch_{key.removeprefix('val_')}"
            self._writer(part).add_scalar(tag, float(value), epoch)
        optimizer = self.model.optimizer
        if optimizer is not None and "learning_rate" not in (logs or {}):
            rate = float(optimizer.learning_rate)
            self._writer("train").add_scalar("epoch_learning_rate", rate, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            facts = self.model._facts("TensorBoard")
            for fact, weight in zip(facts, self.model.get_weights(), strict=True):
                finite = weight[np.isfinite(weight)]
                if finite.size:
                    self._writer("train").add_histogram(fact.name, finite, epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Write the hyperparameters with the last values."""
        values = {f"last_{key}": float(value) for key, value in (logs or {}).items()}
        module = package("TensorBoard", "tensorboardX.summary", "tensorboardX", "tensorboard")
        writer = self._writer("train")
        # As add_hparams does, which would begin another file.
        for made in module.hparams(parameters(self.model, self.params), values):
            writer.file_writer.add_summary(made)
        for tag, value in values.items():
            writer.add_scalar(tag, value, self.params["epochs"])
        self._close()

    def _left(self) -> None:
        self._close()

    def _writer(self, part: str) -> Any:
        """Return the writer of a folder, which is made when there is something to write."""
        if part not in self._writers:
            module = package("TensorBoard", "tensorboardX", "tensorboardX", "tensorboard")
            # Files are told apart by the second in which they began, which is not enough.
            suffix = f".{os.getpid()}.{next(_numbers)}"
            folder = os.path.join(self.log_dir, part)
            self._writers[part] = module.SummaryWriter(folder, filename_suffix=suffix)
        return self._writers[part]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
