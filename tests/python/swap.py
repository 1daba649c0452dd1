# SPDX-License-Identifier: Apache-2.0
"""One script, once with scikit-learn's estimators and once with laminar's: what programs see.

Forms of results, public attributes, warnings, printed lines and errors. Numbers are compared in
test_estimators.py and test_sklearn.py, scores by bench/estimators/run.py.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import sklearn.linear_model
import sklearn.neural_network
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse

import laminar.sklearn as own

peer = SimpleNamespace(
    MLPClassifier=sklearn.neural_network.MLPClassifier,
    MLPRegressor=sklearn.neural_network.MLPRegressor,
    Perceptron=sklearn.linear_model.Perceptron,
)
Script = Callable[[Any, Any, Any], Any]
NAMES = [name for name in own.__all__ if isinstance(getattr(own, name), type)]
NETWORKS = ["MLPClassifier", "MLPRegressor"]
CLASSIFIERS = ["MLPClassifier", "Perceptron"]
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]


def data(name: str, kind: str = "") -> tuple[NDArray[Any], Any]:
    """Return rows and targets of one kind."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 6))
    y = x @ rng.normal(size=6)
    match kind:
        case "two":
            return x, np.where(y > 0, "many", "few")
        case "multilabel":
            return x, np.c_[y > 0, y > 1, x[:, 0] > 0].astype(int)
        case "sparse multilabel":
            return x, csr_matrix(data(name, "multilabel")[1])
        case "outputs":
            return x, np.c_[y, -y]
        case "counts":
            return x, np.round(np.exp(y / 2))
    y = y if name == "MLPRegressor" else 2 * np.digitize(y, [-1, 1])
    return x, y[:, None] if kind == "column" else y


def form(value: Any) -> Any:
    """Return what a program sees of a result but its numbers."""
    match value:
        case dict():
            return {key: form(part) for key, part in value.items()}
        case list() | tuple():
            forms = [form(part) for part in value]
            return "numbers" if set(map(str, forms)) == {"number"} else forms
        case bool() | str() | None:
            return value
    if issparse(value) or isinstance(value, np.ndarray):
        return (value.shape, "sparse" if issparse(value) else value.dtype.kind)
    return "number" if np.isreal(value) else type(value).__name__


def watched(action: Callable[[], Any]) -> dict[str, Any]:
    """Return what an action gave, warned of, printed and raised."""
    seen: dict[str, Any] = {"error": None, "result": None}
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            seen["result"] = form(action())
        except Exception as error:
            # The words of a set come in any order.
            text = re.sub(r"\{.*?\}", lambda m: str(sorted(m[0][1:-1].split(", "))), str(error))
            seen["error"] = (type(error).__name__, text)
    seen["warnings"] = [(w.category.__name__, str(w.message)) for w in caught]
    seen["printed"] = re.sub(r"\d[\d.e+-]*", "#", printed.getvalue())
    return seen


def looks(model: Any, x: Any, y: Any) -> dict[str, Any]:
    """Return what a program can ask of a fitted model."""
    public = [key for key in vars(model) if key.endswith("_") and not key.startswith("_")]
    seen = {key: getattr(model, key) for key in public}
    for method in METHODS:
        if hasattr(model, method):
            result = getattr(model, method)(x)
            seen[method] = (result, str(result.dtype))
    return {**seen, "score": model.score(x, y)}


def same(name: str, script: Script, kind: str = "", **options: Any) -> dict[str, Any]:
    """Run a script with both estimators, compare, and return what both did."""
    small = {} if name == "Perceptron" else {"hidden_layer_sizes": (4,)}
    x, y = data(name, kind)
    arguments = {"max_iter": 3, "random_state": 0, **small, **options}

    def run(library: Any) -> dict[str, Any]:
        return watched(lambda: script(getattr(library, name)(**arguments), x, y))

    theirs, ours = run(peer), run(own)
    assert ours == theirs
    return ours


def fit(model: Any, x: Any, y: Any) -> Any:
    return looks(model.fit(x, y), x, y)
