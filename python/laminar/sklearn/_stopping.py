# SPDX-License-Identifier: Apache-2.0
"""What scikit-learn does after an epoch: record, print, change the learning rate, end.

It runs as a callback of the model's, after those of the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._multilayer import BaseMultilayer

_SMALLEST_RATE = 1e-6


class Stopping(Callback):
    """The end of each epoch of an estimator.

    Parameters
    ----------
    estimator : BaseMultilayer
        Its attributes are kept up to date.
    rows : int
        Of the data that is trained on.
    reported : callable
        From the model's loss to the one that the estimator reports.
    score : callable or None
        Returns the score on held-out data with the present weights.
    share : float
        The model's loss is so many times the one that is minimized in scikit-learn.
    """

    converged: bool

    def __init__(
        self,
        estimator: BaseMultilayer,
        rows: int,
        reported: Callable[[float], float],
        score: Callable[[], float] | None,
        share: float,
    ) -> None:
        self.estimator = estimator
        self.rows = rows
        self.reported = reported
        self.score = score
        self.share = share
        self.converged = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch, and stop where nothing has become better for long enough."""
        e = self.estimator
        e.n_iter_ += 1
        e.loss_ = self.reported(logs["loss"])
        e.t_ += self.rows
        e.loss_curve_.append(e.loss_)
        if e.verbose:
            print(f"Iteration {e.n_iter_}, loss = {e.loss_:.8f}")
        self._compare()
        if self._sets_rate() and e.learning_rate == "invscaling":
            self._set_rate(float(e.learning_rate_init) / (e.t_ + 1) ** e.power_t)
        if e._no_improvement_count > e.n_iter_no_change:
            kind = "Validation score" if e.early_stopping else "Training loss"
            self._trigger(
                f"{kind} did not improve more than tol={e.tol:f} for "
                f"{e.n_iter_no_change} consecutive epochs."
            )

    def _compare(self) -> None:
        """Count the epochs without improvement, and keep the best weights."""
        e = self.estimator
        if self.score is not None:
            score, scores, best = self.score(), e.validation_scores_, e.best_validation_score_
            assert scores is not None and best is not None
            scores.append(score)
            if e.verbose:
                print(f"Validation score: {score:f}")
            if e.early_stopping:
                e._no_improvement_count = e._no_improvement_count + 1 if score < best + e.tol else 0
            if score > best:
                e.best_validation_score_ = score
                e._best_weights = self.model.get_weights()
        if e.early_stopping:
            return
        assert e.best_loss_ is not None
        unimproved = e.loss_ > e.best_loss_ - e.tol
        e._no_improvement_count = e._no_improvement_count + 1 if unimproved else 0
        e.best_loss_ = min(e.loss_, e.best_loss_)

    def _trigger(self, message: str) -> None:
        """End training, or go on with a smaller rate where the schedule is adaptive."""
        e = self.estimator
        end = " Stopping."
        if self._sets_rate() and e.learning_rate == "adaptive":
            rate = self._rate()
            if rate > _SMALLEST_RATE:
                self._set_rate(rate / 5)
                if e.verbose:
                    print(f"{message} Setting learning rate to {rate / 5:f}")
                e._no_improvement_count = 0
                return
            end = " Learning rate too small. Stopping."
        if e.verbose:
            print(message + end)
        self.converged = True
        self.model.stop_training = True

    def _sets_rate(self) -> bool:
        return self.estimator.solver == "sgd" and self.estimator.optimizer is None

    def _rate(self) -> float:
        assert self.model.optimizer is not None
        return self.model.optimizer.learning_rate * self.share

    def _set_rate(self, rate: float) -> None:
        assert self.model.optimizer is not None
        self.model.optimizer.learning_rate = rate / self.share
