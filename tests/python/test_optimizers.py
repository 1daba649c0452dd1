# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gc
import json
from typing import Any

import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from support import another, specs

from laminar import Sequential, _core, callbacks, layers, optimizers

STEPS = 10
WIDTHS = (3, 17, 2)
OPTIONS: dict[str, Any] = _core.entries("optimizer_options")[0]["parameters"]
ELEMENTWISE = [
    spec
    for spec, entry in zip(specs("optimizer"), _core.entries("optimizer"), strict=True)
    if not entry["tensor_wise"]
]


def variants() -> list[reference.Spec]:
    """Return every elementwise optimizer with its defaults, and with each argument changed."""
    result: list[reference.Spec] = []
    for spec in ELEMENTWISE:
        result.append(dict(spec))
        changed = dict(spec)
        for name, value in spec.items():
            if name == "name":
                continue
            new = not value if isinstance(value, bool) else value * 0.9 if value else 0.9
            result.append({**spec, name: new})
            changed[name] = new
        result.append(changed)
    return result


def problem(rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    return rng.normal(size=(20, WIDTHS[0])), rng.normal(size=(20, WIDTHS[-1]))


def build(spec: Any, dtype: str = "float64") -> Sequential:
    stack = [layers.Input(WIDTHS[0]), layers.Dense(WIDTHS[1], "tanh"), layers.Dense(WIDTHS[2])]
    model = Sequential(stack, dtype=dtype, seed=2)
    model.compile(spec, "mse")
    return model


def split(flat: NDArray[Any]) -> list[reference.Dense]:
    """Return the reference's network from all weights in a row."""
    inputs, hidden, outputs = WIDTHS
    ends = np.cumsum([inputs * hidden, hidden, hidden * outputs])
    kernel, bias, kernel_2, bias_2 = np.split(flat, ends)
    return [
        reference.Dense(kernel.reshape(inputs, hidden), bias, {"name": "tanh"}),
        reference.Dense(kernel_2.reshape(hidden, outputs), bias_2, {"name": "linear"}),
    ]


def flat(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([a.astype(np.float64).reshape(-1) for a in arrays])


@pytest.mark.kernels
@pytest.mark.parametrize("spec", variants(), ids=lambda s: "-".join(str(v) for v in s.values()))
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 2e-5)])
def test_steps_agree_with_the_formula(
    spec: reference.Spec, dtype: str, tolerance: float, rng: np.random.Generator
) -> None:
    x, y = problem(rng)
    model = build(spec, dtype)

    def gradient(w: NDArray[Any]) -> NDArray[Any]:
        return flat(reference.loss_and_gradients(split(w), {"name": "mse"}, x, y)[1])

    steps = reference.updates(spec, flat(model.get_weights()), gradient)
    for step in range(STEPS):
        model.train_on_batch(x, y)
        np.testing.assert_allclose(
            flat(model.get_weights()), next(steps), rtol=tolerance, atol=tolerance
        )
        assert model.optimizer is not None
        assert model.optimizer.iterations == step + 1


@pytest.mark.parametrize("spec", specs("optimizer"), ids=lambda s: s["name"])
def test_bad_values_are_refused_before_anything_changes(spec: reference.Spec) -> None:
    model = build("sgd")
    for name, value in spec.items():
        # What may be negative has a negative default, and Muon's polynomial.
        if isinstance(value, (bool, str)) or value < 0 or name.startswith("muon_"):
            continue
        bad = -1 if isinstance(value, int) else -0.5
        with pytest.raises(ValueError, match=f"(?s){name}.*{bad}"):
            model.compile({**spec, name: bad}, "mse")
    assert model.optimizer is not None
    assert isinstance(model.optimizer, optimizers.SGD)


def test_learning_rate_is_live(rng: np.random.Generator) -> None:
    x, y = problem(rng)
    optimizer = optimizers.SGD(0.5)
    model = build(optimizer)
    assert model.optimizer is optimizer
    optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.train_on_batch(x, y)
    np.testing.assert_equal(model.get_weights(), before)
    assert optimizer.learning_rate == 0
    assert optimizer.get_config()["learning_rate"] == 0
    with pytest.raises(ValueError, match="learning_rate"):
        optimizer.learning_rate = -1.0
    assert optimizer.learning_rate == 0
    optimizer.learning_rate = 0.1
    model.train_on_batch(x, y)
    assert any((a != b).any() for a, b in zip(model.get_weights(), before, strict=True))


