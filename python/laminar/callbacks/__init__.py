# SPDX-License-Identifier: Apache-2.0
"""Objects that are called while a model is trained.

They run on the thread that called fit, between epochs; the weights they see are those of the
completed epoch. Where one of them has ``on_train_batch_begin`` or ``on_train_batch_end``, they are
called between batches too, which makes short steps slower. They may read and set weights,
predict, evaluate, change the learning rate, and set ``model.stop_training``; they may not change
the model's structure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._spelling import module_names
from ._base import Callback, Logs
from ._checkpoint import ModelCheckpoint
from ._csv_logger import CSVLogger
from ._early_stopping import EarlyStopping
from ._history import History
from ._lambda import LambdaCallback
from ._mlflow import MLflow
from ._optuna import OptunaPruning
from ._progress import ProgbarLogger, ProgressBar
from ._rates import LearningRateScheduler, ReduceLROnPlateau
from ._tensorboard import TensorBoard
from ._terminate import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logs",
    "MLflow",
    "ModelCheckpoint",
    "OptunaPruning",
    "ProgbarLogger",
    "ProgressBar",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
