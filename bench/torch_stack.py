# SPDX-License-Identifier: Apache-2.0
"""The stack of dense layers that PyTorch's users write, with given weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def torch_stack(weights: Sequence[np.ndarray], activation: str) -> Any:
    """Return dense layers, an activation of `torch.nn` after all but the last.

    `weights` are kernels and biases in turns.
    """
    import torch

    parts: list[Any] = []
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        linear = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(kernel.T))
            linear.bias.copy_(torch.from_numpy(bias))
        parts += [linear, getattr(torch.nn, activation)()]
    return torch.nn.Sequential(*parts[:-1])
