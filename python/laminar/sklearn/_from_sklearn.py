# SPDX-License-Identifier: Apache-2.0
"""Networks that scikit-learn has fitted, alone or behind scalers and encoders, as models."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from .. import layers, ops
from ..model import Model

_ACTIVATIONS = {
    "exp": "exponential",
    "identity": "linear",
    "logistic": "sigmoid",
    "relu": "relu",
    "softmax": "softmax",
    "tanh": "tanh",
}


def from_sklearn(estimator: Any, dtype: str | None = None) -> Model:
    """Return a model that predicts what a fitted network of scikit-learn does.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
        Fitted. Before the network a pipeline may have StandardScaler, MinMaxScaler, MaxAbsScaler,
        RobustScaler, Normalizer (L1, L2), OneHotEncoder of numbers, a ColumnTransformer of these by
        column numbers, and "passthrough".
    dtype : {"float32", "float64"}, optional
        The type of the model; without it that of the network's weights.

    Returns
    -------
    Model
        Not compiled. ``predict`` returns what ``predict_proba`` of a classifier does, but for two
        classes the probability of the second alone, (n, 1); of a regressor what ``predict`` does,
        (n, outputs). ``class_names`` are the classes where they are texts.

    Raises
    ------
    TypeError, ValueError
        Where it is no such estimator, is not fitted, or has a step that has no layer, which is
        named.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> from laminar.sklearn import from_sklearn
    >>> network = MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", random_state=0)
    >>> fitted = network.fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0])
    >>> from_sklearn(fitted).predict([[1.0]]).shape
    (1, 1)
    """
    steps = _steps(estimator) if isinstance(estimator, Pipeline) else [estimator]
    network = steps[-1]
    if not isinstance(network, (MLPClassifier, MLPRegressor)):
        raise TypeError(
            "from_sklearn: estimator must be an MLPClassifier or MLPRegressor of scikit-learn, or "
            f"a Pipeline that ends in one, got {type(network).__name__}"
        )
    if not hasattr(network, "coefs_"):
        raise ValueError(
            f"from_sklearn: the {type(network).__name__} is not fitted; call fit first"
        )
    width = _width([*steps[:-1], network])
    start = layers.Input((width,))
    symbol: Any = start
    given: list[tuple[layers.Layer, list[Any]]] = []
    for step in steps[:-1]:
        symbol = _prepared(step, symbol, given)
    last = len(network.coefs_) - 1
    for i, (kernel, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
        name = network.out_activation_ if i == last else network.activation
        dense = layers.Dense(kernel.shape[1], _ACTIVATIONS[name])
        symbol = dense(symbol)
        given.append((dense, [kernel, bias]))
    model = Model(start, symbol, dtype=dtype or network.coefs_[0].dtype.name)
    weights = {id(layer): arrays for layer, arrays in given}
    model.set_weights([array for layer in model.layers for array in weights.get(id(layer), ())])
    classes: Any = getattr(network, "classes_", None)
    texts = isinstance(classes, np.ndarray) and classes.dtype.kind in "OU"
    if texts and all(isinstance(each, str) for each in classes):
        model.class_names = tuple(str(each) for each in classes)
    return model


def _steps(pipeline: Any) -> list[Any]:
    return [step for _, step in pipeline.steps]


def _width(steps: list[Any]) -> int:
    for step in steps:
        found = getattr(step, "n_features_in_", None)
        if found is not None:
            return int(found)
    raise ValueError("from_sklearn: the estimator is not fitted; call fit first")


def _refusal(step: Any, why: str) -> ValueError:
    return ValueError(
        f"from_sklearn: step {type(step).__name__} {why}; transform the data before the model, and "
        "give the rest of the pipeline"
    )


def _prepared(step: Any, x: Any, given: list[tuple[layers.Layer, list[Any]]]) -> Any:
    """Return the symbol of a step of preparation."""
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return x
    if isinstance(step, Pipeline):
        for inner in _steps(step):
            x = _prepared(inner, x, given)
        return x
    if isinstance(step, ColumnTransformer):
        return _columns(step, x, given)
    if isinstance(step, FunctionTransformer) and step.func is None:
        return x
    if isinstance(step, (FunctionTransformer, SimpleImputer)):
        raise _refusal(step, "has no layer")
    if not hasattr(step, "n_features_in_"):
        raise _refusal(step, "is not fitted, or has no layer")
    features = x.shape[-1]
    if isinstance(step, (StandardScaler, RobustScaler)):
        center = step.mean_ if isinstance(step, StandardScaler) else step.center_
        shifted = step.with_mean if isinstance(step, StandardScaler) else step.with_centering
        scale = step.scale_ if step.scale_ is not None else np.ones(features)
        return _affine(x, center if shifted else np.zeros(features), 1 / scale, given)
    if isinstance(step, MaxAbsScaler):
        return _affine(x, np.zeros(features), 1 / step.scale_, given)
    if isinstance(step, MinMaxScaler):
        x = _affine(x, -step.min_ / step.scale_, step.scale_, given)
        return ops.clip(x, *step.feature_range) if step.clip else x
    if isinstance(step, Normalizer) and step.norm in ("l1", "l2"):
        size = ops.abs(x) if step.norm == "l1" else x * x
        total = ops.sum(size, axis=-1, keepdims=True)
        length = total if step.norm == "l1" else ops.sqrt(total)
        return x / ops.where(ops.equal(length, 0.0), 1.0, length)
    if isinstance(step, OneHotEncoder):
        return _one_hot(step, x)
    raise _refusal(step, "has no layer")


def _affine(x: Any, center: Any, scale: Any, given: list[tuple[layers.Layer, list[Any]]]) -> Any:
    """Return (x - center) * scale, which training leaves as it is."""
    layer = layers.BatchNormalization(epsilon=1.0, center=False, trainable=False)
    given.append((layer, [scale, center, np.zeros(len(center))]))
    return layer(x)


def _one_hot(step: Any, x: Any) -> Any:
    if step.drop is not None or step.min_frequency is not None or step.max_categories is not None:
        raise _refusal(step, "drops or joins categories, for which there is no layer")
    parts = []
    for i, categories in enumerate(step.categories_):
        if categories.dtype.kind not in "biuf" or not np.all(np.isfinite(categories)):
            raise _refusal(step, "has categories that are no numbers")
        column = ops.take(x, np.array([i]), axis=-1)
        parts.append(ops.where(ops.equal(column, categories.astype(np.float64)), 1.0, 0.0))
    return parts[0] if len(parts) == 1 else layers.Concatenate()(parts)


def _columns(step: Any, x: Any, given: list[tuple[layers.Layer, list[Any]]]) -> Any:
    """Return the parts of a ColumnTransformer beside each other."""
    if not hasattr(step, "transformers_"):
        raise _refusal(step, "is not fitted")
    parts = []
    for name, transformer, columns in step.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        places = np.arange(x.shape[-1])
        try:
            places = places[columns]
        except (IndexError, TypeError, ValueError):
            known = list(getattr(step, "feature_names_in_", ()))
            wanted = [columns] if isinstance(columns, str) else list(columns)
            if not all(each in known for each in wanted):
                raise _refusal(step, f"takes the columns {columns!r} of {name!r}") from None
            places = np.array([known.index(each) for each in wanted])
        places = np.atleast_1d(places)
        if places.size:
            parts.append(_prepared(transformer, ops.take(x, places, axis=-1), given))
    if not parts:
        raise _refusal(step, "leaves no columns")
    return parts[0] if len(parts) == 1 else layers.Concatenate()(parts)
