# SPDX-License-Identifier: Apache-2.0
"""Models as files, as bytes, and through pickle and copy: nothing of them is lost."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import another, blobs, fingerprint, small_classifier, spec_id, specs
from test_layers_catalogue import CLASSES, OTHERS, X, made

import laminar
from laminar import Sequential, _core, activations, layers, losses, metrics, optimizers
from laminar.callbacks import EarlyStopping, ModelCheckpoint
from laminar.layers import Layer


def round_trip(model: Sequential, tmp_path: Path) -> Sequential:
    path = tmp_path / "m.safetensors"
    model.save(path)
    return laminar.load_model(path)


def without_notes(model: Sequential, path: Path) -> None:
    """Write a model's file as C++ does, which knows nothing of Python's classes."""
    model.save(path)
    arrays, metadata = _core.read_safetensors(path)
    del metadata["python"], metadata["laminar.checksum"]
    _core.write_safetensors(path, arrays, metadata)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_layer_comes_back(
    cls: type[Layer], default: bool, dtype: str, tmp_path: Path
) -> None:
    layer = made(cls, **({} if default else OTHERS.get(cls.__name__, {})), name="a")
    model = Sequential([layers.Input(6), layer], dtype=dtype, seed=3)
    loaded = round_trip(model, tmp_path)
    assert type(loaded.layers[0]) is cls
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    without_notes(model, tmp_path / "c.safetensors")
    other = laminar.load_model(tmp_path / "c.safetensors")
    assert other.layers[0]._entry == layer._entry
    assert other.layers[0]._spec() == layer._spec()
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


BEFORE_ALL = ("operations", "rescaling", "normalization")  # which need their shape, or no gradient


def test_every_layer_in_one_model(tmp_path: Path) -> None:
    beginnings = {"discretization", "category_encoding", "embedding"}  # of stacks of their own
    kinds = {cls._entry for cls in CLASSES} - beginnings
    numbers = (layers.PiecewiseLinearEncoding, layers.PeriodicEmbedding)  # make several of each
    stack = [
        made(cls)
        for cls in CLASSES
        if cls._entry in kinds and cls not in (layers.Reshape, *numbers)
    ]
    stack.sort(key=lambda layer: layer._entry not in BEFORE_ALL)
    for cls in numbers:
        stack += [layers.Dense(6), made(cls), layers.Flatten()]
    stack += [layers.Dense(6), layers.Reshape((2, 3)), layers.Flatten(), layers.Dense(2)]
    model = Sequential([layers.Input(6), *stack], seed=3)
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X[:, :2], verbose=0)
    loaded = round_trip(model, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    for one in (model, loaded):
        one.fit(X, X[:, :2], verbose=0)
    assert fingerprint(loaded.get_weights()) == fingerprint(model.get_weights())


@pytest.mark.parametrize("spec", specs("activation"), ids=spec_id)
def test_every_activation_comes_back(spec: dict[str, Any], tmp_path: Path) -> None:
    entry = next(e for e in _core.entries("activation") if e["name"] == spec["name"])
    changed = {**spec, **{name: another(entry, name) for name in entry["parameters"]}}
    for config in (spec, changed):
        model = Sequential([layers.Input(6), layers.Dense(6, activations.get(config))], seed=1)
        loaded = round_trip(model, tmp_path)
        assert loaded.get_config() == model.get_config()
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("spec", specs("optimizer"), ids=spec_id)
def test_every_optimizer_goes_on(spec: dict[str, Any], tmp_path: Path) -> None:
    x, y = blobs()
    chosen = optimizers.get(spec)
    if "clipnorm" in chosen.get_config():
        chosen = type(chosen).from_config({**chosen.get_config(), "clipnorm": 0.5, "use_ema": True})
    model = small_classifier(optimizer=chosen, metrics=["accuracy"])
    for _ in range(3):
        model.train_on_batch(x, y)
    assert model.optimizer is not None
    model.optimizer.learning_rate = 0.00321
    loaded = round_trip(model, tmp_path)
    assert loaded.optimizer is not None
    assert loaded.optimizer.iterations == 3
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for _ in range(2):
        assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)
    assert fingerprint(loaded.get_weights()) == fingerprint(model.get_weights())
    loaded.optimizer.learning_rate = 0.5
    assert loaded._core("test").learning_rate == 0.5


def test_schedules_exclusions_and_weighted_metrics(tmp_path: Path) -> None:
    chosen = optimizers.AdamW(optimizers.schedules.CosineDecay(0.1, 50), weight_decay=0.01)
    chosen.exclude_from_weight_decay(var_names=["bias"])
    model = small_classifier(
        optimizer=chosen,
        metrics=["accuracy", metrics.SparseTopKCategoricalAccuracy(2, name="top")],
        weighted_metrics=["accuracy", metrics.SparseCategoricalAccuracy(name="other")],
    )
    x, y = blobs()
    model.fit(x, y, verbose=0, sample_weight=np.linspace(0, 1, len(y)))
    loaded = round_trip(model, tmp_path)
    assert loaded.metrics_names == model.metrics_names
    assert loaded.optimizer is not None
    assert loaded.optimizer._spec() == chosen._spec()
    expected = model.evaluate(x, y, sample_weight=np.linspace(0, 1, len(y)))
    assert loaded.evaluate(x, y, sample_weight=np.linspace(0, 1, len(y))) == expected
    assert loaded.history is not None
    assert model.history is not None
    assert loaded.history.history == model.history.history


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_pickle_and_copy(copied: Any) -> None:
    x, y = blobs()
    model = small_classifier(metrics=["accuracy"])
    model.fit(x, y, verbose=0)
    twin = copied(model)
    assert type(twin) is Sequential
    assert twin.evaluate(x, y) == model.evaluate(x, y)
    before = fingerprint(model.get_weights())
    twin.fit(x, y, verbose=0)
    assert fingerprint(model.get_weights()) == before
    model.fit(x, y, verbose=0)
    assert fingerprint(model.get_weights()) == fingerprint(twin.get_weights())
    twin.compile("sgd", "sparse_categorical_crossentropy")  # its layers are its own
    twin.layers[0].set_weights([np.zeros((6, 5)), np.zeros(5)])
    assert fingerprint(model.get_weights()) != fingerprint(twin.get_weights())

    unbuilt = copied(small_classifier(built=False, metrics=["accuracy"]))
    assert not unbuilt.built
    unbuilt.fit(x, y, verbose=0)
    again = small_classifier(metrics=["accuracy"])
    again.fit(x, y, verbose=0)
    assert fingerprint(unbuilt.get_weights()) == fingerprint(again.get_weights())
    plain = copied(Sequential([layers.Dense(2)], name="plain"))
    assert (plain.name, plain.optimizer) == ("plain", None)


@pytest.mark.parametrize("base", [layers.Layer, losses.Loss, metrics.Metric, optimizers.Optimizer])
def test_components_are_pickled_as_their_configuration(base: Any) -> None:
    for cls in (*base._classes.values(), *base._variants):
        one = made(cls) if base is layers.Layer else cls()
        twin = pickle.loads(pickle.dumps(one))
        assert type(twin) is cls
        assert twin.get_config() == one.get_config()


def test_safetensors_opens_and_rewrites_files(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors", reason="safetensors is not installed")
    from safetensors.numpy import save_file

    model = small_classifier()
    x, y = blobs()
    model.fit(x, y, verbose=0)
    path = tmp_path / "m.safetensors"
    model.save(path)
    with package.safe_open(path, "numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    np.testing.assert_array_equal(arrays["dense/kernel"], model.get_weights()[0])
    save_file(arrays, tmp_path / "again.safetensors", metadata)
    loaded = laminar.load_model(tmp_path / "again.safetensors")
    assert loaded.evaluate(x, y) == model.evaluate(x, y)
    model.save_weights(path)
    with package.safe_open(path, "numpy") as file:
        assert set(file.keys()) == {weight.name for weight in model.weights}


def test_a_file_without_the_optimizer_is_smaller(tmp_path: Path) -> None:
    model = small_classifier()
    model.save(tmp_path / "whole.safetensors")
    model.save(tmp_path / "bare.safetensors", include_optimizer=False)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "bare")]
    assert sizes[0] > sizes[1]
    assert laminar.load_model(tmp_path / "bare.safetensors").optimizer is None


def test_what_cannot_be_saved_or_loaded_is_named(tmp_path: Path) -> None:
    model = small_classifier()
    path = tmp_path / "m.safetensors"
    with pytest.raises(ValueError, match=r"must end in '.safetensors', got 'm.h5'"):
        model.save("m.h5")
    with pytest.raises(ValueError, match="save: the model is not built"):
        small_classifier(built=False).save(path)
    model.save(path)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(path, overwrite=False)
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "none" / "m.safetensors")
    with pytest.raises(FileNotFoundError):
        laminar.load_model(tmp_path / "none.safetensors")
    with pytest.raises(IsADirectoryError):
        (tmp_path / "folder.safetensors").mkdir()
        laminar.load_model(tmp_path / "folder.safetensors")
    _core.write_safetensors(path, {"a": np.zeros(3)}, {})
    with pytest.raises(ValueError, match="no model of laminar"):
        laminar.load_model(path)


def changed_notes(path: Path, change: Any) -> None:
    arrays, metadata = _core.read_safetensors(path)
    metadata.pop("laminar.checksum", None)
    notes = json.loads(metadata["python"])
    change(notes)
    metadata["python"] = json.dumps(notes)
    _core.write_safetensors(path, arrays, metadata)


@pytest.mark.parametrize(
    "change",
    [
        lambda notes: notes.pop("model"),
        lambda notes: notes.update(model=3),
        lambda notes: notes["model"].update(layers=[]),
        lambda notes: notes["model"]["layers"].pop(),
        lambda notes: notes["model"]["layers"][0].update(class_name="os.system"),
        lambda notes: notes["model"]["layers"][0]["config"].update(units=4),
        lambda notes: notes["model"]["layers"][0]["config"].update(units=[4]),
        lambda notes: notes["model"].update(input_shape=[5]),
        lambda notes: notes["model"].update(dtype="float64"),
        lambda notes: notes.update(history=3),
    ],
)
def test_damaged_notes_are_refused(change: Any, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    small_classifier().save(path)
    changed_notes(path, lambda notes: None)
    laminar.load_model(path)
    changed_notes(path, change)
    with pytest.raises(ValueError, match=r"cannot load|Python|layer|unknown"):
        laminar.load_model(path)


def settings(**more: Any) -> dict[str, Any]:
    return {"epochs": 5, "batch_size": 7, "verbose": 0, "validation_split": 0.25, **more}


def watchers(path: Any, freq: Any = "epoch") -> list[Any]:
    return [
        EarlyStopping(patience=2, min_delta=0.01),
        laminar.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.05),
        laminar.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.97),
        ModelCheckpoint(path, save_freq=freq),
    ]


class Crash(laminar.callbacks.Callback):
    """Ends training as a crash would, after so many batches."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise ConnectionError("crash")


