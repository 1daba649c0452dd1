# SPDX-License-Identifier: Apache-2.0
"""The built-in regularizers and constraints in operations, for calls that are traced.

There weights have no numbers yet; elsewhere the core computes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

_LEAST = 1e-7  # of a norm that divides, as in the core


def traces(value: object) -> bool:
    """Whether a value belongs to a call that this thread traces; nothing is imported for that."""
    trace = sys.modules.get("laminar.ops._trace")
    return getattr(value, "_symbolic", False) and trace is not None and trace.active() is not None


def computed(rule: Any, w: Any) -> Any:
    """Return what a regularizer or a constraint of laminar's makes of a value."""
    return _FORMS[rule._entry](rule, w)


def _l1(rule: Any, w: Any) -> Any:
    from . import ops  # needed by few programs

    return rule.l1 * ops.sum(ops.abs(w))


def _l2(rule: Any, w: Any) -> Any:
    from . import ops

    return rule.l2 * ops.sum(ops.square(w))


def _orthogonal(rule: Any, w: Any) -> Any:
    from . import ops

    rows = w if rule.mode == "rows" else ops.transpose(w)
    count = rows.shape[0]
    if count < 2:
        return 0.0 * ops.sum(w)
    rows = rows / ops.maximum(ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True)), _LEAST)
    cosines = ops.abs(ops.matmul(rows, ops.transpose(rows)))
    pairs = count * (count - 1) / 2
    return rule.factor / (2 * pairs) * ops.sum(cosines * (1 - np.eye(count)))


def _scaled(rule: Any, w: Any, wanted: Callable[[Any], Any]) -> Any:
    from . import ops

    norms = ops.sqrt(ops.sum(ops.square(w), axis=rule.axis, keepdims=True))
    return w * (wanted(norms) / (norms + _LEAST))


def _max_norm(rule: Any, w: Any) -> Any:
    from . import ops

    return _scaled(rule, w, lambda norms: ops.minimum(norms, rule.max_value))


def _min_max_norm(rule: Any, w: Any) -> Any:
    from . import ops

    def wanted(norms: Any) -> Any:
        bounded = ops.clip(norms, rule.min_value, rule.max_value)
        return rule.rate * bounded + (1 - rule.rate) * norms

    return _scaled(rule, w, wanted)


def _non_neg(rule: Any, w: Any) -> Any:
    from . import ops

    return ops.maximum(w, 0.0)


_FORMS: dict[str, Callable[[Any, Any], Any]] = {
    "l1": _l1,
    "l2": _l2,
    "l1_l2": lambda rule, w: _l1(rule, w) + _l2(rule, w),
    "orthogonal": _orthogonal,
    "max_norm": _max_norm,
    "min_max_norm": _min_max_norm,
    "non_neg": _non_neg,
    "unit_norm": lambda rule, w: _scaled(rule, w, lambda norms: 1.0),
}
