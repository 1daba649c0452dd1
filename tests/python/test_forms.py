# SPDX-License-Identifier: Apache-2.0
"""Every layer and activation of the core has an answer in every format, and the answer is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_models import LAYER_STACKS, activation_model, randomized, sample
from support import layer_kinds

from laminar import Sequential, _core, layers, load_model
from laminar.exchange import WRITERS, _keras_forms, _onnx_layers, _source_layers, forms
from laminar.exchange import torch_weights as torch

ENDINGS = {"onnx": ".onnx", "c": ".c", "torch": ".safetensors", "keras": ".keras"}
PACKAGES = {"onnx": "onnx", "keras": "h5py"}


def entries(family: str) -> list[str]:
    return [entry["name"] for entry in _core.entries(family)]


@pytest.mark.parametrize("format", forms.FORMATS)
def test_every_entry_of_the_core_has_an_answer(format: str) -> None:
    assert [k for k in entries("layer") if not forms.layer(k, format).answered] == []
    assert [a for a in entries("activation") if not forms.activation(a, format).answered] == []


def test_no_list_names_what_the_core_has_not() -> None:
    kinds, names = set(entries("layer")), set(entries("activation"))
    for listed in (_keras_forms.LAYERS, _keras_forms.REFUSED, torch.REFUSED, torch._NAMES):
        assert set(listed) <= kinds
    for listed in (
        _keras_forms.ACTIVATIONS,
        _keras_forms.REFUSED_ACTIVATIONS,
        torch.ACTIVATIONS,
        torch.WITHOUT_MODULE,
    ):
        assert set(listed) <= names
    for said, refused in (
        (_keras_forms.LAYERS, _keras_forms.REFUSED),
        (_keras_forms.ACTIVATIONS, _keras_forms.REFUSED_ACTIVATIONS),
        (torch.ACTIVATIONS, torch.WITHOUT_MODULE),
        ({**torch._NAMES, **dict.fromkeys(torch._WITHOUT_WEIGHTS)}, torch.REFUSED),
    ):
        assert set(said).isdisjoint(refused)


def test_a_new_entry_that_lists_forgot_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for listed in (_onnx_layers.WRITERS, _source_layers.KINDS, torch._NAMES, _keras_forms.LAYERS):
        monkeypatch.delitem(listed, "prelu")
    for format in ENDINGS:
        assert not forms.layer("prelu", format).answered
    assert "layer prelu: onnx: ?" in forms.table()


def test_every_writer_is_asked() -> None:
    """The header of C++ is of the same lists as C."""
    assert {format for format, _ in WRITERS.values()} == {*ENDINGS, "hpp"}


def test_pytorch_has_these_modules() -> None:
    nn: Any = pytest.importorskip("torch", reason="torch is not installed").nn
    for name, module in torch.ACTIVATIONS.items():
        assert hasattr(nn, module), name


@pytest.mark.parametrize("format", ENDINGS)
def test_what_is_written_has_all_weights(format: str, tmp_path: Path) -> None:
    """A kind of layer with weights is exported with them, or the whole model is refused."""
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} is not installed")
    seen = set()
    for name, stack in LAYER_STACKS.items():
        shape, made = stack()
        model = randomized(Sequential([layers.Input(shape), *made], seed=3))
        path = tmp_path / f"m{ENDINGS[format]}"
        path.unlink(missing_ok=True)
        kinds = {layer._entry for layer in model.layers}
        seen |= kinds
        refused = [kind for kind in kinds if not forms.layer(kind, format).written]
        if refused:
            with pytest.raises(ValueError, match=r"export: .*(cannot be in a file|has no module)"):
                model.export(path)
            assert not path.exists()
            continue
        try:
            model.export(path)
        except ValueError as error:  # for its activation
            assert format == "keras" and name == "Activation", error
            continue
        if format in ("onnx", "keras") and not name.startswith(("Periodic", "Piecewise", "Smooth")):
            x = np.minimum(np.abs(sample(shape, 20)).round(), 3)
            got, expected = load_model(path).predict(x), model.predict(x)
            np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6, err_msg=name)
        if format == "torch":
            tensors = _core.read_safetensors(path)[0]
            assert sum(array.size for array in tensors.values()) >= model.count_params()
    assert seen == layer_kinds(merging=False)


@pytest.mark.parametrize("format", ENDINGS)
def test_every_activation_is_written_or_refused(format: str, tmp_path: Path) -> None:
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format], reason=f"{PACKAGES[format]} is not installed")
    for entry in _core.entries("activation"):
        model = activation_model({"name": entry["name"], **entry["parameters"]}, "float32")
        form = forms.activation(entry["name"], format)
        if form.written or format == "torch":  # whose files hold weights alone
            model.export(tmp_path / f"m{ENDINGS[format]}")
        else:
            with pytest.raises(ValueError, match=entry["name"]):
                model.export(tmp_path / f"m{ENDINGS[format]}")
