# SPDX-License-Identifier: Apache-2.0
"""Graphs that cannot be, and data that do not fit them: refused before anything changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support import fingerprint
from test_graphs import MANY, A, C, wide_and_deep

from laminar import Input, Model, Sequential, layers


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (
            [C],
            ValueError,
            r"must be a list or a dict with one array for each input, 'wide', 'many'",
        ),
        (C, ValueError, r"one array for each input, 'wide', 'many'; got ndarray"),
        ({"wide": C}, ValueError, r"it lacks 'many', and has none besides"),
        ({"wide": C, "man": MANY}, ValueError, r"it lacks 'many', and has 'man' besides"),
        ([C, MANY[:5]], ValueError, r"x\['wide'\] has 30 rows, .*x\['many'\] has 5"),
        ([A, MANY], ValueError, r"x\['wide'\] must have shape \(rows, 3\), got \(30, 4\)"),
        ([C, "ab"], TypeError, r"x\['many'\] must hold booleans, integers or floats"),
    ],
)
def test_data_that_do_not_fit(x: Any, error: type[Exception], message: str) -> None:
    model, _, _ = wide_and_deep("float32")
    model.compile("sgd", "mse")
    before = fingerprint(model.get_weights())
    y = np.zeros(30)
    for call in (model.predict, lambda x: model.fit(x, y, verbose=0)):
        with pytest.raises(error, match=message):
            call(x)
    for call in (lambda x: model.evaluate(x, y), lambda x: model.train_on_batch(x, y)):
        with pytest.raises(error, match=message):
            call(x)
    assert fingerprint(model.get_weights()) == before


def test_graphs_that_cannot_be() -> None:
    a, b, other = Input(4, name="a"), Input(3, name="b"), Input(4)
    h = layers.Dense(3)(a)
    cases: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: Model([a, b], h), ValueError, "no output depends on Input 'b', an input"),
        (lambda: Model(b, h), ValueError, "depends on Input 'a', which is not among the inputs"),
        (lambda: Model([a, a], h), ValueError, "Input 'a' is among the inputs twice"),
        (lambda: Model(a, a), ValueError, "outputs must be computed by layers, got inputs"),
        (lambda: Model([], h), ValueError, "inputs must be a symbol or several, got none"),
        (lambda: Model(A, h), TypeError, "inputs must be a symbol, .* got ndarray"),
        (lambda: Model(a, {"p": 3}), TypeError, r"outputs\['p'\] must be a symbol, .* got 3"),
        (lambda: Model(a, {1: h}), TypeError, "the keys of a dict must be strings"),
        (lambda: layers.Add()([a, b]), ValueError, r"of one shape, got \(4,\) .* and \(3,\)"),
        (lambda: a + b, ValueError, r"of one shape, got \(4,\) .* and \(3,\)"),
        (lambda: a + "1", TypeError, "add: x2 must hold booleans, integers or floats"),
        (lambda: A[:, :2] * a, ValueError, r"multiply: shapes .*\(None, 4\) do not go together"),
        (lambda: layers.Add()([a]), ValueError, "Add takes a list of at least 2 inputs, got 1"),
        (lambda: layers.Add()(a), ValueError, "Add takes a list of at least 2 inputs, got 1"),
        (lambda: layers.Subtract()([a] * 3), ValueError, "takes a list of exactly 2 inputs, got 3"),
        (lambda: layers.dot([a, b]), ValueError, r"two vectors of one length, got shapes \(4,\)"),
        (lambda: layers.Concatenate(axis=0)([a, b]), ValueError, "axis must be -1, the last one"),
        (lambda: layers.Dot(axes=2), ValueError, "Dot: axes must be 1 or -1, the features, got 2"),
        (lambda: layers.Add()(A), TypeError, "inputs must be a list of arrays, got ndarray"),
        (lambda: layers.Add()([A, A[:5]]), ValueError, r"inputs\[0\] has 30 rows, .*\[1\] has 5"),
        (lambda: Sequential([Input(4), layers.Add()]), TypeError, "Add reads several inputs"),
        (
            lambda: Model([a, other], layers.Dense(1, name="a")(a + other)),
            *(ValueError, "the name 'a' is there twice"),
        ),
        (
            lambda: Model(a, layers.Dense(1, name="q")(layers.Dense(2, name="q")(a))),
            *(ValueError, "the name 'q' is there twice"),
        ),
        (
            lambda: Model([Input(4, name="a"), a], h),
            *(ValueError, "two inputs are named 'a'|no output depends on Input 'a'"),
        ),
        (lambda: Model(a, h)(b), ValueError, r"input 'a' must have shape \(4,\), got \(3,\)"),
        (
            lambda: Model(a, h)([a, a]),
            ValueError,
            "one symbol for each input, 'a'; got a list of 2",
        ),
        (lambda: Sequential([layers.Dense(2)]).add(Model(a, h)), TypeError, "call it on a symbol"),
    ]
    for call, error, message in cases:
        with pytest.raises(error, match=message):
            call()
    for truth in (lambda: bool(h), lambda: 1 if a else 0):
        with pytest.raises(TypeError, match="a symbol is neither true nor false"):
            truth()
    model = Model(a, h)
    for name in ("inputs", "outputs", "seed"):
        with pytest.raises(AttributeError, match=f"Model: {name} cannot be"):
            setattr(model, name, None)
