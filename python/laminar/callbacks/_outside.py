# SPDX-License-Identifier: Apache-2.0
"""What callbacks that write for other programs share: their packages, and what a training is."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from math import prod
from typing import TYPE_CHECKING, Any

from .. import _summary
from .._component import Component
from .._core import __version__

if TYPE_CHECKING:
    from .._base_model import BaseModel


def package(callback: str, module: str, name: str, extra: str) -> Any:
    """Return a module of another package; ImportError says how to get it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise ImportError(
            f"{callback}: needs {name}, which is not installed; pip install laminar[{extra}] "
            "brings it"
        ) from None


def summary(model: BaseModel) -> str:
    """Return the table of a model's layers."""
    return _summary.of(model)


def parameters(model: BaseModel, params: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """Return what a training is made of, by names: arguments of optimizer and loss among them."""
    weights = model._facts("fit")
    found: dict[str, Any] = {
        "epochs": params["epochs"],
        "initial_epoch": params["initial_epoch"],
        "steps": params["steps"],
        "model": type(model).__name__,
        "layers": len(model.layers),
        "weights": sum(prod(weight.shape) for weight in weights),
        "dtype": model.dtype,
        "precision": model.precision,
        "seed": model.seed,
        "laminar": __version__,
    }
    found |= _told("optimizer", model.optimizer)
    losses = model.loss
    if isinstance(losses, list):
        outputs = [output.name for output in model._described_outputs()]
        for output, loss in zip(outputs, losses, strict=True):
            found |= _told(f"loss_{output}", loss)
    else:
        found |= _told("loss", losses)
    plain = (bool, int, float, str)
    return {k: v if isinstance(v, plain) else str(v) for k, v in found.items() if v is not None}


def _told(name: str, part: object) -> dict[str, Any]:
    """Return the class of a part and its arguments."""
    if not isinstance(part, Component):
        return {}
    arguments = part.get_config()
    return {
        name: type(part).__name__,
        **{f"{name}_{key}": value for key, value in arguments.items() if value is not None},
    }
