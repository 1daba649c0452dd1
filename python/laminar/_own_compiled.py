# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of the user's own in a model that is compiled.

They are traced for targets of a shape that is known with the first data. Before these, targets are
taken to have the outputs' shape; where a function cannot do with that, the data are awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import losses, metrics
from ._own_functions import UnfitError, config_of, targets_of

if TYPE_CHECKING:
    from ._heads import Head
    from ._own_functions import Shape


def parts(head: Head) -> list[Any]:
    """Return what is the user's own of an output."""
    return [part for part in (head.loss, *head.metrics) if part is not None and part._own]


def of_added_losses() -> losses.Loss:
    """Return the loss of a model that is trained on what its layers add, which reads no targets."""
    from ._own_losses import added_losses  # operations are needed by few programs

    return losses.Function(added_losses)


def reads_targets(head: Head) -> bool:
    """Whether what an output is trained towards or measured by depends on targets."""
    loss = head.loss
    if head.metrics or loss is None or not loss._own:
        return bool(head.metrics) or loss is not None
    known = head.spec["program"] if head.spec is not None else getattr(loss, "program", None)
    if known is None:
        return getattr(getattr(loss, "function", None), "__name__", "") != "added_losses"
    return 0 in known["outputs"] or any(0 in step.get("reads", ()) for step in known["steps"])


def known_rows(head: Head) -> Shape | None:
    """Return the shape of a row of targets, where a program tells it or they are not read."""
    if not reads_targets(head) and getattr(head.loss, "program", None) is None:
        return (1,)
    found = [targets_of(part) for part in parts(head)] if _chooses(head) else []
    return next((shape for shape in found if shape is not None), None)


def _chooses(head: Head) -> bool:
    """Whether targets may be anything; by a loss of the core's they are as the outputs."""
    return bool(parts(head)) and (head.loss is None or head.loss._own) and not head.labels


def rows_of(heads: Sequence[Head], y: object, known: Sequence[Shape | None]) -> list[Shape | None]:
    """Return the shapes of rows of targets that a user gives, where they matter."""
    names = [head.output.name for head in heads]
    each: list[Any] = [None] * len(heads)
    if isinstance(y, Mapping):
        each = [y.get(name) for name in names]
    elif len(heads) == 1:
        each = [y]
    elif isinstance(y, (list, tuple)) and len(y) == len(heads):
        each = list(y)
    found: list[Shape | None] = []
    for head, part, before in zip(heads, each, known, strict=True):
        shape = _shape_of(part) if _chooses(head) and reads_targets(head) else None
        found.append(before if shape is None else shape)
    return found


def _shape_of(y: Any) -> Shape | None:
    shape = getattr(y, "shape", None)
    if y is not None and not isinstance(shape, tuple):
        try:
            shape = np.shape(y)
        except ValueError:  # ragged: the targets are refused a moment later
            return None
    return tuple(map(int, shape[1:])) or (1,) if shape else None


def suits(heads: Sequence[Head], rows: Sequence[Shape | None]) -> bool:
    """Whether targets are such as what is the user's own has been traced for."""
    return all(shape in (None, head.targets) for head, shape in zip(heads, rows, strict=True))


def check_unchanged(where: str, heads: Sequence[Head], rows: Sequence[Shape | None]) -> None:
    """Raise ValueError where targets have another shape than those that were learned from."""
    for head, shape in zip(heads, rows, strict=True):
        if shape is not None and head.targets is not None and head.targets != shape:
            name = f"y[{head.output.name!r}]" if len(heads) > 1 else "y"
            raise ValueError(
                f"{where}: {name} must have shape {_text(head.targets)}, as the model is trained "
                f"with {parts(head)[0]!r} of such targets, got {_text(shape)}; compile again for "
                "others"
            )


def _text(shape: Shape) -> str:
    return f"({', '.join(['rows', *map(str, shape)])})"


