# SPDX-License-Identifier: Apache-2.0
"""Gradients of what a user computes step by step, for loops of one's own.

`tape` finds them, `variable` holds the numbers that change, `calls` are those of models and layers,
`losses` those of losses, `updates` what optimizers do.
"""

from ..ops._held import Tensor
from .tape import GradientTape
from .variable import Variable

__all__ = ["GradientTape", "Tensor", "Variable"]
