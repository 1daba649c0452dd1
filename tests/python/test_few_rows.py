# SPDX-License-Identifier: Apache-2.0
"""Predictions of few rows, in whatever form these come, and what they take beside arrays."""

from __future__ import annotations

import timeit
import warnings
from typing import Any

import numpy as np
import pytest

from laminar import Input, Model, Sequential, layers
from laminar.sklearn import MLPClassifier, MLPRegressor, Perceptron, _ready

pandas = pytest.importorskip("pandas")

RNG = np.random.default_rng(8)
ROWS = RNG.normal(size=(5, 6)).astype(np.float32)
NAMES = [f"c{i}" for i in range(6)]


def network(dtype: str = "float32") -> Sequential:
    return Sequential([Input(6), layers.Dense(7, "tanh"), layers.Dense(2)], dtype=dtype, seed=2)


def strided(values: Any) -> Any:
    return np.repeat(np.asarray(values, np.float64), 2, axis=1)[:, ::2]


FORMS: dict[str, Any] = {
    "float64": lambda rows: rows.astype(np.float64),
    "list": lambda rows: rows.tolist(),
    "tuples": lambda rows: [tuple(row) for row in rows.tolist()],
    "list of arrays": list,
    "list of arrays of float64": lambda rows: list(rows.astype(np.float64)),
    "strided": strided,
    "fortran": np.asfortranarray,
    "big endian": lambda rows: rows.astype(">f4"),
    "table": lambda rows: pandas.DataFrame(rows, columns=NAMES),
    "table of float64": lambda rows: pandas.DataFrame(rows.astype(np.float64), columns=NAMES),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [1, 5])
def test_all_forms_give_the_same_bits(form: str, dtype: str, count: int) -> None:
    model, rows = network(dtype), ROWS[:count]
    wanted = model.predict(rows.astype(dtype))
    given = FORMS[form](rows)
    np.testing.assert_equal(model.predict(given), wanted)
    out = np.empty_like(wanted)
    assert model.predict(given, out=out) is out
    np.testing.assert_equal(out, wanted)
    np.testing.assert_equal(np.asarray(model(given)), wanted)


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8", "int16", "bool"])
def test_whole_numbers(kind: str) -> None:
    model, rows = network(), (10 * np.abs(ROWS)).astype(kind)
    wanted = model.predict(rows.astype(np.float32))
    for given in (rows, rows.tolist(), pandas.DataFrame(rows, columns=NAMES)):
        np.testing.assert_equal(model.predict(given), wanted)
    mixed = pandas.DataFrame(rows, columns=NAMES)
    mixed["c1"], mixed["c2"] = ROWS[:, 1], rows[:, 2] > 3
    array = np.column_stack([np.asarray(mixed[name], np.float64) for name in NAMES])
    np.testing.assert_equal(model.predict(mixed), model.predict(array))


