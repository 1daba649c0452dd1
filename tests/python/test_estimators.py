# SPDX-License-Identifier: Apache-2.0
"""MLPClassifier and MLPRegressor in the place of scikit-learn's: the same numbers and words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

import sklearn.neural_network as peer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.preprocessing import scale

import laminar.sklearn as own

NAMES = ["MLPClassifier", "MLPRegressor"]
pytestmark = pytest.mark.usefixtures("one_thread")
ignores_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def digits() -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = load_digits(return_X_y=True)
    return x[:300] / 16, y[:300]


def diabetes() -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = load_diabetes(return_X_y=True)
    return scale(x), scale(y)


def data(name: str, kind: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows and targets of one kind."""
    x, y = digits() if name == "MLPClassifier" else diabetes()
    match kind:
        case "binary":
            return x, np.where(y > 4, "many", "few")
        case "multilabel":
            return x, np.c_[y > 4, y % 2, y % 3 == 0].astype(int)
        case "several":
            return x, np.c_[y, 2 * y]
        case "counts":
            return x, np.round(np.exp(y))
    return x, y


CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("MLPClassifier", "", {}),
    ("MLPClassifier", "", {"solver": "sgd", "alpha": 3.0, "activation": "logistic"}),
    ("MLPClassifier", "", {"hidden_layer_sizes": (20, 10), "activation": "tanh", "alpha": 2}),
    ("MLPClassifier", "", {"hidden_layer_sizes": (), "batch_size": 64}),
    ("MLPClassifier", "", {"early_stopping": True, "batch_size": 50, "max_iter": 20}),
    ("MLPClassifier", "binary", {"solver": "sgd", "learning_rate": "invscaling"}),
    ("MLPClassifier", "binary", {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 30}),
    ("MLPClassifier", "multilabel", {"alpha": 1.0}),
    ("MLPClassifier", "multilabel", {"solver": "sgd", "momentum": 0.0}),
    ("MLPRegressor", "", {"alpha": 1.0, "batch_size": 33}),
    (
        "MLPRegressor",
        "",
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 2},
    ),
    ("MLPRegressor", "", {"early_stopping": True, "max_iter": 20}),
    ("MLPRegressor", "", {"activation": "identity", "nesterovs_momentum": False, "solver": "sgd"}),
    ("MLPRegressor", "several", {"solver": "sgd", "alpha": 0.0}),
    ("MLPRegressor", "several", {"alpha": 0.0}),
]


@ignores_convergence
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "kind", "options"), CASES)
def test_same_training(name: str, kind: str, options: dict[str, Any], weighted: bool) -> None:
    x, y = data(name, kind)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(x)) if weighted else None
    options = {"max_iter": 6, "random_state": 3, "shuffle": False, **options}
    theirs = getattr(peer, name)(**options).fit(x, y, sample_weight=weight)
    ours = getattr(own, name)(**options, dtype="float64").fit(x, y, sample_weight=weight)
    for a, b in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(ours.predict(x[:50]).shape, theirs.predict(x[:50]).shape)
    fitted = {k for k in vars(theirs) if k.endswith("_") and not k.startswith("_")}
    assert fitted <= {k for k in vars(ours) if k.endswith("_")}
    for key in fitted - {"coefs_", "intercepts_", "loss_curve_", "loss_", "best_loss_"}:
        a, b = getattr(ours, key), getattr(theirs, key)
        if isinstance(b, (list, float)):
            np.testing.assert_allclose(a, b, rtol=1e-8)
        else:
            assert np.all(a == b), key
    if not weighted:  # where scikit-learn averages over batches by their rows
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)
        assert ours.loss_ == pytest.approx(theirs.loss_)
    if hasattr(theirs, "predict_proba"):
        np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-9)
        np.testing.assert_allclose(
            ours.predict_log_proba(x), theirs.predict_log_proba(x), rtol=1e-6
        )
        np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
    assert ours.score(x, y) == pytest.approx(theirs.score(x, y))


@ignores_convergence
def test_same_poisson() -> None:
    x, y = data("MLPRegressor", "counts")
    options = {"loss": "poisson", "max_iter": 10, "random_state": 0, "shuffle": False}
    theirs = peer.MLPRegressor(**options).fit(x, y)
    ours = own.MLPRegressor(**options, dtype="float64").fit(x, y)
    # laminar's loss keeps logarithms 1e-7 from 0.
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-5)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), rtol=1e-4)
    assert ours.out_activation_ == theirs.out_activation_ == "exp"


@ignores_convergence
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_lbfgs_ends_as_low(name: str, dtype: str) -> None:
    x, y = (part[:150] for part in data(name, ""))
    options: dict[str, Any] = {"solver": "lbfgs", "alpha": 1.0, "random_state": 0}
    # Without a hidden layer there is one minimum.
    for sizes, tolerance in (((), 1e-4), ((5,), 0.5)):
        options["hidden_layer_sizes"] = sizes
        theirs = getattr(peer, name)(**options).fit(x, y)
        ours = getattr(own, name)(**options, dtype=dtype).fit(x, y)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=tolerance)
    assert not hasattr(ours, "loss_curve_")
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'"):
        _ = ours.partial_fit


@ignores_convergence
@pytest.mark.parametrize("seed", range(2))
def test_scores_like_scikit_learn(seed: int) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    x = scale(x)
    train, test = slice(0, 400), slice(400, None)
    scores = [
        module.MLPClassifier((20,), random_state=seed, max_iter=60)
        .fit(x[train], y[train])
        .score(x[test], y[test])
        for module in (own, peer)
    ]
    assert abs(scores[0] - scores[1]) < 0.03


@ignores_convergence
@pytest.mark.parametrize("name", NAMES)
def test_partial_fit(name: str) -> None:
    x, y = data(name, "")
    models = []
    for module in (own, peer):
        extra = {"dtype": "float64"} if module is own else {}
        model = getattr(module, name)(random_state=0, shuffle=False, **extra)
        known = {"classes": np.unique(y)} if name == "MLPClassifier" else {}
        model.partial_fit(x[:200], y[:200], **known)
        model.partial_fit(x[200:], y[200:])
        models.append(model)
    np.testing.assert_allclose(models[0].coefs_[0], models[1].coefs_[0], rtol=1e-7, atol=1e-10)
    assert models[0].t_ == models[1].t_ == len(x)
    assert len(models[0].loss_curve_) == 2


def test_same_warnings_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = digits()
    lines = []
    for module in (peer, own):
        options: dict[str, Any] = {"random_state": 0, "shuffle": False, "verbose": True}
        with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached") as caught:
            module.MLPClassifier(max_iter=2, early_stopping=True, **options).fit(x, y)
        if module is own:
            assert caught[0].filename == __file__
        with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger"):
            module.MLPClassifier(batch_size=301, tol=9, n_iter_no_change=1, **options).fit(x, y)
        with pytest.warns(ConvergenceWarning, match=r"lbfgs failed to converge after 2 iteration"):
            module.MLPClassifier(solver="lbfgs", max_iter=2, random_state=0).fit(x, y)
        with pytest.raises(NotFittedError, match="This MLPClassifier instance is not fitted yet"):
            module.MLPClassifier().predict(x)
        lines.append(re.sub(r"\d{5}\n", "\n", capsys.readouterr().out))
    assert lines[0] == lines[1]


def test_values_too_large_end_as_in_scikit_learn() -> None:
    x, y = diabetes()
    model = own.MLPRegressor(solver="sgd", activation="identity", learning_rate_init=1e9)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        model.fit(x, y)
