# SPDX-License-Identifier: Apache-2.0
"""What compile gave a model: loss, optimizer and metrics, and the keys under which values appear.

It is kept apart from the core's model because a model may be compiled before it is built, and is
compiled anew, with the same choices, when its layers change.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _choice, _own_compiled, losses, metrics, optimizers
from ._component import flag, number
from ._heads import Head, Heads, Output, Skipping, Unread, per_output
from ._own_functions import UnfitError
from ._printable import listed

if TYPE_CHECKING:
    from ._guard import CoreModel
    from ._heads import Target
    from ._layered import Layered
    from ._types import Scores
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
        loss: Any,
        chosen: Any,
        owner: Layered | None,
        weighted: Any = None,
        loss_weights: Any = None,
        ignore_nan: bool = False,
    ) -> None:
        outputs = [Output("output")] if owner is None else owner._described_outputs()
        self.ignore_nan = flag(ignore_nan, "compile: ignore_nan")
        called = [output.name for output in outputs]
        for name in called:
            if called.count(name) > 1:
                raise ValueError(
                    f"compile: two outputs are called {name!r}, so their losses could not be told "
                    "apart; make the model with a dict of its outputs"
                )
        self._several = len(outputs) > 1
        given = per_output(loss, outputs, "loss", _is_spec)
        added = owner is not None and owner._adds_losses()
        if added and all(each is None for each in given):
            given[0] = _own_compiled.of_added_losses()
        self._named = self._several or given[0] is not None
        stack = () if owner is None else owner._last_layers()
        chosen_losses = [
            losses.get(each) if each is not None else None if self._several else _choice.loss(stack)
            for each in given
        ]
        # Which cross-entropy belongs to a softmax is known with the first targets.
        guessed = isinstance(chosen_losses[0], losses.SparseCategoricalCrossentropy) or not stack
        self.settled = self._named or not guessed
        if not any(chosen_losses):
            names = listed(repr(output.name) for output in outputs)
            raise ValueError(
                f"compile: loss must be given for at least one of the outputs, {names}, "
                f"got {loss!r}"
            )
        self.optimizer = optimizers.get(optimizer)._for(owner)
        weights = _weights(loss_weights, outputs)
        plain = _several(chosen, outputs, "metrics")
        more = _several(weighted, outputs, "weighted_metrics")
        self.heads = [
            _head(*each) for each in zip(outputs, chosen_losses, weights, plain, more, strict=True)
        ]
        self._own = any(map(_own_compiled.parts, self.heads))
        self._traced = not self._own
        self._rows = [_own_compiled.known_rows(head) for head in self.heads]  # of targets
        self._owner = None if owner is None else weakref.ref(owner)
        self.metrics = [metric for head in self.heads for metric in head.metrics]
        self._by_key: dict[str, metrics.Metric] = {}
        for head in self.heads:
            for metric, spec in zip(head.metrics, head.specs, strict=True):
                key = f"{head.output.name}_{spec['key']}" if self._several else spec["key"]
                self._by_key[key] = metric
        trained = [head.output.name for head in self.heads if head.loss is not None]
        own = [f"{name}_loss" for name in trained] if len(trained) > 1 else []
        # As in Keras: metrics of several outputs come in alphabetical order, and so do the losses
        # of those that were given by name.
        measured = sorted(self._by_key) if self._several else list(self._by_key)
        self._core_keys = ["loss", *own, *measured]
        by_name = owner is not None and owner._outputs_by_key
        self.keys = ["loss", *(sorted(own) if by_name else own), *measured]
        for key in self.keys:
            if self.keys.count(key) > 1:
                raise ValueError(f"compile: metric {key!r} is given twice")

    @property
    def loss(self) -> losses.Loss | list[losses.Loss | None] | None:
        """The loss, or for several outputs a list of one for each, None where there is none."""
        return [head.loss for head in self.heads] if self._several else self._one

    def titles(self) -> dict[str, str]:
        """Return what the keys of losses are called in pictures: with the names of the losses."""
        trained = {
            head.output.name: loss._entry or loss.name
            for head in self.heads
            if (loss := head.loss) is not None
        }
        named = {f"{output}_loss": name for output, name in trained.items()}
        if len(trained) == 1:
            named = dict(zip(["loss"], trained.values(), strict=True))
        return {key: f"{key} ({name})" for key, name in named.items() if key in self.keys}

    @property
    def complete(self) -> bool:
        """Whether all is known that the core needs."""
        return self.settled and self._traced

    @property
    def _one(self) -> losses.Loss:
        loss = self.heads[0].loss
        assert loss is not None  # of one output there always is one
        return loss

    @property
    def target(self) -> Target:
        """What targets must be."""
        read = list(map(_own_compiled.reads_targets, self.heads))
        if self._several:
            return Heads(self.heads, self.ignore_nan, read)
        if not any(read):
            return Unread(self._one, self.ignore_nan, self.heads[0].targets or (1,))
        return Skipping(self._one) if self.ignore_nan else self._one

    def metric_of(self, key: str) -> metrics.Metric | None:
        """Return the metric that appears under a key."""
        return self._by_key.get(key)

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
        heads, optimizer = (json.loads(text) for text in model.compiled_with[:2])
        if len(heads) != len(owner._described_outputs()):
            return None  # C++ knows one loss for all outputs together, Python does not
        called = None if names is None else iter(names)
        kinds: list[list[list[metrics.Metric]]] = [[], []]
        for head in heads:
            parts: list[list[metrics.Metric]] = [[], []]
            for spec in head["metrics"]:
                key, weighted = spec.pop("key"), spec.pop("weighted")
                name = key if called is None else next(called, key)
                parts[weighted].append(metrics.get(spec)._called(name))
            for kind, part in zip(kinds, parts, strict=True):
                kind.append(part)
        excluded = optimizer.pop("exclude_from_weight_decay", ())
        made = optimizers.get(optimizer)
        made._excluded_names = tuple(excluded)
        compiled = cls(
            made,
            [losses.get(head["loss"]) if "loss" in head else None for head in heads],
            kinds[0],
            owner,
            kinds[1],
            [head["weight"] for head in heads],
            model.compiled_with[2],
        )
        compiled._trace(compiled._shapes(model))
        if compiled._core_keys != model.metric_names:
            raise ValueError(
                f"the logs are called {compiled.keys}, the file has {model.metric_names}"
            )
        return compiled

    def arguments(self) -> dict[str, Any]:
        """Return what `Sequential.compile` would take to make an equal object."""
        parts: list[list[list[metrics.Metric]]] = [[], []]
        heads = [_own_compiled.kept(head) for head in self.heads]
        for head in heads:
            pairs = [
                (m, spec["weighted"]) for m, spec in zip(head.metrics, head.specs, strict=True)
            ]
            for weighted in (False, True):
                parts[weighted].append([m for m, w in pairs if w is weighted])
        return {
            "optimizer": self.optimizer,
            "loss": [head.loss if self._named else None for head in heads],
            "metrics": parts[0],
            "weighted_metrics": parts[1],
            "loss_weights": [head.weight for head in self.heads],
            "ignore_nan": self.ignore_nan,
        }

    def without_metrics(self, optimizer: optimizers.Optimizer, owner: Layered) -> Compiled:
        """Return the same for another model, with another optimizer."""
        made = Compiled(
            optimizer,
            [head.loss for head in self.heads],
            None,
            owner,
            loss_weights=[head.weight for head in self.heads],
            ignore_nan=self.ignore_nan,
        )
        made._rows = list(self._rows)
        return made

    def settle(
        self,
        where: str,
        stack: Sequence[Layer],
        y: object,
        model: CoreModel | None,
        training: bool = False,
    ) -> None:
        """Choose a loss that nobody named from the last layer and the targets.

        It follows the targets until the first update: what is only tried binds nobody.
        """
        self._follow(where, y, model, training)
        if self._named or training or self.optimizer.iterations > 0:
            return
        if y is None and any(layer._own for layer in stack):
            self._take_added(model)
            return
        loss = _choice.loss(stack, y)
        if self.settled and loss._entry == self._one._entry:
            return
        self.heads[0] = self.heads[0]._replace(loss=loss)
        self.settled = True
        self.fix()
        if model is not None:
            self.apply(model)

    def _take_added(self, model: CoreModel | None) -> None:
        """Train on what layers add alone, where neither a loss nor targets have been given."""
        self.heads[0] = self.heads[0]._replace(loss=_own_compiled.of_added_losses())
        self._named = self.settled = self._own = True
        self._rows = [_own_compiled.known_rows(self.heads[0])]
        self._traced = False
        self.fix()
        if model is not None:
            self.apply(model)

    def _follow(self, where: str, y: object, model: CoreModel | None, training: bool) -> None:
        """Trace what is the user's own for targets like these, before the first update."""
        if not self._own:
            return
        rows = _own_compiled.rows_of(self.heads, y, self._rows)
        if training or self.optimizer.iterations > 0:
            _own_compiled.check_unchanged(where, self.heads, rows)
            return
        if self._traced and _own_compiled.suits(self.heads, rows):
            return
        before = self._rows, self._traced, self.heads
        self._rows = rows
        if model is None:
            return  # building it, which follows, tells the outputs' shapes
        try:
            self.apply(model)
        except BaseException:
            self._rows, self._traced, self.heads = before
            raise

    def _shapes(self, model: CoreModel) -> list[tuple[int, ...] | None]:
        """Return the shapes of the outputs of a row."""
        owner = None if self._owner is None else self._owner()
        if self._several or owner is None:
            return [head.output.shape for head in self.heads]
        return [owner._outputs_of(model)]

    def _trace(self, shapes: Sequence[tuple[int, ...] | None]) -> None:
        """Make programs of what is the user's own, unless the targets' shapes must be awaited."""
        try:
            heads = [
                _own_compiled.traced(head, shape, rows)
                for head, shape, rows in zip(self.heads, shapes, self._rows, strict=True)
            ]
        except UnfitError as error:
            raise ValueError(str(error)) from None
        self._traced = all(head is not None for head in heads)
        if self._traced:
            self.heads = [head for head in heads if head is not None]

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
        if self._own:
            self._trace(self._shapes(model))
        if not self.complete:
            return
        optimizer = self.optimizer._spec()
        if afresh:
            optimizer["learning_rate"] = self.optimizer._rate_to_begin_with()
        heads = []
        for head in self.heads:
            spec: dict[str, Any] = {"weight": head.weight, "metrics": head.specs}
            if head.loss is not None:
                spec["loss"] = head.spec or head.loss._spec()
            if self._several:
                spec["name"] = head.output.name
            heads.append(spec)
        model.compile(json.dumps(heads), json.dumps(optimizer), self.ignore_nan)
        self.optimizer._bind(model)

    def logs(self, values: list[float]) -> dict[str, float]:
        """Return loss and metrics, as the core has computed them, by their keys."""
        by_key = dict(zip(self._core_keys, values, strict=True))
        return {key: by_key[key] for key in self.keys}

    def named(self, values: list[float], return_dict: bool) -> Scores | dict[str, float]:
        """Return loss and metrics in the form that Keras does: a number, a list or a dict."""
        logs = self.logs(values)
        if return_dict:
            return logs
        return list(logs.values()) if len(logs) > 1 else values[0]

    def fix(self) -> None:
        """Refuse changes of what the model has taken from now on."""
        for head in self.heads:
            for part in (head.loss, *head.metrics):
                if part is not None:
                    part._fix()


