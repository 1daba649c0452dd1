# SPDX-License-Identifier: Apache-2.0
"""What compile gave a model: loss, optimizer and metrics, and the keys under which values appear.

It is kept apart from the core's model because a model may be compiled before it is built, and is
compiled anew, with the same choices, when its layers change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import losses, metrics, optimizers
from ._component import entries
from ._spelling import hint

if TYPE_CHECKING:
    from ._core import ModelFloat32, ModelFloat64


class Compiled:
    """Loss, optimizer and metrics of one model.

    Parameters
    ----------
    optimizer, loss, chosen
        What the user passed to `Sequential.compile`.
    owner : Sequential
        The model. An optimizer that belongs to another is copied.

    Raises
    ------
    TypeError, ValueError
        For what is no optimizer, loss or metric, and for two metrics that are the same.
    """

    def __init__(
        self,
        optimizer: optimizers.Identifier,
        loss: losses.Identifier | None,
        chosen: metrics.Identifier | Sequence[metrics.Identifier] | None,
        owner: object,
    ) -> None:
        if loss is None:
            raise ValueError(f"compile: a loss is needed; {hint('', entries('loss'))}")
        self.loss = losses.get(loss)
        self.optimizer = optimizers.get(optimizer)._for(owner)
        several: Sequence[Any] = [] if chosen is None else [chosen]
        if isinstance(chosen, (list, tuple)):
            several = chosen
        self.metrics = [metrics.get(metric) for metric in several]
        for i, metric in enumerate(self.metrics):
            for other in self.metrics[:i]:
                if metric.name == other.name or metric._spec() == other._spec():
                    raise ValueError(f"compile: metric {metric.name!r} is given twice")
        self.keys = ["loss", *(metric.name for metric in self.metrics)]
        self._renamed: dict[str, str] = {}

    def apply(self, model: ModelFloat32 | ModelFloat64) -> None:
        """Compile a core model; ValueError, before anything changes, where the core refuses."""
        model.compile(
            json.dumps(self.loss._spec()),
            json.dumps(self.optimizer._spec()),
            json.dumps([metric._spec() for metric in self.metrics]),
        )
        self.optimizer._bind(model)
        for name, key in zip(model.metric_names, self.keys, strict=True):
            self._renamed.update({name: key, f"val_{name}": f"val_{key}"})

    def named(self, logs: Mapping[str, float]) -> dict[str, float]:
        """Return the core's logs under the keys that the user chose."""
        return {self._renamed[name]: value for name, value in logs.items()}
