# SPDX-License-Identifier: Apache-2.0
"""What programs do with estimators, done with scikit-learn's and with laminar's.

What differs on purpose is not here: negative sample weights are refused; MLPRegressor has no
partial_fit with "lbfgs"; Perceptron warns where tol=None leaves mistakes.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

from scipy.sparse import csc_matrix, csr_array, csr_matrix
from sklearn.base import clone
from swap import CLASSIFIERS, NAMES, Script, fit, looks, same

pytestmark = pytest.mark.usefixtures("one_thread")
WEIGHT = np.random.default_rng(1).uniform(0, 2, 60)
LETTERS = np.array(list("abcde"))

ANY: dict[str, Script] = {
    "fit twice": lambda m, x, y: looks(m.fit(x, y).fit(x, y), x, y),
    "warm start": lambda m, x, y: fit(m.set_params(warm_start=True).fit(x, y), x, y),
    "warm start, fewer features": lambda m, x, y: fit(
        m.set_params(warm_start=True).fit(x, y), x[:, :3], y
    ),
    "partial_fit after fit": lambda m, x, y: looks(m.fit(x, y).partial_fit(x, y), x, y),
    "weights": lambda m, x, y: looks(m.fit(x, y, sample_weight=WEIGHT), x, y),
    "weights as a list": lambda m, x, y: looks(m.fit(x, y, sample_weight=[2.0] * 60), x, y),
    "one weight": lambda m, x, y: looks(m.fit(x, y, sample_weight=2.0), x, y),
    "weights of 0": lambda m, x, y: fit(m, x, y) and m.fit(x, y, sample_weight=0 * WEIGHT),
    "too few weights": lambda m, x, y: m.fit(x, y, sample_weight=WEIGHT[1:]),
    "weights of two axes": lambda m, x, y: m.fit(x, y, sample_weight=WEIGHT[:, None]),
    "weights of NaN": lambda m, x, y: m.fit(x, y, sample_weight=WEIGHT * np.nan),
    "a weighted score": lambda m, x, y: m.fit(x, y).score(x, y, sample_weight=WEIGHT),
    "clone": lambda m, x, y: fit(clone(m.fit(x, y)), x, y),
    "a clone is not fitted": lambda m, x, y: clone(m.fit(x, y)).predict(x),
    "pickle": lambda m, x, y: looks(pickle.loads(pickle.dumps(m.fit(x, y))), x, y),
    "set_params": lambda m, x, y: m.set_params(max_iter=2).get_params()["max_iter"],
    "repr": lambda m, x, y: repr(m),
    "arguments are kept": lambda m, x, y: {
        key: value is vars(m)[key] for key, value in m.get_params().items() if key == "alpha"
    },
    "not fitted": lambda m, x, y: m.predict(x),
    "score of what is not fitted": lambda m, x, y: m.score(x, y),
    "CSR": lambda m, x, y: fit(m, csr_matrix(x), y),
    "CSC": lambda m, x, y: fit(m, csc_matrix(x), y),
    "a sparse array": lambda m, x, y: fit(m, csr_array(x), y),
    "CSR to predict": lambda m, x, y: looks(m.fit(x, y), csr_matrix(x), y),
    "float32": lambda m, x, y: fit(m, x.astype(np.float32), y),
    "float16": lambda m, x, y: fit(m, x.astype(np.float16), y),
    "integers": lambda m, x, y: fit(m, x.astype(int), y),
    "objects": lambda m, x, y: fit(m, x.astype(object), y.astype(object)),
    "columns in order": lambda m, x, y: fit(m, np.asfortranarray(x), y),
    "lists": lambda m, x, y: fit(m, x.tolist(), y.tolist()),
    "no targets": lambda m, x, y: m.fit(x, None),
    "too few targets": lambda m, x, y: m.fit(x, y[1:]),
    "targets of NaN": lambda m, x, y: m.fit(x, y * np.nan),
    "targets of three axes": lambda m, x, y: m.fit(x, y[:, None, None]),
    "rows of NaN": lambda m, x, y: m.fit(x * np.nan, y),
    "infinite rows": lambda m, x, y: m.fit(x * np.inf, y),
    "rows of one axis": lambda m, x, y: m.fit(y, y),
    "rows of three axes": lambda m, x, y: m.fit(x.reshape(60, 2, 3), y),
    "no rows": lambda m, x, y: m.fit(x[:0], y[:0]),
    "no features": lambda m, x, y: m.fit(x[:, :0], y),
    "one row": lambda m, x, y: looks(m.fit(x[:1], y[:1]), x, y),
    "complex rows": lambda m, x, y: m.fit(x + 1j, y),
    "rows of text": lambda m, x, y: m.fit(x.astype(str).astype(object) + "a", y),
    "other features to predict": lambda m, x, y: m.fit(x, y).predict(x[:, :3]),
    "other features in part": lambda m, x, y: m.fit(x, y).partial_fit(x[:, :3], y),
    "NaN to predict": lambda m, x, y: m.fit(x, y).predict(x * np.nan),
    "one axis to predict": lambda m, x, y: m.fit(x, y).predict(x[0]),
    "no rows to predict": lambda m, x, y: m.fit(x, y).predict(x[:0]),
    "too few rows to hold out": lambda m, x, y: m.set_params(early_stopping=True).fit(x[:6], y[:6]),
    "hardly any rows to hold out": lambda m, x, y: fit(
        m.set_params(early_stopping=True, validation_fraction=0.001), x, y
    ),
    "partial_fit after early stopping": lambda m, x, y: (
        m.set_params(early_stopping=True).fit(x, y).partial_fit(x, y)
    ),
}
CLASSES: dict[str, Script] = {
    "parts": lambda m, x, y: looks(
        m.partial_fit(x[:40], y[:40], classes=[0, 2, 4]).partial_fit(x[40:], y[40:]), x, y
    ),
    "weighted parts": lambda m, x, y: looks(
        m.partial_fit(x, y, classes=[0, 2, 4], sample_weight=WEIGHT), x, y
    ),
    "parts with early stopping": lambda m, x, y: m.set_params(early_stopping=True).partial_fit(
        x, y, classes=[0, 2, 4]
    ),
    "no classes": lambda m, x, y: m.partial_fit(x, y),
    "other classes later": lambda m, x, y: m.partial_fit(x, y, classes=[0, 2, 4]).partial_fit(
        x, y, classes=[0, 2, 5]
    ),
    "an unknown class": lambda m, x, y: m.partial_fit(x, y, classes=[0, 2]),
    "an unknown class later": lambda m, x, y: m.fit(x, y).partial_fit(x, y + 1),
    "one class": lambda m, x, y: m.fit(x, 0 * y),
    "one class in part": lambda m, x, y: m.partial_fit(x, 0 * y, classes=[0]),
    "numbers for classes": lambda m, x, y: m.fit(x, x[:, 0]),
    "strings": lambda m, x, y: fit(m, x, LETTERS[y]),
    "truths": lambda m, x, y: fit(m, x, y > 0),
    "two rows": lambda m, x, y: fit(m, x[:2], [0, 1]),
    "several columns of classes": lambda m, x, y: m.fit(x, np.c_[y, y]),
    "a column of classes to score": lambda m, x, y: m.fit(x, y).score(x, y[:, None]),
    "warm start, other classes": lambda m, x, y: (
        m.set_params(warm_start=True).fit(x, y).fit(x, y > 0)
    ),
    "a class of one row to hold out": lambda m, x, y: m.set_params(early_stopping=True).fit(
        x[:4], [0, 1, 2, 3]
    ),
}
NUMBERS: dict[str, Script] = {
    "parts": lambda m, x, y: looks(m.partial_fit(x[:40], y[:40]).partial_fit(x[40:], y[40:]), x, y),
    "parts with early stopping": lambda m, x, y: m.set_params(early_stopping=True).partial_fit(
        x, y
    ),
    "poisson": lambda m, x, y: fit(m.set_params(loss="poisson"), x, abs(y)),
    "poisson by lbfgs": lambda m, x, y: fit(
        m.set_params(loss="poisson", solver="lbfgs"), x, abs(y)
    ),
}
PERCEPTRON: dict[str, Script] = {
    "sparsify": lambda m, x, y: looks(m.fit(x, y).sparsify(), x, y),
    "densify": lambda m, x, y: looks(m.fit(x, y).sparsify().densify(), x, y),
    "sparsify before fit": lambda m, x, y: m.sparsify(),
    "densify before fit": lambda m, x, y: m.densify(),
    "given weights": lambda m, x, y: looks(
        m.fit(x, y, coef_init=np.ones((3, 6)), intercept_init=np.ones(3)), x, y
    ),
    "given weights of two classes": lambda m, x, y: looks(
        m.fit(x, y > 0, coef_init=np.ones(6), intercept_init=1.0), x, y > 0
    ),
    "too few weights given": lambda m, x, y: m.fit(x, y, coef_init=np.ones((2, 6))),
    "too many weights given": lambda m, x, y: m.fit(x, y > 0, coef_init=np.ones((2, 6))),
    "too few biases given": lambda m, x, y: m.fit(x, y, intercept_init=np.ones(2)),
    "too many biases given": lambda m, x, y: m.fit(x, y > 0, intercept_init=np.ones(2)),
    "no share of l1": lambda m, x, y: m.set_params(penalty="elasticnet", l1_ratio=None).fit(x, y),
    "balanced parts": lambda m, x, y: m.set_params(class_weight="balanced").partial_fit(
        x, y, classes=[0, 2, 4]
    ),
    "a balanced part after fit": lambda m, x, y: looks(
        m.set_params(class_weight="balanced").fit(x, y).partial_fit(x, y), x, y
    ),
    "a balanced part without a class": lambda m, x, y: looks(
        m.set_params(class_weight="balanced").fit(x, y).partial_fit(x[y == 0], y[y == 0]), x, y
    ),
    "warm start, as many other classes": lambda m, x, y: fit(
        m.set_params(warm_start=True).fit(x, y), x, y + 1
    ),
    "set_params of what is not there": lambda m, x, y: m.set_params(nonsense=1),
    "overflow": lambda m, x, y: m.set_params(eta0=1e300).fit(1e10 * x, y),
}
CASES = [
    *((name, title) for name in NAMES for title in ANY),
    *((name, title) for name in CLASSIFIERS for title in CLASSES),
    *(("MLPRegressor", title) for title in NUMBERS),
    *(("Perceptron", title) for title in PERCEPTRON),
]


@pytest.mark.parametrize(("name", "title"), CASES)
def test_same_scripts(name: str, title: str) -> None:
    scripts = ANY | (CLASSES if name in CLASSIFIERS else NUMBERS)
    scripts |= PERCEPTRON if name == "Perceptron" else {}
    same(name, scripts[title])


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "column") for name in NAMES),
        *((name, "two") for name in CLASSIFIERS),
        *(("MLPClassifier", kind) for kind in ("multilabel", "sparse multilabel")),
        *(("MLPRegressor", kind) for kind in ("outputs", "counts")),
    ],
)
def test_same_targets(name: str, kind: str, solver: str) -> None:
    for options in ({}, {"early_stopping": True}):
        chosen: dict[str, Any] = {} if name == "Perceptron" else {"solver": solver}
        assert same(name, fit, kind, **options, **chosen)["error"] is None


@pytest.mark.parametrize("name", NAMES)
def test_same_frames(name: str) -> None:
    frames = pytest.importorskip("pandas", reason="frames of pandas")

    def frame(x: Any, names: str = "abcdef") -> Any:
        return frames.DataFrame(x, columns=list(names))

    scripts: list[Script] = [
        lambda m, x, y: fit(m, frame(x), frames.Series(y)),
        lambda m, x, y: looks(m.fit(frame(x), y), x, y),
        lambda m, x, y: looks(m.fit(x, y), frame(x), y),
        lambda m, x, y: m.fit(frame(x), y).predict(frame(x, "abcdeg")),
    ]
    for script in scripts:
        same(name, script)


def test_lbfgs_has_no_parts() -> None:
    result = same("MLPClassifier", lambda m, x, y: m.partial_fit, solver="lbfgs")
    assert result["error"][0] == "AttributeError"
