# SPDX-License-Identifier: Apache-2.0
"""Every class of layer: configuration, names and shapes of weights, training against prediction."""

from __future__ import annotations

import inspect
import json
from typing import Any

import exchange_models
import numpy as np
import pytest

import laminar
from laminar import Sequential, layers, optimizers

CLASSES: list[type[layers.Layer]] = [  # those that a stack can have
    cls for cls in (*layers.Layer._classes.values(), *layers.Layer._variants) if not cls._merges
]
RECORDED = {**exchange_models.RECORDED, "class_name": "Mine", "config": ""}
# Required arguments, and for every class others than the defaults.
REQUIRED: dict[str, dict[str, Any]] = {
    "Activation": {"activation": "tanh"},
    "AlphaDropout": {"rate": 0.25},
    "CategoryEncoding": {"num_tokens": 9},
    "Dense": {"units": 3},
    "Discretization": {"bin_boundaries": [0, 1]},
    "Dropout": {"rate": 0.25},
    "Embedding": {"input_dim": 9, "output_dim": 3},
    "GaussianDropout": {"rate": 0.25},
    "GaussianNoise": {"stddev": 0.25},
    "Maxout": {"units": 3},
    "Operations": {"recorded": RECORDED},
    "PeriodicEmbedding": {"frequencies": 2},
    "PiecewiseLinearEncoding": {
        "edges": [[0, 1], [-0.5, 0.25, 8], [1, 3], [2, 4, 6], [0, 9], [-1, 1]]
    },
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (2, 3)},
}
OTHERS: dict[str, dict[str, Any]] = {
    "AlphaDropout": {"seed": 4},
    "BatchNormalization": {"momentum": 0.5, "scale": False, "beta_regularizer": "l2"},
    "CategoryEncoding": {"output_mode": "count"},
    "Dense": {
        "activation": "elu",
        "use_bias": False,
        "kernel_regularizer": "orthogonal",
        "activity_regularizer": {"name": "l1", "l1": 0.5},
        "kernel_constraint": {"name": "max_norm", "axis": 1},
    },
    "Dropout": {"seed": 4},
    "Embedding": {"embeddings_initializer": "ones", "embeddings_regularizer": "l2"},
    "ELU": {"alpha": 0.5},
    "GaussianDropout": {"seed": 4},
    "GaussianNoise": {"seed": 4},
    "LayerNormalization": {"epsilon": 0.5, "center": False, "gamma_initializer": "zeros"},
    "LeakyReLU": {"negative_slope": 0.5},
    "Maxout": {"pieces": 3, "kernel_initializer": "ones", "kernel_constraint": "non_neg"},
    "Normalization": {"mean": [1.0] * 6, "variance": [4.0] * 6, "invert": True},
    "PReLU": {"alpha_initializer": "ones", "alpha_regularizer": "l2"},
    "PeriodicEmbedding": {"frequencies": 3, "sigma": 0.5, "units": 3},
    "PiecewiseLinearEncoding": {"bins": 5},
    "RMSNormalization": {"epsilon": 0.5},
    "ReLU": {"max_value": 6.0, "negative_slope": 0.1, "threshold": 0.5},
    "Rescaling": {"offset": 2.0},
    "Reshape": {"target_shape": (3, -1)},
    "SmoothClip": {"limit": 2.0},
}
# Names and shapes of the weights over 6 features, as in Keras.
WEIGHTS: dict[str, list[tuple[str, tuple[int, ...]]]] = {
    "BatchNormalization": [
        ("gamma", (6,)),
        ("beta", (6,)),
        ("moving_mean", (6,)),
        ("moving_variance", (6,)),
    ],
    "Dense": [("kernel", (6, 3)), ("bias", (3,))],
    "Embedding": [("embeddings", (9, 3))],
    "LayerNormalization": [("gamma", (6,)), ("beta", (6,))],
    "Maxout": [("kernel", (6, 6)), ("bias", (6,))],
    "Normalization": [("mean", (6,)), ("variance", (6,))],
    "Operations": [("kernel", (6, 3)), ("bias", (3,))],
    "PReLU": [("alpha", (6,))],
    "PeriodicEmbedding": [("coefficients", (6, 2))],
    "RMSNormalization": [("scale", (6,))],
}
SHAPES: dict[str, tuple[int, ...]] = {
    "CategoryEncoding": (9,),
    "Dense": (3,),
    "Embedding": (6, 3),
    "Maxout": (3,),
    "Operations": (3,),
    "PeriodicEmbedding": (6, 4),
    "PiecewiseLinearEncoding": (8,),
    "Reshape": (2, 3),
}
X = np.random.default_rng(0).integers(0, 9, (20, 6)).astype(np.float64)

