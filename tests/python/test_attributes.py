# SPDX-License-Identifier: Apache-2.0
"""Assigning to attributes takes effect or is refused, and no file is written that none loads."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, fingerprint, small_classifier
from test_layers_catalogue import CLASSES, X, made

import laminar
from laminar import (
    Input,
    Model,
    Sequential,
    _attributes,
    _component,
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from laminar._component import Component
from laminar._spelling import argument_names

# What may be assigned to any attribute: for each something of its kind is among them.
VALUES: tuple[Any, ...] = (
    *(0.125, 0.5, 2.5, 0, 1, 2, 7, True, False, None, "max", "relu", "ones", "l2", "non_neg"),
    *("mean", "columns", "one_hot", "sum", "mine", (2, 3), (6, 1), [0.5, 1.5, 2.5], [1.0] * 6, -1),
    *({"name": "elu", "alpha": 0.5}, {"name": "constant", "value": 0.25}, float("nan"), "?", X),
)
REFUSALS = (TypeError, ValueError, AttributeError, NotImplementedError)

by_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def assign(target: Any, name: str, value: object) -> bool:
    """Assign, and say whether it was done; what is refused must have changed nothing."""
    before = target.get_config()
    try:
        setattr(target, name, value)
    except REFUSALS as error:
        assert str(error)
        assert target.get_config() == before
        return False
    return True


def same_after_every_way(model: Model | Sequential, folder: Path) -> None:
    """Save, load, pickle and copy; all must succeed and give the same model."""
    model.save(folder / "m.safetensors")
    twins = [
        laminar.load_model(folder / "m.safetensors"),
        pickle.loads(pickle.dumps(model)),
        copy.deepcopy(model),
    ]
    for twin in twins:
        assert fingerprint(twin.get_weights()) == fingerprint(model.get_weights())
        assert twin.metrics_names == model.metrics_names
        assert twin.get_config()["layers"] == model.get_config()["layers"]


@by_class
@pytest.mark.parametrize("built", [False, True])
def test_every_argument_of_every_layer(
    cls: type[layers.Layer], built: bool, tmp_path: Path
) -> None:
    taken = 0
    for name in argument_names(cls.__init__):
        for value in VALUES:
            layer = made(cls)
            model = Sequential([layers.Input(6), layer] if built else [layer], seed=3)
            if not assign(layer, name, value):
                continue
            taken += 1
            # What was taken is what the constructor makes of it.
            twin = type(layer)(**{**layer.get_config()})
            assert twin.get_config() == layer.get_config()
            if not built:
                try:
                    model.build(6)
                except ValueError:  # the layer does not fit six features, as its twin would not
                    with pytest.raises(ValueError):
                        Sequential([layers.Input(6), twin])
                    continue
            model.compile("sgd", "mse")
            same_after_every_way(model, tmp_path)
    assert taken > 0 or built


@by_class
def test_parts_of_built_layers_are_fixed(cls: type[layers.Layer], tmp_path: Path) -> None:
    layer = made(cls)
    model = Sequential([layers.Input(6), layer], seed=3)
    parts = [part for part in vars(layer).values() if isinstance(part, Component)]
    for part in parts:
        for name in argument_names(type(part).__init__):
            for value in VALUES:
                assert not assign(part, name, value)
    same_after_every_way(model, tmp_path)


COMPILED = [
    (base._family, cls)
    for base in (losses.Loss, metrics.Metric, optimizers.Optimizer)
    for cls in base._classes.values()
]


@pytest.mark.filterwarnings("ignore:compile")  # of losses that do not suit softmax
@pytest.mark.parametrize(("family", "cls"), COMPILED, ids=lambda v: getattr(v, "__name__", v))
def test_every_argument_of_what_a_model_is_compiled_with(
    family: str, cls: type[Any], tmp_path: Path
) -> None:
    part = cls()
    given: dict[str, Any] = {"optimizer": "sgd", "loss": "mse"}
    if family == "metric":
        given["metrics"] = [part]
        if _component.entries("metric")[cls._entry]["takes"] == "labels":
            given["loss"] = "sparse_categorical_crossentropy"
    else:
        given[family] = part
    model = Sequential([layers.Input(6), layers.Dense(3, "softmax")], seed=3)
    model.compile(**given)
    for name in argument_names(cls.__init__):
        for value in VALUES:
            done = assign(part, name, value)
            assert not done or (family == "optimizer" and name == "learning_rate")
    same_after_every_way(model, tmp_path)
    twin = laminar.load_model(tmp_path / "m.safetensors")
    assert twin.loss is not None and model.loss is not None
    assert twin.optimizer is not None and model.optimizer is not None
    assert twin.loss.get_config() == model.loss.get_config()
    assert twin.optimizer.get_config() == model.optimizer.get_config()
    assert [m.get_config() for m in twin.metrics] == [m.get_config() for m in model.metrics]


@pytest.mark.parametrize(
    "base",
    [
        losses.Loss,
        metrics.Metric,
        optimizers.Optimizer,
        initializers.Initializer,
        regularizers.Regularizer,
        constraints.Constraint,
        activations.Activation,
    ],
    ids=lambda base: base.__name__,
)
def test_before_use_an_assignment_is_a_construction(base: type[Component]) -> None:
    for cls in base._classes.values():
        for name in argument_names(cls.__init__):
            for value in VALUES:
                changed = cls()
                assign(changed, name, value)
                twin = cls.from_config(changed.get_config())
                assert twin.get_config() == changed.get_config()


MERGES = [cls for cls in layers.Layer._classes.values() if cls._merges]


def public_names(owner: Any) -> list[str]:
    """Return the names of all attributes of an object that are no methods."""
    kind = type(owner)
    names = {name for name in dir(kind) if not callable(getattr(kind, name))}
    names |= set(vars(owner)) | _attributes._declared(kind)
    return sorted(name for name in names if not name.startswith("_"))


def in_a_model(cls: type[layers.Layer]) -> tuple[layers.Layer, Model | Sequential]:
    """Return a built layer, and a model that has it."""
    if cls._merges:
        merge, ends = cls(), [Input(6), Input(6)]
        return merge, Model(ends, merge(ends), seed=3)
    layer = made(cls)
    return layer, Sequential([layers.Input(6), layer], seed=3)


def assert_kept(owner: Any, name: str, value: object) -> None:
    found = getattr(owner, name)
    np.testing.assert_equal(found, tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("cls", [*CLASSES, *MERGES], ids=lambda cls: cls.__name__)
def test_every_attribute_of_a_built_layer(cls: type[layers.Layer], tmp_path: Path) -> None:
    layer, model = in_a_model(cls)
    names = public_names(layer)
    assert {"name", "trainable", "weights", "output_shape", "input", "built"} <= set(names)
    for name in names:
        for value in VALUES:
            try:
                setattr(layer, name, value)
            except (AttributeError, TypeError, ValueError) as error:
                assert f" {name} " in str(error)
                if isinstance(error, AttributeError):
                    assert ";" in str(error), error  # what to do instead
                continue
            assert name in (*cls._changeable, "trainable")
            assert_kept(layer, name, value)
    same_after_every_way(model, tmp_path)
    config = model.get_config()["layers"][0]["config"]
    for name in cls._changeable:
        assert config[name] == getattr(layer, name)
    assert config.get("trainable", True) is layer.trainable


@pytest.mark.parametrize("graph", [False, True])
def test_every_attribute_of_a_built_model(graph: bool, tmp_path: Path) -> None:
    model = in_a_model(layers.Add if graph else layers.Dense)[1]
    accepted = set()
    for name in public_names(model):
        for value in VALUES:
            try:
                setattr(model, name, value)
            except (AttributeError, TypeError, ValueError) as error:
                assert f" {name} " in str(error)
                if isinstance(error, AttributeError):
                    assert ";" in str(error), error
                continue
            accepted.add(name)
            assert_kept(model, name, value)
    free = {"class_names", "feature_names", "history", "name", "stop_training", "trainable"}
    assert accepted == free
    same_after_every_way(model, tmp_path)
    twin = pickle.loads(pickle.dumps(model))
    assert (twin.name, twin.trainable) == (model.name, model.trainable)


def test_shapes_of_symbols_stay_what_they_were() -> None:
    x = Input(4)
    dense, shape = layers.Dense(3), layers.Reshape((2, 2))
    y, z = dense(x), shape(x)
    assert z.shape == (2, 2)
    for layer, name, value in ((dense, "units", 5), (shape, "target_shape", (4, 1))):
        with pytest.raises(AttributeError, match=f"{name} cannot be changed, as the layer was"):
            setattr(layer, name, value)
    dense.activation = "relu"  # type: ignore[assignment]
    dense.use_bias = False
    model = Model(x, y)
    assert model.predict(-np.ones((2, 4))).shape == (2, 3)
    assert len(model.get_weights()) == 1
    assert model.get_config()["layers"][0]["config"]["activation"]["name"] == "relu"
    for name in ("shape", "name"):
        with pytest.raises(AttributeError, match=f"Symbol: {name} cannot be"):
            setattr(y, name, None)
    for name in ("shape", "name", "dtype"):
        with pytest.raises(AttributeError, match=f"Input: {name} cannot be changed"):
            setattr(x, name, None)


def test_a_rate_takes_effect_at_once() -> None:
    x, y = blobs()
    for cls in (layers.Dropout, layers.AlphaDropout, layers.GaussianDropout):
        ends = []
        for first, then in ((0.5, 0.1), (0.1, 0.1), (0.5, 0.5)):
            model = Sequential(
                [layers.Input(6), layers.Dense(9), cls(first), layers.Dense(3)], seed=1
            )
            model.compile("sgd", "mse")
            model.layers[1].rate = then  # type: ignore[attr-defined]
            assert model.get_config()["layers"][1]["config"]["rate"] == then
            model.fit(x, np.eye(3)[y], verbose=0)
            ends.append(fingerprint(model.get_weights()))
        assert ends[0] == ends[1] != ends[2]
    model = Sequential([layers.Input(6), layers.GaussianNoise(1.0), layers.Dense(3)], seed=1)
    model.compile("sgd", "mse")
    still = Sequential([layers.Input(6), layers.GaussianNoise(0.0), layers.Dense(3)], seed=1)
    still.compile("sgd", "mse")
    model.layers[0].stddev = 0  # type: ignore[attr-defined]
    for m in (model, still):
        m.fit(x, np.eye(3)[y], verbose=0)
    assert fingerprint(model.get_weights()) == fingerprint(still.get_weights())


def test_a_callback_changes_a_rate_and_its_checkpoints_load(tmp_path: Path) -> None:
    x, y = blobs()
    model = Sequential([layers.Input(6), layers.Dense(9), layers.Dropout(0.5), layers.Dense(3)])
    model.compile("sgd", "mse")
    rates = []

    def lower(epoch: int, logs: Any) -> None:
        model.layers[1].rate = 0.4 / (epoch + 1)  # type: ignore[attr-defined]

    def loads(epoch: int, logs: Any) -> None:
        twin = laminar.load_model(tmp_path / f"{epoch + 1}.safetensors")
        rates.append(twin.layers[1].rate)  # type: ignore[attr-defined]

    model.fit(
        x,
        np.eye(3)[y],
        epochs=3,
        verbose=0,
        callbacks=[
            callbacks.LambdaCallback(on_epoch_begin=lower),
            callbacks.ModelCheckpoint(tmp_path / "{epoch}.safetensors"),
        ],
    )
    for epoch in range(3):
        loads(epoch, None)
    assert rates == [0.4, 0.2, 0.4 / 3]


def test_a_rate_out_of_range_changes_nothing() -> None:
    model = Sequential([layers.Input(6), layers.Dropout(0.5), layers.Dense(3)])
    for bad, error in ((1.0, ValueError), (-0.1, ValueError), ("a", TypeError)):
        with pytest.raises(error, match="Dropout: rate must be"):
            model.layers[0].rate = bad  # type: ignore[attr-defined]
    assert model.layers[0].rate == 0.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("target", "name", "message"),
    [
        (lambda: small_classifier(), "stop_trainng", "Sequential has no .* 'stop_training'"),
        (lambda: layers.Dense(3), "unit", "Dense has no attribute 'unit'; did you mean 'units'"),
        (lambda: losses.Huber(), "dleta", "Huber has no attribute 'dleta'; did you mean 'delta'"),
        (lambda: metrics.AUC(), "thresholds", "AUC has no attribute 'thresholds'"),
        (lambda: optimizers.SGD(), "momentun", "did you mean 'momentum'"),
        (lambda: regularizers.L2(), "l", "L2 has no attribute 'l'"),
        (lambda: initializers.Constant(), "vlaue", "did you mean 'value'"),
        (lambda: constraints.MaxNorm(), "max_vlaue", "did you mean 'max_value'"),
        (lambda: activations.ELU(), "alhpa", "did you mean 'alpha'"),
        (lambda: callbacks.EarlyStopping(), "patienec", "did you mean 'patience'"),
        (lambda: callbacks.ModelCheckpoint("a.safetensors"), "file_path", "mean 'filepath'"),
        (lambda: layers.Input(3), "shpae", "did you mean 'shape'"),
        (lambda: layers.StringLookup(), "vocabulry", "did you mean 'vocabulary'"),
    ],
)
def test_unknown_attributes_are_refused_with_the_right_name(
    target: Any, name: str, message: str
) -> None:
    owner = target()
    with pytest.raises(AttributeError, match=message):
        setattr(owner, name, True)
    assert not hasattr(owner, name)
    owner._mine = 3  # names of one's own may begin with _
    assert owner._mine == 3


def test_classes_of_the_user_s_have_attributes_of_their_own() -> None:
    class Mine(callbacks.Callback):
        def __init__(self) -> None:
            self.seen: list[int] = []
            self.anything = 3

    class Stopping(callbacks.EarlyStopping):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.mine = epoch
            super().on_epoch_end(epoch, logs)

    class Net(Sequential):
        pass

    x, y = blobs()
    stopping = Stopping(monitor="loss")
    small_classifier().fit(x, y, verbose=0, callbacks=[Mine(), stopping])
    assert stopping.mine == 0
    model = Net([layers.Input(3), layers.Dense(2)])
    model.anything = 3  # type: ignore[attr-defined]
    assert model.anything == 3  # type: ignore[attr-defined]


def test_trainable_is_a_flag() -> None:
    model = small_classifier()
    for owner in (model, model.layers[0], layers.Dense(3)):
        assert owner.trainable
        for value in (False, True):
            owner.trainable = value
            assert owner.trainable is value
        with pytest.raises(TypeError, match="trainable must be True or False"):
            owner.trainable = 0  # type: ignore[assignment]


def test_what_a_model_is_made_of_cannot_be_set() -> None:
    model = small_classifier(metrics=["accuracy"])
    for name in ("optimizer", "loss", "metrics"):
        with pytest.raises(AttributeError, match=f"{name} cannot be set; compile chooses it"):
            setattr(model, name, None)
    for name in ("layers", "dtype", "seed", "precision"):
        with pytest.raises(AttributeError, match=f"{name} cannot be changed; make another model"):
            setattr(model, name, getattr(model, name))
    for name in ("built", "weights", "input_shape"):
        with pytest.raises(AttributeError, match=f"{name} cannot be set"):
            setattr(model, name, None)
    for name, wrong in (
        ("name", 3),
        ("stop_training", "yes"),
        ("history", {}),
        ("class_names", [1]),
    ):
        with pytest.raises(TypeError, match=f"{name} must be"):
            setattr(model, name, wrong)
    model.class_names = ["a", "b", "c"]  # type: ignore[assignment]
    assert model.class_names == ("a", "b", "c")
    model.name = "other"
    assert pickle.loads(pickle.dumps(model)).name == "other"


def test_names_stay_unique_and_shapes_what_they_were() -> None:
    model = Sequential([layers.Dense(3, name="a"), layers.Dense(3)])
    with pytest.raises(ValueError, match="has a layer named 'a' already"):
        model.layers[1].name = "a"  # type: ignore[misc]
    model.layers[1].name = "b"  # type: ignore[misc]
    assert [layer.name for layer in model.layers] == ["a", "b"]
    with pytest.raises(AttributeError, match="input_shape cannot be changed in a model"):
        model.layers[0].input_shape = (4,)
    with pytest.raises(AttributeError, match="Input: shape cannot be changed"):
        layers.Input(3).shape = (4,)


def test_ready_made_activations_are_everybodys() -> None:
    with pytest.raises(AttributeError, match="negative_slope cannot be changed any more"):
        activations.leaky_relu.negative_slope = 0.5  # type: ignore[attr-defined]


def test_arguments_of_callbacks_are_checked_like_a_constructor_s() -> None:
    stopping = callbacks.EarlyStopping(patience=3)
    stopping.patience = 5
    assert stopping.patience == 5
    with pytest.raises(ValueError, match="patience must be at least 0"):
        stopping.patience = -1
    with pytest.raises(ValueError, match="mode must be"):
        stopping.mode = "most"
    assert (stopping.patience, stopping.mode) == (5, "auto")
    checkpoint = callbacks.ModelCheckpoint("a.safetensors")
    with pytest.raises(ValueError, match="must end in"):
        checkpoint.filepath = "a.h5"


@pytest.mark.parametrize(
    ("method", "advice"),
    [
        ("call", r"derive the class from layers\.Layer, .* Sequential\(\[Mine\(\)\]\)"),
        ("train_step", r"as a loop, with a laminar\.GradientTape"),
    ],
)
@pytest.mark.parametrize("base", [Sequential, Model])
def test_methods_of_models_that_would_never_run(base: Any, method: str, advice: str) -> None:
    with pytest.raises(NotImplementedError, match=f"Mine: models do not call {method}; .*{advice}"):
        type("Mine", (base,), {method: lambda self, inputs: inputs})