def _is_spec(given: object) -> bool:
    """Whether a mapping describes one loss or metric, as `losses.get` takes it."""
    return isinstance(given, Mapping) and ("name" in given or "class_name" in given)


def _several(given: Any, outputs: Sequence[Output], argument: str) -> list[list[metrics.Metric]]:
    """Return the metrics that one argument of compile names, for each output."""
    several = len(outputs) > 1

    def is_one(value: object) -> bool:
        if isinstance(value, Mapping):
            return _is_spec(value)
        # Of one output a list has its metrics; in a list it may be one of lists, as Keras has it.
        nested = isinstance(value, (list, tuple)) and any(
            isinstance(each, (list, tuple)) for each in value
        )
        return not several and not nested

    one_for_all = given is not None and (
        not isinstance(given, (list, tuple, Mapping)) or _is_spec(given)
    )
    if several and one_for_all:
        names = listed(repr(output.name) for output in outputs)
        raise ValueError(
            f"compile: {argument} must be a list with one entry for each output, or a dict by "
            f"their names, {names}; got {given!r}"
        )
    return [
        [metrics.get(metric) for metric in each]
        if isinstance(each, (list, tuple))
        else []
        if each is None
        else [metrics.get(each)]
        for each in per_output(given, outputs, argument, is_one)
    ]