def test_what_would_change_nothing_is_refused() -> None:
    optimizer = optimizers.SGD()
    with pytest.raises(AttributeError, match=r"SGD has no attribute 'learing_rate'.*learning_rate"):
        optimizer.learing_rate = 0.1  # type: ignore[attr-defined]
    optimizer.momentum = 0.5
    model = build(optimizer)
    with pytest.raises(AttributeError, match="only learning_rate can be changed after compile"):
        optimizer.momentum = 0.9
    assert model.optimizer is optimizer


def test_each_model_has_its_own_learning_rate() -> None:
    optimizer = optimizers.Adam(0.25)
    first, second = build(optimizer), build(optimizer)
    assert first.optimizer is optimizer
    assert second.optimizer is not None
    assert second.optimizer is not optimizer
    second.optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 0.25
    del first
    gc.collect()
    assert build(optimizer).optimizer is optimizer


def test_compile_starts_the_optimizer_afresh(rng: np.random.Generator) -> None:
    x, y = problem(rng)
    old = optimizers.Adam()
    model = build(old)
    model.train_on_batch(x, y)
    model.compile("adam", "mse")
    assert old.iterations == 0
    assert model.optimizer is not None
    assert model.optimizer.iterations == 0
    old.learning_rate = 0.9  # no longer the model's
    assert model.optimizer.learning_rate == 0.001


def test_spellings_of_older_keras() -> None:
    assert optimizers.SGD(lr=0.03, momentum=0.9).learning_rate == 0.03  # type: ignore[call-arg]
    assert optimizers.SGD(lr=0.03, momentum=0.9, nesterov=True).nesterov  # type: ignore[call-arg]


def test_there_are_at_least_fourteen() -> None:
    assert len(_core.entries("optimizer")) >= 14


def arrays(dtype: Any = np.float64) -> list[NDArray[Any]]:
    return [np.linspace(-1, 1, 6, dtype=dtype).reshape(2, 3), np.ones(3, dtype)]


