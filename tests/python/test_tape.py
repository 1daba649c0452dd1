# SPDX-License-Identifier: Apache-2.0
"""Tapes over operations: gradients against analytic values, central differences and JAX."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import laminar
from laminar import GradientTape, Tensor, Variable, ops

RNG = np.random.default_rng(19)
X = np.linspace(0.2, 1.4, 7)


def tensor(values: Any) -> Any:
    return ops.convert_to_tensor(np.asarray(values, np.float64))


def derivatives(function: Callable[[Any], Any], x: Any, count: int) -> list[Any]:
    """Return the function's sums of derivatives, each by a tape of its own."""
    if count == 0:
        return [function(x)]
    with GradientTape() as tape:
        tape.watch(x)
        values = derivatives(function, x, count - 1)
    return [*values, tape.gradient(values[-1], x)]


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[Callable[[Any], Any]]]] = {
    "sin": (ops.sin, [np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x)]),
    "cube": (lambda x: x**3, [lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x]),
    "exp": (lambda x: ops.exp(2 * x), [lambda x, n=n: 2**n * np.exp(2 * x) for n in range(4)]),
    "log": (
        ops.log,
        [np.log, lambda x: 1 / x, lambda x: -(x**-2), lambda x: 2 * x**-3, lambda x: -6 * x**-4],
    ),
    "tanh": (
        ops.tanh,
        [np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda x: -2 * np.tanh(x) / np.cosh(x) ** 2],
    ),
    "quotient": (
        lambda x: x / (1 + x * x),
        [
            lambda x: x / (1 + x * x),
            lambda x: (1 - x * x) / (1 + x * x) ** 2,
            lambda x: 2 * x * (x * x - 3) / (1 + x * x) ** 3,
        ],
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name: str) -> None:
    function, expected = FUNCTIONS[name]
    made = derivatives(function, tensor(X), len(expected) - 1)
    for value, wanted in zip(made, expected, strict=True):
        np.testing.assert_allclose(value.numpy(), wanted(X), rtol=1e-11)


def network(x: Any, w1: Any, b1: Any, w2: Any) -> Any:
    hidden = ops.tanh(ops.matmul(x, w1) + b1)
    out = ops.sigmoid(ops.matmul(hidden, w2))
    return ops.mean(ops.log(out + 0.5) * ops.logsumexp(hidden, axis=-1, keepdims=True))


def weights() -> list[Variable]:
    shapes = [(3, 5), (5,), (5, 2)]
    return [Variable(RNG.normal(size=shape), dtype="float64") for shape in shapes]