def traced(head: Head, output: Shape | None, rows: Shape | None) -> Head | None:
    """Return an output's loss and metrics as the core takes them; None where data are awaited.

    Parameters
    ----------
    head : Head
        Of the output.
    output : shape or None
        Of a row of it.
    rows : shape or None
        Of a row of targets; None where that is unknown.

    Raises
    ------
    TypeError, ValueError
        Where a function cannot be traced, or a ValueError comes of its own that no other targets
        would spare.
    """
    own = parts(head)
    if not own:
        return head
    if output is None:
        return None
    if not _chooses(head):
        return _as_configs(head, output, (1,) if head.labels else output)
    if rows is None and any(metric._takes_labels for metric in head.metrics):
        rows = (*output[:-1], 1)
    if rows is not None:
        made = _as_configs(head, output, rows)
        _check_measured(made, output, rows)
        return made
    try:
        return _as_configs(head, output, output)
    except UnfitError:
        others = ((1,), (2,), (16,), (4, 4), (4, *output), (*output, 4))
        if not any(_suits(head, output, other) for other in others):
            raise
    except (ValueError, IndexError):
        pass
    return None


def _suits(head: Head, output: Shape, rows: Shape) -> bool:
    """Whether targets of a shape would do."""
    try:
        _as_configs(head, output, rows)
    except (TypeError, ValueError, LookupError):
        return False
    return True


def _as_configs(head: Head, output: Shape, rows: Shape) -> Head:
    spec = None
    if head.loss is not None and head.loss._own:
        spec = {**config_of(head.loss, rows, output), "reduction": head.loss.reduction}
    chooses = _chooses(head)
    specs = []
    for metric, known in zip(head.metrics, head.specs, strict=True):
        called = {"key": known["key"], "weighted": known["weighted"]}
        function = None
        if chooses and not metric._own and _are_class_numbers(output, rows):
            function = _of_class_numbers(metric)
        if metric._own:
            known = {**config_of(metric, rows, output), **called}
        elif function is not None:
            made = config_of(metrics.Function(function, metric._entry), rows, output)
            known = {**made, **called}
        elif "program" in known:  # of targets that there were before
            known = {**metric._spec(), **called}
        specs.append(known)
    return head._replace(spec=spec, specs=specs, targets=rows if chooses else None)


def _are_class_numbers(output: Shape, rows: Shape) -> bool:
    """Whether targets have one number for many outputs, as Keras takes it."""
    return output[-1] > 1 and rows in ((*output[:-1], 1), output[:-1] or (1,))


def _of_class_numbers(metric: metrics.Metric) -> Callable[[Any, Any], Any] | None:
    """Return what a metric is where targets are class numbers, if it is anything there.

    The core, which knows no loss of the user's own, would take them for as many outputs.
    """
    if isinstance(metric, (metrics.Accuracy, metrics.SparseCategoricalAccuracy)):

        def right(y_true: Any, y_pred: Any) -> Any:
            from . import ops  # needed by few programs

            largest = ops.argmax(y_pred, axis=-1)
            return largest == ops.reshape(y_true, largest.shape)

        return right
    if isinstance(metric, metrics.SparseTopKCategoricalAccuracy):
        k = metric.k

        def among(y_true: Any, y_pred: Any) -> Any:
            from . import ops

            number = ops.reshape(y_true, (*y_pred.shape[:-1], 1))
            classes = np.arange(y_pred.shape[-1])
            there = ops.sum(number == classes, axis=-1)
            of_class = ops.sum(ops.where(number == classes, y_pred, 0.0), axis=-1, keepdims=True)
            return there * (ops.sum(y_pred > of_class, axis=-1) < k)

        return among
    return None


def _check_measured(head: Head, output: Shape, rows: Shape) -> None:
    """Raise ValueError where a metric of laminar's compares targets with as many outputs."""
    if np.prod(output) == np.prod(rows):
        return
    for metric, spec in zip(head.metrics, head.specs, strict=True):
        if "program" in spec:
            continue
        advice = "a function of (y_true, y_pred) may be a metric of such targets"
        if _are_class_numbers(output, rows):
            advice = (
                "where these are class numbers, name 'accuracy', 'sparse_categorical_accuracy' or "
                "'sparse_top_k_categorical_accuracy', or give a function of (y_true, y_pred)"
            )
        raise ValueError(
            f"compile: the metric {metric._entry!r} compares targets with as many outputs, but y "
            f"has shape {_text(rows)} and the output {_text(output)}; {advice}"
        )


def kept(head: Head) -> Head:
    """Return an output's parts as they can be kept: programs in place of functions."""
    loss = head.loss
    if loss is not None and loss._own and head.spec is not None:
        loss = losses.Function(**head.spec)
    measured = [
        metrics.Function(name=metric.name, program=spec["program"])
        if metric._own and "program" in spec
        else metric
        for metric, spec in zip(head.metrics, head.specs, strict=True)
    ]
    return head._replace(loss=loss, metrics=measured)