@pytest.mark.kernels
@pytest.mark.parametrize("spec", variants(), ids=lambda s: "-".join(str(v) for v in s.values()))
def test_arrays_are_updated_by_the_formula(spec: reference.Spec, rng: np.random.Generator) -> None:
    optimizer = optimizers.get(spec)
    weights = [rng.normal(size=shape) for shape in [(5, 7), (7,), (1,)]]
    state: dict[str, NDArray[Any]] = {}
    expected = flat(weights)
    for step in range(1, STEPS + 1):
        gradients = [rng.normal(size=w.shape) for w in weights]
        expected = reference.updated(spec, step, expected, flat(gradients), state)
        assert optimizer.apply_gradients(zip(gradients, weights, strict=True)) == step
        np.testing.assert_allclose(flat(weights), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("spec", specs("optimizer"), ids=lambda s: s["name"])
def test_arrays_of_any_layout_are_updated_in_place(spec: reference.Spec) -> None:
    big = np.zeros((4, 6))
    view = big[::2, ::-2]
    view[...] = arrays()[0]
    column = np.asfortranarray(arrays()[0])
    plain = arrays()[0]
    first, second, third = (optimizers.get(spec) for _ in range(3))
    for step in range(3):
        gradient = np.cos(np.arange(6.0) + step).reshape(2, 3)
        first.apply([gradient], [view])
        second.apply([np.asfortranarray(gradient)], [column])
        third.apply([gradient.tolist()], [plain])
    np.testing.assert_array_equal(view, plain)
    np.testing.assert_array_equal(column, plain)
    assert big[1::2].sum() == 0
    assert (plain != arrays()[0]).all()
    scalar = [np.array(2.0), np.zeros((0, 3))]
    optimizers.get(spec).apply([np.array(1.0), np.zeros((0, 3))], scalar)
    assert np.isfinite(scalar[0])


def test_arrays_that_do_not_fit_are_refused_before_anything_changes() -> None:
    optimizer = optimizers.SGD(0.5)
    weights = arrays()
    good = [np.ones((2, 3)), np.ones(3)]
    for gradients, error, message in [
        ([np.ones((2, 3))], ValueError, "SGD: 2 arrays but 1 gradients"),
        ([np.ones((3, 2)), good[1]], ValueError, r"gradients\[0\]: expected shape \(2, 3\), got"),
        ([good[0], np.ones(3, complex)], TypeError, "gradient 1 must be an array of numbers"),
        ([good[0], None], TypeError, "gradient 1 must be an array of numbers"),
    ]:
        with pytest.raises(error, match=message):
            optimizer.apply(gradients, weights)  # type: ignore[arg-type]
    fixed = arrays()
    fixed[1].flags.writeable = False
    for bad, error, message in [
        ([[1.0], good[1]], TypeError, "weight 0 must be a NumPy array, got list"),
        ([good[0].astype(int), good[1]], TypeError, "weight 0 must be float32 or float64, got int"),
        ([good[0], good[1].astype("f4")], TypeError, "weight 1 must be float64, got float32"),
        (fixed, ValueError, "weight 1 must be writeable"),
        ([], ValueError, "there are no arrays to update"),
    ]:
        with pytest.raises(error, match=message):
            optimizer.apply(good, bad)
    assert optimizer.iterations == 0
    np.testing.assert_equal(weights, arrays())
    optimizer.apply(good, weights)
    assert optimizer.iterations == 1
    with pytest.raises(TypeError, match="weight 0 must be float64, got float32"):
        optimizer.apply(good, arrays(np.float32))
    with pytest.raises(ValueError, match=r"expected shape \(2, 3\), got \(3,\)"):
        optimizer.apply([np.ones(3)] * 2, [np.ones(3)] * 2)
    with pytest.raises(AttributeError, match="only learning_rate can be changed"):
        optimizer.momentum = 0.5
    optimizer.learning_rate = 0.25
    assert optimizer.learning_rate == 0.25
    before = weights[1].copy()
    optimizer.apply(good, weights)
    np.testing.assert_allclose(before - weights[1], 0.25)


def test_an_optimizer_of_arrays_is_copied_for_a_model() -> None:
    optimizer = optimizers.Adam(0.5, clipnorm=2.0)
    optimizer.apply([np.ones(3)], [np.ones(3)])
    other = optimizer._for(object())
    assert other is not optimizer
    assert other.get_config() == optimizer.get_config()
    model_s = optimizers.SGD()
    model = build(model_s)
    assert model.optimizer is model_s
    with pytest.raises(ValueError, match="SGD: this object belongs to a model"):
        model_s.apply([np.ones(3)], [np.ones(3)])


@pytest.mark.parametrize("spec", specs("optimizer"), ids=lambda s: s["name"])
def test_options_are_arguments_of_every_optimizer(spec: reference.Spec) -> None:
    cls = type(optimizers.get(spec["name"]))
    for name, default in OPTIONS.items():
        if name in spec:
            continue
        assert getattr(cls(), name) == default
        value = another({"parameters": OPTIONS}, name) if default is not None else 2
        made = cls(**{name: value})
        assert made.get_config()[name] == value
        assert made._spec()[name] == value
        assert cls.from_config(json.loads(json.dumps(made.get_config())))._spec() == made._spec()
        with pytest.raises((TypeError, ValueError), match=name):
            cls(**{name: "1"})
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        with pytest.raises(ValueError, match=f"{name} must be greater than 0, got 0"):
            cls(**{name: 0})
    with pytest.raises(ValueError, match="only one of clipnorm, clipvalue and global_clipnorm"):
        cls(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match="gradient_accumulation_steps must be an integer"):
        cls(gradient_accumulation_steps=1.5)
    with pytest.raises(TypeError, match="unknown argument 'clip_norm'; did you mean 'clipnorm'"):
        cls(clip_norm=1.0)


def test_weight_decay_leaves_out_what_is_named() -> None:
    weights = arrays()
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([weights[1]])
    optimizer.apply([np.zeros((2, 3)), np.zeros(3)], weights)
    np.testing.assert_allclose(weights[0], 0.75 * arrays()[0])
    np.testing.assert_array_equal(weights[1], arrays()[1])
    named = optimizers.AdamW()
    named.exclude_from_weight_decay(var_names=["bias"])
    assert named._spec()["exclude_from_weight_decay"] == ["bias"]
    with pytest.raises(AttributeError, match="before training"):
        optimizer.exclude_from_weight_decay(var_names=["x"])


def path(optimizer: optimizers.Optimizer, gradient: Any, start: float = 1.0) -> NDArray[Any]:
    """Return a weight after each of ten updates."""
    weights = [np.array([start])]
    values = []
    for _ in range(STEPS):
        optimizer.apply([gradient(weights[0])], weights)
        values.append(weights[0][0])
    return np.array(values)


def test_averaged_momentum_of_the_notes() -> None:
    """The notes' v = β v + (1 - β) g and w -= η v is momentum with dampening 1 - β."""
    beta, rate = 0.9, 0.3
    w, v, expected = 1.0, 0.0, []
    for _ in range(STEPS):
        v = beta * v + (1 - beta) * np.sin(3 * w)
        w -= rate * v
        expected.append(w)
    ours = optimizers.SGD(rate, momentum=beta, dampening=1 - beta)
    np.testing.assert_allclose(path(ours, lambda x: np.sin(3 * x)), expected, rtol=1e-12)


def test_look_ahead_form_of_nesterov() -> None:
    """The notes take the gradient at w + rho v; Keras keeps that point instead of w."""
    rho, rate = 0.8, 0.1
    w, v, expected = 1.0, 0.0, []
    for _ in range(STEPS):
        v = rho * v - rate * np.sin(3 * (w + rho * v))
        w += v
        expected.append(w + rho * v)
    ours = optimizers.SGD(rate, momentum=rho, nesterov=True)
    np.testing.assert_allclose(path(ours, lambda x: np.sin(3 * x)), expected, rtol=1e-12)


def test_adam_without_its_corrections_starts_too_fast() -> None:
    """With g = 1 the first step of m / sqrt(v) alone is 0.1 / sqrt(0.001) = 3.16 times η."""
    steps = 1 - path(optimizers.Adam(0.001), np.ones_like)
    np.testing.assert_allclose(steps, 0.001 * np.arange(1, STEPS + 1), rtol=1e-5)
    plain = (1 - 0.9) / np.sqrt(1 - 0.999)
    assert plain == pytest.approx(3.16, abs=0.005)


def test_adagrad_slows_down_and_rmsprop_does_not() -> None:
    adagrad = -np.diff(path(optimizers.Adagrad(0.1), np.ones_like))
    rmsprop = -np.diff(path(optimizers.RMSprop(0.1, rho=0.5), np.ones_like))
    np.testing.assert_allclose(adagrad, 0.1 / np.sqrt(0.1 + np.arange(2, STEPS + 1)), rtol=1e-6)
    assert rmsprop[-1] == pytest.approx(0.1, rel=1e-3)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("way", ["callback", "own callback"])
def test_no_rate_leaks_from_one_model_into_the_next(kept: bool, way: str) -> None:
    optimizer = optimizers.SGD(0.1)
    models = []
    x = np.random.default_rng(0).normal(size=(50, 3))
    for _ in range(3):
        model = build(optimizer)
        assert model.optimizer is not None
        assert model.optimizer.learning_rate == 0.1

        def lower(epoch: int, logs: object, model: Sequential = model) -> None:
            assert model.optimizer is not None
            model.optimizer.learning_rate *= 0.1

        lowers: callbacks.Callback = callbacks.LambdaCallback(on_epoch_end=lower)
        if way == "callback":
            lowers = callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 * rate)
        model.fit(x, x[:, :2], epochs=2, verbose=0, callbacks=[lowers])
        assert model.optimizer.learning_rate == pytest.approx(1e-3)
        if kept:
            models.append(model)
        del model, lower, lowers
        gc.collect()
    assert optimizers.SGD.from_config(optimizer.get_config()).learning_rate < 0.1  # as it is now