@pytest.mark.parametrize("freq", ["epoch", 1, 3])
@pytest.mark.parametrize("batches", [6, 8, 13, 19])
def test_training_goes_on_as_if_it_had_not_stopped(batches: int, freq: Any, tmp_path: Path) -> None:
    x, y = blobs()
    straight = small_classifier(metrics=["accuracy"])
    callbacks = watchers(tmp_path / "a.safetensors", freq)
    expected = straight.fit(x, y, callbacks=callbacks, **settings())
    path = tmp_path / "b.safetensors"
    crashed = small_classifier(metrics=["accuracy"])
    with pytest.raises(ConnectionError):
        crashed.fit(x, y, callbacks=[*watchers(path, freq), Crash(batches)], **settings())
    resumed = small_classifier(metrics=["accuracy"], seed=99)
    history = resumed.fit(
        x, y, callbacks=watchers(tmp_path / "c.safetensors", freq), resume=path, **settings()
    )
    assert history.history == expected.history
    assert history.epoch == expected.epoch
    assert fingerprint(resumed.get_weights()) == fingerprint(straight.get_weights())
    assert resumed.seed == straight.seed


def test_an_interrupted_model_is_saved_where_it_stands(tmp_path: Path) -> None:
    x, y = blobs()
    straight = small_classifier()
    straight.fit(x, y, **settings())
    model = small_classifier()

    class Interrupt(laminar.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.model.optimizer is not None and self.model.optimizer.iterations == 7:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, callbacks=Interrupt(), **settings())
    path = tmp_path / "m.safetensors"
    model.save(path)
    resumed = laminar.load_model(path)
    resumed.fit(x, y, resume=path, **settings())
    assert fingerprint(resumed.get_weights()) == fingerprint(straight.get_weights())