def test_numbers_are_rounded_once() -> None:
    model = Sequential([Input(2), layers.Dense(1, kernel_initializer="ones")])
    # float64 lies halfway between two of float32, the integer does not
    wide = (1 << 54) + (1 << 30) + 1
    wanted = np.array([[wide, 0]], np.int64).astype(np.float32).sum()
    table = pandas.DataFrame({"a": [wide], "b": [0.0]})
    for given in ([[wide, 0]], np.array([[wide, 0]]), table):
        assert model.predict(given).item() == wanted


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "width": ([[1.0] * 5], ValueError, "6 features|takes 6|got 5|5 "),
    "ragged": ([[1.0] * 6, [1.0] * 5], ValueError, "not a rectangular array"),
    "text": ([["a"] * 6], TypeError, "must hold booleans, integers or floats"),
    "digits": ([["1"] * 6], TypeError, "must hold booleans, integers or floats"),
    "none": ([[None] * 6], TypeError, "must hold booleans, integers or floats"),
    "flat": ([1.0] * 6, ValueError, "two dimensions"),
    "empty": ([], ValueError, "no rows|two dimensions|shape"),
    "no rows": (np.empty((0, 6)), ValueError, "has no rows"),
    "large": ([[1e300] * 6], ValueError, "too large for float32"),
    "large array": (np.full((1, 6), 1e300), ValueError, "too large for float32"),
    "table of text": (pandas.DataFrame([["a"] * 6]), TypeError, "not numbers"),
    "table of categories": (
        pandas.DataFrame(np.ones((1, 6))).astype("category"),
        TypeError,
        "not numbers",
    ),
    "large table": (pandas.DataFrame(np.full((1, 6), 1e300)), ValueError, "column '0' holds"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said(name: str) -> None:
    given, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        network().predict(given)


def test_what_is_wrong_with_out_is_said() -> None:
    model, rows = network(), ROWS.copy()
    read_only = np.empty((5, 2), np.float32)
    read_only.flags.writeable = False
    for out, message in (
        (np.empty((5, 2)), "must be of shape"),
        (np.empty((5, 3), np.float32), "must be of shape"),
        (np.empty((2, 5), np.float32).T, "C-contiguous"),
        (read_only, "writeable"),
        (rows.reshape(-1)[:10].reshape(5, 2), "share memory"),
    ):
        with pytest.raises(ValueError, match=message):
            model.predict(rows, out=out)
    with pytest.raises(TypeError, match="must be an array"):
        model.predict(rows, out=[[0.0, 0.0]] * 5)


def test_columns_are_compared_with_those_that_were_trained_on() -> None:
    model, table = network(), pandas.DataFrame(ROWS, columns=NAMES)
    model.compile("sgd", "mse")
    model.fit(table, ROWS[:, :2], verbose=0)
    model.predict(table[:1])
    with pytest.raises(ValueError, match="in another order"):
        model.predict(table[NAMES[::-1]][:1])
    with pytest.raises(ValueError, match="lacks column 'c5'"):
        model.predict(table.rename(columns={"c5": "d"})[:1])


def test_several_inputs_and_outputs() -> None:
    a, b = Input((2,), name="a"), Input((4,), name="b")
    both = layers.concatenate([a, b])
    model = Model([a, b], {"y": layers.Dense(2)(both), "z": layers.Dense(1)(both)})
    parts = {"a": ROWS[:, :2], "b": ROWS[:, 2:]}
    wanted = model.predict({key: np.repeat(part, 2000, axis=0) for key, part in parts.items()})
    for count in (1, 5):
        few = {key: part[:count] for key, part in parts.items()}
        for given in (few, list(few.values()), {k: v.tolist() for k, v in few.items()}):
            found = model.predict(given)
            for key in ("y", "z"):
                np.testing.assert_equal(found[key], wanted[key][::2000][:count])
    with pytest.raises(ValueError, match="with the keys 'a', 'b'"):
        model.predict({"a": ROWS[:, :2]})
    with pytest.raises(ValueError, match=r"must have shape \(rows, 2\)"):
        model.predict({"a": ROWS, "b": ROWS[:, 2:]})


ESTIMATORS: dict[str, Any] = {
    "two classes": (MLPClassifier, lambda y: (y > 0).astype(int)),
    "texts": (MLPClassifier, lambda y: np.where(y > 0, "yes", "no")),
    "three classes": (MLPClassifier, lambda y: np.digitize(y, [-0.5, 0.5])),
    "multilabel": (MLPClassifier, lambda y: np.stack([y > 0, y < 0.3], axis=1).astype(int)),
    "numbers": (MLPRegressor, lambda y: y),
    "several numbers": (MLPRegressor, lambda y: np.stack([y, -y], axis=1)),
    "perceptron": (Perceptron, lambda y: y > 0),
}


def fitted(name: str, x: Any) -> Any:
    kind, targets = ESTIMATORS[name]
    arguments = {} if kind is Perceptron else {"hidden_layer_sizes": (5,)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of epochs that are not enough
        return kind(random_state=0, max_iter=3, **arguments).fit(x, targets(np.asarray(x)[:, 0]))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_predict_few_rows_like_many(name: str, monkeypatch: Any) -> None:
    x = RNG.normal(size=(60, 6))
    table = pandas.DataFrame(x, columns=NAMES)
    by_array, by_table = fitted(name, x), fitted(name, table)
    small = np.round(x[:3])
    given = [
        (by_array, x[:1]),
        (by_array, x[:3].astype(np.float32)),
        (by_array, x[:2].tolist()),
        (by_array, small.astype(int)),
        (by_table, table[:1]),
        (by_table, table[:3].assign(c2=small[:, 2].astype(int))),
    ]
    methods = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    methods = [method for method in methods if hasattr(by_array, method)]
    found = [getattr(one, method)(rows) for one, rows in given for method in methods]
    monkeypatch.setattr(_ready, "_certain", lambda *_: None)
    wanted = [getattr(one, method)(rows) for one, rows in given for method in methods]
    for here, there in zip(found, wanted, strict=True):
        assert here.dtype == there.dtype
        np.testing.assert_array_equal(here, there)


def test_estimators_decode_as_their_binarizer_does() -> None:
    for name in ("two classes", "texts", "three classes"):
        one = fitted(name, RNG.normal(size=(60, 6)))
        outputs = one._forward(RNG.normal(size=(9, 6)))
        values = outputs.ravel() if one.n_outputs_ == 1 else outputs
        wanted = one._label_binarizer.inverse_transform(values)
        np.testing.assert_array_equal(one._decoded_outputs(outputs), wanted)


def test_estimators_still_refuse_and_warn() -> None:
    x = RNG.normal(size=(60, 6))
    table = pandas.DataFrame(x, columns=NAMES)
    by_array, by_table = fitted("two classes", x), fitted("two classes", table)
    bad = x[:1].copy()
    bad[0, 3] = np.nan
    for value in (np.nan, np.inf):
        bad[0, 3] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            by_array.predict(bad)
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            by_table.predict(pandas.DataFrame(bad, columns=NAMES))
    with pytest.raises(ValueError, match="features"):
        by_array.predict(x[:1, :5])
    with pytest.raises(ValueError, match="2D array"):
        by_array.predict(x[0])
    with pytest.raises(ValueError, match="feature names"):
        by_table.predict(table[NAMES[::-1]][:1])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        by_table.predict(x[:1])
    with pytest.warns(UserWarning, match="X has feature names"):
        by_array.predict(table[:1])
    with pytest.raises(ValueError, match="not fitted"):
        MLPClassifier().predict(x[:1])


def test_weights_that_are_changed_count_in_the_next_prediction() -> None:
    one = fitted("numbers", RNG.normal(size=(60, 6)))
    row = RNG.normal(size=(1, 6))
    before = one.predict(row)
    one.intercepts_[-1] += 1.0
    np.testing.assert_allclose(one.predict(row), before + 1.0)
    one.coefs_[0][...] = 0.0
    flat = one.predict(row)
    np.testing.assert_equal(one.predict(-row), flat)


def test_no_form_takes_far_longer_than_the_array() -> None:
    model, row = network(), ROWS[:1]
    out = np.empty((1, 2), np.float32)
    by_array = fitted("two classes", RNG.normal(size=(60, 6)))

    def seconds(call: Any) -> float:
        return min(timeit.repeat(call, number=20, repeat=15))

    array = seconds(lambda: model.predict(row))
    wide, listed, table = row.astype(np.float64), row.tolist(), FORMS["table"](row)
    # Each took more than twice the times that are allowed here, tables eight times as long.
    for times, call in (
        (6, lambda: model.predict(wide)),
        (6, lambda: model.predict(listed)),
        (6, lambda: model.predict(row, out=out)),
        (80, lambda: model.predict(table)),
        (40, lambda: by_array.predict_proba(wide)),
    ):
        assert seconds(call) < times * array
