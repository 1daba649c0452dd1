# SPDX-License-Identifier: Apache-2.0
"""One model of several: the mean of their outputs, in files and exports like any other model."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import fingerprint

import laminar
from laminar import Input, Model, Sequential, layers

FEATURES = 7


def rows(n: int = 60, seed: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal((n, FEATURES)).astype(np.float32)


def member(seed: int, last: layers.Layer | None = None, dtype: str = "float32") -> Sequential:
    """Return a network that begins like the others, with a width of its own."""
    model = Sequential(
        [
            Input(FEATURES),
            layers.Normalization(mean=np.arange(FEATURES), variance=np.arange(1, FEATURES + 1)),
            layers.Dense(5 + seed, "tanh", name="hidden"),
            layers.BatchNormalization(),
            layers.Dense(3, "softmax") if last is None else last,
        ],
        seed=seed,
        dtype=dtype,
    )
    loss = "sparse_categorical_crossentropy" if last is None else "mse"
    model.compile("adam", loss, ["accuracy"] if last is None else [])
    return model


def mean_of(models: list[Any], x: Any) -> Any:
    return np.mean([model.predict(x).astype(np.float64) for model in models], axis=0)


def assert_close(found: Any, expected: Any) -> None:
    """Within two units in the last place of the largest value."""
    eps = np.finfo(found.dtype).eps
    assert np.abs(found - expected).max() <= 2 * eps * np.abs(expected).max()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_it_predicts_the_mean(count: int, dtype: str) -> None:
    models = [member(i, dtype=dtype) for i in range(count)]
    laminar.fit_many(models, rows(), np.arange(60) % 3, verbose=0)
    before = [fingerprint(model.get_weights()) for model in models]
    made = laminar.ensemble(models)
    assert made.name == "ensemble"
    assert made.dtype == dtype
    assert_close(made.predict(rows(9)), mean_of(models, rows(9)))
    assert made.count_params() == sum(m.count_params() for m in models) - (count - 1) * 14
    assert sum(isinstance(layer, layers.Normalization) for layer in made.layers) == 1
    assert made.evaluate(rows(), np.arange(60) % 3, verbose=0)[1] > 0
    made.fit(rows(), np.arange(60) % 3, verbose=0)
    assert [fingerprint(model.get_weights()) for model in models] == before
    assert not any(model._sharing for model in [*models, made])


def test_files_and_exports_have_it(tmp_path: Path) -> None:
    models = [member(i, layers.Dense(1, name="price")) for i in range(3)]
    laminar.fit_many(models, rows(), rows()[:, :1], verbose=0)
    for model in models:
        model.feature_names = tuple("abcdefg")
    made = laminar.ensemble(models, "mean")
    assert made.name == "mean"
    assert made.feature_names == tuple("abcdefg")
    assert made.output_names == ["price"]
    path = tmp_path / "mean.safetensors"
    made.save(path)
    loaded = laminar.load_model(path)
    for other in (loaded, pickle.loads(pickle.dumps(made))):
        assert other.predict(rows(9)).tobytes() == made.predict(rows(9)).tobytes()
    assert "hidden_2" in [layer.name for layer in loaded.layers]
    assert "model_predict" in made.to_c()
    onnxruntime = pytest.importorskip("onnxruntime")
    made.export(tmp_path / "mean.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "mean.onnx"))
    (found,) = session.run(None, {session.get_inputs()[0].name: rows(9)})
    np.testing.assert_allclose(found, made.predict(rows(9)), rtol=1e-5, atol=1e-6)


def graph(seed: int) -> Model:
    """Return a graph with two inputs, two outputs, and a layer that is called twice."""
    left, right = Input((3,), name="left"), Input((3,), name="right")
    side = layers.Dense(4, "relu", name="side")
    both = layers.concatenate([side(left), side(right)])
    return Model(
        {"left": left, "right": right},
        {"a": layers.Dense(1)(both), "b": layers.Dense(2, "softmax", name="end")(both)},
        seed=seed,
    )


def test_graphs() -> None:
    models = [graph(i) for i in range(3)]
    made = laminar.ensemble(models)
    x = {"left": rows(9)[:, :3], "right": rows(9)[:, 3:6]}
    found = made.predict(x)
    assert list(found) == ["a", "b"]
    for name in found:
        assert_close(found[name], np.mean([m.predict(x)[name] for m in models], axis=0))
    assert len(made.layers) == 3 * 4 + 2
    assert made._compiled is None


class Doubled(layers.Layer):
    """A layer of the user's own."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        return 2 * inputs * self.scale


def test_layers_of_ones_own() -> None:
    models = [Sequential([Input(FEATURES), Doubled(), layers.Dense(2)], seed=i) for i in range(2)]
    models[1].layers[0].set_weights([np.full(FEATURES, 3.0)])
    made = laminar.ensemble(models)
    assert sum(type(layer) is Doubled for layer in made.layers) == 2
    assert_close(made.predict(rows()), mean_of(models, rows()))


def test_a_compiled_one_warns_of_nothing() -> None:
    models = [member(i, layers.Dense(1, "sigmoid")) for i in range(2)]
    for model in models:
        model.compile("adam", "binary_crossentropy", ["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = laminar.ensemble(models)
    assert made.metrics_names == ["loss", "accuracy"]


def test_what_does_not_fit_is_refused() -> None:
    one = member(1)
    named = member(2)
    named.class_names = ("a", "b", "c")
    rounded = member(3)
    rounded.quantize("int8")
    for models, error, text in [
        ([], ValueError, "at least one"),
        ([one, member(2, dtype="float64")], ValueError, "same dtype, got 'float32' for models"),
        ([one, member(2, layers.Dense(2))], ValueError, "same output_shape"),
        ([one, Sequential([Input(3), layers.Dense(3)])], ValueError, "same input_shape"),
        ([one, Sequential([layers.Dense(3)])], ValueError, "ensemble: "),
        ([one, named], ValueError, "same class_names"),
        ([one, rounded], ValueError, r"the weights of models\[1\] are int8"),
        (one, TypeError, "a list of models, got Sequential"),
    ]:
        with pytest.raises(error, match=text):
            laminar.ensemble(models)  # type: ignore[arg-type]
