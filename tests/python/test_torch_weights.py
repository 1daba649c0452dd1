# SPDX-License-Identifier: Apache-2.0
"""State dicts of PyTorch in safetensors files: recorded ones, live ones, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import randomized, sample
from numpy.typing import NDArray

from laminar import Input, Model, Sequential, _core, layers

GOLDEN = Path(__file__).parent / "golden"
Tensors = dict[str, NDArray[Any]]


def _dense(width: int, *activations: Any) -> list[layers.Layer]:
    return [layers.Dense(width, activation) for activation in activations]


def _named(name: str, **arguments: float) -> dict[str, Any]:
    return {"name": name, **arguments}


# The models of golden/torch_models.py: features, and the same layers.
STACKS: dict[str, Callable[[], tuple[int, list[layers.Layer]]]] = {
    "plain": lambda: (
        5,
        _dense(
            5,
            "relu",
            "sigmoid",
            "tanh",
            _named("elu", alpha=0.5),
            "selu",
            _named("celu", alpha=0.7),
        ),
    ),
    "smooth": lambda: (
        3,
        [
            *_dense(3, "softplus", "softsign", "silu", "mish", "log_sigmoid", "gelu"),
            layers.Dense(3, {"name": "gelu", "approximate": True}),
        ],
    ),
    "straight": lambda: (
        4,
        [
            *_dense(4, "hard_sigmoid", "hard_tanh", "hard_silu", "relu6"),
            layers.Dense(4, _named("leaky_relu", negative_slope=0.1)),
        ],
    ),
    "shrinks": lambda: (
        7,
        _dense(
            7,
            "tanh_shrink",
            _named("hard_shrink", threshold=0.3),
            _named("soft_shrink", threshold=0.2),
            "threshold",
        ),
    ),
    "classifier": lambda: (4, [layers.Dense(9, "relu"), layers.Dense(3, "softmax")]),
    "log classifier": lambda: (1, [layers.Dense(2, "tanh"), layers.Dense(17, "log_softmax")]),
    "batch norm": lambda: (
        6,
        [
            layers.BatchNormalization(epsilon=1e-5),
            layers.Dense(11, use_bias=False),
            layers.BatchNormalization(epsilon=1e-5),
        ],
    ),
    "layer norm": lambda: (
        6,
        [layers.Dense(5), layers.LayerNormalization(epsilon=1e-4), layers.Dense(1)],
    ),
    "rms norm": lambda: (
        6,
        [layers.Dense(5), layers.RMSNormalization(epsilon=1e-4), layers.Dense(1)],
    ),
    "prelu": lambda: (
        6,
        [layers.Dense(5), layers.PReLU(), layers.Dropout(0.4), layers.Dense(3), layers.PReLU()],
    ),
    "shapes": lambda: (6, [layers.Reshape((2, 3)), layers.Flatten(), layers.Dense(2)]),
}


def made(name: str, dtype: str = "float32") -> Sequential:
    features, stack = STACKS[name]()
    return Sequential([layers.Input(features), *stack], dtype=dtype)


@pytest.mark.parametrize("name", ["smooth", "batch norm", "prelu"])
def test_recorded_files(name: str) -> None:
    recorded = np.load(GOLDEN / "torch_files.npz", allow_pickle=False)
    key = f"torch_{name.replace(' ', '_')}"
    x, y = recorded[f"{key}/x"], recorded[f"{key}/y"]
    model = made(name, x.dtype.name)
    model.load_torch_weights(GOLDEN / f"{key}.safetensors")
    small = 1e-6 if x.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(model.predict(x), y, rtol=small, atol=small)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STACKS)
def test_state_dicts_of_torch(name: str, dtype: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    from golden import torch_models

    features, module = torch_models.model(name, getattr(torch, dtype))
    prefixed = torch.nn.ModuleDict({"net": module})
    files.save_file(prefixed.state_dict(), tmp_path / "w.safetensors")
    model = made(name, dtype)
    model.load_torch_weights(tmp_path / "w.safetensors")
    rows = torch.from_numpy(sample((features,), 30).astype(dtype))
    small = 1e-6 if dtype == "float32" else 1e-12
    expected = module(rows).detach().numpy()
    np.testing.assert_allclose(model.predict(rows.numpy()), expected, rtol=small, atol=small)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STACKS)
def test_torch_takes_what_is_exported(name: str, dtype: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    from golden import torch_models

    model = randomized(made(name, dtype))
    model.export(tmp_path / "w.safetensors")
    features, module = torch_models.model(name, getattr(torch, dtype))
    state = files.load_file(tmp_path / "w.safetensors")
    if name == "prelu":  # whose last slope is one for all
        module[4] = torch.nn.PReLU(3).to(getattr(torch, dtype))
    module.load_state_dict(state)
    rows = torch.from_numpy(sample((features,), 30).astype(dtype))
    small = 1e-5 if dtype == "float32" else 1e-11
    expected = module(rows).detach().numpy()
    np.testing.assert_allclose(model.predict(rows.numpy()), expected, rtol=small, atol=small)


def test_weights_come_back(tmp_path: Path) -> None:
    stack = [
        layers.Dense(4, "relu"),
        layers.GaussianNoise(0.1),
        layers.BatchNormalization(scale=False),
        layers.LayerNormalization(center=False),
        layers.BatchNormalization(center=False, scale=False),
        layers.Dense(3),
    ]
    model = randomized(Sequential([layers.Input(2), *stack]))
    model.export(tmp_path / "w.st", format="torch")
    tensors, metadata = _core.read_safetensors(tmp_path / "w.st")
    assert metadata == {"format": "pt"}
    assert {key.partition(".")[0] for key in tensors} == {"0", "3", "4", "5", "6"}
    assert tensors["0.weight"].shape == (4, 2)
    twin = Sequential.from_config(model.get_config())
    twin.load_torch_weights(tmp_path / "w.st")
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def written(folder: Path, tensors: Tensors) -> Path:
    path = folder / "w.safetensors"
    _core.write_safetensors(path, tensors, {})
    return path


def linear(outputs: int, inputs: int, value: float = 1.0) -> Tensors:
    return {
        "weight": np.full((outputs, inputs), value, np.float32),
        "bias": np.full(outputs, value, np.float32),
    }


def state(**modules: Tensors) -> Tensors:
    return {
        f"{module.replace('_', '.')}.{name}": value
        for module, tensors in modules.items()
        for name, value in tensors.items()
    }


def test_modules_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    stack = [layers.Dense(2) for _ in range(12)]
    model = Sequential([layers.Input(2), *stack], dtype="float64")
    model.load_torch_weights(
        written(tmp_path, state(**{f"net_layers{i}": linear(2, 2, i) for i in range(12)}))
    )
    assert [layer.get_weights()[1][0] for layer in model.layers] == list(range(12))


def test_modules_with_names_are_known_by_their_shapes(tmp_path: Path) -> None:
    stack = [layers.Dense(4), layers.Dense(4), layers.Dense(3)]
    model = Sequential([layers.Input(2), *stack])
    tensors = state(fc1=linear(4, 2, 1), fc2=linear(4, 4, 2), a=linear(3, 4, 3))
    model.load_torch_weights(written(tmp_path, tensors))
    assert [layer.get_weights()[1][0] for layer in model.layers] == [1, 2, 3]
    model = Sequential([layers.Input(4), layers.Dense(4), layers.Dense(4)])
    with pytest.raises(ValueError, match=r"may be any of inner, outer: .*number the modules"):
        model.load_torch_weights(written(tmp_path, state(inner=linear(4, 4), outer=linear(4, 4))))


def refused(folder: Path, tensors: Tensors, message: str, *stack: layers.Layer) -> None:
    model = Sequential([layers.Input(2), *(stack or (layers.Dense(4), layers.Dense(3)))])
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"load_torch_weights: .*w.safetensors: {message}"):
        model.load_torch_weights(written(folder, tensors))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_files_of_other_models_are_refused(tmp_path: Path) -> None:
    first, second = linear(4, 2), linear(3, 4)
    refused(tmp_path, state(**{"0": first}), "the model has 2 layers with weights, the file 1")
    refused(
        tmp_path,
        state(**{"0": first, "1": linear(4, 3)}),
        r"layer 'dense_1' takes a weight of shape \(3, 4\), module '1' has \(4, 3\)",
    )
    refused(
        tmp_path,
        state(**{"0": first, "1": {"weight": second["weight"]}}),
        r"layer 'dense_1' takes a bias of shape \(3,\), module '1' has None",
    )
    refused(
        tmp_path,
        state(**{"0": first}),
        "module '0' has a bias, layer 'dense' has none",
        layers.Dense(4, use_bias=False),
    )
    refused(
        tmp_path,
        state(a=first, b=linear(5, 5)),
        r"no module fits layer 'dense_1', .*\(3, 4\)",
    )
    refused(
        tmp_path,
        {"0.weight_ih_l0": first["weight"]},
        "tensor '0.weight_ih_l0' is none of a layer that laminar has",
    )
    refused(
        tmp_path,
        state(**{"0": first}),
        "layer 'maxout', a Maxout, is none of PyTorch's",
        layers.Maxout(4),
    )


def test_what_has_no_module_is_not_exported(tmp_path: Path) -> None:
    for layer in (layers.Maxout(2), layers.Normalization(), layers.Rescaling(2)):
        model = Sequential([layers.Input(2), layer])
        with pytest.raises(ValueError, match=f"no module for layer .*, a {type(layer).__name__}"):
            model.export(tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="the model is not built"):
        Sequential([layers.Dense(2)]).export(tmp_path / "w.safetensors")
    assert not list(tmp_path.iterdir())


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    model = Sequential([layers.Input(2), layers.Dense(2)])
    path = tmp_path / "w.safetensors"
    for content in (b"", b"no tensors", b"\x08" + bytes(7) + b"{}      "):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="safetensors"):
            model.load_torch_weights(path)
    with pytest.raises(FileNotFoundError):
        model.load_torch_weights(tmp_path / "absent.safetensors")
    with pytest.raises(ValueError, match="the model is not built"):
        Sequential([layers.Dense(2)]).load_torch_weights(path)


def siamese() -> Model:
    a, b = Input(3, name="a"), Input(3, name="b")
    encoder, norm = layers.Dense(4, "tanh", name="encoder"), layers.BatchNormalization(name="norm")
    score = layers.Dense(1, name="score", use_bias=False)(norm(encoder(a) * encoder(b)))
    return Model([a, b], score, seed=1)


def test_graphs_by_the_names_of_their_layers(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    class Siamese(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.score = torch.nn.Linear(4, 1, bias=False)
            self.norm = torch.nn.BatchNorm1d(4, eps=1e-3)
            self.encoder = torch.nn.Linear(3, 4)

        def forward(self, a: Any, b: Any) -> Any:
            both = torch.tanh(self.encoder(a)) * torch.tanh(self.encoder(b))
            return self.score(self.norm(both))

    import safetensors.torch

    module, model = Siamese().eval(), randomized(siamese())  # type: ignore[arg-type]
    x = [sample((3,), 20).astype(np.float32), sample((3,), 20)[::-1].astype(np.float32)]
    path = str(tmp_path / "w.safetensors")
    model.export(path)
    module.load_state_dict(safetensors.torch.load_file(path), strict=False)  # but for a counter
    expected = module(*map(torch.from_numpy, x)).detach().numpy()
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)

    fresh = siamese()
    safetensors.torch.save_file(Siamese().state_dict(), path)
    before = fresh.get_weights()
    fresh.load_torch_weights(path)
    assert not np.array_equal(fresh.get_weights()[0], before[0])
    module.load_state_dict(safetensors.torch.load_file(path))
    expected = module(*map(torch.from_numpy, x)).detach().numpy()
    np.testing.assert_allclose(fresh.predict(x), expected, rtol=1e-5, atol=1e-6)


def test_modules_of_other_names_are_refused_for_graphs(tmp_path: Path) -> None:
    path = str(tmp_path / "w.safetensors")
    model = siamese()
    given = {"0.weight": np.zeros((4, 3), np.float32), "1.weight": np.zeros((1, 4), np.float32)}
    _core.write_safetensors(path, given, {})
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"must have the names .* encoder, norm, score; got 0, 1"):
        model.load_torch_weights(path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
