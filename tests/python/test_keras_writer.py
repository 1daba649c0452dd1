# SPDX-License-Identifier: Apache-2.0
"""`model.export("m.keras")`: what Keras 3 makes of it, and what laminar does when it comes back."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import (
    ACTIVATION_SPECS,
    LAYER_STACKS,
    activation_model,
    import_keras,
    randomized,
    sample,
)

from laminar import Model, Sequential, layers, load_model
from laminar.exchange import _keras_forms

pytest.importorskip("h5py", reason="h5py is not installed")


def of_keras(path: Path, x: Any) -> Any:
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        return keras.models.load_model(path).predict(x, verbose=0)


def expect(model: Any, folder: Path, x: Any, atol: float = 1e-6) -> None:
    path = folder / "m.keras"
    model.export(path)
    first = path.read_bytes()
    model.export(path)
    assert path.read_bytes() == first
    expected = model.predict(x)
    twin = load_model(path)
    for got in (twin.predict(x), of_keras(path, x)):
        pairs = zip(got, expected, strict=True) if isinstance(expected, list) else [(got, expected)]
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=atol)
    assert {layer.name for layer in twin.layers} == {layer.name for layer in model.layers}


@pytest.mark.parametrize("name", LAYER_STACKS)
def test_layers_are_keras_s_or_refused(name: str, tmp_path: Path) -> None:
    shape, stack = LAYER_STACKS[name]()
    dtype = "float64" if len(name) % 2 else "float32"
    model = randomized(Sequential([layers.Input(shape), *stack], dtype=dtype))
    x = sample(shape, 30).astype(dtype)
    x = np.minimum(np.abs(x).round(), 3) if "Category" in name else x
    sparsemax = any(
        layer.activation._entry == "sparsemax"
        for layer in stack
        if isinstance(layer, layers.Activation)
    )
    if sparsemax or any(layer._entry in _keras_forms.REFUSED for layer in stack):
        with pytest.raises(ValueError, match=r"export: layer '.*cannot be in a file of Keras: .*"):
            model.export(tmp_path / "m.keras")
        assert not any(tmp_path.iterdir())
    else:
        expect(model, tmp_path, x, 2e-6)


def test_activations_are_keras_s_or_refused(tmp_path: Path) -> None:
    """One model of all that are written: each is followed by one output of its own."""
    kept = []
    for spec in ACTIVATION_SPECS:
        one = activation_model(spec, "float32")
        try:
            one.export(tmp_path / "one.keras")
        except ValueError as error:
            assert spec["name"] in str(error)
            assert spec["name"] in _keras_forms.REFUSED_ACTIVATIONS or len(spec) > 1
        else:
            kept.append(one.layers[0].activation)  # type: ignore[attr-defined]
    assert {each._entry for each in kept} == set(_keras_forms.ACTIVATIONS)
    x = layers.Input((5,))
    model = Model(x, [layers.Activation(each)(x) for each in kept])
    expect(model, tmp_path, sample((5,), 40).astype(np.float32), 2e-6)


def test_an_activation_with_arguments_is_a_layer_of_keras(tmp_path: Path) -> None:
    stack = [layers.Dense(3, layers.LeakyReLU(0.1).activation), layers.Dense(2, "leaky_relu")]
    model = randomized(Sequential([layers.Input(4), *stack]))
    expect(model, tmp_path, sample((4,), 9).astype(np.float32))


def test_graphs(tmp_path: Path) -> None:
    a, b = layers.Input((3,), "a"), layers.Input((4,), "b")
    shared = layers.Dense(3, "tanh")
    one = shared(a)
    two = shared(layers.Dense(3, "relu")(b))
    total = layers.Add()([one, two, a])
    dot = layers.Dot()([one, two])
    model = randomized(Model([a, b], [layers.Concatenate()([total, dot]), layers.Dense(1)(total)]))
    x = [sample((3,), 8).astype(np.float32), sample((4,), 8).astype(np.float32)]
    expect(model, tmp_path, x)


def test_outputs_with_names(tmp_path: Path) -> None:
    a = layers.Input((3,))
    ends = {"price": layers.Dense(1)(a), "kind": layers.Dense(3, "softmax")(a)}
    model = randomized(Model(a, ends))
    model.export(tmp_path / "m.keras")
    x = sample((3,), 8).astype(np.float32)
    for got in (load_model(tmp_path / "m.keras").predict(x), of_keras(tmp_path / "m.keras", x)):
        for name, expected in model.predict(x).items():
            np.testing.assert_allclose(got[name], expected, rtol=1e-6, atol=1e-6)


def test_training_goes_on_with_what_keras_has(tmp_path: Path) -> None:
    first = layers.Dense(3, kernel_regularizer="l2", kernel_constraint="max_norm", trainable=False)
    model = Sequential([layers.Input(3), first, layers.Dense(1, kernel_initializer="he_normal")])
    model.export(tmp_path / "m.keras")
    twin = load_model(tmp_path / "m.keras")
    assert twin.layers[0].get_config() == {**first.get_config(), "input_shape": None}
    assert twin.layers[0].trainable is False
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        loaded = keras.models.load_model(tmp_path / "m.keras")
    assert [len(each.trainable_weights) for each in loaded.layers] == [0, 2]


def test_constant_columns_leave_nothing_in_keras_either(tmp_path: Path) -> None:
    normalization = layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.0])
    model = Sequential([layers.Input(2), normalization])
    model.export(tmp_path / "m.keras")
    x = np.array([[3.0, 2.0], [3.0, 5.0]], np.float32)
    np.testing.assert_allclose(of_keras(tmp_path / "m.keras", x), [[1, 0], [1, 0]], atol=1e-12)


def test_sparsemax_of_keras_is_said_to_be_another(tmp_path: Path) -> None:
    from zipfile import ZipFile

    model = Sequential([layers.Input(3), layers.Dense(2, "softmax")])
    model.export(tmp_path / "m.keras")
    with ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][1]["config"]["activation"] = "sparsemax"
    members["config.json"] = json.dumps(config).encode()
    with ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.warns(UserWarning, match="layer 'dense': Keras's sparsemax, in whose place"):
        assert load_model(tmp_path / "m.keras").layers[0].activation._entry == "sparsemax"