def test_penalties_stay_divided_by_rows(tmp_path: Path) -> None:
    x, y = blobs()

    def fresh(per_row: bool) -> Sequential:
        dense = layers.Dense(3, "softmax", kernel_regularizer="l2")
        model = Sequential([layers.Input(x.shape[1]), dense], seed=3)
        model.compile("adam", "sparse_categorical_crossentropy")
        model._core("fit").penalties_per_row = per_row
        return model

    found = set()
    for per_row in (False, True):
        straight, stopped = fresh(per_row), fresh(per_row)
        straight.fit(x, y, **settings())
        stopped.fit(x, y, **settings(epochs=2))
        path = tmp_path / "m.safetensors"
        stopped.save(path)
        for resumed in (laminar.load_model(path), fresh(not per_row), copy.deepcopy(stopped)):
            resumed.fit(x, y, resume=path, **settings())
            assert fingerprint(resumed.get_weights()) == fingerprint(straight.get_weights())
        found.add(fingerprint(straight.get_weights()))
    assert len(found) == 2


def test_a_training_that_was_ended_stays_ended(tmp_path: Path) -> None:
    x, y = blobs()
    path = tmp_path / "m.safetensors"
    model = small_classifier(optimizer="sgd")

    def stopping() -> list[Any]:
        return [EarlyStopping(patience=0, min_delta=9.0), ModelCheckpoint(path)]

    first = model.fit(x, y, callbacks=stopping(), **settings())
    again = small_classifier(optimizer="sgd")
    second = again.fit(x, y, callbacks=stopping(), resume=path, **settings())
    assert second.epoch == first.epoch == [0, 1]
    assert fingerprint(again.get_weights()) == fingerprint(model.get_weights())


