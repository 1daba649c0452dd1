# SPDX-License-Identifier: Apache-2.0
"""What all metrics have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _arrays, _component, _own_functions
from .._component import Component
from .._core import RunningMetric
from .._spelling import keywords

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Metric(Component, family="metric"):
    """Base of all metrics.

    Parameters
    ----------
    name : str
        The key in logs and histories.

    Examples
    --------
    >>> from laminar import metrics
    >>> accuracy = metrics.get("binary_accuracy")
    >>> accuracy.update_state([[1], [0]], [[0.9], [0.2]])
    >>> accuracy.update_state([[1]], [[0.3]])
    >>> round(accuracy.result(), 6)
    0.666667
    >>> accuracy.reset_state()
    """

    _running: RunningMetric | None = None
    _own: ClassVar[bool] = False  # a class of the user's, or a function
    _sums: tuple[float, float] = (0.0, 0.0)  # of one's own: of weighted numbers, of weights

    @keywords()
    def __init__(self, name: str | None = None) -> None:
        if not self._own:
            self._need_entry()
        if name is None and self._own:
            return
        if not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: name must be a string, got {name!r}")
        self.name = name

    @classmethod
    def _derived_by_user(cls) -> None:
        for method in ("update_state", "result", "reset_state"):
            if method in vars(cls):
                raise NotImplementedError(
                    f"{cls.__name__}: {method} of one's own is not supported, since the core "
                    "computes metrics while it trains; write call(self, y_true, y_pred), whose "
                    "mean over the rows is the metric, pass a function, or let a callback compute "
                    "it: LambdaCallback(on_epoch_end=…) may add to the logs"
                )
        if cls._entry or not callable(getattr(cls, "call", None)):
            super()._derived_by_user()
        cls._own = True
        cls.name = _own_functions.snake_case(cls.__name__)  # for who does not call the constructor

    if TYPE_CHECKING:
        name: str

        def call(self, y_true: Any, y_pred: Any) -> Any:
            """Return a number for each row, or their mean: for a class of one's own to define."""

    def __getstate__(self) -> dict[str, Any]:
        """Return all that pickle and copy take along."""
        return vars(self) if self._own else super().__getstate__()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        if self._own:
            vars(self).update(state)
        else:
            super().__setstate__(state)

    def _called(self, name: str) -> Metric:
        """Return this object, under another name."""
        self.name = name
        return self

    @property
    def _direction(self) -> str:
        """Which way is better, "min" or "max", for callbacks that compare epochs."""
        known = _component.entries("metric")
        name = self.name if self._own else self._entry  # a file has some as functions
        return str(known[name]["direction"]) if name in known else "min"

    @property
    def _takes_labels(self) -> bool:
        """Whether targets must be class numbers."""
        return not self._own and bool(
            _component.entries("metric")[self._entry]["takes"] == "labels"
        )

    @keywords()
    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add rows.

        Parameters
        ----------
        y_true : array_like
            (n, k), or (n,) for one output; where the metric takes class numbers, (n,) or (n, 1).
            Metrics that count positives take class numbers as well where k > 1.
        y_pred : array_like
            (n, k), or (n,) for one output.
        sample_weight : array_like, optional
            (n,): how much each row counts.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong; nothing has changed then.
        """
        if self._own:
            rows, weights = _own_functions.compared(self, y_true, y_pred, sample_weight)
            wide = weights.astype(np.float64)
            total, count = self._sums
            self._sums = (total + float(wide @ rows), count + float(wide.sum()))
            return
        where = type(self).__name__
        double = np.dtype(np.float64)
        outputs = _arrays.targets(y_pred, f"{where}: y_pred", double)
        wanted: Any = _component.entries("metric")[self._entry]["takes"]
        one_number = np.shape(y_true) in ((len(outputs),), (len(outputs), 1))
        if wanted == "labels" or (wanted == "either" and outputs.shape[1] > 1 and one_number):
            targets = _arrays.labels(y_true, f"{where}: y_true")
        else:
            targets = _arrays.targets(y_true, f"{where}: y_true", double)
        weight = _arrays.row_weights(sample_weight, f"{where}: sample_weight", double)
        running = self._running
        if running is None:
            classes = outputs.shape[1] == 1 and np.asarray(y_pred).dtype.kind in "bui"
            running = RunningMetric(json.dumps(self._spec()), classes)
        running.update(targets, outputs, weight)
        self._running = running

    def result(self) -> float:
        """Return the metric of all rows since the last `reset_state`; 0 where there were none."""
        if self._own:
            return self._sums[0] / self._sums[1] if self._sums[1] else 0.0
        return 0.0 if self._running is None else self._running.result()

    def reset_state(self) -> None:
        """Forget all rows."""
        self._running, self._sums = None, (0.0, 0.0)

    @keywords()
    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Add rows and return the metric of all rows so far; see `update_state`."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


class Function(Metric):
    """A metric that is the mean over the rows of a function of the user's own.

    A model traces it into a program, which its file holds: where it is loaded, the metric has the
    program in place of the function.

    Parameters
    ----------
    function : callable, optional
        Written in `laminar.ops`: takes targets and outputs, a row for each sample, and returns a
        number for each row, several that count by their mean, or the mean over the rows.
    name : str, optional
        By default the function's own.
    program : mapping, optional
        In place of a function, what one was traced into.

    Examples
    --------
    >>> from laminar import metrics
    >>> from laminar import ops
    >>> def within(y_true, y_pred):
    ...     return ops.mean(ops.less(ops.abs(y_true - y_pred), 0.5), axis=-1)
    ...
    >>> metrics.Function(within)([[1.0], [2.0]], [[1.25], [3.0]])
    0.5
    """

    _own = True

    @keywords()
    def __init__(
        self,
        function: Callable[[Any, Any], Any] | None = None,
        name: str | None = None,
        program: Mapping[str, Any] | None = None,
    ) -> None:
        if (function is None) == (program is None):
            raise ValueError("metrics.Function: takes either a function or a program")
        if function is not None:
            _own_functions.check_signature(function, "metric")
            name = name or _own_functions.name_of(function, "metric")
        super().__init__(name or "metric")
        self.function = function
        self.program = None if program is None else dict(program)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function makes of targets and outputs.

        Parameters
        ----------
        y_true, y_pred : value
            Targets and outputs, of arrays, tensors, or those of a trace.
        """
        if self.function is None:
            raise ValueError(f"{self!r} is a program of operations; its function is not known")
        return self.function(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return name and program; TypeError for a function, which has no program."""
        if self.program is None:
            raise TypeError(f"{self!r} has no configuration, as it is a function of Python's")
        return {"name": self.name, "program": self.program}

    def _assign(self, name: str, value: object) -> None:
        vars(self)[name] = value

    def __repr__(self) -> str:
        return f"<metric {self.name}>"