def differences(value: Callable[[], float], variable: Variable) -> Any:
    around = np.zeros(variable.shape)
    before = variable.numpy()
    for index in np.ndindex(*variable.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = before.copy()
            moved[index] += step
            variable.assign(moved)
            ends.append(value())
        around[index] = (ends[0] - ends[1]) / 2e-6
    variable.assign(before)
    return around


def test_a_network_against_differences() -> None:
    x, variables = RNG.normal(size=(4, 3)), weights()
    with GradientTape() as tape:
        loss = network(x, *variables)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        around = differences(lambda: float(network(x, *variables)), variable)
        np.testing.assert_allclose(gradient.numpy(), around, atol=1e-8)


def test_second_derivatives_of_a_network() -> None:
    """The gradient of the squared length of a gradient, as penalties of gradients need it."""
    x, variables = tensor(RNG.normal(size=(4, 3))), weights()

    def penalty() -> Any:
        with GradientTape() as inner:
            inner.watch(x)
            value = network(x, *variables)
        return ops.sum(ops.square(inner.gradient(value, x)))

    with GradientTape() as outer:
        loss = penalty()
    for variable, gradient in zip(variables, outer.gradient(loss, variables), strict=True):
        around = differences(lambda: float(penalty()), variable)
        np.testing.assert_allclose(gradient.numpy(), around, atol=1e-8)


def test_a_network_against_jax() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    x, variables = RNG.normal(size=(4, 3)), weights()

    def there(w1: Any, b1: Any, w2: Any) -> Any:
        hidden = jnp.tanh(x @ w1 + b1)
        out = jax.nn.sigmoid(hidden @ w2)
        return jnp.mean(
            jnp.log(out + 0.5) * jax.scipy.special.logsumexp(hidden, axis=-1, keepdims=True)
        )

    given = [variable.numpy() for variable in variables]
    with GradientTape() as outer:
        with GradientTape() as inner:
            loss = network(x, *variables)
        first = inner.gradient(loss, variables)
        along = ops.sum(first[0] * np.ones((3, 5)))
    expected = jax.grad(there, (0, 1, 2))(*given)
    second = jax.grad(lambda *w: jax.grad(there)(*w).sum(), (0, 1, 2))(*given)
    for mine, wanted in zip(first, expected, strict=True):
        np.testing.assert_allclose(mine.numpy(), wanted, atol=1e-12)
    for mine, wanted in zip(outer.gradient(along, variables), second, strict=True):
        np.testing.assert_allclose(mine.numpy(), wanted, atol=1e-12)


def test_several_outputs_of_one_operation() -> None:
    x = Variable(np.arange(6.0).reshape(2, 3))
    with GradientTape() as tape:
        first, _, third = ops.split(x, 3, axis=1)
        value = ops.sum(first * third)
    np.testing.assert_array_equal(tape.gradient(value, x).numpy(), [[2, 0, 0], [5, 0, 3]])


def test_forms_of_sources_and_targets() -> None:
    a, b = Variable(2.0), Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y, z = a * b, a * a
    assert float(tape.gradient(y, a)) == 3
    assert [float(g) for g in tape.gradient(y, (a, b))] == [3, 2]
    named = tape.gradient(y, {"a": a, "rest": [b]})
    assert (float(named["a"]), float(named["rest"][0])) == (3, 2)
    assert float(tape.gradient([y, z], a)) == 3 + 4
    assert float(tape.gradient(y, a, output_gradients=10.0)) == 30
    assert float(tape.gradient([y, z], a, output_gradients=[1.0, 2.0])) == 3 + 8
    assert float(tape.gradient(a, a)) == 1
    assert tape.watched_variables() == (a, b) or len(tape.watched_variables()) == 2


def test_what_is_followed() -> None:
    a, fixed, x = Variable(2.0), Variable(3.0, trainable=False), ops.convert_to_tensor(4.0)
    with GradientTape() as tape:
        y = a * fixed * x
    assert tape.gradient(y, [a, fixed, x])[1:] == [None, None]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([fixed, x])
        y = a * fixed * x
    d_a, d_fixed, d_x = tape.gradient(y, [a, fixed, x])
    assert (d_a, float(d_fixed), float(d_x)) == (None, 8, 6)
    with GradientTape() as tape:
        y = a * 2.0
    (zero,) = tape.gradient(y, [fixed], unconnected_gradients="zero")
    assert float(zero) == 0


def test_what_has_no_slope_gives_none() -> None:
    x = Variable([0.3, 0.6])
    for function in (ops.sign, ops.floor, ops.stop_gradient, lambda v: v > 0.5, np.sin):
        with GradientTape() as tape:
            y = function(x)
        assert tape.gradient(y, x) is None, function
    with GradientTape() as tape:  # NumPy in the middle of it
        y = ops.sum(ops.square(x) * np.exp(x))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2 * X2 * np.exp(X2), rtol=1e-6)


X2 = np.array([0.3, 0.6], np.float32)


def test_a_variable_that_changes_after_it_was_read() -> None:
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        x.assign(100.0)
    assert float(tape.gradient(y, x)) == 6


def test_random_values_are_the_same_on_the_way_back() -> None:
    x = Variable(np.ones((50, 4), np.float32))
    with GradientTape() as tape:
        dropped = ops.random.dropout(x, 0.5)
    np.testing.assert_array_equal(tape.gradient(dropped, x).numpy(), dropped.numpy())


def test_types() -> None:
    x = Variable([1.0, 2.0])
    double = Variable([1.0, 2.0], dtype="float64")
    assert (x.dtype, double.dtype, (x + 1).dtype) == ("float32", "float64", "float32")
    assert (x * np.ones(2)).dtype == "float32"  # arrays take a tensor's type
    assert (np.ones(2) * double).dtype == "float64"
    with pytest.raises(TypeError, match=r"add: a value of float32 meets one of float64; .*cast"):
        x + double
    with GradientTape() as tape:
        y = ops.sum(ops.cast(x, "float64") * double)
    d_x, d_double = tape.gradient(y, [x, double])
    assert (d_x.dtype, d_double.dtype) == ("float32", "float64")
    np.testing.assert_array_equal(d_x.numpy(), [1, 2])