by_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def made(cls: type[layers.Layer], **more: Any) -> layers.Layer:
    return cls(**{**REQUIRED.get(cls.__name__, {}), **more})


def test_there_are_twenty() -> None:
    assert len({cls.__name__ for cls in CLASSES}) == len(CLASSES) >= 20
    for cls in CLASSES:
        assert cls.__name__ in layers.__all__


@by_class
@pytest.mark.parametrize("default", [True, False])
def test_configurations_make_equal_layers(cls: type[layers.Layer], default: bool) -> None:
    others = {} if default else OTHERS.get(cls.__name__, {})
    layer = made(cls, **others, name="a", input_shape=(6,))
    config = json.loads(json.dumps(layer.get_config()))
    assert {*config, "trainable"} == set(inspect.signature(cls).parameters)
    assert "trainable" not in config  # but where it is not as it always is
    assert made(cls, trainable=False).get_config()["trainable"] is False
    twin = layers.get({"class_name": cls.__name__, "config": config})
    assert type(twin) is cls
    assert twin.get_config() == layer.get_config()
    models = [Sequential([one], dtype="float64", seed=3) for one in (layer, twin)]
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))
    copy = Sequential.from_config(json.loads(json.dumps(models[0].get_config())))
    assert type(copy.layers[0]) is cls
    np.testing.assert_array_equal(copy.predict(X), models[0].predict(X))


@by_class
def test_misspelt_arguments_are_named(cls: type[layers.Layer]) -> None:
    for name in inspect.signature(cls).parameters:
        wrong = name[:-1] + "x"
        given = {k: v for k, v in REQUIRED.get(cls.__name__, {}).items() if k != name}
        with pytest.raises(
            TypeError, match=f"{cls.__name__}: unknown argument '{wrong}'; did you mean"
        ):
            cls(**given, **{wrong: 1})


@by_class
def test_shapes_and_weights(cls: type[layers.Layer]) -> None:
    model = Sequential([layers.Input(6), made(cls)])
    shape = SHAPES.get(cls.__name__, (6,))
    layer = model.layers[0]
    assert layer.output_shape == model.output_shape == (None, *shape)
    assert model.predict(X).shape == (20, *shape)
    expected = WEIGHTS.get(cls.__name__, [])
    assert [(w.name, w.shape) for w in model.weights] == [
        (f"{layer.name}/{name}", shape) for name, shape in expected
    ]
    assert [w.shape for w in layer.get_weights()] == [shape for _, shape in expected]
    assert [w.trainable for w in model.weights] == [
        not name.startswith(("moving", "mean", "variance")) for name, _ in expected
    ]


@by_class
def test_prediction_is_evaluation_and_deterministic(cls: type[layers.Layer]) -> None:
    stack = [layers.Input(6), made(cls), layers.Flatten(), layers.Dense(2)]
    model = Sequential(stack, dtype="float64", seed=5)
    model.compile("sgd", "mse")
    y = np.ones((20, 2))
    predicted = model.predict(X)
    np.testing.assert_array_equal(model.predict(X), predicted)
    assert model.evaluate(X, y) == pytest.approx(((predicted - 1) ** 2).mean(), rel=1e-12)
    losses = {model.loss_and_gradients(X, y)[0] for _ in range(2)}
    assert len(losses) == 1
    disturbs = cls.__name__ in {"AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"}
    if cls is not layers.BatchNormalization:
        assert (model.evaluate(X, y) == pytest.approx(losses.pop())) != disturbs


