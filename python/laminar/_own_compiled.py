# SPDX-License-Identifier: Apache-2.0
"""Losses and metrics of the user's own in a model that is compiled.

They are traced for targets of a shape that is known with the first data. Before these, targets are
taken to have the outputs' shape; where a function cannot do with that, the data are awaited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def known_rows(head: Head) -> Shape | None:
    """Return the shape of a row of targets, where a program tells it."""
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
        shape = _shape_of(part) if _chooses(head) else None
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
    if rows is not None:
        return _as_configs(head, output, rows)
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
    specs = [
        {**config_of(metric, rows, output), "key": known["key"], "weighted": known["weighted"]}
        if metric._own
        else known
        for metric, known in zip(head.metrics, head.specs, strict=True)
    ]
    return head._replace(spec=spec, specs=specs, targets=rows if _chooses(head) else None)


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
