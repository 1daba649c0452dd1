# SPDX-License-Identifier: Apache-2.0
"""Every entry of the core's lists has a class, with the same names and defaults, and back."""

from __future__ import annotations

import inspect
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support import FAMILIES, another, layer_kinds

from laminar import (
    Sequential,
    _core,
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from laminar._component import Component, flag, integer, number

BASES: dict[str, tuple[ModuleType, type[Component]]] = {
    "activation": (activations, activations.Activation),
    "constraint": (constraints, constraints.Constraint),
    "initializer": (initializers, initializers.Initializer),
    "layer": (layers, layers.Layer),
    "loss": (losses, losses.Loss),
    "metric": (metrics, metrics.Metric),
    "optimizer": (optimizers, optimizers.Optimizer),
    "regularizer": (regularizers, regularizers.Regularizer),
}
ENTRIES = [
    (family, entry)
    for family in FAMILIES
    for entry in _core.entries(family)
    if family != "layer" or entry["name"] in layer_kinds()
]
NAMED = [(family, entry) for family, entry in ENTRIES if family != "layer"]
LAYER_ARGUMENTS = {
    "dense": {"units": 3},
    "activation": {"activation": "tanh"},
    "dropout": {"rate": 0.25},
    "prelu": {},
    "maxout": {"units": 3},
    "layer_normalization": {},
    "alpha_dropout": {"rate": 0.25},
    "gaussian_noise": {"stddev": 0.25},
    "gaussian_dropout": {"rate": 0.25},
    "flatten": {},
    "reshape": {"target_shape": (3, 2)},
    "normalization": {},
    "rescaling": {"scale": 0.5},
    "discretization": {"bin_boundaries": [0, 1]},
    "category_encoding": {"num_tokens": 4},
    "batch_normalization": {},
}


def identify(value: object) -> str | None:
    return value["name"] if isinstance(value, dict) else None


def class_of(family: str, entry: dict[str, Any]) -> type[Any]:
    return BASES[family][1]._classes[entry["name"]]


@pytest.mark.parametrize("family", FAMILIES)
def test_classes_and_entries_are_the_same_set(family: str) -> None:
    module, base = BASES[family]
    known = {entry["name"] for entry in _core.entries(family)}
    assert set(base._classes) == (layer_kinds() if family == "layer" else known)
    for cls in (*base._classes.values(), *base._variants):
        assert getattr(module, cls.__name__) is cls
        assert cls.__name__ in module.__all__


@pytest.mark.parametrize(("family", "entry"), NAMED, ids=identify)
def test_arguments_and_defaults_are_the_entry_s(family: str, entry: dict[str, Any]) -> None:
    arguments = dict(inspect.signature(class_of(family, entry)).parameters)
    if family == "metric":
        assert isinstance(arguments.pop("name").default, str)
    if family == "optimizer":
        for name, default in _core.entries("optimizer_options")[0]["parameters"].items():
            if name not in entry["parameters"]:
                assert arguments.pop(name).default == default
    assert {name: a.default for name, a in arguments.items()} == entry["parameters"]
    for name, default in entry["parameters"].items():
        assert isinstance(arguments[name].default, bool) == isinstance(default, bool)


@pytest.mark.parametrize(("family", "entry"), NAMED, ids=identify)
def test_every_name_and_class_name_gives_the_class(family: str, entry: dict[str, Any]) -> None:
    cls = class_of(family, entry)
    get = BASES[family][0].get
    for name in (entry["name"], *entry["aliases"], cls.__name__):
        assert type(get(name)) is cls
    assert type(get(cls)) is cls
    made = cls()
    assert get(made) is made


@pytest.mark.parametrize(("family", "entry"), NAMED, ids=identify)
def test_configurations_make_equal_objects(family: str, entry: dict[str, Any]) -> None:
    cls = class_of(family, entry)
    get = BASES[family][0].get
    changed = {name: another(entry, name) for name in entry["parameters"]}
    made = cls(**changed)
    config = json.loads(json.dumps(made.get_config()))
    assert cls.from_config(config).get_config() == config
    spec = {"name": entry["name"], **changed}
    assert made._spec() == json.loads(json.dumps(spec))
    assert get(spec)._spec() == made._spec()
    assert get({"class_name": cls.__name__, "config": config})._spec() == made._spec()
    assert repr(made).startswith(f"{cls.__name__}(")


@pytest.mark.parametrize(("family", "entry"), ENTRIES, ids=identify)
def test_misspelt_arguments_are_named(family: str, entry: dict[str, Any]) -> None:
    cls = class_of(family, entry)
    right = LAYER_ARGUMENTS.get(entry["name"], {}) if family == "layer" else {}
    for name in inspect.signature(cls).parameters:
        wrong = name[:-1] + ("q" if name.endswith("x") else "x") if len(name) > 2 else 2 * name
        given = {key: value for key, value in right.items() if key != name}
        with pytest.raises(
            TypeError, match=f"{cls.__name__}: unknown argument '{wrong}'; did you mean"
        ):
            cls(**given, **{wrong: 1})


@pytest.mark.parametrize(("family", "entry"), NAMED, ids=identify)
def test_values_of_another_kind_are_refused(family: str, entry: dict[str, Any]) -> None:
    cls = class_of(family, entry)
    for name, default in entry["parameters"].items():
        if isinstance(default, bool):
            bad: tuple[Any, ...] = (1, "yes", None)
        elif isinstance(default, str):
            bad = (1, None, True)
        elif isinstance(default, tuple):
            bad = (1, "12", None, ["1"])
        else:
            bad = ("1", True, 1j, [1.0]) + (() if default is None else (None,))
        for value in bad:
            with pytest.raises(TypeError, match=f"{cls.__name__}: {name}"):
                cls(**{name: value})
        if isinstance(default, str):
            with pytest.raises(ValueError, match=f"{cls.__name__}: {name}: unknown word"):
                cls(**{name: "no such word"})
        elif not isinstance(default, (bool, tuple)):
            with pytest.raises(ValueError, match=f"{cls.__name__}: {name} must be finite"):
                cls(**{name: float("nan")})


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "layer"])
def test_unknown_names_are_told_the_nearest(family: str) -> None:
    get = BASES[family][0].get
    for entry in _core.entries(family):
        wrong = entry["name"][:-1] + "qx"
        with pytest.raises(ValueError, match=f"unknown {family} '{wrong}'"):
            get(wrong)
    with pytest.raises(TypeError, match=f"{family} must be a name or an object of laminar"):
        get(3)
    with pytest.raises(ValueError, match="needs a 'name'"):
        get({"alpha": 1})


