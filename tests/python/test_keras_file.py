# SPDX-License-Identifier: Apache-2.0
"""Models from Keras's files: recorded ones, live ones, and what is refused."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import import_keras
from golden import graph_models

from laminar import layers
from laminar.exchange import keras_file

h5py = pytest.importorskip("h5py", reason="h5py is not installed")

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path.stem for path in GOLDEN.glob("keras_*.keras"))
MODELS = ("classifier", "activations", "normalized", "learned slopes", "layers", "noise", "shapes")
MODELS += ("prepared", "adapted", "restrained", "root mean squares")


# Keras multiplies in float32, even with the policy float64.
LIMITS = {"rtol": 1e-6, "atol": 1e-6}


@pytest.mark.parametrize("name", FILES)
def test_recorded_files(name: str) -> None:
    recorded = np.load(GOLDEN / "keras_files.npz", allow_pickle=False)
    model = keras_file.load(GOLDEN / f"{name}.keras")
    assert model.dtype == recorded[f"{name}/y"].dtype.name
    got = model.predict(recorded[f"{name}/x"])
    np.testing.assert_allclose(got, recorded[f"{name}/y"], **LIMITS)


def test_there_are_recorded_files() -> None:
    assert len(FILES) == 4


@pytest.mark.parametrize(
    ("dtype", "functional"),
    [("float32", False), ("float64", True)],
    ids=["sequential", "functional"],
)
@pytest.mark.parametrize("name", MODELS)
def test_models_of_keras(name: str, dtype: str, functional: bool, tmp_path: Path) -> None:
    import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        from golden import keras_models

        assert set(keras_models.stacks()) == set(MODELS)
        model = keras_models.model(name, dtype, functional)
        x = keras_models.sample(name)
        expected = keras_models.outputs(model, x, dtype)
        model.save(tmp_path / "m.keras")
        twin = keras_file.load(tmp_path / "m.keras")  # which says that Keras's sparsemax differs
    assert twin.dtype == dtype
    np.testing.assert_allclose(twin.predict(x), expected, **LIMITS)


def test_a_constant_column_has_no_effect_where_keras_divides_by_nothing(tmp_path: Path) -> None:
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        normalization = keras.layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.0])
        model = keras.Sequential([keras.Input((2,)), normalization])
        model.save(tmp_path / "m.keras")
    twin = keras_file.load(tmp_path / "m.keras")
    assert twin.predict([[3.0, 2.0], [3.0, 5.0]]).tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_what_it_was_compiled_with_is_taken_over(tmp_path: Path) -> None:
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "sigmoid")])
        rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        model.compile(
            keras.optimizers.AdamW(rate, weight_decay=0.1),
            keras.losses.BinaryCrossentropy(label_smoothing=0.1),
            metrics=["accuracy", keras.metrics.AUC(num_thresholds=50)],
        )
        model.save(tmp_path / "m.keras")
    twin = keras_file.load(tmp_path / "m.keras")
    assert type(twin.optimizer).__name__ == "AdamW"
    assert twin.optimizer.weight_decay == 0.1  # type: ignore[union-attr]
    assert twin.loss.get_config()["label_smoothing"] == 0.1  # type: ignore[union-attr]
    assert twin.metrics_names == ["loss", "accuracy", "auc"]
    twin.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)


def test_losses_of_several_outputs_are_taken_over(tmp_path: Path) -> None:
    keras = import_keras()
    x, y = np.zeros((4, 3)), [np.zeros((4, 1)), np.zeros(4)]
    for chosen in (
        {"loss": ["mse", keras.losses.SparseCategoricalCrossentropy(from_logits=True)]},
        {"loss": {"a": "mse", "b": "sparse_categorical_crossentropy"}},
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's own
            start = keras.Input((3,))
            ends = [
                keras.layers.Dense(width, name=name)(start) for name, width in (("a", 1), ("b", 3))
            ]
            model = keras.Model(start, ends)
            metrics = [["mae"], None]
            model.compile("sgd", loss_weights=[0.5, 2.0], metrics=metrics, **chosen)
            model.evaluate(x, y, verbose=0)
            model.save(tmp_path / "m.keras")
            twin = keras_file.load(tmp_path / "m.keras")
        assert twin.metrics_names[:3] == ["loss", "a_loss", "b_loss"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = model.evaluate(x, y, verbose=0)
        np.testing.assert_allclose(twin.evaluate(x, y), expected, rtol=1e-5)


def test_the_recorded_classifier_trains_on() -> None:
    model = keras_file.load(GOLDEN / "keras_classifier.keras")
    assert type(model.optimizer).__name__ == "SGD"
    assert model.metrics_names == ["loss", "accuracy"]
    model.fit(np.zeros((6, 4)), [0, 1, 2] * 2, verbose=0)


Config = dict[str, Any]


def rewritten(
    folder: Path,
    edit: Callable[[Config], object] = lambda config: None,
    name: str = "classifier",
    weights: Callable[[Any], object] | bytes | None = None,
    metadata: str = '{"keras_version": "3.9.0"}',
    leave_out: str = "",
) -> Path:
    """Return a recorded file with another configuration, or other weights."""
    with zipfile.ZipFile(GOLDEN / f"keras_{name}.keras") as archive:
        config = json.loads(archive.read("config.json"))
        content = archive.read("model.weights.h5")
    edit(config)
    if isinstance(weights, bytes):
        content = weights
    elif weights is not None:
        buffer = io.BytesIO(content)
        with h5py.File(buffer, "r+") as file:
            weights(file)
        content = buffer.getvalue()
    path = folder / "m.keras"
    members = {
        "metadata.json": metadata,
        "config.json": json.dumps(config),
        "model.weights.h5": content,
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, value in members.items():
            if member != leave_out:
                archive.writestr(member, value)
    return path


def first(config: Config) -> Config:
    """Return the first Dense of the recorded classifier."""
    found: Config = config["config"]["layers"][1]
    return found


def option(**options: Any) -> Callable[[Config], object]:
    return lambda config: first(config)["config"].update(options)


def kind(**entries: Any) -> Callable[[Config], object]:
    return lambda config: first(config).update(entries)


REFUSED: dict[str, tuple[Callable[[Config], object], str]] = {
    "layer": (kind(class_name="Conv1D"), r"layer 'dense': there is no layer for Keras's Conv1D"),
    "lambda": (kind(class_name="Lambda"), "no layer for Keras's Lambda"),
    "module": (kind(module="os"), "of module 'os' is not Keras's own"),
    "registered": (kind(registered_name="mine>Dense"), "mine>Dense is not Keras's own"),
    "option": (option(shared=True), "laminar has no option 'shared', which is True"),
    "lora": (option(lora_rank=4), "no option 'lora_rank', which is 4"),
    "activation": (option(activation="glu"), "unknown activation 'glu'"),
    "function": (
        option(activation={"module": "builtins", "class_name": "function", "config": "relu"}),
        "function 'relu' is not Keras's own",
    ),
    "units": (option(units=2**40), r"'dense/kernel' of shape \(4, 1099511627776\) is too large"),
    "units of a word": (option(units="many"), "units"),
    "policy": (
        option(dtype="float64"),
        "all layers must be float32, or all float64, got float32, f",
    ),
    "mixed": (option(dtype={"config": {"name": "mixed_float16"}}), "float32, mixed_float16"),
    "input": (
        lambda config: config["config"]["layers"][0]["config"].update(batch_shape=[None, None]),
        "the shape of its input must be known",
    ),
    "wide input": (
        lambda config: config["config"]["layers"][0]["config"].update(batch_shape=[None, 2**50]),
        r"layer 'dense': input_shape: shape \(1125899906842624,\) is too large",
    ),
    "subclass": (lambda config: config.update(class_name="MyModel"), "must be a Sequential or a F"),
    "no layers": (lambda config: config["config"].update(layers=3), "not iterable"),
    "no names": (lambda config: config["config"].update(layers=[{}]), "must have class_name"),
    "names": (option(name=3), "name must be a string"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_named(name: str, tmp_path: Path) -> None:
    edit, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"load_model: .*m.keras: .*{message}"):
        keras_file.load(rewritten(tmp_path, edit))


def test_options_of_other_layers_are_refused(tmp_path: Path) -> None:
    def slopes(**options: Any) -> Path:
        edit = lambda config: config["config"]["layers"][2]["config"].update(options)  # noqa: E731
        return rewritten(tmp_path, edit, "learned_slopes")

    with pytest.raises(ValueError, match=r"no option 'shared_axes', which is \[1\]"):
        keras_file.load(slopes(shared_axes=[1]))

    def batch(**options: Any) -> Path:
        edit = lambda config: config["config"]["layers"][2]["config"].update(options)  # noqa: E731
        return rewritten(tmp_path, edit, "normalized")

    with pytest.raises(ValueError, match="axis must be the last one, got 0"):
        keras_file.load(batch(axis=0))
    with pytest.raises(ValueError, match="no option 'renorm', which is True"):
        keras_file.load(batch(renorm=True))
    keras_file.load(batch(axis=1))


def test_graphs_that_cannot_be_are_refused(tmp_path: Path) -> None:
    def two_inputs(config: Config) -> None:
        config["config"]["input_layers"] = [["a", 0, 0], ["b", 0, 0]]

    def beside(config: Config) -> None:
        history = config["config"]["layers"][3]["inbound_nodes"][0]["args"][0]["config"]
        history["keras_history"][0] = config["config"]["layers"][1]["name"]

    def circle(config: Config) -> None:
        history = config["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]
        history["keras_history"][0] = config["config"]["layers"][2]["name"]

    def absent(config: Config) -> None:
        history = config["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]
        history["keras_history"][0] = "absent"

    def arguments(config: Config) -> None:
        config["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"mask": 3}

    def twice(config: Config) -> None:
        config["config"]["layers"][2]["name"] = config["config"]["layers"][1]["name"]

    def nested(config: Config) -> None:
        config["config"]["layers"][1]["class_name"] = "Wrapper"
        config["config"]["layers"][2]["inbound_nodes"] *= 2

    for edit, message in (
        (two_inputs, "input_layers names 'a', which is not there"),
        (beside, "leads to no output"),
        (circle, "reads what depends on it: a cycle"),
        (absent, "reads 'absent', which is not there"),
        (arguments, "is called with arguments that laminar's has not"),
        (twice, "two of its layers have one name"),
        (nested, "there is no layer for Keras's Wrapper"),
    ):
        with pytest.raises(ValueError, match=message):
            keras_file.load(rewritten(tmp_path, edit, "learned_slopes"))


@pytest.mark.parametrize("build", graph_models.MODELS, ids=lambda build: build.__name__)
def test_graphs_of_keras(build: Any, tmp_path: Path) -> None:
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        model, (x, _) = build(keras)
        expected = np.asarray(model.predict(x, verbose=0))
        model.save(tmp_path / "m.keras")
        names = sorted(graph_models.weighted(model))
    twin = keras_file.load(tmp_path / "m.keras")
    np.testing.assert_allclose(twin.predict(x), expected, rtol=1e-5, atol=1e-5)
    assert sorted(graph_models.weighted(twin)) == names


def test_a_model_that_is_called_twice_at_the_end(tmp_path: Path) -> None:
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        z = keras.Input((5,))
        inner = keras.Model(z, keras.layers.Dense(3)(z))
        a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
        model = keras.Model([a, b], {"p": inner(b), "q": inner(a)})
        x = [graph_models.A, graph_models.B]
        expected = model.predict(x, verbose=0)
        model.save(tmp_path / "m.keras")
    twin = keras_file.load(tmp_path / "m.keras")
    for name, outputs in twin.predict(x).items():
        np.testing.assert_allclose(outputs, np.asarray(expected[name]), rtol=1e-5, atol=1e-5)
    assert len(twin.layers) == 1


def test_a_sequential_in_a_sequential_of_keras(tmp_path: Path) -> None:
    keras = import_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own
        inner = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
        inner.trainable = False
        model = keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(2)])
        expected = np.asarray(model.predict(graph_models.A, verbose=0))
        model.save(tmp_path / "m.keras")
    twin = keras_file.load(tmp_path / "m.keras")
    np.testing.assert_allclose(twin.predict(graph_models.A), expected, rtol=1e-5, atol=1e-5)
    assert [layer.trainable for layer in twin.layers] == [False, False, True]


def test_what_only_training_knows_is_named_in_a_warning(tmp_path: Path) -> None:
    def edit(config: Config) -> None:
        first(config)["config"]["trainable"] = False
        first(config)["config"]["kernel_regularizer"] = {
            "module": "mine",
            "class_name": "Odd",
            "config": {},
        }
        config["compile_config"]["loss"] = "my_loss"

    with pytest.warns(UserWarning, match="not taken over") as caught:
        model = keras_file.load(rewritten(tmp_path, edit))
    message = str(caught[0].message)
    assert not model.layers[0].trainable
    for part in ("kernel_regularizer", "unknown loss 'my_loss'"):
        assert part in message
    assert model.optimizer is None
    with pytest.raises(ValueError, match="compile the model first"):
        model.evaluate(np.zeros((2, 4)), [0, 1])


def no_kernel(file: Any) -> None:
    del file["layers/dense/vars/0"]


def wrong_kernel(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = np.zeros((4, 6), np.float32)


def words(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = np.zeros((4, 5), "S3")


def bomb(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset(
        "0", (2**20, 2**20), np.float32, chunks=(1024, 1024), compression="gzip"
    )


def link_out(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/tmp/other.h5", "/x")


def external_data(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset(
        "0", (4, 5), np.float32, external=[("/etc/passwd", 0, 80)]
    )


def group(file: Any) -> None:
    del file["layers/dense/vars/0"]
    file.create_group("layers/dense/vars/0")


WEIGHTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "absent": (no_kernel, "load_model"),
    "shape": (wrong_kernel, r"must have shapes \[\(4, 5\), \(5,\)\], got \[\(4, 6\), \(5,\)\]"),
    "words": (words, "must hold float32 or float64, got"),
    "bomb": (bomb, "must be stored whole in the file"),
    "link out": (link_out, "leads out of the file"),
    "external data": (external_data, "must be stored whole in the file"),
    "group": (group, "must be an array"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_damaged_weights_are_refused(name: str, tmp_path: Path) -> None:
    edit, message = WEIGHTS[name]
    with pytest.raises(ValueError, match=message):
        keras_file.load(rewritten(tmp_path, weights=edit))


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    for content in (b"", b"not an archive", (GOLDEN / f"{FILES[0]}.keras").read_bytes()[:-30]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"load_model: .*is not an archive of Keras"):
            keras_file.load(path)
    with pytest.raises(FileNotFoundError):
        keras_file.load(tmp_path / "absent.keras")
    with pytest.raises(ValueError, match=r"but lacks model.weights.h5"):
        keras_file.load(rewritten(tmp_path, leave_out="model.weights.h5"))
    with pytest.raises(ValueError, match=r"must be written by Keras 3, got version '2.15.0'"):
        keras_file.load(rewritten(tmp_path, metadata='{"keras_version": "2.15.0"}'))
    with pytest.raises(ValueError, match="configuration is damaged"):
        keras_file.load(rewritten(tmp_path, metadata="["))
    with pytest.raises(ValueError, match="configuration is not a mapping"):
        keras_file.load(rewritten(tmp_path, metadata="[]"))
    with pytest.raises(ValueError, match="its weights are damaged"):
        keras_file.load(rewritten(tmp_path, weights=b"no HDF5"))
    nested = '{"a":' * 100_000 + "1" + "}" * 100_000
    with pytest.raises(ValueError, match=r"damaged|would take"):
        keras_file.load(rewritten(tmp_path, metadata=nested))


def test_archives_that_would_be_huge_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(2**24))
    with pytest.raises(ValueError, match=r"model.weights.h5 would take 16777216 bytes, more than"):
        keras_file.load(path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install laminar\[keras\]"):
        keras_file.load(GOLDEN / f"{FILES[0]}.keras")


def test_every_layer_of_the_list_is_laminars() -> None:
    from laminar.exchange import _keras_layers

    own = {"InputLayer", "Identity"}
    for name in _keras_layers.TAKEN:
        assert name not in own
        assert issubclass(getattr(layers, name), layers.Layer)
    lacking = set(layers.__all__) - set(_keras_layers.TAKEN)
    functions = {name for name in lacking if name.islower() and name != "get"}
    assert functions <= {name.lower() for name in _keras_layers.TAKEN}
    assert lacking - functions == {
        *("Input", "IntegerLookup", "Lambda", "Layer", "Operations", "StringLookup", "get"),
    }
