# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import reference
from support import identity_model, spec_id, specs, trainable_activations

from laminar import activations

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
        identity_model(width, spec).predict(z), reference.activate(spec, z), rtol=1e-12, atol=1e-300
    )
    single = z.astype(np.float32)
    np.testing.assert_allclose(
        identity_model(width, spec, "float32").predict(single),
        reference.activate(spec, single.astype(np.float64)),
        # The difference to the largest input is rounded before the exponential sees it.
        rtol=5e-6 if spec["name"] == "softmax" else 1e-6,
        atol=1e-37,
    )


@pytest.mark.parametrize("spec", ALL, ids=spec_id)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_inputs_give_finite_values(spec: reference.Spec, dtype: str) -> None:
    z = np.array([[1e30, -1e30, 100.0, -100.0, 1e-30, -1e-30, 0.0]])
    assert np.isfinite(identity_model(7, spec, dtype).predict(z)).all()


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
