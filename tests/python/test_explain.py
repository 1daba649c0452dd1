# SPDX-License-Identifier: Apache-2.0
"""model.explain: contributions add up to what they explain, whatever the model is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from html_pages import Page
from support import blobs, fingerprint, small_classifier
from test_layers_catalogue import CLASSES, X, made

from laminar import Input, Model, Sequential, layers, ops
from laminar._explanation import WITHOUT_SLOPE, Explanation
from laminar.data import Dataset


def total(values: Any) -> Any:
    """Return the sum of each row's contributions."""
    parts = values.values() if isinstance(values, dict) else values
    parts = [values] if isinstance(values, np.ndarray) else parts
    return sum(part.reshape(len(part), -1).sum(axis=1) for part in parts)


def check(found: Explanation, tolerance: float = 1e-3) -> None:
    change = found.outputs - found.base_values
    np.testing.assert_allclose(total(found.values) - change, found.gaps, atol=1e-9)
    scale = max(float(np.abs(change).max()), 1e-6)
    assert np.abs(found.gaps).max() <= tolerance * scale


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_behind_every_layer(cls: type[layers.Layer]) -> None:
    model = Sequential([Input(6), made(cls), layers.Flatten(), layers.Dense(2)], seed=4)
    if made(cls)._entry in WITHOUT_SLOPE:
        with pytest.raises(ValueError, match=r"explain: x is read by .* no slope leads back"):
            model.explain(X)
        return
    found = model.explain(X)
    check(found)
    assert np.abs(found.values).max() > 0
    np.testing.assert_array_equal(found.targets, model.predict(X).argmax(axis=1))
    np.testing.assert_allclose(found.outputs, model.predict(X).max(axis=1))


def test_the_list_of_layers_without_slope_is_whole() -> None:
    for cls in CLASSES:
        model = Sequential([Input(6), made(cls), layers.Flatten(), layers.Dense(1)], seed=4)
        d_x, _ = model.vjp(X, np.ones((len(X), 1)))
        assert (made(cls)._entry in WITHOUT_SLOPE) == (not d_x.any()), cls


def test_what_a_linear_model_says() -> None:
    model = Sequential([Input(3), layers.Dense(2)], seed=1, dtype="float64")
    kernel, bias = model.get_weights()
    x, base = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]), np.array([0.5, 1.0, 0.0])
    found = model.explain(x, target=1, baseline=base)
    np.testing.assert_allclose(found.values, (x - base) * kernel[:, 1], atol=1e-12)
    np.testing.assert_allclose(found.base_values, base @ kernel[:, 1] + bias[1])
    mixed = model.explain(x, target=[0, 1], baseline=x * 0 + base)
    np.testing.assert_allclose(mixed.values, (x - base) * kernel.T, atol=1e-12)
    for zero in (None, 0, 0.0, np.zeros(3), np.zeros((1, 3)), np.zeros((2, 3))):
        again = model.explain(x, target=0, baseline=zero)
        np.testing.assert_allclose(again.values, x * kernel[:, 0], atol=1e-12)


def test_against_a_sum_of_a_million_steps() -> None:
    x, y = blobs()
    model = small_classifier()
    model.fit(x, y, epochs=3, verbose=0)
    found = model.explain(x[:2], target=2, tolerance=1e-5)
    check(found, 1e-4)
    for row in range(2):
        share = (np.arange(100_000) + 0.5) / 100_000
        points = (share[:, None] * x[row]).astype(np.float32)
        chosen = np.zeros((len(points), 3), np.float32)
        chosen[:, 2] = 1
        slopes, _ = model.vjp(points, chosen)
        expected = slopes.mean(axis=0, dtype=np.float64) * x[row]
        np.testing.assert_allclose(found.values[row], expected, atol=2e-5)


