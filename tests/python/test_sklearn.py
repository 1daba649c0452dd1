# SPDX-License-Identifier: Apache-2.0
"""The perceptron: Rosenblatt's rule, what it can learn and what it cannot."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import run_python

pytest.importorskip("sklearn", reason="laminar.sklearn needs scikit-learn")

from sklearn.exceptions import ConvergenceWarning, NotFittedError

from laminar.sklearn import Perceptron

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def clouds(rows: int, classes: int, features: int = 4) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return classes that planes separate from each other."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % classes
    centres = np.array([[5, 0, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0], [0, 0, 0, 5]])[:, :features]
    return centres[y] + rng.uniform(-1, 1, (rows, features)), y


@pytest.mark.parametrize("y", [[0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 0]])
@pytest.mark.parametrize("seed", range(5))
def test_learns_what_a_line_separates(y: list[int], seed: int) -> None:
    unit = Perceptron(random_state=seed).fit(CORNERS, y)
    assert unit.score(CORNERS, y) == 1
    assert unit.n_iter_ < 30
    assert (unit.coef_.shape, unit.intercept_.shape) == ((1, 2), (1,))


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_learns_separate_clouds(classes: int) -> None:
    x, y = clouds(200, classes)
    unit = Perceptron().fit(x, y)
    assert unit.score(x, y) == 1
    assert unit.decision_function(x).shape == ((200,) if classes == 2 else (200, classes))


def test_never_rests_on_the_exclusive_or() -> None:
    with pytest.warns(ConvergenceWarning, match="the last of 1000 epochs had") as caught:
        unit = Perceptron().fit(CORNERS, [0, 1, 1, 0])
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
    unit = Perceptron(shuffle=False, eta0=0.3)
    w, b = np.zeros(3), 0.0
    for i in range(30):
        row = slice(i, i + 1)
        unit.partial_fit(x[row], y[row], classes=[0, 1], sample_weight=weight[row])
        w, b = transcription(x[row], y[row], w, b, 0.3, weight[row])
        np.testing.assert_allclose(unit.coef_[0], w, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(unit.intercept_[0], b, rtol=1e-12, atol=1e-15)
    # Row by row is an epoch.
    with pytest.warns(ConvergenceWarning):
        whole = Perceptron(shuffle=False, eta0=0.3, max_iter=1).fit(x, y, sample_weight=weight)
    np.testing.assert_array_equal(whole.coef_, unit.coef_)


def test_one_unit_against_the_rest(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(40, 3)), rng.choice(["a", "b", "c"], 40)
    with pytest.warns(ConvergenceWarning):
        unit = Perceptron(shuffle=False, max_iter=2).fit(x, y)
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


def test_class_weights(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(30, 3)), np.arange(30) % 3 // 2  # 20 and 10 rows
    for given, table in (({0: 2.0}, [2.0, 1.0]), ("balanced", [0.75, 1.5])):
        with pytest.warns(ConvergenceWarning):
            by_class = Perceptron(class_weight=given, max_iter=3).fit(x, y)  # type: ignore[arg-type]
        with pytest.warns(ConvergenceWarning):
            by_row = Perceptron(max_iter=3).fit(x, y, sample_weight=np.array(table)[y])
        np.testing.assert_array_equal(by_class.coef_, by_row.coef_)


def test_other_options(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = clouds(60, 2)
    assert Perceptron(fit_intercept=False).fit(x, y).intercept_[0] == 0
    Perceptron(verbose=1).fit(x, y)
    assert "0 mistakes in the last" in capsys.readouterr().out
    impatient = Perceptron(tol=1e-3).fit(CORNERS, [0, 1, 1, 0])
    assert impatient.n_iter_ < 100
    first = Perceptron(warm_start=True).fit(x, y)
    coefficients = first.coef_
    first.fit(x, y)
    assert first.n_iter_ == 1
    np.testing.assert_array_equal(first.coef_, coefficients)
    begun = Perceptron().fit(x, y, coef_init=first.coef_, intercept_init=first.intercept_)
    np.testing.assert_array_equal(begun.coef_, coefficients)
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.predict(x), first.predict(x))
    assert first.score(x, y[:, None]) == 1
    assert first.score(x, 1 - y, sample_weight=np.ones(60)) == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"penalty": "l2"}, ValueError, "penalty must be None so far, got 'l2'"),
        ({"early_stopping": True}, ValueError, "early_stopping=True is not there yet"),
        ({"eta0": 0.0}, ValueError, "eta0 must be above 0"),
        ({"eta0": "1"}, TypeError, "eta0 must be a number"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0"),
        ({"class_weight": "equal"}, ValueError, "class_weight must be a dict"),
        ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change must be at least 1"),
    ],
)
def test_bad_parameters_are_refused_by_fit(
    options: Any, error: type[Exception], message: str
) -> None:
    unit = Perceptron(**options)
    with pytest.raises(error, match=message):
        unit.fit(CORNERS, [0, 0, 0, 1])
    assert not hasattr(unit, "coef_")


def test_bad_data_are_refused() -> None:
    unit = Perceptron()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        unit.predict(CORNERS)
    with pytest.raises(ValueError, match="at least 2 classes"):
        unit.fit(CORNERS, [1, 1, 1, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        unit.fit(CORNERS, [0, 1, 1])
    with pytest.raises(ValueError, match="contains NaN"):
        unit.fit(np.where(CORNERS, np.nan, 0), [0, 0, 0, 1])
    with pytest.raises(ValueError, match="classes is needed in the first call"):
        unit.partial_fit(CORNERS, [0, 0, 0, 1])
    unit.partial_fit(CORNERS, [0, 0, 0, 1], classes=[0, 1])
    with pytest.raises(ValueError, match=r"y holds .*2.*, which is no known class"):
        unit.partial_fit(CORNERS, [0, 0, 0, 2])
    with pytest.raises(ValueError, match="classes must stay"):
        unit.partial_fit(CORNERS, [0, 0, 0, 1], classes=[0, 1, 2])
    with pytest.raises(ValueError, match="X has 3 features, but Perceptron is expecting 2"):
        unit.predict(np.ones((1, 3)))
    with pytest.raises(TypeError, match="'eta'; did you mean 'eta0'"):
        Perceptron(eta=1)  # type: ignore[call-arg]


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
