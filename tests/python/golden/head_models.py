# SPDX-License-Identifier: Apache-2.0
"""Models of several outputs as users write them, for Keras and for laminar.

Only the import differs, and how missing targets are asked for: Keras has no word for them, so the
recording brings a loss of its own. `record_keras_heads.py` writes what Keras makes of them,
test_heads_keras.py compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS, BATCH, EPOCHS = 24, 8, 3
RNG = np.random.default_rng(6)
# Multiples of 1/64, since Keras rounds what it is given to float32.
X = RNG.integers(-99, 99, (ROWS, 5)) / 64
PRICE = RNG.integers(0, 64, (ROWS, 1)) / 64
KIND = RNG.integers(0, 3, ROWS)
TAGS = RNG.integers(0, 2, (ROWS, 4)).astype(float)
HOLES = np.where(RNG.random((ROWS, 4)) < 0.4, np.nan, RNG.integers(0, 64, (ROWS, 4)) / 64)
HOLES[::5] = np.nan
# Weights of mean 1, by which Keras and laminar divide alike.
WEIGHTS = RNG.permutation(np.repeat([0.5, 1.0, 1.5], ROWS // 3))
OTHERS = RNG.permutation(np.repeat([0.25, 0.75, 2.0], ROWS // 3))


def trunk(keras: Any) -> tuple[Any, Any]:
    """Return an input and what two layers make of it."""
    x = keras.Input(shape=(5,), name="x")
    h = keras.layers.Dense(8, activation="tanh", name="a1")(x)
    return x, keras.layers.Dense(6, activation="relu", name="a2")(h)


def multi_task(keras: Any) -> tuple[Any, dict[str, Any], Any, Any]:
    """A number, one class of three and four tags; losses, weights and metrics in lists."""
    layers = keras.layers
    x, h = trunk(keras)
    outputs = [
        layers.Dense(1, name="price")(h),
        layers.Dense(3, activation="softmax", name="kind")(h),
        layers.Dense(4, activation="sigmoid", name="tags")(h),
    ]
    chosen = {
        "loss": ["mse", "sparse_categorical_crossentropy", "binary_crossentropy"],
        "loss_weights": [0.3, 2.0, 1.0],
        "metrics": [["mae"], ["accuracy"], None],
        "weighted_metrics": [None, ["accuracy"], ["mse"]],
    }
    return keras.Model(x, outputs), chosen, [PRICE, KIND, TAGS], [WEIGHTS, OTHERS, WEIGHTS]


def by_name(keras: Any) -> tuple[Any, dict[str, Any], Any, Any]:
    """The same in dicts by the keys of the outputs, with one loss that is read further inside."""
    layers = keras.layers
    x, h = trunk(keras)
    inner = layers.Dense(4, activation="sigmoid", name="c1")(h)
    outputs = {"tag": inner, "cost": layers.Dense(1, name="c2")(layers.concatenate([h, inner]))}
    chosen = {
        "loss": {"cost": "mae", "tag": "binary_crossentropy"},
        "loss_weights": {"cost": 1.0, "tag": 0.5},
        "metrics": {"cost": ["mse", "mae"]},
    }
    return keras.Model(x, outputs), chosen, {"cost": PRICE, "tag": TAGS}, WEIGHTS


def one_for_all(keras: Any) -> tuple[Any, dict[str, Any], Any, Any]:
    """One loss for both outputs, the weights of rows for one of them."""
    layers = keras.layers
    x, h = trunk(keras)
    outputs = [layers.Dense(1, name="d1")(h), layers.Dense(4, name="d2")(h)]
    chosen = {"loss": "mse", "metrics": [None, "mae"]}
    weights = [WEIGHTS, np.ones(ROWS)]
    return keras.Model(x, outputs), chosen, [PRICE, TAGS], weights


def untrained(keras: Any) -> tuple[Any, dict[str, Any], Any, Any]:
    """An output without a loss of its own."""
    layers = keras.layers
    x, h = trunk(keras)
    outputs = {"a": layers.Dense(1, name="e1")(h), "b": layers.Dense(4, name="e2")(h)}
    chosen = {"loss": {"a": "mse", "b": None}, "metrics": {"b": ["mae"]}}
    return keras.Model(x, outputs), chosen, {"a": PRICE, "b": TAGS}, None


MODELS = (multi_task, by_name, one_for_all, untrained)


def missing(keras: Any) -> tuple[Any, Any]:
    """Return a model of two outputs, and the targets, of which some are missing."""
    layers = keras.layers
    x, h = trunk(keras)
    outputs = [layers.Dense(4, name="f1")(h), layers.Dense(3, activation="softmax", name="f2")(h)]
    kinds = np.where(np.arange(ROWS) % 4 == 1, np.nan, KIND)
    return keras.Model(x, outputs), [HOLES, kinds]


def started(model: Any) -> Any:
    """Return the model with weights drawn here."""
    rng = np.random.default_rng(11)
    for layer in sorted(model.layers, key=lambda each: str(each.name)):
        shapes = [w.shape for w in layer.get_weights()]
        if shapes:
            layer.set_weights([rng.integers(-40, 40, shape) / 64 for shape in shapes])
    return model


def run(keras: Any, build: Callable[[Any], Any]) -> dict[str, NDArray[Any]]:
    """Return names and values of logs, and the weights after training."""
    model, chosen, y, weight = build(keras)
    started(model).compile(keras.optimizers.Adam(0.01), **chosen)
    options = {"sample_weight": weight, "batch_size": BATCH}
    history = model.fit(
        X,
        y,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        validation_data=(X, y) if weight is None else (X, y, weight),
        **options,
    )
    return results(model, history, model.evaluate(X, y, verbose=0, **options))


def run_missing(
    keras: Any, compile_options: dict[str, Any], build: Callable[[Any], Any] = missing
) -> dict[str, NDArray[Any]]:
    """Do so with missing targets."""
    model, y = build(keras)
    started(model).compile(keras.optimizers.Adam(0.01), loss_weights=[1.5, 1.0], **compile_options)
    history = model.fit(X, y, epochs=EPOCHS, shuffle=False, verbose=0, batch_size=ROWS)
    return results(model, history, model.evaluate(X, y, verbose=0, batch_size=ROWS))


def run_masked(keras: Any) -> dict[str, NDArray[Any]]:
    """Return what updates with weights of 0 in place of missing targets make of a model."""
    model, chosen, y, _ = multi_task(keras)
    rng = np.random.default_rng(12)
    masks = [(rng.random(ROWS) < share).astype(float) for share in (0.7, 0.4, 0.9)]
    started(model).compile(
        keras.optimizers.Adam(0.01), loss=chosen["loss"], loss_weights=chosen["loss_weights"]
    )
    losses = [model.train_on_batch(X, y, masks) for _ in range(5)]
    weights = [w for layer in model.layers for w in layer.get_weights()]
    found = {"losses": np.array(losses, float)}
    return {**found, **{f"weight {i}": np.asarray(w) for i, w in enumerate(weights)}}


def results(model: Any, history: Any, evaluated: Any) -> dict[str, NDArray[Any]]:
    """Return what is compared."""
    logs = dict(sorted(history.history.items()))
    found = {
        "keys": np.array(list(logs)),
        "logs": np.array(list(logs.values())),
        "evaluated": np.array(evaluated),
    }
    weights = [w for layer in model.layers for w in layer.get_weights()]
    return {**found, **{f"weight {i}": np.asarray(w) for i, w in enumerate(weights)}}
