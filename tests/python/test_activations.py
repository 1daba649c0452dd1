# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import reference
from support import another, identity_model, spec_id, specs, trainable_activations

from laminar import _core, activations

pytestmark = pytest.mark.kernels

ALL = specs("activation")


@pytest.mark.parametrize("spec", ALL, ids=spec_id)
@pytest.mark.parametrize("width", [1, 3, 16, 17, 65])
def test_values_agree_with_the_formula(
    spec: reference.Spec, width: int, rng: np.random.Generator
) -> None:
    z = np.concatenate([rng.normal(size=(30, width)), rng.normal(scale=12, size=(20, width))])
    z[0] = 0
    np.testing.assert_allclose(
        identity_model(width, spec).predict(z),
        reference.activate(spec, z),
        rtol=2e-12,
        atol=1e-14 if spec["name"] in ("sparsemax", "log_softmax") else 1e-300,
    )
    single = z.astype(np.float32)
    np.testing.assert_allclose(
        identity_model(width, spec, "float32").predict(single),
        reference.activate(spec, single.astype(np.float64)),
        # The difference to the largest input is rounded before the exponential sees it.
        rtol=5e-6 if spec["name"].endswith("softmax") else 1e-6,
        atol=1e-6 if spec["name"] == "sparsemax" else 1e-37,
    )


@pytest.mark.parametrize("spec", ALL, ids=spec_id)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_inputs_give_finite_values(spec: reference.Spec, dtype: str) -> None:
    z = np.array([[1e30, -1e30, 100.0, -100.0, 1e-30, -1e-30, 0.0]])
    if spec["name"] == "exponential":
        z = np.minimum(z, 80)
    f = activations.get(spec)
    assert np.isfinite(identity_model(7, spec, dtype).predict(z)).all()
    assert np.isfinite(f(z.astype(dtype))).all()
    if spec["name"] != "step":
        assert np.isfinite(f.gradient(z.astype(dtype))).all()


def variants() -> Iterator[reference.Spec]:
    """Yield every entry as it stands, and with each argument moved."""
    for entry in _core.entries("activation"):
        spec = {"name": entry["name"], **entry["parameters"]}
        yield spec
        for name in entry["parameters"]:
            yield {**spec, name: another(entry, name)}


VARIANTS = list(variants())


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
def test_calls_on_arrays(spec: reference.Spec, rng: np.random.Generator) -> None:
    f = activations.get(spec)
    z = rng.normal(scale=2, size=(5, 4, 6))
    expected = reference.activate(spec, z.reshape(-1, 6)).reshape(z.shape)
    np.testing.assert_allclose(f(z), expected, rtol=1e-12, atol=1e-14)
    single = f(z.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-4, atol=1e-6)
    strided = np.asfortranarray(z)[::2, :, ::-1]
    np.testing.assert_array_equal(f(strided), f(strided.copy()))
    for shape in ((), (1,), (0,), (3, 0), (2, 3, 1)):
        assert f(np.zeros(shape)).shape == shape
    rows, columns = z[:, 0].copy(), z[:, :1, 0].copy()
    np.testing.assert_array_equal(f(rows), f(z)[:, 0])
    assert f(columns).shape == (5, 1)


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
def test_gradients_are_those_of_differences(spec: reference.Spec, rng: np.random.Generator) -> None:
    f = activations.get(spec)
    if spec["name"] == "step":
        with pytest.raises(ValueError, match="'step' has no gradient"):
            f.gradient(1.0)
        return
    z = rng.normal(scale=2, size=(7, 5))
    z = z[(reference.kink_distance(spec, z) > 1e-3).all(axis=1)]
    assert len(z) > 3
    d_a = rng.normal(size=z.shape)
    numeric = np.empty_like(z)
    for j in range(z.shape[1]):
        step = 1e-5 * np.eye(z.shape[1])[j]
        numeric[:, j] = ((f(z + step) - f(z - step)) * d_a).sum(axis=1) / 2e-5
    np.testing.assert_allclose(f.gradient(z, d_a), numeric, rtol=1e-6, atol=1e-9)
    exact = reference.activation_gradient(spec, z, d_a)
    np.testing.assert_allclose(f.gradient(z, d_a), exact, rtol=1e-11, atol=1e-13)
    single = f.gradient(z.astype(np.float32), d_a.astype(np.float32))
    np.testing.assert_allclose(single, exact, rtol=1e-4, atol=1e-6)


def test_calls_keep_the_kind_of_numbers() -> None:
    assert activations.relu([1, -2]).dtype == np.float32
    assert activations.relu(np.array([1, -2], np.int64)).dtype == np.float32
    assert activations.relu(np.array([True])).dtype == np.float32
    assert activations.relu(np.array([1], np.float16)).dtype == np.float32
    assert activations.relu([1.5]).dtype == np.float64
    assert isinstance(activations.get("gelu")(1.0), np.float64)
    assert activations.sigmoid(1.16) == pytest.approx(0.7613327148, abs=1e-10)
    swapped = np.array([-1.0, 2.0], dtype=">f8")
    np.testing.assert_array_equal(activations.relu(swapped), [0, 2])
    with pytest.raises(TypeError, match="x must hold"):
        activations.relu(["a"])


