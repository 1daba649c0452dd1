# SPDX-License-Identifier: Apache-2.0
"""The estimators inside scikit-learn's and joblib's machinery."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

import joblib
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import laminar
from laminar.sklearn import MLPClassifier, MLPRegressor, Perceptron

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
ESTIMATORS = [
    MLPClassifier((5,), max_iter=4, random_state=0),
    MLPClassifier((5,), max_iter=4, random_state=0, dropout=0.2, batch_normalization=True),
    MLPRegressor(hidden_layer_sizes=(5,), max_iter=4, random_state=0),
    Perceptron(max_iter=4),
]


def rows() -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = make_classification(90, 5, random_state=0)
    return x, y


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_clone_pickle_and_joblib(estimator: Any, tmp_path: Path) -> None:
    x, y = rows()
    fresh = clone(estimator)
    assert repr(fresh.get_params()) == repr(estimator.get_params())
    fitted = fresh.fit(x, y)
    expected = fitted.predict(x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(x), expected)
    joblib.dump(fitted, tmp_path / "m.joblib")
    mapped = joblib.load(tmp_path / "m.joblib", mmap_mode="r")
    np.testing.assert_array_equal(mapped.predict(x), expected)
    # A copy goes on like the original, optimizer and all.
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        again.partial_fit(x, y).predict(x), fitted.partial_fit(x, y).predict(x)
    )


def threads_of_worker() -> int:
    return laminar.get_num_threads()


def test_workers_have_their_share_of_threads() -> None:
    asked = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(threads_of_worker)() for _ in range(2)
    )
    assert asked == [max(1, joblib.cpu_count() // 2)] * 2


def test_grid_search_finds_the_same_in_two_processes() -> None:
    x, y = rows()
    model = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=5, random_state=0))
    grid = {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__activation": ["relu", "gelu"]}
    searches = [
        GridSearchCV(model, grid, cv=2, n_jobs=jobs, error_score="raise").fit(x, y)
        for jobs in (1, 2)
    ]
    assert searches[0].best_params_ == searches[1].best_params_
    np.testing.assert_array_equal(
        searches[0].cv_results_["mean_test_score"], searches[1].cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_cross_validation_and_importances(estimator: Any) -> None:
    x, y = rows()
    assert cross_val_score(estimator, x, y, cv=3, error_score="raise").shape == (3,)
    found = permutation_importance(clone(estimator).fit(x, y), x, y, n_repeats=2, random_state=0)
    assert found.importances_mean.shape == (5,)


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if not isinstance(e, MLPRegressor)])
def test_calibration(estimator: Any) -> None:
    x, y = rows()
    model = CalibratedClassifierCV(estimator, cv=2).fit(x, y)
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1)
