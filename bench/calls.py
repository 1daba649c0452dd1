# SPDX-License-Identifier: Apache-2.0
"""Calls with one row beside `predict` of an array: `python bench/calls.py`.

Every form in which a row may come, of a network 17-64-64-6, takes turns with the array on one
thread; so do the estimators with scikit-learn's of the same layers (64, 64), which need
`pip install scikit-learn pandas`. All answers are compared first. The table has medians over the
rounds of the processor's time for a call, and of the ratios the median, the lowest and the highest.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas
from sklearn import linear_model, neural_network
from turns import in_turns

import laminar
from laminar import Input, Model, layers
from laminar import sklearn as estimators

Call = Callable[[], Any]

FEATURES, OUTPUTS = 17, 6
NAMES = [f"column {i}" for i in range(FEATURES)]


class Row(NamedTuple):
    """A line of the table: a call, what it is compared with, and whether both give the same."""

    name: str
    call: Call
    other: Call
    same: bool = True


def network() -> laminar.Sequential:
    """Return a network that has seen a table."""
    laminar.utils.set_random_seed(3)
    parts = [layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(OUTPUTS)]
    model = laminar.Sequential([Input((FEATURES,)), *parts])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).standard_normal((32, FEATURES), dtype=np.float32)
    model.fit(pandas.DataFrame(x, columns=NAMES), x[:, :OUTPUTS], verbose=0)
    return model


def of_models() -> Iterator[Row]:
    """Yield the forms of a row."""
    model = network()
    row = np.random.default_rng(1).standard_normal((1, FEATURES), dtype=np.float32)
    wide, listed, out = row.astype(np.float64), row.tolist(), np.empty((1, OUTPUTS), np.float32)
    table, target = pandas.DataFrame(row, columns=NAMES), row[:, :OUTPUTS].copy()

    def array() -> Any:
        return model.predict(row)

    yield Row("a list", lambda: model.predict(listed), array)
    yield Row("a list of an array", lambda: model.predict([row[0]]), array)
    yield Row("float64", lambda: model.predict(wide), array)
    yield Row("`out`", lambda: model.predict(row, out=out), array)
    yield Row("a table of pandas", lambda: model.predict(table), array)
    yield Row("`model(x)`", lambda: model(row), array)
    yield Row("`evaluate`", lambda: model.evaluate(row, target), array, same=False)
    a, b = Input((5,), name="a"), Input((FEATURES - 5,), name="b")
    hidden = layers.Dense(64, "relu")(layers.concatenate([a, b]))
    hidden = layers.Dense(64, "relu")(hidden)
    graph = Model([a, b], [layers.Dense(3)(hidden), layers.Dense(3)(hidden)])
    parts = {"a": row[:, :5].copy(), "b": row[:, 5:].copy()}
    yield Row("a dict of two, two outputs", lambda: graph.predict(parts), array, same=False)


def of_estimators() -> Iterator[Row]:
    """Yield the methods of the estimators, on arrays and tables."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, FEATURES))
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    table = pandas.DataFrame(x, columns=NAMES)
    pairs: list[tuple[Any, Any, dict[str, Any]]] = [
        (estimators.MLPClassifier, neural_network.MLPClassifier, {"hidden_layer_sizes": (64, 64)}),
        (estimators.MLPRegressor, neural_network.MLPRegressor, {"hidden_layer_sizes": (64, 64)}),
        (estimators.Perceptron, linear_model.Perceptron, {}),
    ]
    for kind, rival, arguments in pairs:
        for form, rows in (("an array", x), ("a table", table)):
            arguments |= {"random_state": 0, "max_iter": 5}
            own, other = (each(**arguments).fit(rows, y) for each in (kind, rival))
            row = rows[:1]
            for method in ("predict", "predict_proba", "decision_function"):
                if hasattr(own, method):
                    name = f"{kind.__name__}.{method}, {form}"
                    calls = getattr(own, method), getattr(other, method)
                    same = kind is not estimators.Perceptron  # which draws other orders
                    yield Row(
                        name, lambda c=calls[0], r=row: c(r), lambda c=calls[1], r=row: c(r), same
                    )


def seconds(call: Call, calls: int) -> float:
    """Return the processor's time for one call."""
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls


def measure(row: Row, rounds: int, length: float) -> str:
    """Return a line of the table."""
    if row.same:
        np.testing.assert_allclose(row.call(), row.other(), rtol=1e-2, atol=1e-2)
    both = row.call, row.other
    calls = [max(1, round(length / seconds(call, 20))) for call in both]
    own, other, ratio = in_turns(
        lambda: seconds(both[0], calls[0]), lambda: seconds(both[1], calls[1]), rounds
    )
    return f"| {row.name} | {own:.3g} | {other:.3g} | {ratio} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.02, help="length of one timing")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of fits that end early
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    laminar.set_num_threads(1)
    for other, rows in (("`predict` of an array", of_models()), ("scikit-learn", of_estimators())):
        print(f"| one row | µs | {other}, µs | ratio |\n|---|---|---|---|")
        for row in rows:
            print(measure(row, arguments.rounds, arguments.seconds), flush=True)
        print()


if __name__ == "__main__":
    main()