def test_finished_trainings_have_nothing_left_to_do(tmp_path: Path) -> None:
    x, y = blobs()
    path = tmp_path / "m.safetensors"
    model = small_classifier()
    model.fit(x, y, **settings())
    model.save(path)
    before = fingerprint(model.get_weights())
    history = model.fit(x, y, resume=path, **settings())
    assert history.epoch == [0, 1, 2, 3, 4]
    assert fingerprint(model.get_weights()) == before
    model.fit(x, y, resume=path, **settings(epochs=7))
    straight = small_classifier()
    straight.fit(x, y, **settings(epochs=7))
    assert fingerprint(model.get_weights()) == fingerprint(straight.get_weights())


def test_resuming_another_training_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    x, y = blobs()
    path = tmp_path / "m.safetensors"

    def refused(model: Sequential, message: str, **more: Any) -> None:
        before = fingerprint(model.get_weights())
        seed, history = model.seed, model.history
        with pytest.raises(ValueError, match=message):
            model.fit(x, y, **{**settings(), "resume": path, **more})
        assert fingerprint(model.get_weights()) == before
        assert (model.seed, model.history) == (seed, history)

    small_classifier(seed=1).save(path, include_optimizer=False)
    refused(small_classifier(), "holds no training")
    with pytest.raises(ConnectionError):
        small_classifier(seed=1).fit(
            x, y, callbacks=[ModelCheckpoint(path, save_freq=1), Crash(7)], **settings()
        )
    refused(small_classifier(optimizer="sgd"), 'compiled with optimizer .*"adam"')
    refused(small_classifier(optimizer=optimizers.Adam(beta_1=0.8)), "compiled with optimizer")
    refused(small_classifier(metrics=["accuracy"]), "compiled with metrics")
    wide = Sequential([layers.Input(6), layers.Dense(3, "softmax")])
    wide.compile("adam", "sparse_categorical_crossentropy")
    refused(wide, "holds another model")
    double = Sequential([layers.Input(6), layers.Dense(3, "softmax")], dtype="float64")
    double.compile("adam", "sparse_categorical_crossentropy")
    refused(double, "another dtype")
    rounded = Sequential([layers.Input(6), layers.Dense(3, "softmax")], precision="bfloat16")
    rounded.compile("adam", "sparse_categorical_crossentropy")
    refused(rounded, "of precision float32, this one's is bfloat16")
    refused(small_classifier(), "callbacks that keep a state: ModelCheckpoint; got none")
    keep = {"callbacks": ModelCheckpoint(tmp_path / "other.safetensors")}
    refused(small_classifier(), "in batches of 7, and cannot go on", **keep, batch_size=8)
    refused(small_classifier(), "in their order", **keep, shuffle=False)
    refused(small_classifier(), "initial_epoch must not be given", **keep, initial_epoch=1)
    with pytest.raises(FileNotFoundError):
        small_classifier().fit(x, y, resume=tmp_path / "none.safetensors", **settings())


def test_files_of_other_programs_are_told_by_their_ending(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    model = Sequential([layers.Input(6), layers.Dense(3, "tanh")], seed=1)
    model.export(tmp_path / "m.onnx")
    loaded = laminar.load_model(tmp_path / "m.onnx")
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-6)
    with pytest.raises(
        ValueError, match=r"'m\.bin' is not there.*one of \.safetensors, \.keras, .*\.onnx"
    ):
        laminar.load_model("m.bin")
