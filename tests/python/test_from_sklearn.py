# SPDX-License-Identifier: Apache-2.0
"""`laminar.sklearn.from_sklearn`: what scikit-learn has fitted predicts the same here."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import preprocessing as pre  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402

from laminar import load_model  # noqa: E402
from laminar.sklearn import from_sklearn  # noqa: E402

RNG = np.random.default_rng(1)
X = np.column_stack([RNG.normal(size=(80, 3)) * [1, 5, 0.1] + [0, 9, 3], RNG.integers(0, 4, 80)])
LABELS = RNG.integers(0, 3, 80)
FEW: dict[str, Any] = {"hidden_layer_sizes": (5, 4), "max_iter": 25, "random_state": 0}


def network(kind: type[Any] = MLPRegressor, **more: Any) -> Any:
    return kind(**{**FEW, **more})


def fitted(estimator: Any, y: Any, x: Any = X) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y)


SCALED = {
    "standard": pre.StandardScaler(),
    "standard, without means": pre.StandardScaler(with_mean=False),
    "standard, without scale": pre.StandardScaler(with_std=False),
    "min and max": pre.MinMaxScaler((-1, 2)),
    "min and max, clipped": pre.MinMaxScaler(clip=True),
    "largest": pre.MaxAbsScaler(),
    "robust": pre.RobustScaler(),
    "robust, without center": pre.RobustScaler(with_centering=False),
    "unit rows": pre.Normalizer(),
    "unit rows by l1": pre.Normalizer("l1"),
    "nothing": "passthrough",
    "identity": pre.FunctionTransformer(),
    "two": make_pipeline(pre.RobustScaler(), pre.MaxAbsScaler()),
    "columns": make_column_transformer(
        (pre.StandardScaler(), [0, 2]), ("drop", [1]), (pre.OneHotEncoder(), [3])
    ),
    "columns and the rest": make_column_transformer(
        (pre.OneHotEncoder(handle_unknown="ignore", sparse_output=False), slice(3, 4)),
        remainder="passthrough",
    ),
}


@pytest.mark.parametrize("name", SCALED)
def test_pipelines(name: str) -> None:
    estimator = fitted(make_pipeline(SCALED[name], network()), X[:, 0])
    model = from_sklearn(estimator)
    x = X * [1.5, 2, 0.5, 1]
    assert model.dtype == "float64"
    np.testing.assert_allclose(model.predict(x)[:, 0], estimator.predict(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("activation", ["identity", "logistic", "relu", "tanh"])
@pytest.mark.parametrize("kind", ["classes", "two", "texts", "labels", "numbers", "counts"])
def test_networks(activation: str, kind: str) -> None:
    y = {
        "classes": LABELS,
        "two": LABELS > 0,
        "texts": np.array(["a", "b", "c"])[LABELS],
        "labels": RNG.integers(0, 2, (80, 3)),
        "numbers": X[:, :2],
        "counts": LABELS.astype(float),
    }[kind]
    regression = kind in ("numbers", "counts")
    more = {"loss": "poisson"} if kind == "counts" else {}
    estimator = network(
        MLPRegressor if regression else MLPClassifier, activation=activation, **more
    )
    estimator = fitted(estimator, y)
    expected = estimator.predict(X) if regression else estimator.predict_proba(X)
    expected = expected[:, 1:] if kind == "two" else expected
    model = from_sklearn(estimator)
    got = model.predict(X)
    np.testing.assert_allclose(got, expected.reshape(got.shape), rtol=1e-9, atol=1e-9)
    assert model.class_names == (("a", "b", "c") if kind == "texts" else None)


def test_float32_is_as_close_as_it_can_be() -> None:
    estimator = fitted(make_pipeline(pre.StandardScaler(), network()), X[:, 0])
    model = from_sklearn(estimator, dtype="float32")
    np.testing.assert_allclose(model.predict(X)[:, 0], estimator.predict(X), rtol=1e-5, atol=1e-5)


def test_the_model_is_saved_exported_and_trained(tmp_path: Any) -> None:
    estimator = fitted(make_pipeline(SCALED["columns"], network()), X[:, 0])
    model = from_sklearn(estimator)
    expected = model.predict(X)
    model.export(tmp_path / "m.c")
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "m.safetensors").predict(X), expected)
    before = model.layers[
        [type(each).__name__ for each in model.layers].index("BatchNormalization")
    ]
    weights = [each.copy() for each in before.get_weights()]
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0)
    for a, b in zip(before.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(model.predict(X), expected)


REFUSED: dict[str, tuple[Any, str]] = {
    "polynomials": (pre.PolynomialFeatures(2), "step PolynomialFeatures has no layer; transform"),
    "quantiles": (pre.QuantileTransformer(n_quantiles=9), "step QuantileTransformer has no layer"),
    "an imputer": (SimpleImputer(), "step SimpleImputer has no layer"),
    "a function": (pre.FunctionTransformer(np.exp), "step FunctionTransformer has no layer"),
    "the largest norm": (pre.Normalizer("max"), "step Normalizer has no layer"),
    "dropped": (pre.OneHotEncoder(drop="first", sparse_output=False), "drops or joins categories"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_steps_without_a_layer_are_named(name: str) -> None:
    step, message = REFUSED[name]
    estimator = fitted(make_pipeline(step, network()), X[:, 0])
    with pytest.raises(ValueError, match=message):
        from_sklearn(estimator)


def test_what_is_no_network_or_not_fitted_is_refused() -> None:
    for other in (RandomForestClassifier(2), make_pipeline(pre.StandardScaler()), None, "mlp"):
        with pytest.raises(TypeError, match="must be an MLPClassifier or MLPRegressor"):
            from_sklearn(other)
    for unfitted in (network(), make_pipeline(pre.StandardScaler(), network())):
        with pytest.raises(ValueError, match="not fitted; call fit first"):
            from_sklearn(unfitted)
    texts = np.array([["a"], ["b"]] * 40)
    encoder = pre.OneHotEncoder(sparse_output=False)
    with pytest.raises(ValueError, match="has categories that are no numbers"):
        from_sklearn(fitted(make_pipeline(encoder, network()), X[:, 0], texts))
