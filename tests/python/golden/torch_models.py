# SPDX-License-Identifier: Apache-2.0
"""Small PyTorch models for the tests of exchange formats; their weights are drawn from a seed."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def _blocks(width: int, *activations: nn.Module) -> list[nn.Module]:
    """Return linear layers with an activation after each."""
    return [part for a in activations for part in (nn.Linear(width, width), a)]


def stacks() -> dict[str, tuple[int, list[nn.Module]]]:
    """Return the features and the modules of each model."""
    plain = [nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.ELU(0.5), nn.SELU(), nn.CELU(0.7)]
    smooth = [nn.Softplus(), nn.Softsign(), nn.SiLU(), nn.Mish(), nn.LogSigmoid(), nn.GELU()]
    straight = [nn.Hardsigmoid(), nn.Hardtanh(), nn.Hardswish(), nn.ReLU6(), nn.LeakyReLU(0.1)]
    shrinks = [nn.Tanhshrink(), nn.Hardshrink(0.3), nn.Softshrink(0.2), nn.Threshold(0.0, 0.0)]
    return {
        "plain": (5, _blocks(5, *plain)),
        "smooth": (3, _blocks(3, *smooth, nn.GELU("tanh"))),
        "straight": (4, _blocks(4, *straight)),
        "shrinks": (7, _blocks(7, *shrinks)),
        "classifier": (4, [nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 3), nn.Softmax(1)]),
        "log classifier": (1, [nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 17), nn.LogSoftmax(-1)]),
        "batch norm": (6, [nn.BatchNorm1d(6), nn.Linear(6, 11, bias=False), nn.BatchNorm1d(11)]),
        "layer norm": (6, [nn.Linear(6, 5), nn.LayerNorm(5, eps=1e-4), nn.Linear(5, 1)]),
        "rms norm": (6, [nn.Linear(6, 5), nn.RMSNorm(5, eps=1e-4), nn.Linear(5, 1)]),
        "prelu": (6, [nn.Linear(6, 5), nn.PReLU(5), nn.Dropout(0.4), nn.Linear(5, 3), nn.PReLU()]),
        "shapes": (6, [nn.Unflatten(1, (2, 3)), nn.Flatten(), nn.Linear(6, 2), nn.Identity()]),
    }


def model(name: str, dtype: torch.dtype = torch.float32) -> tuple[int, Any]:
    """Return the features of a model, and the model with its moments away from 0 and 1."""
    torch.manual_seed(11)
    features, modules = stacks()[name]
    made = nn.Sequential(*modules).to(dtype)
    with torch.no_grad():
        for key, value in made.state_dict().items():
            if "running_mean" in key or key.endswith("bias"):
                value.normal_()
            elif "running_var" in key:
                value.uniform_(0.5, 2.0)
    return features, made.eval()
