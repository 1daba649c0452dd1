# SPDX-License-Identifier: Apache-2.0
"""The perceptron: Rosenblatt's rule, what it can learn and what it cannot, and scikit-learn's."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import run_python

pytest.importorskip("sklearn", reason="laminar.sklearn needs scikit-learn")

from scipy.sparse import csr_matrix, issparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from laminar.sklearn import Perceptron
from laminar.sklearn._parameters import PERCEPTRON_CONSTRAINTS

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
PENALTIES = [None, *sorted(PERCEPTRON_CONSTRAINTS["penalty"][0].options)]
ignores_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def unsettled(rows: int, classes: int, features: int = 6) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return classes that no planes separate from each other."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, features))
    y = (x[:, :classes] + rng.normal(size=(rows, classes))).argmax(axis=1)
    return x, y


def clouds(rows: int, classes: int, features: int = 4) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return classes that planes separate from each other."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % classes
    centres = np.array([[5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0], [0, 0, 0, 5]])[:, :features]
    return centres[y] + rng.uniform(-1, 1, (rows, features)), y


@pytest.mark.parametrize("y", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 0]])
@pytest.mark.parametrize("seed", range(5))
def test_learns_what_a_line_separates(y: list[int], seed: int) -> None:
    unit = Perceptron(tol=None, random_state=seed).fit(CORNERS, y)
    assert unit.score(CORNERS, y) == 1
    assert unit.n_iter_ < 30
    assert (unit.coef_.shape, unit.intercept_.shape) == ((1, 2), (1,))


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_learns_separate_clouds(classes: int) -> None:
    x, y = clouds(200, classes)
    unit = Perceptron(tol=None).fit(x, y)
    assert unit.score(x, y) == 1
    assert unit.decision_function(x).shape == ((200,) if classes == 2 else (200, classes))


def test_never_rests_on_the_exclusive_or() -> None:
    with pytest.warns(ConvergenceWarning, match="Maximum number of iteration reached") as caught:
        unit = Perceptron(tol=None).fit(CORNERS, [0, 1, 1, 0])
    assert caught[0].filename == __file__
    assert unit.n_iter_ == 1000
    assert unit.score(CORNERS, [0, 1, 1, 0]) < 1


def transcription(
    x: NDArray[Any], y: NDArray[Any], w: NDArray[Any], b: float, eta: float, scale: NDArray[Any]
) -> tuple[NDArray[Any], float]:
    """Return the weights after each row has been seen once: w += eta (y - p) x."""
    for row, target, factor in zip(x, y, scale, strict=True):
        p = 1 if row @ w + b > 0 else 0
        w = w + eta * factor * (target - p) * row
        b = b + eta * factor * (target - p)
    return w, b


def test_follows_the_rule_row_by_row(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(30, 3)), rng.integers(0, 2, 30)
    weight = rng.uniform(0.5, 2, 30)
    unit = Perceptron(tol=None, shuffle=False, eta0=0.3)
    w, b = np.zeros(3), 0.0
    for i in range(30):
        row = slice(i, i + 1)
        unit.partial_fit(x[row], y[row], classes=[0, 1], sample_weight=weight[row])
        w, b = transcription(x[row], y[row], w, b, 0.3, weight[row])
        np.testing.assert_allclose(unit.coef_[0], w, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(unit.intercept_[0], b, rtol=1e-12, atol=1e-15)
    # Row by row is an epoch.
    with pytest.warns(ConvergenceWarning):
        whole = Perceptron(tol=None, shuffle=False, eta0=0.3, max_iter=1).fit(
            x, y, sample_weight=weight
        )
    np.testing.assert_array_equal(whole.coef_, unit.coef_)


def test_one_unit_against_the_rest(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(40, 3)), rng.choice(["a", "b", "c"], 40)
    with pytest.warns(ConvergenceWarning):
        unit = Perceptron(tol=None, shuffle=False, max_iter=2).fit(x, y)
    for k, label in enumerate("abc"):
        w, b = np.zeros(3), 0.0
        for _ in range(2):
            w, b = transcription(x, (y == label).astype(int), w, b, 1.0, np.ones(40))
        np.testing.assert_allclose(unit.coef_[k], w, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(unit.intercept_[k], b, rtol=1e-12, atol=1e-14)
    assert set(unit.predict(x)) <= {"a", "b", "c"}
    assert unit.classes_.tolist() == ["a", "b", "c"]


def test_the_seed_decides_the_order() -> None:
    x, y = clouds(100, 3)
    results = [Perceptron(random_state=seed).fit(x, y).coef_ for seed in (1, 1, 2)]
    np.testing.assert_array_equal(results[0], results[1])
    assert (results[0] != results[2]).any()
    random = np.random.RandomState(0)
    assert Perceptron(random_state=random).fit(x, y).score(x, y) == 1
    assert Perceptron(random_state=None).fit(x, y).score(x, y) == 1


@ignores_convergence
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0, 1: 0.5}])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_same_training(penalty: Any, classes: int, class_weight: Any, weighted: bool) -> None:
    x, y = unsettled(100, classes)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(x)) if weighted else None
    options: dict[str, Any] = {"penalty": penalty, "class_weight": class_weight, "shuffle": False}
    options |= {"alpha": 0.01, "l1_ratio": 0.3, "eta0": 0.7, "max_iter": 30}
    kinds: list[dict[str, Any]] = [{}, {"fit_intercept": False}]
    # scikit-learn scores held-out rows with weights that lack the shrinking by "l2", but with the
    # whole bias, so that it ends elsewhere.
    if penalty in (None, "l1"):
        kinds.append({"early_stopping": True, "n_iter_no_change": 2})
    for more in kinds:
        theirs = linear_model.Perceptron(**options | more).fit(x, y, sample_weight=weight)
        ours = Perceptron(**options | more).fit(x, y, sample_weight=weight)
        assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9, atol=1e-11)
        z = theirs.decision_function(x)
        np.testing.assert_allclose(ours.decision_function(x), z, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_same_parts(penalty: Any, classes: int) -> None:
    x, y = unsettled(90, classes)
    models: list[Any] = [
        cls(penalty=penalty, alpha=0.01, shuffle=False, class_weight={0: 0.5, 1: 2.0})
        for cls in (Perceptron, linear_model.Perceptron)
    ]
    for model in models:
        model.partial_fit(x[:60], y[:60], classes=range(classes))
        model.partial_fit(x[60:], y[60:])
    np.testing.assert_allclose(models[0].coef_, models[1].coef_, rtol=1e-9, atol=1e-11)
    assert models[0].t_ == models[1].t_ == 91


@ignores_convergence
@pytest.mark.parametrize("penalty", PENALTIES)
def test_sparse_rows_and_weights(penalty: Any) -> None:
    x, y = unsettled(100, 3)
    x[np.abs(x) < 0.7] = 0
    options: dict[str, Any] = {"penalty": penalty, "alpha": 0.02, "max_iter": 20}
    dense, sparse = (Perceptron(**options).fit(rows, y) for rows in (x, csr_matrix(x)))
    np.testing.assert_array_equal(dense.coef_, sparse.coef_)
    z = dense.decision_function(x)
    np.testing.assert_array_equal(sparse.decision_function(csr_matrix(x)), z)
    assert issparse(sparse.sparsify().coef_)
    np.testing.assert_array_equal(sparse.decision_function(x), z)
    sparse.partial_fit(csr_matrix(x), y)
    dense.partial_fit(x, y)
    np.testing.assert_array_equal(sparse.sparsify().densify().coef_, dense.coef_)


def test_types_of_weights() -> None:
    x, y = clouds(60, 3)
    for dtype in (np.float32, np.float64):
        unit = Perceptron().fit(x.astype(dtype), y)
        assert unit.coef_.dtype == unit.intercept_.dtype == dtype
        assert unit.decision_function(x.astype(dtype)).dtype == dtype


def test_a_warm_start_goes_on() -> None:
    x, y = clouds(60, 2)
    first = Perceptron(tol=None, warm_start=True).fit(x, y)
    coefficients = first.coef_
    first.fit(x, y)
    assert first.n_iter_ == 1
    np.testing.assert_array_equal(first.coef_, coefficients)
    begun = Perceptron(tol=None).fit(x, y, coef_init=first.coef_, intercept_init=first.intercept_)
    np.testing.assert_array_equal(begun.coef_, coefficients)
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.predict(x), first.predict(x))
    assert first.score(x, y) == 1
    assert first.score(x, 1 - y, sample_weight=np.ones(60)) == 0


def test_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for classes in (2, 3):
        x, y = unsettled(60, classes)
        for early in (False, True):
            options: dict[str, Any] = {"shuffle": False, "early_stopping": early, "tol": 0.01}
            for cls in (linear_model.Perceptron, Perceptron):
                cls(**options, verbose=1).fit(x, y)
                lines.append(re.sub(r"[\d.]+ seconds|\[Parallel.*\n", "", capsys.readouterr().out))
    assert "Convergence after" in lines[0]
    assert lines[0::2] == lines[1::2]


def test_bad_parameters_change_nothing() -> None:
    unit = Perceptron(eta0=0.0)
    with pytest.raises(ValueError, match="The 'eta0' parameter of Perceptron must be"):
        unit.fit(CORNERS, [0, 0, 0, 1])
    assert not hasattr(unit, "coef_")
    with pytest.raises(TypeError, match="'eta'; did you mean 'eta0'"):
        Perceptron(eta=1)  # type: ignore[call-arg]


def test_bad_data_are_refused() -> None:
    unit = Perceptron()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        unit.predict(CORNERS)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        unit.fit(CORNERS, [0, 1, 1])
    with pytest.raises(ValueError, match="contains NaN"):
        unit.fit(np.where(CORNERS, np.nan, 0), [0, 0, 0, 1])
    unit.partial_fit(CORNERS, [0, 0, 0, 1], classes=[0, 1])
    with pytest.raises(ValueError, match="classes should include all valid labels"):
        unit.partial_fit(CORNERS, [0, 0, 0, 2])
    with pytest.raises(ValueError, match="sample_weight must be at least 0, got -1"):
        unit.fit(CORNERS, [0, 0, 0, 1], sample_weight=[1, 1, 1, -1])


def test_scikit_learn_is_an_extra() -> None:
    code = """
import sys
sys.modules["sklearn"] = None
import laminar
try:
    import laminar.sklearn
except ImportError as error:
    print(error)
"""
    done = run_python(code)
    assert "pip install laminar[sklearn] brings it" in done.stdout, done.stderr
