# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from support import specs

from laminar import Sequential, layers, optimizers

STEPS = 10
WIDTHS = (3, 17, 2)


def variants() -> list[reference.Spec]:
    """Return every optimizer with its defaults, and with each option changed."""
    result: list[reference.Spec] = []
    for spec in specs("optimizer"):
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
        if isinstance(value, bool) or name == "name":
            continue
        with pytest.raises(ValueError, match=f"(?s){name}.*-0.5"):
            model.compile({**spec, name: -0.5}, "mse")
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
