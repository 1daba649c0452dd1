# SPDX-License-Identifier: Apache-2.0
"""The calls that a callback may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from .._attributes import Attributes

if TYPE_CHECKING:
    from .._base_model import BaseModel

Logs: TypeAlias = "Mapping[str, float] | None"


class Callback(Attributes):
    """Base of all callbacks; a subclass overrides what it needs.

    The logs of an epoch are one dict: what a callback adds, a number by a name of its own, those
    after it in the list see, monitor and record, and so does the History.

    Attributes
    ----------
    model : Sequential or Model
        The model that is trained.
    params : dict
        ``epochs``, ``initial_epoch``, ``steps`` (batches an epoch, None where unknown),
        ``verbose``, and ``metrics``: the keys that logs will have.

    Examples
    --------
    >>> import laminar
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    >>> model = laminar.Sequential([laminar.layers.Dense(1)], seed=1)
    >>> model.compile("adam", "mse")
    >>> class Stop(laminar.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.model.stop_training = epoch == 1
    ...
    >>> len(model.fit(x, y, epochs=9, callbacks=[Stop()], verbose=0).epoch)
    2
    """

    model: BaseModel[Any]
    params: dict[str, Any]
    # The keys that it adds to the logs.
    _adds: ClassVar[tuple[str, ...]] = ()

    def set_model(self, model: BaseModel[Any]) -> None:
        """Receive the model, before training begins.

        Parameters
        ----------
        model : Sequential or Model
            The model that calls.
        """
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the parameters of the training, before it begins.

        Parameters
        ----------
        params : dict
            Epochs, steps, verbose, metrics.
        """
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of this callback, to be given to `set_state`.

        A dict of numbers, texts, lists of them, and lists of arrays.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where a saved training stopped; called after on_train_begin.

        Parameters
        ----------
        state : dict
            What `get_state` has returned.
        """

    def _left(self) -> None:
        """Run in place of on_train_end where an error or Ctrl-C has ended training."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Run once before the first epoch.

        Parameters
        ----------
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_train_end(self, logs: Logs = None) -> None:
        """Run once after the last epoch; ``logs`` are those of the last epoch.

        Parameters
        ----------
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Run before each epoch, counted from 0.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Run after each epoch; ``logs`` has the loss and the metrics, by key; add to it freely.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before each batch of an epoch, counted from 0.

        Parameters
        ----------
        batch : int
            Its number in the epoch, from 0.
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after each batch; ``logs`` has the means over the epoch's rows so far.

        Setting ``model.stop_training`` here ends the epoch at once.

        Parameters
        ----------
        batch : int
            Its number in the epoch, from 0.
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_test_begin(self, logs: Logs = None) -> None:
        """Run before evaluate looks at the rows; validation within fit does not call it.

        Parameters
        ----------
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_test_end(self, logs: Logs = None) -> None:
        """Run when evaluate is done; ``logs`` has loss and metrics.

        Parameters
        ----------
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Run before predict looks at the rows.

        Parameters
        ----------
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """

    def on_predict_end(self, logs: Logs = None) -> None:
        """Run when predict is done.

        Parameters
        ----------
        logs : dict, optional
            What is known by then: loss and metrics by name.
        """
