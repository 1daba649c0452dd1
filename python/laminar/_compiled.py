# SPDX-License-Identifier: Apache-2.0
"""What compile gave a model: loss, optimizer and metrics, and the keys under which values appear.

It is kept apart from the core's model because a model may be compiled before it is built, and is
compiled anew, with the same choices, when its layers change.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from . import _choice, losses, metrics, optimizers

if TYPE_CHECKING:
    from ._guard import CoreModel
    from ._layered import Layered
    from .layers import Layer


class Compiled:
    """Loss, optimizer and metrics of one model.

    Parameters
    ----------
    optimizer, loss, chosen, weighted
        What the user passed to `Sequential.compile`. Without a loss, `settle` chooses it.
    owner : Layered
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
        owner: Layered | None,
        weighted: metrics.Identifier | Sequence[metrics.Identifier] | None = None,
    ) -> None:
        self._named = loss is not None
        stack = () if owner is None else owner._last_layers()
        self.loss = _choice.loss(stack) if loss is None else losses.get(loss)
        # Which cross-entropy belongs to a softmax is known with the first targets.
        guessed = isinstance(self.loss, losses.SparseCategoricalCrossentropy) or not stack
        self.settled = self._named or not guessed
        self.optimizer = optimizers.get(optimizer)._for(owner)
        plain = _several(chosen)
        self.metrics = plain + _several(weighted)
        self.keys = ["loss"]
        self._specs: list[dict[str, Any]] = []
        for i, metric in enumerate(self.metrics):
            spec = {**metric._spec(), "weighted": i >= len(plain)}
            taken = metric.name in self.keys
            key = f"weighted_{metric.name}" if taken and spec["weighted"] else metric.name
            same = [other for other in self._specs if {**other, "key": key} == {**spec, "key": key}]
            if key in self.keys or same:
                raise ValueError(f"compile: metric {key!r} is given twice")
            self.keys.append(key)
            self._specs.append({**spec, "key": key})

    @classmethod
    def of(
        cls, model: CoreModel, owner: Layered, names: Sequence[str] | None = None
    ) -> Compiled | None:
        """Return what a core model is compiled with; None where it is not.

        Parameters
        ----------
        model : CoreModel
            The model.
        owner : Layered
            See `Compiled`.
        names : sequence of str, optional
            What the metrics are called. Without it they are called like their keys, which differ
            where a weighted metric's name was taken.
        """
        if model.compiled_with is None:
            return None
        loss, optimizer, chosen = (json.loads(text) for text in model.compiled_with)
        kinds: list[list[metrics.Metric]] = [[], []]
        keys = [spec.pop("key") for spec in chosen]
        for spec, name in zip(chosen, keys if names is None else names, strict=True):
            kinds[spec.pop("weighted")].append(metrics.get(spec)._called(name))
        excluded = optimizer.pop("exclude_from_weight_decay", ())
        made = optimizers.get(optimizer)
        made._excluded_names = tuple(excluded)
        compiled = cls(made, losses.get(loss), kinds[0], owner, kinds[1])
        if compiled.keys[1:] != keys:
            raise ValueError(f"the metrics are called {compiled.keys[1:]}, the file has {keys}")
        return compiled

    def arguments(self) -> dict[str, Any]:
        """Return what `Sequential.compile` would take to make an equal object."""
        weighted = [spec["weighted"] for spec in self._specs]
        return {
            "optimizer": self.optimizer,
            "loss": self.loss if self._named else None,
            "metrics": [m for m, w in zip(self.metrics, weighted, strict=True) if not w],
            "weighted_metrics": [m for m, w in zip(self.metrics, weighted, strict=True) if w],
        }

    def settle(self, stack: Sequence[Layer], y: object, model: CoreModel | None) -> None:
        """Choose a loss that nobody named from the last layer and the targets.

        It follows the targets until the first update: what is only tried binds nobody.
        """
        if self._named or self.optimizer.iterations > 0:
            return
        loss = _choice.loss(stack, y)
        if self.settled and loss._entry == self.loss._entry:
            return
        self.loss, self.settled = loss, True
        self.fix()
        if model is not None:
            self.apply(model)

    def apply(self, model: CoreModel, afresh: bool = False) -> None:
        """Compile a core model, unless the loss is still unknown.

        Parameters
        ----------
        model : CoreModel
            The model.
        afresh : bool
            Begin with the learning rate that the optimizer was given, not with its present one.

        Raises
        ------
        ValueError
            Before anything changes, where the core refuses.
        """
        if not self.settled:
            return
        optimizer = self.optimizer._spec()
        if afresh:
            optimizer["learning_rate"] = self.optimizer._rate_to_begin_with()
        model.compile(json.dumps(self.loss._spec()), json.dumps(optimizer), json.dumps(self._specs))
        self.optimizer._bind(model)

    def named(self, values: list[float], return_dict: bool) -> Any:
        """Return loss and metrics in the form that Keras does: a number, a list or a dict."""
        if return_dict:
            return dict(zip(self.keys, values, strict=True))
        return values if len(values) > 1 else values[0]

    def fix(self) -> None:
        """Refuse changes of what the model has taken from now on."""
        for part in (self.loss, *self.metrics):
            part._fix()


def _several(
    chosen: metrics.Identifier | Sequence[metrics.Identifier] | None,
) -> list[metrics.Metric]:
    """Return the metrics that one argument of compile names."""
    if isinstance(chosen, (list, tuple)):
        return [metrics.get(metric) for metric in chosen]
    return [] if chosen is None else [metrics.get(cast(Any, chosen))]
