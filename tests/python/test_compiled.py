# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from support import small_classifier

import laminar
from laminar import Sequential, layers, losses, metrics, optimizers
from laminar._compiled import Compiled


@pytest.mark.parametrize(
    "optimizer", ["sgd", "SGD", optimizers.SGD, optimizers.SGD(), {"name": "sgd"}]
)
@pytest.mark.parametrize("loss", ["mse", "MeanSquaredError", losses.MeanSquaredError()])
@pytest.mark.parametrize("chosen", [["mae"], "mae", (metrics.MeanAbsoluteError(name="mae"),)])
def test_strings_and_objects(optimizer: Any, loss: Any, chosen: Any) -> None:
    made = Compiled(optimizer, loss, chosen, owner=None)
    assert isinstance(made.optimizer, optimizers.SGD)
    assert isinstance(made.loss, losses.MeanSquaredError)
    assert made.keys == ["loss", "mae"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"optimizer": "adma"}, ValueError, "'adma'; did you mean 'adam'"),
        ({"optimizer": 0.1}, TypeError, "optimizer must be a name or an object"),
        ({"loss": "categorical_crossentropi"}, ValueError, "mean 'categorical_crossentropy'"),
        ({"loss": 3}, TypeError, "loss must be a name or an object"),
        ({"loss": lambda y, p: 0}, ValueError, "loss 'loss': has no slope by y_pred"),
        ({"metrics": ["acuracy"]}, ValueError, "'acuracy'; did you mean 'accuracy'"),
        ({"metrics": [3]}, TypeError, "metric must be a name or an object"),
        ({"metric": ["accuracy"]}, TypeError, "'metric'; did you mean 'metrics'"),
        ({"optimizer": {"name": "sgd", "rate": 1}}, TypeError, "unknown argument 'rate'"),
        ({"optimizer": {"name": "sgd", "learning_rate": -1}}, ValueError, "learning_rate"),
        ({"loss": {"name": "huber", "delta": 0}}, ValueError, "delta"),
    ],
)
def test_bad_arguments_change_nothing(arguments: Any, error: type[Exception], message: str) -> None:
    model = small_classifier(metrics=["accuracy"])
    before = (model.optimizer, model.loss, model.metrics)
    with pytest.raises(error, match=message):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    assert (model.optimizer, model.loss, model.metrics) == before


def test_a_model_may_be_compiled_before_it_is_built() -> None:
    model = Sequential([layers.Dense(2)])
    model.compile(optimizers.Adam(0.125), "mse", ["mae"])
    assert not model.built
    assert model.metrics_names == ["loss", "mae"]
    model.build((None, 3))
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == 0.125
    assert len(model.evaluate([[1, 2, 3]], [[0, 0]])) == 2


def test_the_default_optimizer_is_keras_s() -> None:
    model = Sequential([layers.Dense(2)])
    model.compile(loss="mse")
    assert isinstance(model.optimizer, optimizers.RMSprop)


def test_what_is_not_compiled_says_so() -> None:
    model = Sequential([layers.Input(3), layers.Dense(2)])
    for name in ("fit", "train_on_batch", "evaluate", "loss_and_gradients"):
        with pytest.raises(ValueError, match=f"{name}: compile the model first"):
            getattr(model, name)([[1, 2, 3]], [[0, 0]])
    assert model.predict([[1, 2, 3]]).shape == (1, 2)


@pytest.mark.parametrize(
    ("chosen", "weighted"),
    [
        (["mse"], [metrics.MeanAbsoluteError(name="weighted_mae")]),
        (["mae"], ["mae"]),
        (["mae"], [metrics.MeanAbsoluteError(name="weighted_mae")]),
        ([metrics.MeanAbsoluteError(name="weighted_mae")], ["mse", "mae"]),
        ([], [metrics.MeanAbsoluteError(name="weighted_weighted_mae"), "weighted_mae_free"]),
        (["accuracy", metrics.CategoricalAccuracy(name="acc")], []),
    ],
)
def test_keys_and_names_are_the_same_after_every_way(
    chosen: list[Any], weighted: list[Any], tmp_path: Path
) -> None:
    weighted = [metrics.MeanSquaredError(w) if w == "weighted_mae_free" else w for w in weighted]
    for built in (False, True):
        model = small_classifier(built=built)
        model.compile("sgd", "categorical_crossentropy", chosen, weighted)
        twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
        if built:
            path = tmp_path / "m.safetensors"
            model.save(path)
            twins += [
                laminar.load_model(path),
                pickle.loads(pickle.dumps(laminar.load_model(path))),
            ]
        for twin in twins:
            assert twin.metrics_names == model.metrics_names
            assert [m.get_config() for m in twin.metrics] == [m.get_config() for m in model.metrics]
            twin.compile("sgd", "mse", **_metrics_of(twin))
            assert twin.metrics_names == model.metrics_names


def _metrics_of(model: Sequential) -> dict[str, Any]:
    assert model._compiled is not None
    arguments = model._compiled.arguments()
    return {name: arguments[name] for name in ("metrics", "weighted_metrics")}