def _weights(given: Any, outputs: Sequence[Output]) -> list[float]:
    """Return the weights of the outputs' losses: 1 where nothing is said."""
    where = "compile: loss_weights"
    if len(outputs) > 1 and given is not None and not isinstance(given, (list, tuple, Mapping)):
        names = listed(repr(output.name) for output in outputs)
        raise TypeError(
            f"{where} must be a list with one number for each output, or a dict by their names, "
            f"{names}; got {given!r}"
        )
    each = per_output(given, outputs, "loss_weights", lambda _: False)
    return [
        1.0 if weight is None else number(weight, f"{where}[{output.name!r}]")
        for weight, output in zip(each, outputs, strict=True)
    ]


def _head(
    output: Output,
    loss: losses.Loss | None,
    weight: float,
    plain: list[metrics.Metric],
    weighted: list[metrics.Metric],
) -> Head:
    """Return the head of an output; ValueError where two of its metrics are the same."""
    specs: list[dict[str, Any]] = []
    keys = ["loss"]
    for i, metric in enumerate(plain + weighted):
        own = {"name": metric.name}  # until it is traced
        spec = {**(own if metric._own else metric._spec()), "weighted": i >= len(plain)}
        taken = metric.name in keys
        key = f"weighted_{metric.name}" if taken and spec["weighted"] else metric.name
        same = [other for other in specs if {**other, "key": key} == {**spec, "key": key}]
        if key in keys or same:
            raise ValueError(f"compile: metric {key!r} is given twice")
        keys.append(key)
        specs.append({**spec, "key": key})
    return Head(output, loss, weight, plain + weighted, specs)