def test_variables() -> None:
    x = Variable([[1.0, 2.0]], name="x")
    assert x.assign_add([[1.0, 1.0]]) is x
    np.testing.assert_array_equal(x.numpy(), [[2, 3]])
    np.testing.assert_array_equal(x.assign_sub(np.ones((1, 2))).numpy(), [[1, 2]])
    np.testing.assert_array_equal(np.asarray(x), [[1, 2]])
    assert (x.shape, x.ndim, len(x), x.size, x.name) == ((1, 2), 2, 1, 2, "x")
    np.testing.assert_array_equal((x @ x.T).numpy(), [[5]])
    np.testing.assert_array_equal(x[0, 1].numpy(), 2)
    np.testing.assert_array_equal((x == [[1.0, 0.0]]).numpy(), [[1, 0]])
    np.testing.assert_array_equal(Variable(lambda: [3.0]).numpy(), [3])
    copied = x.numpy()
    copied[0] = 7
    np.testing.assert_array_equal(x.numpy(), [[1, 2]])
    with pytest.raises(ValueError, match=r"Variable 'x': what is assigned must be of shape \(1, 2"):
        x.assign([1.0])
    with pytest.raises(ValueError, match="Variable: dtype must be float32 or float64, got 'int32'"):
        Variable(1.0, dtype="int32")
    with pytest.raises(TypeError, match="Variable: initial_value must hold booleans"):
        Variable("a")
    with pytest.raises(TypeError, match="Variable: trainable must be True or False"):
        Variable(1.0, trainable=3)  # type: ignore[arg-type]


def test_tensors() -> None:
    x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(x, Tensor) and x is ops.convert_to_tensor(x)
    assert (x.shape, x.dtype, float(x[1, 0]), f"{x[0, 0]:.2f}") == ((2, 2), "float32", 3, "1.00")
    assert [float(ops.sum(row)) for row in x] == [3, 7]
    assert 2.0 in x and bool(x[0, 0] < 2)
    assert isinstance(ops.sum(x).numpy(), np.float32)
    assert repr(x[0]) == "Tensor([1., 2.], dtype=float32)"
    np.testing.assert_array_equal(np.multiply(x, 2), [[2, 4], [6, 8]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(x)), x)
    assert copy.deepcopy(x) is x
    with pytest.raises(TypeError, match="parts of a value cannot be set"):
        x[0] = 1.0
    with pytest.raises(TypeError, match=r"a tensor cannot be changed; laminar.Variable can"):
        x.assign(1.0)
    with pytest.raises(TypeError, match="convert_to_tensor: x must hold booleans, integers or"):
        ops.convert_to_tensor("a")
    with pytest.raises(ValueError, match="convert_to_tensor: dtype must be float32 or float64"):
        ops.convert_to_tensor(1, "int32")
    plain = ops.sum(np.ones(3))
    assert isinstance(plain, np.floating)  # arrays stay arrays


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t, y, a: (t.gradient(y, a), t.gradient(y, a)), RuntimeError, "persistent=True"),
        (lambda t, y, a: t.gradient("y", a), TypeError, "target must be a tensor, got 'y'"),
        (lambda t, y, a: t.gradient(None, a), TypeError, "compute it from variables"),
        (lambda t, y, a: t.gradient(y, np.ones(3)), TypeError, "sources must be variables and"),
        (lambda t, y, a: t.gradient(y, [a, 3.0]), TypeError, "got float; model.trainable_var"),
        (lambda t, y, a: t.watch(np.ones(3)), TypeError, "watch takes tensors and variables, got"),
        (lambda t, y, a: t.gradient(y, a, np.ones(3)), ValueError, r"target's shape \(2,\), got"),
        (lambda t, y, a: t.gradient([y, y], a, [1.0]), ValueError, "must be a list of 2, got 1"),
        (lambda t, y, a: t.gradient(y, a, unconnected_gradients="x"), ValueError, "'none' or 'z"),
        (lambda t, y, a: t.gradient(y, a, outputgradients=1), TypeError, "'output_gradients'"),
        (lambda t, y, a: t.__enter__().__enter__(), ValueError, "it records already"),
        (lambda t, y, a: GradientTape(persistent=2), TypeError, "persistent must be True or"),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], message: str) -> None:
    a = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = a * a
    try:
        with pytest.raises(error, match=message):
            call(tape, y, a)
    finally:
        tape._stop()