def test_calls_take_arguments() -> None:
    z = np.array([-4.0, 0.5, 2.0, 9.0])
    np.testing.assert_array_equal(
        activations.relu(z, negative_slope=0.25, max_value=6, threshold=1), [-1.25, -0.125, 2, 6]
    )
    np.testing.assert_allclose(activations.gelu(1.0, approximate=True), 0.8411919906082768)
    np.testing.assert_array_equal(activations.relu(z), [0, 0.5, 2, 9])
    with pytest.raises(TypeError, match="did you mean 'max_value'"):
        activations.relu(z, max_valeu=6)


def test_nan_and_infinity() -> None:
    for spec in ALL:
        f = activations.get(spec)
        for dtype in (np.float32, np.float64):
            assert np.isnan(f(np.array(np.nan, dtype))), spec
            assert np.isnan(f(np.array([0, np.nan, 1], dtype))[1]), spec
    for name, low, high in (
        ("silu", 0, np.inf),
        ("gelu", 0, np.inf),
        ("mish", 0, np.inf),
        ("softsign", -1, 1),
        ("softplus", 0, np.inf),
        ("log_sigmoid", -np.inf, 0),
        ("hard_silu", 0, np.inf),
    ):
        np.testing.assert_array_equal(activations.get(name)([-np.inf, np.inf]), [low, high])


def test_a_row_that_sums_to_one() -> None:
    z = np.array([[3.0, 1.0, 0.1], [1e30, -1e30, 0], [0, 0, 0]])
    for name in ("softmax", "sparsemax"):
        np.testing.assert_allclose(activations.get(name)(z).sum(axis=-1), 1)
    np.testing.assert_array_equal(activations.sparsemax([3.0, 1.0, 0.1]), [1, 0, 0])
    np.testing.assert_allclose(np.exp(activations.log_softmax(z)), activations.softmax(z))


def test_worked_slopes() -> None:
    slope = activations.sigmoid.gradient
    assert slope(5.0) == pytest.approx(0.006648, abs=5e-7)
    assert slope(3.0) == pytest.approx(0.045177, abs=5e-7)
    assert slope(0.0) == 0.25
    np.testing.assert_allclose(slope(0.0) ** np.array([5, 10, 20]), [9.8e-4, 9.5e-7, 9.1e-13], 0.01)


TORCH = {
    "celu": "celu",
    "elu": "elu",
    "gelu": "gelu",
    "hard_silu": "hardswish",
    "hard_sigmoid": "hardsigmoid",
    "hard_tanh": "hardtanh",
    "hard_shrink": "hardshrink",
    "log_sigmoid": "logsigmoid",
    "mish": "mish",
    "relu6": "relu6",
    "selu": "selu",
    "silu": "silu",
    "soft_shrink": "softshrink",
    "softplus": "softplus",
    "softsign": "softsign",
    "tanh_shrink": "tanhshrink",
}


@pytest.mark.filterwarnings("ignore")
def test_values_and_slopes_are_those_of_torch(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    z = rng.normal(scale=3, size=200)
    for name, theirs in TORCH.items():
        x = torch.tensor(z, requires_grad=True)
        a = getattr(torch.nn.functional, theirs)(x)
        a.sum().backward()
        f = activations.get(name)
        np.testing.assert_allclose(f(z), a.detach().numpy(), rtol=1e-8, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(f.gradient(z), x.grad.numpy(), 1e-7, 1e-9, err_msg=name)


def test_parameters_reach_the_core() -> None:
    z = np.array([[-2.0, 3.0]])
    leaky = identity_model(2, activations.LeakyReLU(0.01)).predict(z)
    np.testing.assert_allclose(leaky, [[-0.02, 3]])
    elu = identity_model(2, activations.ELU(alpha=0.5)).predict(z)
    np.testing.assert_allclose(elu, [[0.5 * np.expm1(-2), 3]])


def test_worked_examples() -> None:
    softmax = identity_model(4, "softmax").predict([[-1, 0, 3, 5], [0.8, 0.7, 0.6, 0.1]])
    expected = [
        [0.0021656965, 0.0058869733, 0.1182430203, 0.8737043100],
        [0.31054, 0.28099, 0.25425, 0.15421],
    ]
    np.testing.assert_allclose(softmax, expected, atol=5e-6)
    np.testing.assert_allclose(
        identity_model(1, "sigmoid").predict([[1.16]]), [[0.7613327148]], rtol=1e-9
    )


def test_ready_made_objects_are_the_classes_with_defaults() -> None:
    for spec in ALL:
        assert getattr(activations, spec["name"])._spec() == spec
    assert activations.swish is activations.silu
    assert activations.hard_swish is activations.hard_silu
    assert len(ALL) >= 25
    assert activations.get(None)._spec() == {"name": "linear"}
    assert activations.LeakyReLU(alpha=0.3).negative_slope == 0.3  # type: ignore[call-arg]


def test_only_step_cannot_be_trained() -> None:
    names = {spec["name"] for spec in ALL} - {spec["name"] for spec in trainable_activations()}
    assert names == {"step"}
    model = identity_model(2, "step")
    before = model.get_weights()
    model.compile("sgd", "mse")
    for call in (model.fit, model.train_on_batch, model.loss_and_gradients):
        with pytest.raises(ValueError, match=r"step.*gradient"):
            call([[1.0, 2.0]], [[1.0, 0.0]])
    np.testing.assert_equal(model.get_weights(), before)
    assert model.evaluate([[1.0, -2.0]], [[1.0, 0.0]]) == 0
