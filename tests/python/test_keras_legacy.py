# SPDX-License-Identifier: Apache-2.0
"""Files that Keras wrote before version 3, and configurations with weights in a file of their own.

Files of Keras 2 are made by hand here, after its format; Keras 3 writes such files, too.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import import_keras, sample

from laminar import Model, load_model

h5py = pytest.importorskip("h5py", reason="h5py is not installed")
RNG = np.random.default_rng(2)
Entry = dict[str, Any]
Weights = dict[str, dict[str, Any]]


def entry(kind: str, name: str, **config: Any) -> Entry:
    return {"class_name": kind, "config": {"name": name, "dtype": "float32", **config}}


def dense(name: str, units: int, **config: Any) -> Entry:
    initializer = {"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}}
    given = {"trainable": True, "activation": "linear", "use_bias": True, **config}
    return entry("Dense", name, units=units, kernel_initializer=initializer, **given)


def numbers(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def group(file: Any, weights: Weights) -> None:
    file.attrs["layer_names"] = [name.encode() for name in weights]
    for name, arrays in weights.items():
        file.create_group(name).attrs["weight_names"] = [key.encode() for key in arrays]
        for key, array in arrays.items():
            file[name].create_dataset(key, data=array)


def written(folder: Path, model: Entry, weights: Weights, **attributes: Any) -> Path:
    path = folder / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["model_config"] = json.dumps(model).encode()
        for key, value in attributes.items():
            file.attrs[key] = json.dumps(value).encode()
        group(file.create_group("model_weights"), weights)
    return path


KERNEL, BIAS = numbers(3, 4), numbers(4)
ALPHA = {"class_name": "LeakyReLU", "config": {"name": "leaky", "alpha": 0.25, "dtype": "float32"}}


def stack(first: dict[str, Any] | None = None) -> tuple[Entry, Weights]:
    layers = [
        dense("d", 4, **({"batch_input_shape": [None, 3]} if first is None else first)),
        ALPHA,
    ]
    config = {"name": "sequential", "layers": layers}
    arrays = {"d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS}, "leaky": {}}
    return {"class_name": "Sequential", "config": config}, arrays


def expected(x: Any) -> Any:
    z = x @ KERNEL + BIAS
    return np.where(z < 0, 0.25 * z, z)


def test_a_stack_of_keras_2(tmp_path: Path) -> None:
    model, weights = stack()
    training = {
        "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.5}},
        "loss": "mse",
        "metrics": ["mae"],
    }
    path = written(tmp_path, model, weights, training_config=training)
    twin = load_model(path)
    x = sample((3,), 9)
    np.testing.assert_allclose(twin.predict(x), expected(x), rtol=1e-5, atol=1e-6)
    assert twin.metrics_names == ["loss", "mean_absolute_error"]
    assert twin.optimizer.learning_rate == 0.5
    path.rename(tmp_path / "m.hdf5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.hdf5").predict(x), twin.predict(x))


def test_the_oldest_stacks_are_lists(tmp_path: Path) -> None:
    model, weights = stack()
    model["config"] = model["config"]["layers"]
    x = sample((3,), 9)
    got = load_model(written(tmp_path, model, weights)).predict(x)
    np.testing.assert_allclose(got, expected(x), rtol=1e-5, atol=1e-6)


def test_json_and_weights_of_keras_2(tmp_path: Path) -> None:
    model, weights = stack()
    (tmp_path / "m.json").write_text(json.dumps({**model, "keras_version": "2.4.0"}))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group(file, weights)
    x = sample((3,), 9)
    twin = load_model(tmp_path / "m.json", weights=tmp_path / "w.h5")
    np.testing.assert_allclose(twin.predict(x), expected(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"w\.h5: holds weights without a model: give load_model"):
        load_model(tmp_path / "w.h5")
    with pytest.raises(ValueError, match=r"m\.json' is a configuration without weights; give"):
        load_model(tmp_path / "m.json")
    with pytest.raises(ValueError, match=r"weights belong to a configuration in \.json"):
        load_model(tmp_path / "w.h5", weights=tmp_path / "w.h5")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "m.json", weights=tmp_path / "absent.h5")


def nested() -> tuple[Entry, Weights, Callable[[Any], Any]]:
    """Return a graph with a model inside that is frozen in part, called by the old form."""
    gamma, beta, mean, kernel, second = (numbers(*s) for s in ((4,), (4,), (4,), (4, 4), (4, 3)))
    variance = np.abs(numbers(4)) + 1
    normalization = entry("BatchNormalization", "bn", axis=[1], epsilon=0.001, trainable=True)
    frozen = dense("frozen", 4, use_bias=False, trainable=False)
    start = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 4]}}
    inner = {
        "class_name": "Sequential",
        "config": {"name": "inner", "layers": [start, frozen, normalization]},
    }
    node: Callable[..., list[Any]] = lambda *names: [[[name, 0, 0, {}] for name in names]]  # noqa: E731
    first = {"name": "x", "batch_input_shape": [None, 3], "dtype": "float32"}
    layers = [
        {"class_name": "InputLayer", "config": first, "name": "x", "inbound_nodes": []},
        {**dense("d", 4), "name": "d", "inbound_nodes": node("x")},
        {**inner, "name": "inner", "inbound_nodes": node("d")},
        {**dense("last", 3, use_bias=False), "name": "last", "inbound_nodes": node("inner")},
        {**entry("Add", "add"), "name": "add", "inbound_nodes": node("last", "x")},
    ]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["add", 0, 0]]}
    model = {"class_name": "Model", "config": {"name": "m", "layers": layers, **ends}}
    weights: Weights = {
        "d": {"d/kernel:0": KERNEL, "d/bias:0": BIAS},
        "inner": {
            "bn/gamma:0": gamma,
            "bn/beta:0": beta,
            "frozen/kernel:0": kernel,
            "bn/moving_mean:0": mean,
            "bn/moving_variance:0": variance,
        },
        "last": {"last/kernel:0": second},
    }

    def function(x: Any) -> Any:
        z = (x @ KERNEL + BIAS) @ kernel
        return ((z - mean) / np.sqrt(variance + 0.001) * gamma + beta) @ second + x

    return model, weights, function


def test_a_graph_with_a_model_inside(tmp_path: Path) -> None:
    model, weights, function = nested()
    twin = load_model(written(tmp_path, model, weights))
    x = sample((3,), 9)
    assert isinstance(twin, Model)
    np.testing.assert_allclose(twin.predict(x), function(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["stack", "nested", "graph"])
def test_files_that_keras_3_writes(name: str, tmp_path: Path) -> None:
    keras = import_keras()
    x = sample((3,), 9).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        keras.utils.set_random_seed(1)
        of = keras.layers
        start = keras.Input((3,))
        if name == "graph":
            hidden = of.Dense(3, "tanh")(start)
            model = keras.Model(start, of.Dense(2)(of.Add()([hidden, start])))
        else:
            inner = [of.Dense(4, "relu"), of.BatchNormalization(), of.Dropout(0.2)]
            inner = [keras.Sequential([keras.Input((5,)), *inner])] if name == "nested" else inner
            scale = of.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])
            back = of.Normalization(mean=[1.0, 2.0], variance=[4.0, 9.0], invert=True)
            stack = [scale, of.Dense(5, "tanh"), *inner, of.Dense(2), back, of.Rescaling(0.5, 1.0)]
            model = keras.Sequential([start, *stack])
        y = model.predict(x, verbose=0)
        model.save(tmp_path / "m.h5")
        model.save_weights(tmp_path / "m.weights.h5")
        (tmp_path / "m.json").write_text(model.to_json())
    twins = [
        load_model(tmp_path / "m.h5"),
        load_model(tmp_path / "m.json", weights=tmp_path / "m.weights.h5"),
    ]
    for twin in twins:
        np.testing.assert_allclose(twin.predict(x), y, rtol=1e-6, atol=1e-6)


def _link(file: Any) -> None:
    del file["model_weights/d/d/bias:0"]
    file["model_weights/d/d/bias:0"] = h5py.ExternalLink("other.h5", "/x")


def _soft(file: Any) -> None:
    del file["model_weights/d/d/bias:0"]
    file["model_weights/d/d/bias:0"] = h5py.SoftLink("/model_weights/d/d/kernel:0")


def _missing(file: Any) -> None:
    del file["model_weights/d/d/bias:0"]


def _texts(file: Any) -> None:
    _missing(file)
    file["model_weights/d/d/bias:0"] = "words"


def _shape(file: Any) -> None:
    _missing(file)
    file["model_weights/d/d/bias:0"] = np.zeros(7, np.float32)


def _packed(file: Any) -> None:
    _missing(file)
    file["model_weights/d/d"].create_dataset("bias:0", data=np.zeros(4, "f4"), compression="gzip")


def _no_json(file: Any) -> None:
    file.attrs["model_config"] = b"{"


def _a_list(file: Any) -> None:
    file.attrs["model_config"] = b"[]"


def renamed(file: Any, kind: str) -> None:
    text = file.attrs["model_config"]
    text = text.decode() if isinstance(text, bytes) else text
    file.attrs["model_config"] = text.replace("LeakyReLU", kind)


def _custom(file: Any) -> None:
    renamed(file, "Mine>Layer")


def _convolution(file: Any) -> None:
    renamed(file, "Conv2D")


def _lambda(file: Any) -> None:
    renamed(file, "Lambda")


def _no_weights(file: Any) -> None:
    del file["model_weights"]


def _unnamed(file: Any) -> None:
    del file["model_weights"].attrs["layer_names"]


HOSTILE: dict[str, tuple[Callable[[Any], None], str]] = {
    "a link to a file": (_link, "leads out of the file"),
    "a link": (_soft, "leads out of the file"),
    "an array that is missing": (_missing, "must be an array"),
    "words": (_texts, "must hold float32 or float64|must be stored whole"),
    "a shape": (_shape, r"layer 'd': weights of a Dense must have shapes .*\(7,\)"),
    "packed": (_packed, "must be stored whole in the file"),
    "half a configuration": (_no_json, "its configuration is damaged"),
    "a list": (_a_list, "its configuration is not a mapping"),
    "a layer of one's own": (_custom, "there is no layer for Keras's Mine>Layer"),
    "a convolution": (_convolution, "there is no layer for Keras's Conv2D; what laminar reads of"),
    "code": (_lambda, "there is no layer for Keras's Lambda"),
    "no weights": (_no_weights, "no group of weights"),
    "no names": (_unnamed, r"weights of a Dense must have shapes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, tmp_path: Path) -> None:
    edit, message = HOSTILE[name]
    path = written(tmp_path, *stack())
    with h5py.File(path, "r+") as file:
        edit(file)
    with pytest.raises(ValueError, match=rf"load_model: .*m\.h5: .*{message}"):
        load_model(path)


def test_weights_of_another_model_inside_are_refused(tmp_path: Path) -> None:
    model, weights, _ = nested()
    weights["inner"]["more/kernel:0"] = numbers(2)
    with pytest.raises(ValueError, match="weights of 'inner': no layer has 'more/kernel:0'"):
        load_model(written(tmp_path, model, weights))
    del weights["inner"]["more/kernel:0"], weights["inner"]["bn/beta:0"]
    with pytest.raises(ValueError, match=r"expected the beta of 'bn', found frozen/kernel:0"):
        load_model(written(tmp_path, model, weights))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, *stack())
    whole = path.read_bytes()
    rng = np.random.default_rng(4)
    for trial in range(120):
        content = bytearray(whole)
        if trial % 3 == 0:
            del content[int(rng.integers(len(whole))) :]
        for _ in range(int(rng.integers(1, 4))):
            if content:
                content[int(rng.integers(len(content)))] = int(rng.integers(256))
        path.write_bytes(bytes(content))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load_model(path)
        except ValueError as error:
            assert "m.h5" in str(error)