@by_class
def test_gradients_are_finite_differences(cls: type[layers.Layer]) -> None:
    first = issubclass(
        cls,
        layers.Normalization
        | layers.Rescaling
        | layers.Discretization
        | layers.CategoryEncoding
        | layers.Embedding,
    )
    before = [] if first else [layers.Dense(6, "tanh")]
    stack = [layers.Input(6), *before, made(cls), layers.Flatten(), layers.Dense(2)]
    model = Sequential(stack, dtype="float64", seed=8)
    model.compile("sgd", "mse")
    rng = np.random.default_rng(2)
    y = rng.normal(size=(20, 2))
    weights = model.get_weights()
    trainable = [i for i, w in enumerate(model.weights) if w.trainable]
    for i in trainable:  # away from zeros, where PReLU and its like bend
        weights[i] = weights[i] + rng.uniform(0.05, 0.1, weights[i].shape)
    model.set_weights(weights)
    _, gradients = model.loss_and_gradients(X, y)
    largest = max(abs(gradients[i]).max() for i in trainable)
    for i in trainable:
        for at in list(np.ndindex(*weights[i].shape))[:7]:
            losses = []
            for step in (1e-5, -1e-5):
                moved = [w.copy() for w in weights]
                moved[i][at] += step
                model.set_weights(moved)
                losses.append(model.loss_and_gradients(X, y)[0])
            slope = (losses[0] - losses[1]) / 2e-5
            assert gradients[i][at] == pytest.approx(slope, rel=1e-6, abs=1e-6 * largest)


@by_class
def test_float32_is_near_float64(cls: type[layers.Layer]) -> None:
    results = []
    for dtype in ("float32", "float64"):
        model = Sequential(
            [layers.Input(6), made(cls, **OTHERS.get(cls.__name__, {}))], dtype=dtype
        )
        model.set_weights([np.full(w.shape, 0.3) for w in model.weights])
        results.append(model.predict(X))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-4)


def test_activation_layers_are_their_activations() -> None:
    z = np.linspace(-3, 3, 12).reshape(2, 6)
    for layer, expected in (
        (layers.LeakyReLU(), np.where(z < 0, 0.3 * z, z)),
        (layers.ELU(0.5), np.where(z > 0, z, 0.5 * np.expm1(z))),
        (layers.ReLU(), np.maximum(z, 0)),
        (layers.PReLU("ones"), z),
        (layers.PReLU(), np.maximum(z, 0)),
        (layers.Softmax(), np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)),
    ):
        model = Sequential([layers.Input(6), layer], dtype="float64")
        np.testing.assert_allclose(model.predict(z), expected, rtol=1e-14, atol=1e-15)


def test_a_class_of_one_kind_is_told_from_another() -> None:
    assert type(layers.get({"class_name": "LeakyReLU", "config": {}})) is layers.LeakyReLU
    plain = layers.get({"class_name": "Activation", "config": {"activation": "elu"}})
    assert type(plain) is layers.Activation
    with pytest.raises(ValueError, match="did you mean 'LeakyReLU'"):
        layers.get({"class_name": "LeakyRelu", "config": {}})


def noise_of(layer: layers.Layer, value: float = 1.0, width: int = 4000) -> Any:
    """Return a layer's training output for a constant input, by the gradient of a mean."""
    stack = [layers.Input(1), layers.Dense(width), layer, layers.Dense(1, use_bias=False)]
    model = Sequential(stack, dtype="float64", seed=6)
    model.set_weights([np.zeros((1, width)), np.full(width, value), np.ones((width, 1))])
    model.compile(optimizers.SGD(), "mae")
    # d of the last kernel is the layer's output, times the sign of the error.
    return model.loss_and_gradients([[0.0]], [[-1e6]])[1][2].ravel()