def test_bends_and_narrow_steps_are_found() -> None:
    class Steep(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.tanh(1000 * (inputs - 0.3137)) + ops.abs(inputs - 0.7)

    model = Sequential([Input(1), Steep()])
    check(model.explain(np.array([[1.0], [0.5], [-2.0], [0.0]])))


def two() -> Model:
    a, b = Input((3,), name="a"), Input((2, 2), name="b")
    hidden = layers.Dense(8, "gelu")(layers.concatenate([a, layers.Flatten()(b)]))
    outputs = {"one": layers.Dense(1)(hidden), "many": layers.Dense(4, "softmax")(hidden)}
    return Model({"a": a, "b": b}, outputs, seed=2)


def test_several_inputs_and_outputs() -> None:
    rng = np.random.default_rng(0)
    model, a, b = two(), rng.normal(size=(5, 3)), rng.normal(size=(5, 2, 2))
    for x in ({"a": a, "b": b}, [a, b]):
        for output in ("many", 1):
            found = model.explain(x, output=output)
            check(found)
            assert type(found.values) is type(x)
            parts = list(found.values.values()) if isinstance(x, dict) else found.values
            assert [part.shape for part in parts] == [(5, 3), (5, 2, 2)]
            np.testing.assert_array_equal(found.targets, model.predict(x)["many"].argmax(axis=1))
        one = model.explain(x, output="one", baseline=x)
        np.testing.assert_array_equal(total(one.values), 0)
        base = {"a": 1.0, "b": b[0]} if isinstance(x, dict) else [1.0, b[0]]
        check(model.explain(x, output="one", baseline=base))
        check(model.explain(x, output="one", baseline=0.5))


def test_categories_beside_numbers_stay_as_they_are() -> None:
    town, size = Input((1,), name="town"), Input((2,), name="size")
    known = layers.Flatten()(layers.Embedding(5, 3)(town))
    hidden = layers.Dense(8, "relu")(layers.concatenate([size, known]))
    model = Model([town, size], layers.Dense(1)(hidden), seed=1)
    x = {"town": np.array([[1], [4], [2]]), "size": np.array([[1.0, 2.0], [-1.0, 0.5], [2.0, 2.0]])}
    found = model.explain(x)
    check(found)
    np.testing.assert_array_equal(found.values["town"], 0)
    assert np.abs(found.values["size"]).min() > 0
    np.testing.assert_allclose(found.base_values, model.predict({**x, "size": 0 * x["size"]})[:, 0])
    only = Model(town, layers.Dense(1)(known))
    message = "x is read by 'embedding', of which it tells categories .* Model\\(layer.output"
    with pytest.raises(ValueError, match=message):
        only.explain(x["town"])
    rest = Model(only.get_layer("embedding").output, only.output)  # what the message advises
    check(rest.explain(np.ones((2, 1, 3))))


def test_what_has_no_slope_is_warned_of() -> None:
    class Steps(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.floor(inputs)

    model = Sequential([Input(2), Steps(), layers.Dense(1, kernel_initializer="ones")])
    with pytest.warns(
        UserWarning, match="explain: of 1 of 2 rows the contributions do not"
    ) as seen:
        found = model.explain(np.array([[3.5, 2.0], [0.5, 0.5]]))
    assert seen[0].filename == __file__
    assert found.gaps[0] == pytest.approx(-5)


def test_rounded_products_are_no_endless_search() -> None:
    x, y = blobs()
    model = Sequential(
        [Input(6), layers.Dense(16, "gelu"), layers.Dense(3, "softmax")],
        seed=3,
        precision="bfloat16",
    )
    model.compile("adam")
    model.fit(x, y, epochs=3, verbose=0)
    check(model.explain(x[:20]), 0.2)


def test_a_noisy_output_ends_in_a_warning() -> None:
    class Noisy(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 0.3 * ops.sin(1e5 * inputs)

    model = Sequential([Input(1), Noisy()])
    with pytest.warns(UserWarning, match="explain: of 2 of 2 rows"):
        model.explain(np.array([[1.0], [0.7]]), tolerance=1e-6)


def test_outputs_that_are_no_numbers() -> None:
    model = Sequential([Input(2), layers.Dense(1)], dtype="float64")
    model.set_weights([np.full((2, 1), 1e308), np.zeros(1)])
    with np.errstate(all="ignore"):
        found = model.explain(np.array([[9.0, 9.0], [0.0, 0.0]]))
    assert not np.isfinite(found.outputs[0])


def test_weights_for_inference_alone() -> None:
    x, y = blobs()
    model = small_classifier()
    model.fit(x, y, verbose=0)
    model.quantize("int8")
    found = model.explain(x[:3])
    check(found)
    np.testing.assert_allclose(found.outputs, model.predict(x[:3]).max(axis=1), atol=1e-6)


def test_the_model_stays_as_it_is_and_notebooks_show_it() -> None:
    x, y = blobs()
    model, twin = small_classifier(), small_classifier()
    for m in (model, twin):
        m.fit(x, y, verbose=0)
    model.feature_names = [f"<{name}>" for name in "abcdef"]  # type: ignore[assignment]
    found = model.explain(x[:5])
    assert found.names == tuple(model.feature_names or ())
    for m in (model, twin):
        m.fit(x, y, verbose=0)
    assert fingerprint(model.get_weights()) == fingerprint(twin.get_weights())
    page = Page(found._repr_html_())
    assert page.open == []
    assert "5 rows explained" in page.text and "<a>" in page.text
    several = two().explain([np.ones((2, 3)), np.ones((2, 2, 2))], output=0)
    assert "input 1[0, 1]" in Page(several._repr_html_()).text


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": 3}, ValueError, "target must be from 0 to 2, got 3 to 3"),
        ({"target": "a"}, TypeError, "target must be an integer"),
        ({"target": [0, 1]}, ValueError, "target must be a column or one for each of 4 rows"),
        ({"target": [0.0] * 4}, ValueError, "target .* got float64"),
        (
            {"baseline": np.zeros(5)},
            ValueError,
            r"baseline must be a number, a sample of shape \(6",
        ),
        ({"baseline": "zero"}, TypeError, "baseline"),
        ({"output": "other"}, ValueError, "output: the model has one output, "),
        ({"tolerance": 0}, ValueError, "tolerance must be between 0 and 1"),
        ({"base": 0}, TypeError, "unknown argument 'base'; did you mean 'baseline'"),
    ],
)
def test_bad_arguments(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"explain: {message}"):
        small_classifier().explain(blobs()[0][:4], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "output must name one of the outputs, 'one', 'many'"),
        ({"output": "on"}, "output: there is no 'on'; did you mean 'one'"),
        ({"output": 2}, "output must be less than 2"),
        ({"output": 0, "baseline": [0.0]}, "baseline must have a part for each of 2 inputs"),
        ({"output": 0, "baseline": {"a": 0}}, "baseline must have the keys 'a', 'b', got 'a'"),
    ],
)
def test_bad_arguments_of_several(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"explain: {message}"):
        two().explain([np.ones((2, 3)), np.ones((2, 2, 2))], **options)


def test_wrong_rows() -> None:
    x, _ = blobs()
    with pytest.raises(ValueError, match="x"):
        small_classifier().explain(x[:, :3])
    with pytest.raises((TypeError, ValueError)):
        small_classifier().explain(Dataset.from_arrays(x))
