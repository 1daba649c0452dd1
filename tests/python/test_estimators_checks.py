# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's own checks of estimators, in float32."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import laminar
from laminar.sklearn import MLPClassifier, MLPRegressor, Perceptron

# As scikit-learn expects of its own: a row of weight 2 is one update, two rows are two.
_IN_ORDER = "the rule is applied row by row, so that the order counts"
_WEIGHTED = "check_sample_weight_equivalence_on_"
_EXPECTED = {
    Perceptron: {f"{_WEIGHTED}{kind}_data": _IN_ORDER for kind in ("dense", "sparse")},
}
_SMALL = {"max_iter": 100}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """A hundred small trainings: threads would only wait for each other."""
    laminar.set_num_threads(1)
    yield


def expected(estimator: Any) -> dict[str, str]:
    return _EXPECTED.get(type(estimator), {})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        MLPClassifier(**_SMALL),
        MLPRegressor(**_SMALL),
        Perceptron(**_SMALL),
    ],
    expected_failed_checks=expected,
    xfail_strict=True,
)
def test_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_all_rows_as_one_batch_are_a_set(estimator: Any, dtype: str) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 5)), rng.integers(0, 3, 30)
    weight = rng.integers(0, 4, 30)
    order = rng.permutation(weight.sum())
    repeated = [part.repeat(weight, axis=0)[order] for part in (x, y)]
    model = estimator(dtype=dtype, random_state=1, max_iter=20)
    expected = clone(model).fit(x, y, sample_weight=weight)
    for rows in (repeated[0], csr_matrix(repeated[0])):
        found = clone(model).fit(rows, repeated[1])
        assert found.loss_curve_ == expected.loss_curve_
        for one, other in zip(found.coefs_, expected.coefs_, strict=True):
            np.testing.assert_array_equal(one, other)