@pytest.mark.parametrize(
    ("layer", "mean", "variance"),
    [
        (layers.Dropout(0.4, name="a"), 1.0, 0.4 / 0.6),
        (layers.GaussianDropout(0.4, name="a"), 1.0, 0.4 / 0.6),
        (layers.GaussianNoise(0.5, name="a"), 1.0, 0.25),
    ],
    ids=lambda v: type(v).__name__,
)
def test_noise_has_its_moments(layer: layers.Layer, mean: float, variance: float) -> None:
    draws = noise_of(type(layer).from_config(layer.get_config()))
    assert abs(draws.mean() - mean) < 5 * np.sqrt(variance / len(draws))
    fourth = ((draws - mean) ** 4).mean()
    assert abs(draws.var() - variance) < 5 * np.sqrt((fourth - variance**2) / len(draws))


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    rng = np.random.default_rng(0)
    rate, limit = 0.3, -1.7580993408473766
    kept = noise_of(layers.AlphaDropout(rate), value=0.0)
    shift, dropped = kept.max(), kept.min()
    scale = (dropped - shift) / limit
    x = rng.normal(size=100_000)
    out = np.where(rng.random(x.shape) < rate, limit, x) * scale + shift
    assert out.mean() == pytest.approx(0, abs=5 / np.sqrt(x.size))
    assert out.var() == pytest.approx(1, abs=0.03)
    assert (kept == dropped).mean() == pytest.approx(rate, abs=5 * np.sqrt(0.21 / kept.size))


def test_p_as_the_fraction_kept_has_the_same_expectation() -> None:
    """One of the notes keeps a fraction p and multiplies by p at test time."""
    p, value = 0.75, 1.3
    inverted = noise_of(layers.Dropout(1 - p), value)
    notes_training = inverted * p  # masks of 0 and 1
    notes_test = value * p
    assert notes_training.mean() == pytest.approx(
        notes_test, abs=5 * value * np.sqrt(p * (1 - p) / inverted.size)
    )
    assert inverted.mean() == pytest.approx(
        value, abs=5 * value * np.sqrt((1 - p) / p / inverted.size)
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: layers.Dropout(0.25, seed=seed),
        lambda seed: layers.AlphaDropout(0.25, seed=seed),
        lambda seed: layers.GaussianDropout(0.25, seed=seed),
        lambda seed: layers.GaussianNoise(0.5, seed=seed),
    ],
)
def test_a_seed_fixes_the_draws(make: Any) -> None:
    def loss(layer_seed: int | None, model_seed: int) -> Any:
        stack = [layers.Input(6), make(layer_seed)]
        model = Sequential(stack, seed=model_seed)
        model.compile("sgd", "mse")
        return model.loss_and_gradients(X, X)[0]

    assert loss(4, 1) == loss(4, 2) != loss(5, 1)
    assert loss(None, 1) != loss(None, 2)


def test_maxout_is_relu_and_leaky_relu() -> None:
    rng = np.random.default_rng(1)
    w = rng.normal(size=(6, 4))
    x = rng.normal(size=(9, 6))
    for slope, expected in ((0.0, layers.ReLU()), (0.01, layers.LeakyReLU(0.01))):
        maxout = Sequential([layers.Input(6), layers.Maxout(4, use_bias=False)], dtype="float64")
        maxout.set_weights([np.hstack([w, slope * w])])
        plain = Sequential(
            [layers.Input(6), layers.Dense(4, use_bias=False), expected], dtype="float64"
        )
        plain.set_weights([w])
        np.testing.assert_allclose(maxout.predict(x), plain.predict(x), rtol=1e-13, atol=0)