def test_nearest_names() -> None:
    with pytest.raises(ValueError, match="'adma'; did you mean 'adam'"):
        optimizers.get("adma")
    with pytest.raises(ValueError, match="did you mean 'LeakyReLU'"):
        activations.get("leakyrelu")
    with pytest.raises(AttributeError, match="'SDG'; did you mean 'SGD'"):
        optimizers.SDG  # noqa: B018  # the look-up is the test


def test_number() -> None:
    assert number(np.float32(0.5), "n") == 0.5
    assert type(number(np.int64(3), "n")) is int
    for bad in ("1", None, True, np.True_):
        with pytest.raises(TypeError, match="n must be a number"):
            number(bad, "n")
    with pytest.raises(ValueError, match="n must be finite"):
        number(float("inf"), "n")


def test_integer() -> None:
    assert integer(np.int8(3), "n") == 3
    for bad in (1.0, "1", None, True):
        with pytest.raises(TypeError, match="n must be an integer"):
            integer(bad, "n")
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        integer(0, "n", minimum=1)


def test_flag() -> None:
    assert flag(np.True_, "f") is True
    for bad in (1, 0, "True", None):
        with pytest.raises(TypeError, match="f must be True or False"):
            flag(bad, "f")


def test_ranges_are_checked_where_the_value_is_given() -> None:
    with pytest.raises(ValueError, match=r"'sgd': learning_rate must not be negative, got -1"):
        optimizers.SGD(-1)
    with pytest.raises(ValueError, match=r"'huber': delta must be greater than 0, got 0"):
        losses.Huber(0)
    adam = optimizers.Adam()
    with pytest.raises(ValueError, match="learning_rate"):
        adam.learning_rate = -0.1
    assert adam.learning_rate == 0.001


# Of layers and what may be written in operations there are classes of one's own.
OPEN = [
    layers.Layer,
    losses.Loss,
    metrics.Metric,
    regularizers.Regularizer,
    constraints.Constraint,
]
CLOSED = [base for _, base in BASES.values() if base not in OPEN]


def test_layers_of_one_s_own_derive_from_the_base() -> None:
    with pytest.raises(NotImplementedError, match=r"Mine: a layer of one's own .* Layer itself"):
        type("Mine", (layers.Dense,), {})
    with pytest.raises(NotImplementedError, match="Layer: a layer of one's own"):
        layers.Layer()
    assert "Layer" not in layers.Layer._classes


@pytest.mark.parametrize("base", OPEN[1:], ids=lambda b: b.__name__)
def test_what_is_called_of_one_s_own_derives_from_the_base(base: type[Component]) -> None:
    concrete = next(iter(base._classes.values()))
    method = "call" if base in (losses.Loss, metrics.Metric) else "__call__"
    call = {method: lambda self, *arguments: arguments[0]}
    for bases, body in (((concrete,), call), ((concrete,), {}), ((base,), {})):
        with pytest.raises(NotImplementedError, match=f"Mine: .* derives from {base.__name__} its"):
            type("Mine", bases, body)
    with pytest.raises(NotImplementedError, match=f"{base.__name__}: a {base._family} of one's"):
        base()
    type("Mine", (base,), call)
    assert "Mine" not in {cls.__name__ for cls in base._classes.values()}


@pytest.mark.parametrize("base", CLOSED, ids=lambda b: b.__name__)
def test_classes_of_one_s_own_are_refused_in_words(base: type[Component]) -> None:
    instead = "is not supported yet, since the core computes while it trains; use one of laminar."
    with pytest.raises(NotImplementedError, match=f"Mine: a {base._family} of one's own {instead}"):
        type("Mine", (base,), {"call": lambda self, *arguments: 0.0})
    concrete = next(iter(base._classes.values()))
    with pytest.raises(NotImplementedError, match=f"Mine: a {base._family} of one's own {instead}"):
        type("Mine", (concrete,), {})
    with pytest.raises(NotImplementedError, match=f"{base.__name__}: a {base._family} of one's"):
        base()
    assert base.__name__ not in {cls.__name__ for cls in base._classes.values()}


def test_functions_in_place_of_entries_are_refused_in_words() -> None:
    def mine(*arguments: Any) -> float:
        return 0.0

    model = Sequential([layers.Input(3), layers.Dense(2)])
    with pytest.raises(TypeError, match="Python functions are not taken, since the core"):
        model.compile(mine, "mse")
    with pytest.raises(NotImplementedError, match="a loss of one's own is a function of"):
        model.compile("sgd", losses.Loss)
    with pytest.raises(
        TypeError, match=r"activity_regularizer .* a function of one's own; a layer"
    ):
        layers.Dense(2, activity_regularizer=mine)
