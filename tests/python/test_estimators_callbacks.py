# SPDX-License-Identifier: Apache-2.0
"""set_callbacks of scikit-learn 1.9: its callbacks see the epochs of laminar's estimators."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="sklearn is not installed")

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from laminar.sklearn import MLPClassifier, MLPRegressor, _tasks

KNOWS_CALLBACKS = hasattr(_tasks.CallbackSupportMixin, "set_callbacks")
needs_callbacks = pytest.mark.skipif(
    not KNOWS_CALLBACKS, reason="this version of scikit-learn has no callbacks"
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X @ RNG.normal(size=4)


class Seen:
    """Keeps what it is called for, and scores the estimator that would have been trained so far."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after, self.calls, self.scores = stop_after, [], []

    def setup(self, estimator: Any, context: Any) -> None:
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator: Any, context: Any) -> None:
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(
        self,
        estimator: Any,
        context: Any,
        *,
        X: Any = None,  # noqa: N803  # scikit-learn's name
    ) -> None:
        assert X is not None
        self.calls.append(("begin", context.task_name, context.max_subtasks))

    def on_fit_task_end(
        self,
        estimator: Any,
        context: Any,
        *,
        X: Any = None,  # noqa: N803  # scikit-learn's name
        y: Any = None,
        metadata: Any = None,
        fitted_estimator: Any = None,
    ) -> bool:
        self.calls.append(("end", context.task_name))
        if fitted_estimator is not None:
            assert fitted_estimator is not estimator
            self.scores.append(fitted_estimator.score(X, y))
        done = sum(call == ("end", "epoch") for call in self.calls)
        return self.stop_after is not None and done >= self.stop_after


def regressor(**options: Any) -> Any:
    settings = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 1, "tol": 0.0}
    return MLPRegressor(**{**settings, **options})


@needs_callbacks
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_epoch_is_a_task() -> None:
    seen, plain = Seen(), regressor().fit(X, Y)
    model = regressor().set_callbacks(seen).fit(X, Y)
    epochs = [("begin", "epoch", 0), ("end", "epoch")] * 4
    begin = [("setup", "fit"), ("begin", "fit", 4)]
    assert seen.calls == [*begin, *epochs, ("end", "fit"), ("teardown", "fit")]
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))  # nothing is disturbed
    assert len(seen.scores) == 5
    assert seen.scores[-1] == seen.scores[-2] == model.score(X, Y)
    assert len(set(seen.scores[:4])) == 4
    model.partial_fit(X, Y)
    assert len(seen.calls) == 12


@needs_callbacks
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_callback_may_end_training() -> None:
    model = regressor(max_iter=50, early_stopping=True).set_callbacks(Seen(stop_after=3))
    assert model.fit(X, Y).n_iter_ == 3


@needs_callbacks
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_lbfgs_and_ensembles() -> None:
    seen = Seen()
    model = regressor(solver="lbfgs").set_callbacks(seen).fit(X, Y)
    assert seen.calls.count(("end", "iteration")) >= model.n_iter_ == 4
    assert seen.calls[-2:] == [("end", "fit"), ("teardown", "fit")]
    seen = Seen()
    regressor(ensemble=2).set_callbacks(seen).fit(X, Y)
    kinds = [("setup", "fit"), ("begin", "fit", 0), ("end", "fit"), ("teardown", "fit")]
    assert seen.calls == kinds


@needs_callbacks
def test_callbacks_are_torn_down_after_an_error() -> None:
    class Failing(Seen):
        def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
            raise OSError("the disk is full")

    seen = Failing()
    with pytest.raises(OSError, match="the disk is full"):
        regressor().set_callbacks(seen).fit(X, Y)
    assert seen.calls[-1] == ("teardown", "fit")


@needs_callbacks
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_and_a_pipeline_show_their_progress() -> None:
    from sklearn.callback import ScoringMonitor

    labels = (Y > 0).astype(int)
    monitor = ScoringMonitor(scoring="accuracy")
    network = MLPClassifier(hidden_layer_sizes=(5,), max_iter=3, random_state=1).set_callbacks(
        monitor
    )
    search = GridSearchCV(make_pipeline(StandardScaler(), network), {}, cv=2)
    search.fit(X, labels)
    assert search.best_score_ > 0
    alone = MLPClassifier(hidden_layer_sizes=(5,), max_iter=3, random_state=1)
    alone.set_callbacks(kept := ScoringMonitor(scoring="accuracy")).fit(X, labels)
    scores = [row["accuracy"] for row in kept.get_logs().data]
    assert len(scores) == 4
    assert scores[-1] == alone.score(X, labels)


def test_older_versions_of_scikit_learn_have_none() -> None:
    code = """
import sys
import sklearn.metrics, sklearn.model_selection
sys.modules["sklearn.callback"] = None
from laminar.sklearn import MLPRegressor, _tasks
assert not hasattr(_tasks.CallbackSupportMixin, "set_callbacks")
model = MLPRegressor(hidden_layer_sizes=(3,), max_iter=200, random_state=1, learning_rate_init=0.1)
print(model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).n_iter_ > 1)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "True\n", done.stderr