def test_a_model_that_is_not_built_begins_with_the_rate_that_was_given() -> None:
    optimizer = optimizers.SGD(0.1)
    model = build(optimizer)
    optimizer.learning_rate = 0.25
    model.fit(
        np.ones((8, 3)),
        np.ones((8, 2)),
        verbose=0,
        callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.025)],
    )
    assert optimizer.learning_rate == 0.025
    del model
    gc.collect()
    later = Sequential([layers.Dense(2)])
    later.compile(optimizer, "mse")
    assert later.optimizer is not None
    assert later.optimizer.learning_rate == 0.25
    later.build(3)
    assert later.optimizer.learning_rate == 0.25


def test_compile_begins_with_the_rate_that_was_given() -> None:
    optimizer = optimizers.SGD(0.1)
    model = build(optimizer)
    x = np.ones((8, 3))
    scheduler = callbacks.LearningRateScheduler(lambda epoch: 0.025)
    for _ in range(2):
        model.fit(x, x[:, :2], verbose=0, callbacks=[scheduler])
        assert optimizer.learning_rate == 0.025
        model.compile(optimizer, "mse")
        assert model.optimizer is optimizer
        assert optimizer.learning_rate == 0.1
    optimizer.learning_rate = 0.5  # a user's own choice holds for later models too
    assert build(optimizer).optimizer.learning_rate == 0.5  # type: ignore[union-attr]
    model.fit(x, x[:, :2], verbose=0, callbacks=[scheduler])
    model.add(layers.Dense(2))  # the same training: the present rate stays
    assert model.built
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == 0.025
    model.compile("adam", "mse")
    assert optimizer.learning_rate == 0.5
    assert build(optimizer).optimizer is optimizer
