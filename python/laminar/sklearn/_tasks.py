# SPDX-License-Identifier: Apache-2.0
"""Callbacks of scikit-learn, from version 1.9 on: bars and monitors that `set_callbacks` takes.

What scikit-learn calls a task is the whole of fit, and in it each epoch or iteration. Older
versions have neither, and estimators then have no `set_callbacks`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..callbacks import Callback
from . import _network

__all__ = ["CallbackSupportMixin", "Tasks", "with_callbacks"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from typing_extensions import Self

    F = TypeVar("F", bound=Callable[..., object])

    class CallbackSupportMixin:
        """Base of estimators that take callbacks."""

        def set_callbacks(self, *callbacks: Any) -> Self: ...

    def with_callbacks(method: F) -> F: ...

else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:

        class CallbackSupportMixin:
            """Nothing, as this version of scikit-learn has no callbacks."""

        def with_callbacks(method: Any) -> Any:
            """Return the method in a frame more, as warnings count them."""

            @functools.wraps(method)
            def called(*args: Any, **kwargs: Any) -> Any:
                return method(*args, **kwargs)

            return called


class Tasks(Callback):
    """A call of fit as scikit-learn's callbacks see it.

    Parameters
    ----------
    estimator : BaseMultilayer
        That is fitted; without callbacks nothing is done.
    X, y, sample_weight
        As fit was given them.
    most : int
        Tasks in this one at most.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, most: int) -> None:
        self._estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._task: Any = None
        self._root: Any = None
        known = ("_skl_callbacks", "_parent_callback_ctx")
        if hasattr(estimator, "set_callbacks") and any(hasattr(estimator, name) for name in known):
            self._root = self._estimator._init_callback_context(max_subtasks=most)
            self._root.call_on_fit_task_begin(**self._given)

    @property
    def wanted(self) -> bool:
        """Whether somebody looks."""
        return self._root is not None

    def begin(self, name: str) -> None:
        """Begin a task in this one."""
        self._task = self._root.subcontext(task_name=name)
        self._task.call_on_fit_task_begin(**self._given)

    def end(self, fitted: Any = None) -> bool:
        """End it, and return whether fit is to end."""
        task, self._task = self._task, None
        return bool(task.call_on_fit_task_end(**self._given, reconstruction_attributes=fitted))

    def iteration(self, more: bool) -> bool:
        """End an iteration and begin the next one; return whether fit is to end."""
        stops = self.end()
        if more and not stops:
            self.begin("iteration")
        return stops

    def close(self) -> None:
        """End the whole."""
        if self._root is not None:
            if self._task is not None:  # which scikit-learn's monitors take as empty
                self._task.call_on_fit_task_end(estimator=self._estimator)
            self._root.call_on_fit_task_end(**self._given, reconstruction_attributes=dict)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin the epoch's task."""
        self.begin("epoch")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """End it, and training where a callback says so."""
        if self.end(self._fitted):
            self.model.stop_training = True

    def _fitted(self) -> dict[str, Any]:
        """Return what an estimator has that would have been trained until now."""
        model = self._estimator._model
        twin = type(model).from_config(model.get_config())
        twin.set_weights(model.get_weights())
        coefs, intercepts = _network.get_weights(model)
        return {"_model": twin, "coefs_": coefs, "intercepts_": intercepts}