def test_samples_of_several_axes() -> None:
    rng = np.random.default_rng(1)
    images = rng.normal(size=(30, 4, 5)).astype(np.float32)
    y = rng.integers(0, 3, 30)
    stack: list[Any] = [layers.Flatten(), layers.Dense(3, "softmax")]
    for start in ([], [layers.Input((4, 5))]):
        model = Sequential([*start, *[type(s).from_config(s.get_config()) for s in stack]], seed=2)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(images, y, epochs=2, verbose=0, validation_split=0.2)
        assert model.input_shape == (None, 4, 5)
        flat = Sequential([layers.Input(20), layers.Dense(3, "softmax")])
        flat.set_weights(model.get_weights())
        np.testing.assert_array_equal(model.predict(images), flat.predict(images.reshape(30, 20)))
        for wrong in (images.reshape(30, 20), images.reshape(30, 5, 4)):
            with pytest.raises(ValueError, match=r"x must have shape \(rows, 4, 5\), got \(30, "):
                model.predict(wrong)
        with pytest.raises(ValueError, match=r"x must have shape \(rows, 4, 5\)"):
            model.fit(images, y, verbose=0, validation_data=(images.reshape(30, 20), y))
    built = Sequential([layers.Flatten(), layers.Dense(3)])
    built.build((None, 4, 5))
    assert built.input_shape == (None, 4, 5)


def test_outputs_of_several_axes() -> None:
    rng = np.random.default_rng(1)
    images = rng.normal(size=(30, 2, 3))
    stack = [layers.Flatten(input_shape=(2, 3)), layers.Dense(6), layers.Reshape((2, 3))]
    model = Sequential(stack, dtype="float64")
    model.set_weights([np.eye(6), np.zeros(6)])
    np.testing.assert_array_equal(model.predict(images), images)
    out = np.empty((30, 2, 3))
    assert model.predict(images, out=out) is out
    np.testing.assert_array_equal(out, images)
    model.compile("sgd", "mse")
    assert model.evaluate(images, images) == 0
    with pytest.raises(ValueError, match=r"y must have shape \(rows, 2, 3\), got \(30, 3, 2\)"):
        model.evaluate(images, images.reshape(30, 3, 2))
    with pytest.raises(ValueError, match=r"layer 'dense'.*\(features,\)"):
        Sequential([layers.Dense(3)]).predict(images)


def test_layer_normalization_over_the_last_axis() -> None:
    x = np.random.default_rng(0).normal(3, 2, (7, 4, 5))
    model = Sequential([layers.Input((4, 5)), layers.LayerNormalization()], dtype="float64")
    expected = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12)


def test_live_against_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 6))
    gamma, beta, alpha = rng.normal(size=(3, 6))
    for layer, weights, function in (
        (
            layers.LayerNormalization(),
            [gamma, beta],
            lambda t, g, b: torch.nn.functional.layer_norm(t, (6,), g, b, 1e-3),
        ),
        (
            layers.RMSNormalization(epsilon=0.1),
            [gamma],
            lambda t, g: torch.nn.functional.rms_norm(t, (6,), g, 0.1),
        ),
        (layers.PReLU(), [alpha], torch.nn.functional.prelu),
    ):
        model = Sequential([layers.Input(6), layer], dtype="float64")
        model.set_weights(weights)
        model.compile("sgd", "mse")
        tensors = [torch.tensor(w, requires_grad=True) for w in weights]
        out = function(torch.tensor(x), *tensors)
        np.testing.assert_allclose(model.predict(x), out.detach().numpy(), rtol=1e-12)
        out.square().mean().backward()
        _, gradients = model.loss_and_gradients(x, np.zeros_like(x))
        for gradient, tensor in zip(gradients, tensors, strict=True):
            np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-10)


def test_every_list_is_complete() -> None:
    assert {cls.__name__ for cls in CLASSES} >= {*REQUIRED, *OTHERS, *WEIGHTS, *SHAPES}
    assert laminar.layers is layers