def test_a_tape_that_failed_records_no_more() -> None:
    a = Variable(1.0)
    with pytest.raises(ZeroDivisionError), GradientTape() as tape:
        a / a
        raise ZeroDivisionError
    nodes = len(tape._nodes)
    a * a
    assert len(tape._nodes) == nodes == 1


def test_programs_of_a_step_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that has been done once compiles nothing."""
    w = Variable(np.ones((3, 2), np.float32))

    def step() -> None:
        with GradientTape() as outer:
            with GradientTape() as inner:
                y = ops.sum(ops.tanh(ops.matmul(np.ones((4, 3), np.float32), w)))
            g = ops.sum(ops.square(inner.gradient(y, w)))
        w.assign_sub(0.1 * outer.gradient(g, w))

    step()

    def refuse(*arguments: Any) -> None:
        raise AssertionError("a program is made")

    monkeypatch.setattr("laminar.ops._tapes._core.Program", refuse)
    step()


def test_names_of_the_package() -> None:
    assert {"GradientTape", "Tensor", "Variable", "keras", "ops"} <= set(laminar.__all__)
    with pytest.raises(AttributeError, match="did you mean 'GradientTape'"):
        laminar.GradientTap  # type: ignore[attr-defined]  # noqa: B018  # the look-up is the test


def unfused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each computation's slopes be a program of its own."""
    monkeypatch.setattr("laminar._tape.fusing.fit_together", lambda run, link: False)
    monkeypatch.setattr("laminar._tape.tape.fit_together", lambda run, link: False)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ways_put_together_agree_with_their_parts(
    monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    x = ops.convert_to_tensor(np.linspace(-1, 1, 33).reshape(-1, 1).astype(dtype))
    w = [Variable(RNG.normal(size=shape), dtype=dtype) for shape in [(1, 9), (9,), (18, 1)]]
    several = ops.convert_to_tensor(RNG.normal(size=(33, 18)).astype(dtype))

    def step() -> list[Any]:
        with GradientTape(persistent=True) as outer:
            outer.watch([x, several])
            with GradientTape(persistent=True) as inner:
                inner.watch(x)
                hidden = ops.tanh(ops.matmul(x, w[0]) + w[1])
                a, b = ops.split(ops.concatenate([hidden, hidden * x], axis=1) * several, 2, axis=1)
                w[1].assign(w[1].numpy())  # other numbers of the same value
                u = ops.matmul(ops.concatenate([b, a * a], axis=1), w[2]) + ops.sum(w[1]) * x
            first, middle = inner.gradient(u, [x, hidden])
            loss = ops.mean(ops.square(first * u) + ops.sum(middle * a, axis=1, keepdims=True))
        return [first, middle, *outer.gradient(loss, [*w, x, several]), outer.gradient(first, x)]

    together = [step() for _ in range(2)]
    unfused(monkeypatch)
    apart = step()
    close = 1e-12 if dtype == "float64" else 1e-4
    for first, again, other in zip(*together, apart, strict=True):
        np.testing.assert_array_equal(first.numpy(), again.numpy())
        size = np.abs(other.numpy()).max()
        np.testing.assert_allclose(first.numpy(), other.numpy(), rtol=close, atol=close * size)


def test_ways_of_many_computations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than what is put together, and of more kinds than are kept."""
    monkeypatch.setattr("laminar._tape.fusing._MOST", 2)
    for length in (1, 2, 63, 64, 65, 150, 2):
        x = Variable(1.0, dtype="float64")
        with GradientTape() as tape:
            y = x * 1.0
            for _ in range(length):
                y = ops.sin(y) + x
        expected, slope = 1.0, 1.0
        for _ in range(length):
            expected, slope = np.sin(expected) + 1, np.cos(expected) * slope + 1
        assert float(tape.gradient(y, x)) == pytest.approx(slope, rel=1e-12)


def test_ways_that_arrive_nowhere() -> None:
    x = Variable([1.5, 2.5])
    with GradientTape() as tape:
        y = ops.cos(ops.sin(ops.floor(x)))
    assert tape.gradient(y, x) is None
