# SPDX-License-Identifier: Apache-2.0
"""The data sets of the estimators' benchmark, as numbers, each split into training and test rows.

Three come with scikit-learn. Adult (UCI, no header) and California housing (with header) are files
in the folder that LAMINAR_TEST_DATA names, `../shared/data` beside the checkout otherwise.
"""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDER = Path(
    os.environ.get("LAMINAR_TEST_DATA", Path(__file__).resolve().parents[3] / "shared/data")
)
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x, x of the test, y, y of the test


def table(name: str) -> np.ndarray:
    """Return the fields of a CSV file as text; FileNotFoundError where it is not there."""
    with (FOLDER / name).open(newline="") as lines:
        rows = [row for row in csv.reader(lines, skipinitialspace=True) if len(row) > 1]
    return np.array(rows, dtype=object)


def encoded(train: np.ndarray, test: np.ndarray, words: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return columns of words as 0 and 1, those of numbers standardized."""
    numbers = [i for i in range(train.shape[1]) if i not in words]
    for rows in (train, test):
        for i in numbers:
            rows[:, i] = [float(field) if field else np.nan for field in rows[:, i]]
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
    )
    return encoder.fit_transform(train), encoder.transform(test)


def standardized(load: Callable[..., tuple[np.ndarray, np.ndarray]], numbers: bool) -> Split:
    """Return one of scikit-learn's own data sets."""
    x, y = load(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y, random_state=0)
    scaler = StandardScaler().fit(x)
    if numbers:
        y, y_test = (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
    return scaler.transform(x), scaler.transform(x_test), y, y_test


def adult() -> Split:
    """Return 8,000 + 4,000 people of 1994's census, and whether they earn more than 50,000."""
    parts = [table("adult-train.csv")[:8000], table("adult-test.csv")[:4000]]
    train, test = parts
    x, x_test = encoded(train[:, :-1], test[:, :-1], [1, 3, 5, 6, 7, 8, 9, 13])
    y, y_test = (np.array([label.startswith(">") for label in part[:, -1]]) for part in parts)
    return x, x_test, y, y_test


def housing() -> Split:
    """Return 6,000 + 2,000 blocks of California, and the logarithm of the houses' median value."""
    rows = table("housing.csv")[1:]
    rows = rows[np.random.default_rng(0).permutation(len(rows))[:8000]]
    y = np.log(rows[:, 8].astype(float))
    x = np.delete(rows, 8, axis=1)
    x, x_test = encoded(x[:6000], x[6000:], [8])
    y = (y - y.mean()) / y.std()
    return x, x_test, y[:6000], y[6000:]


DATA: dict[str, Callable[[], Split]] = {
    "digits": lambda: standardized(datasets.load_digits, False),
    "breast cancer": lambda: standardized(datasets.load_breast_cancer, False),
    "diabetes": lambda: standardized(datasets.load_diabetes, True),
    "adult": adult,
    "housing": housing,
}
