# SPDX-License-Identifier: Apache-2.0
"""Estimators where scikit-learn's do something of their own: types, limits, resets and failures."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import sklearn.neural_network as theirs
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from laminar.sklearn import MLPClassifier, MLPRegressor

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)


def quietly(estimator: Any, *arguments: Any, method: str = "fit", **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(estimator, method)(*arguments, **options)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("given", ["float32", "float64"])
@pytest.mark.parametrize("dtype", [None, "float32", "float64"])
def test_weights_have_the_type_of_the_first_rows(kind: Any, given: str, dtype: Any) -> None:
    one = kind(hidden_layer_sizes=(5,), max_iter=2, dtype=dtype, warm_start=True)
    for rows in (X.astype(given), X.astype("float32"), X):
        quietly(one, rows, Y)
        assert {w.dtype.name for w in (*one.coefs_, *one.intercepts_)} == {dtype or given}
    whole = quietly(
        kind(hidden_layer_sizes=(5,), max_iter=2, dtype=dtype), np.rint(X).astype(int), Y
    )
    assert whole.coefs_[0].dtype == (dtype or "float64")
    quietly(one, X, Y, method="partial_fit")
    assert one.coefs_[0].dtype == (dtype or given)


def test_partial_fit_goes_on_after_private_attributes_are_taken_away() -> None:
    one = MLPClassifier((5,), random_state=0)
    one.partial_fit(X, Y, classes=[0, 1, 2])
    before = [coef.copy() for coef in one.coefs_]
    for name in ("_model", "_recipe", "_no_improvement_count", "_best_weights"):
        delattr(one, name)
    one.partial_fit(X, Y)
    change = max(np.abs(a - b).max() for a, b in zip(one.coefs_, before, strict=True))
    assert 0 < change < 0.01  # a step of a fresh Adam from the same weights


@pytest.mark.parametrize("most", [1, 10, 30])
def test_the_limit_of_evaluations_warns(most: int) -> None:
    for kind in (MLPClassifier, theirs.MLPClassifier):
        with pytest.warns(ConvergenceWarning, match="EVALUATIONS EXCEEDS LIMIT"):
            kind(solver="lbfgs", max_fun=most, random_state=0).fit(X, Y)


@pytest.mark.parametrize("seed", range(10))
def test_lbfgs_in_float32_ends_at_its_precision(seed: int) -> None:
    """There a line search finds no better point, which is no failure."""
    one = MLPClassifier((10,), solver="lbfgs", random_state=seed, max_iter=2000, dtype="float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        one.set_params(tol=0.0, alpha=0.01).fit(X, Y)
    there = quietly(
        theirs.MLPClassifier((10,), solver="lbfgs", random_state=seed, alpha=0.01), X, Y
    )
    assert one.score(X, Y) >= there.score(X, Y) - 0.02


def test_what_diverges_keeps_the_best() -> None:
    options: dict[str, Any] = {"solver": "sgd", "early_stopping": True, "random_state": 0}
    for kind in (MLPClassifier, theirs.MLPClassifier):
        one = kind((5,), learning_rate_init=1e3, max_iter=50, **options)
        quietly(one, 100 * X, Y)
        assert np.isfinite(one.best_validation_score_)
        assert all(np.isfinite(coef).all() for coef in one.coefs_)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        quietly(
            MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=1e6),
            1e3 * X,
            1e6 * Y,
        )


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_other_sizes_are_named(method: str) -> None:
    one = quietly(MLPClassifier((5,), max_iter=2, warm_start=True), X, Y)
    for sizes in ((6,), (5, 5), ()):
        one.set_params(hidden_layer_sizes=sizes)
        with pytest.raises(ValueError, match=r"hidden_layer_sizes is now .* weights of \[5\]"):
            quietly(one, X, Y, method=method)
    quietly(one.set_params(warm_start=False), X, Y)


def test_labels_are_named_as_they_are() -> None:
    one = quietly(MLPClassifier((5,), max_iter=2), X, Y > 0)
    assert one.predict(X).dtype == bool
    texts = np.array(["ash", "elm", "yew"])[Y]
    with pytest.raises(ValueError, match=r"y has 'oak', which is none of \['ash', 'elm', 'yew'\]"):
        held = (X[:2], ["ash", "oak"])
        quietly(MLPClassifier((5,), max_iter=2), X, texts, validation_data=held)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_poisson_loss_is_scikit_learn_s(weighted: bool) -> None:
    weight = np.linspace(0.1, 2, len(Y)) if weighted else None
    values = []
    for kind in (MLPRegressor, theirs.MLPRegressor):
        options = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 4}
        one = quietly(kind(loss="poisson", **options), X, Y, sample_weight=weight)
        values.append(one.loss_)
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    with pytest.raises(ValueError, match="weight"):
        quietly(
            MLPRegressor(hidden_layer_sizes=(5,), loss="poisson"),
            X,
            Y,
            sample_weight=np.zeros(len(Y)),
        )


@pytest.mark.parametrize("classes", [2, 3, 12])
def test_rare_classes_are_trained_on_before_they_are_held_out(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scikit-learn refuses two of which one is rare, and divides more without a look at them."""
    seen: list[Any] = []
    rows = MLPClassifier._rows

    def noted(self: Any, x: Any, y: Any, weight: Any) -> Any:
        seen.append(y)
        return rows(self, x, y, weight)

    monkeypatch.setattr(MLPClassifier, "_rows", noted)
    y = np.array([0] * (31 - classes) + list(range(1, classes)))
    x = np.random.default_rng(1).normal(size=(30, 2))
    for seed in range(4):
        seen.clear()
        one = MLPClassifier((3,), early_stopping=True, max_iter=2, random_state=seed)
        quietly(one, x, y)
        held, trained = seen[:2]
        assert len(held) == 3
        assert len(np.unique(trained)) == classes
