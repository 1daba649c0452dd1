# SPDX-License-Identifier: Apache-2.0
"""Programs that are wrong: a type checker says so at each line that expects it."""

from __future__ import annotations

import numpy as np

import laminar
from laminar import Tensor, layers, ops


class Scaled(layers.Layer):
    def build(self, input_shape: tuple[int, ...]) -> None:
        self.scale = self.add_weights((3,))  # expect: attr-defined
        self.shift = self.add_weight((3,), trainabel=False)  # expect: call-arg

    def call(self, inputs: Tensor) -> Tensor:
        len(inputs.ndim)  # expect: arg-type
        return (inputs * 2.0).ndim  # expect: return-value


class Named(layers.Layer):
    def get_config(self) -> int:  # expect: override
        return 3


ops.sigmoidd(np.ones(3))  # expect: attr-defined
ops.sum(np.ones(3), axes=0)  # expect: call-arg
laminar.Variable([1.0]).assign()  # expect: call-arg
laminar.Sequential(layers.Dense(3))  # expect: arg-type
layers.Lambda()  # expect: call-arg
laminar.GradientTape(persistant=True)  # expect: call-arg
