# SPDX-License-Identifier: Apache-2.0
"""What trains on a table and predicts its test rows: one function for each method.

Each gets the rows as data frames and returns predictions, or for classes the probability of each
in the order of ``classes``, and the seconds that training took. Run as a program, it does one
method on one table, which it reads from a folder, and prints what it measured as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas


class Task(NamedTuple):
    """One split of a table."""

    train: pandas.DataFrame
    test: pandas.DataFrame
    target: str
    kind: str  # "classification" or "regression"
    seed: int
    options: tuple[str, ...]  # of laminar train

    @property
    def classes(self) -> list[str]:
        """The classes in the order of their probabilities."""
        return sorted({str(value) for value in self.train[self.target]})


Made = tuple[Any, float]


def of_laminar(task: Task) -> Made:
    """Train by the command, in this process; predict by the command as well."""
    from laminar.__main__ import main

    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder) / f"{name}.csv") for name in ("train", "test", "out")}
        model = str(Path(folder) / "model.safetensors")
        task.train.to_csv(paths["train"], index=False)
        task.test.drop(columns=task.target).to_csv(paths["test"], index=False)
        train = ["train", paths["train"], "--target", task.target, "--task", task.kind]
        train += ["--save", model, "--seed", str(task.seed), *task.options]
        seconds = _said(main, train)
        _said(main, ["predict", model, paths["test"], "--output", paths["out"]])
        out = pandas.read_csv(paths["out"])
    if task.kind == "regression":
        return out.iloc[:, -1].to_numpy(), seconds
    return out[[f"p({label})" for label in task.classes]].to_numpy(), seconds


def _said(main: Callable[[list[str]], int], arguments: list[str]) -> float:
    """Run a command; return its seconds, and raise what it says where it fails."""
    said = io.StringIO()
    start = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
    seconds = time.perf_counter() - start
    if status:
        raise ValueError(said.getvalue()[-2000:])
    return seconds


def _columns(task: Task) -> tuple[list[str], list[str]]:
    x = task.train.drop(columns=task.target)
    numbers = [name for name in x if x[name].dtype.kind in "fiu"]
    return numbers, [name for name in x if name not in numbers]


def _prepared(task: Task, estimator: Any) -> Any:
    """Return a pipeline: gaps filled and marked, categories one-hot, numbers standardized."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers, others = _columns(task)
    columns = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()),
                numbers,
            ),
            ("others", OneHotEncoder(handle_unknown="ignore", sparse_output=False), others),
        ]
    )
    return make_pipeline(columns, estimator)


def _scaled(task: Task, estimator: Any) -> Any:
    """Return a regressor that is trained on the standardized target."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(_prepared(task, estimator), transformer=StandardScaler())


def of_mlp(task: Task) -> Made:
    """Train scikit-learn's network of the same widths, with early stopping.

    A hundred rows held out are too few for accuracies to say when to stop: small classifications
    stop by their loss. The patience of 10 epochs is that of large tables.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    few = len(task.train) < 1000 and task.kind == "classification"
    options: dict[str, Any] = {"hidden_layer_sizes": (128, 64), "max_iter": 500}
    options |= {"early_stopping": not few, "random_state": task.seed}
    if not few:
        options["n_iter_no_change"] = 10 if len(task.train) >= 10_000 else 30
    if task.kind == "regression":
        return _fitted(task, _scaled(task, MLPRegressor(**options)))
    return _fitted(task, _prepared(task, MLPClassifier(**options)))


def of_linear(task: Task) -> Made:
    """Train ridge or logistic regression, the penalty by cross-validation."""
    from sklearn.linear_model import LogisticRegression, RidgeCV

    if task.kind == "regression":
        return _fitted(task, _scaled(task, RidgeCV(np.logspace(-3, 4, 15))))
    return _fitted(task, _prepared(task, LogisticRegression(max_iter=2000)))


def of_trees(task: Task) -> Made:
    """Train HistGradientBoosting, which takes categories and gaps as they are."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    numbers, others = _columns(task)
    few = [name for name in others if task.train[name].nunique() < 255]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer([("others", codes, others), ("numbers", "passthrough", numbers)])
    options = {
        "random_state": task.seed,
        "categorical_features": [others.index(name) for name in few],
    }
    regression = task.kind == "regression"
    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return _fitted(task, make_pipeline(columns, kind(**options)))


def _fitted(task: Task, estimator: Any) -> Made:
    x, y = task.train.drop(columns=task.target), task.train[task.target]
    test = task.test.drop(columns=task.target)
    if task.kind == "classification":
        y = y.astype(str)
    start = time.perf_counter()
    estimator.fit(x, y)
    seconds = time.perf_counter() - start
    if task.kind == "regression":
        return estimator.predict(test), seconds
    assert list(estimator.classes_) == task.classes
    return estimator.predict_proba(test), seconds


METHODS: dict[str, Callable[[Task], Made]] = {
    "laminar": of_laminar,
    "mlp": of_mlp,
    "linear": of_linear,
    "trees": of_trees,
}


def scores(task: Task, predicted: Any) -> dict[str, float]:
    """Return the measures; "score" is the one of ranks, greater is better.

    It is R2 of numbers, the area under the ROC curve of two classes, and the log loss of more, with
    its sign turned.
    """
    from sklearn import metrics

    y = task.test[task.target]
    if task.kind == "regression":
        r2 = float(metrics.r2_score(y, predicted))
        return {"score": r2, "r2": r2, "mae": float(metrics.mean_absolute_error(y, predicted))}
    names = task.classes
    truth = np.array([names.index(str(value)) for value in y])
    p = np.clip(predicted, 1e-7, 1)
    p /= p.sum(axis=1, keepdims=True)
    found = {
        "accuracy": float((p.argmax(axis=1) == truth).mean()),
        "log_loss": float(-np.log(p[np.arange(len(p)), truth]).mean()),
    }
    if len(names) == 2:
        found["auc"] = float(metrics.roc_auc_score(truth, p[:, 1]))
    return {"score": found.get("auc", -found["log_loss"]), **found}


def _most_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run one method on the splits that are pickled in a file, and print a line for each."""
    method, path = sys.argv[1:]
    with open(path, "rb") as file:  # of run.py, which has just written it
        tasks: list[Task] = [Task(*fields) for fields in pickle.load(file)]
    warm = tasks[0]._replace(train=tasks[0].train.head(0))
    with contextlib.suppress(Exception):  # imports what training needs, for times and memory
        METHODS[method](warm)
    before = _most_memory()
    for task in tasks:
        try:
            predicted, seconds = METHODS[method](task)
            found: dict[str, Any] = {**scores(task, predicted), "seconds": seconds}
        except Exception as error:  # a refusal is a result
            found = {"error": f"{type(error).__name__}: {error}"}
        found["mebibytes"] = _most_memory() - before
        print(json.dumps({"seed": task.seed, **found}), flush=True)


if __name__ == "__main__":
    main()
