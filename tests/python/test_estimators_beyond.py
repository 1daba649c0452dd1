# SPDX-License-Identifier: Apache-2.0
"""What laminar's estimators can do that scikit-learn's cannot."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification, make_regression

from laminar import activations, losses, optimizers
from laminar.callbacks import EarlyStopping, LambdaCallback
from laminar.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8, 6), "max_iter": 3, "random_state": 0}


def classes(count: int = 3) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = make_classification(120, 6, n_informative=4, n_classes=count, random_state=0)
    return x, y


def numbers(outputs: int = 1) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = make_regression(120, 6, n_targets=outputs, random_state=0)
    return x, y / np.abs(y).max()


def same(a: Any, b: Any) -> bool:
    return all(map(np.array_equal, a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_))


def test_an_activation_for_each_layer() -> None:
    x, y = numbers()
    model = MLPRegressor(activation=["gelu", activations.LeakyReLU()], **SMALL).fit(x, y)
    chosen = [layer.activation._entry for layer in model._model.layers]  # type: ignore[attr-defined]
    assert chosen == ["gelu", "leaky_relu", "linear"]
    with pytest.raises(ValueError, match="one for each of 2 hidden layers, got 3"):
        MLPRegressor(activation=["relu"] * 3, **SMALL).fit(x, y)
    with pytest.raises(ValueError, match="'rellu'; did you mean 'relu'"):
        MLPRegressor(activation="rellu", **SMALL).fit(x, y)


@pytest.mark.parametrize("loss", ["mae", "huber", losses.LogCosh(), {"name": "quantile"}])
def test_losses_of_numbers(loss: Any) -> None:
    x, y = numbers(2)
    model = MLPRegressor(loss, **{**SMALL, "max_iter": 30}).fit(x, y)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.predict(x).shape == (120, 2)


@pytest.mark.parametrize("count", [2, 3])
def test_losses_of_classes(count: int) -> None:
    x, y = classes(count)
    loss = "binary_focal_crossentropy" if count == 2 else "categorical_focal_crossentropy"
    model = MLPClassifier(loss=loss, **{**SMALL, "max_iter": 30}).fit(x, y)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, atol=1e-6)


def test_dropout_and_batch_normalization() -> None:
    x, y = classes()
    plain = MLPClassifier(**SMALL).fit(x, y)
    model = MLPClassifier(dropout=[0.5, 0.1], batch_normalization=True, **SMALL).fit(x, y)
    kinds = [layer._entry for layer in model._model.layers]
    assert kinds.count("dropout") == kinds.count("batch_normalization") == 2
    assert [c.shape for c in model.coefs_] == [c.shape for c in plain.coefs_]
    np.testing.assert_array_equal(model.predict_proba(x), model.predict_proba(x))
    for name, value in (("dropout", 0.5), ("batch_normalization", True)):
        with pytest.raises(ValueError, match=f"{name} needs solver 'sgd' or 'adam'"):
            MLPClassifier(solver="lbfgs", **{name: value}).fit(x, y)
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\)"):
        MLPClassifier(dropout=[1.5, 0], **SMALL).fit(x, y)


def test_class_weights_are_weights_of_rows() -> None:
    x, y = classes()
    table = {0: 2.0, 1: 0.5}
    by_class = MLPClassifier(class_weight=table, **SMALL).fit(x, y)
    by_row = MLPClassifier(**SMALL).fit(x, y, np.array([2.0, 0.5, 1.0])[y])
    assert same(by_class, by_row)
    MLPClassifier(class_weight="balanced", **SMALL).fit(x, y)
    with pytest.raises(ValueError, match="class_weight has 7, which is no class"):
        MLPClassifier(class_weight={7: 1.0}, **SMALL).fit(x, y)
    with pytest.raises(ValueError, match="needs all rows"):
        MLPClassifier(class_weight="balanced").partial_fit(x, y, classes=[0, 1, 2])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_whole_weights_are_repeated_rows(estimator: Any, solver: str) -> None:
    x, y = classes() if estimator is MLPClassifier else numbers()
    weight = np.random.default_rng(0).integers(0, 4, len(x))
    weight[:3] = 1
    options = {**SMALL, "solver": solver, "batch_size": 1000, "max_iter": 8, "alpha": 1.0}
    options |= {"dtype": "float64", "batch_size": 120}
    weighted = estimator(**options).fit(x, y, sample_weight=weight)
    repeated = estimator(**{**options, "batch_size": int(weight.sum())}).fit(
        x.repeat(weight, axis=0), y.repeat(weight)
    )
    for a, b in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


def test_callbacks_and_validation_data() -> None:
    x, y = classes()
    seen: list[set[str]] = []
    watch = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(set(logs)))
    model = MLPClassifier(**SMALL)
    model.fit(x[:90], y[:90], validation_data=(x[90:], y[90:]), callbacks=[watch])
    assert seen == [{"loss", "val_loss"}] * 3
    assert len(model.validation_scores_) == 3
    stop = EarlyStopping(monitor="loss", patience=0, min_delta=9)
    assert model.set_params(max_iter=50).fit(x, y, callbacks=stop).n_iter_ < 5
    held = MLPClassifier(early_stopping=True, **SMALL).fit(
        x[:90], y[:90], validation_data=(x[90:], y[90:])
    )
    assert held.best_validation_score_ == max(held.validation_scores_)
    assert held.score(x[90:], y[90:]) == pytest.approx(held.best_validation_score_)
    for wrong in ((x,), (x[:3], y[:4])):
        with pytest.raises(ValueError, match="validation_data"):
            model.fit(x, y, validation_data=wrong)


@pytest.mark.parametrize("optimizer", ["nadam", optimizers.RMSprop(0.01), {"name": "lion"}])
def test_optimizers(optimizer: Any) -> None:
    x, y = numbers()
    before = copy.deepcopy(optimizer)
    model = MLPRegressor(optimizer=optimizer, **{**SMALL, "max_iter": 20}).fit(x, y)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert repr(before) == repr(optimizer)
    assert model.partial_fit(x, y).t_ == 21 * len(x)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_schedules(solver: str) -> None:
    x, y = numbers()
    rate = optimizers.schedules.ExponentialDecay(0.01, 1, 0.5)
    model = MLPRegressor(solver=solver, learning_rate=rate, **SMALL).fit(x, y)
    assert model._model.optimizer is not None
    assert model._model.optimizer.learning_rate == pytest.approx(0.01 * 0.5**3)


def test_a_warm_start_keeps_the_optimizer() -> None:
    x, y = classes()
    options = {**SMALL, "shuffle": False}
    whole = MLPClassifier(**{**options, "max_iter": 6}).fit(x, y)
    parts = MLPClassifier(warm_start=True, **options).fit(x, y)
    assert same(parts.fit(x, y), whole)
    assert parts.loss_curve_ == whole.loss_curve_
    # Another learning rate begins with another optimizer, and from the weights that are shown.
    weights = copy.deepcopy(parts.coefs_)
    parts.set_params(learning_rate_init=1e-12).fit(x, y)
    for a, b in zip(parts.coefs_, weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)


def test_changed_weights_count() -> None:
    x, y = numbers()
    model = MLPRegressor(**SMALL).fit(x, y)
    model.coefs_[-1][:] = 0
    model.intercepts_[-1] = np.array([7.0])
    np.testing.assert_array_equal(model.predict(x), np.full(len(x), 7.0))


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_sparse_rows(estimator: Any) -> None:
    x, y = classes() if estimator is MLPClassifier else numbers()
    x = np.where(np.abs(x) < 0.5, 0, x)
    options = {**SMALL, "shuffle": False, "batch_size": 32}
    dense, sparse = (estimator(**options).fit(kind, y) for kind in (x, csr_matrix(x)))
    assert same(dense, sparse)
    np.testing.assert_allclose(dense.loss_curve_, sparse.loss_curve_, rtol=1e-5)
    np.testing.assert_array_equal(dense.predict(x), sparse.predict(csr_matrix(x)))
    seen: list[float] = []
    watch = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    shuffled = estimator(**{**options, "shuffle": True})
    shuffled.fit(csr_matrix(x), y, callbacks=watch, validation_data=(x, y))
    assert len(seen) == 12
    estimator(solver="lbfgs", **SMALL).fit(csr_matrix(x), y)
    estimator(early_stopping=True, **SMALL).fit(csr_matrix(x), y)


def test_types_of_predictions() -> None:
    x, y = numbers()
    for dtype in ("float32", "float64"):
        model = MLPRegressor(dtype=dtype, **SMALL).fit(x, y)
        assert model.coefs_[0].dtype == dtype
        assert model.predict(x).dtype == np.float64
        assert model.predict(x.astype(np.float32)).dtype == np.float32
