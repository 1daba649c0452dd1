# SPDX-License-Identifier: Apache-2.0
"""Integrated gradients: what each input contributes to an output.

M. Sundararajan, A. Taly and Q. Yan (2017), arXiv:1703.01365. On the straight way from a baseline to
a row the slopes by the inputs are summed up. How well that is done is known: on each stretch of the
way, what the inputs contribute must add up to what the output changes by. Stretches where it does
not are halved, which finds the bends of a network of ReLUs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays, _core
from ._component import integer, number
from ._printable import listed
from ._spelling import hint, late

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._guard import CoreModel
    from ._predicting import Predicting

    Array = NDArray[Any]

_WHERE = "explain"
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # on (0, 1)
_STRETCHES = 4  # that each way begins with
_DEEPEST = 12  # how often one is halved
_MOST_STRETCHES = 256  # of a row on average, that are looked at together: more is noise
_BFLOAT16_EPS = 2.0**-8
_FLOATS, _ROWS = 1 << 21, 2048  # of points that are looked at together
# Layers through whose input no slope leads: it tells a category, or only which bin it is in.
WITHOUT_SLOPE = frozenset({"category_encoding", "discretization", "embedding"})
_HANDS_ON = frozenset({"concatenate", "flatten", "reshape", "slice"})


@dataclass(frozen=True)
class Explanation:
    """What each input of some rows contributes to an output; see `Sequential.explain`.

    Attributes
    ----------
    values : ndarray, or list or dict of ndarray
        In the form and the shapes of the rows: how much each number of a row adds to the output.
    outputs : ndarray
        (n,): the output that is explained, of each row.
    base_values : ndarray
        (n,): the same of the baseline. A row's values sum up to ``outputs - base_values``.
    targets : ndarray
        (n,): the column of the output.
    gaps : ndarray
        (n,): by how much the sums are beside that.
    names : tuple of str or None
        What the inputs are called, where the model knows.
    """

    values: Any
    outputs: Array
    base_values: Array
    targets: Array
    gaps: Array
    names: tuple[str, ...] | None = None

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the inputs that contribute most, on average."""
        made: str = late("laminar._pictures.explanation").html(self)
        return made


def explain(
    model: Predicting[Any],
    core: CoreModel,
    x: object,
    rows: Array,
    target: object,
    baseline: object,
    output: object,
    tolerance: object,
) -> Explanation:
    """Return the explanation of rows, which the model takes as they are."""
    allowed = number(tolerance, f"{_WHERE}: tolerance")
    if not 0 < allowed < 1:
        raise ValueError(f"{_WHERE}: tolerance must be between 0 and 1, got {tolerance!r}")
    base = _held(model, _baseline(model, baseline, rows), rows)
    points = _Points(core, rows.shape[1:], model._outputs)
    columns = _columns(model, output)
    ends = points.outputs(rows.reshape(len(rows), -1))
    targets = columns.start + _targets(target, ends[:, columns])
    begins = points.outputs(base)
    each = np.arange(len(rows))
    outputs, bases = ends[each, targets], begins[each, targets]
    flat = rows.reshape(len(rows), -1)
    values, gaps, enough = _integrated(points, flat, base, targets, outputs, bases, allowed)
    off = np.abs(gaps) > enough
    if off.any():
        worst = int(np.argmax(np.abs(gaps) - enough))
        warnings.warn(
            f"{_WHERE}: of {int(off.sum())} of {len(rows)} rows the contributions do not add up to "
            f"what the output changes by; of row {worst} they sum up to "
            f"{values[worst].sum():.4g} in place of {outputs[worst] - bases[worst]:.4g}. The "
            "output jumps on the way, or layers have no slope there",
            UserWarning,
            stacklevel=4,  # the caller of the method
        )
    shaped = model._taken_apart(values.reshape(rows.shape))
    if isinstance(x, Mapping):
        names: list[str] = getattr(model, "input_names", [])
        shaped = dict(zip(names, shaped if isinstance(shaped, list) else [shaped], strict=True))
    return Explanation(shaped, outputs, bases, targets - columns.start, gaps, model.feature_names)


class _Points:
    """Outputs and slopes of a network at many points, a few at a time."""

    def __init__(self, core: CoreModel, sample: tuple[int, ...], outputs: tuple[int, ...]) -> None:
        self._core, self._sample = core, sample
        rounded = core.precision == "bfloat16"
        single = isinstance(core, _core.ModelFloat32)
        self.eps = (
            _BFLOAT16_EPS if rounded else float(np.finfo(np.float32 if single else np.float64).eps)
        )
        self._shape = outputs
        self._most = max(1, min(_ROWS, _FLOATS // max(1, int(np.prod(sample)))))

    def outputs(self, points: Array) -> Array:
        """Return all outputs side by side, (points, outputs)."""
        made = np.empty((len(points), *self._shape), points.dtype)
        for some in self._pieces(len(points)):
            rows = np.ascontiguousarray(points[some].reshape(-1, *self._sample))
            out = np.empty((len(rows), *self._shape), points.dtype)
            self._core.predict(rows, out)
            made[some] = out
        return made.reshape(len(points), -1).astype(np.float64)

    def slopes(self, points: Array, targets: Array) -> Array:
        """Return the slopes of one output of each point by its inputs."""
        made = np.empty(points.shape, np.float64)
        width = int(np.prod(self._shape))
        for some in self._pieces(len(points)):
            rows = np.ascontiguousarray(points[some])
            chosen = np.zeros((len(rows), width), points.dtype)
            chosen[np.arange(len(rows)), targets[some]] = 1
            made[some] = self._core.vjp(rows, chosen, False)[0].reshape(len(rows), -1)
        return made

    def _pieces(self, count: int) -> Iterator[slice]:
        return (slice(i, i + self._most) for i in range(0, count, self._most))


def _integrated(
    points: _Points,
    x: Array,
    base: Array,
    targets: Array,
    outputs: Array,
    bases: Array,
    tolerance: float,
) -> tuple[Array, Array, Array]:
    """Return contributions, by how much they do not add up, and how much of that is allowed."""
    way = x.astype(np.float64) - base
    change = outputs - bases
    rounding = 16 * points.eps * float(np.abs([outputs, bases]).max(initial=0.0))
    scale = np.maximum(np.abs(change), 0.05 * float(np.abs(change).mean()) if len(x) else 0.0)
    enough = np.maximum(tolerance * scale, rounding)
    values = np.zeros(x.shape, np.float64)
    row = np.repeat(np.arange(len(x)), _STRETCHES)
    begin = np.tile(np.arange(_STRETCHES) / _STRETCHES, len(x))
    length = 1 / _STRETCHES
    most = max(1, points._most // len(_NODES))
    for depth in range(_DEEPEST + 1):
        again: list[Array] = []
        for i in range(0, len(row), most):
            r, a = row[i : i + most], begin[i : i + most]

            def at(t: Array, r: Array = r) -> Array:
                moved: Array = (base[r] + t[:, None] * way[r]).astype(x.dtype)
                return moved

            inner = (a[:, None] + length * _NODES).ravel()
            nodes = np.repeat(r, len(_NODES))
            slopes = points.slopes(at(inner, nodes), targets[nodes])
            mean = np.einsum("rnf,n->rf", slopes.reshape(len(r), len(_NODES), -1), _WEIGHTS)
            part = length * mean * way[r]
            ends = points.outputs(at(np.concatenate([a, a + length]), np.concatenate([r, r])))
            low, high = ends[: len(r)], ends[len(r) :]
            each = np.arange(len(r))
            gap = part.sum(axis=1) - (high[each, targets[r]] - low[each, targets[r]])
            # Of what is no number nothing becomes better.
            ready = ~(np.abs(gap) > enough[r] * max(length, 1 / 64) / 2)
            if depth == _DEEPEST or 2 * len(row) > _MOST_STRETCHES * len(x):
                ready[:] = True
            np.add.at(values, r[ready], part[ready])
            again.append(i + np.flatnonzero(~ready))
        left = np.concatenate(again) if again else np.empty(0, np.int64)
        if not len(left):
            break
        length /= 2
        row = np.repeat(row[left], 2)
        begin = np.repeat(begin[left], 2) + np.tile([0.0, length], len(left))
    return values, values.sum(axis=1) - change, enough


def _columns(model: Predicting[Any], output: object) -> slice:
    """Return where an output lies among all of them side by side."""
    described = model._described_outputs()
    sizes = [int(np.prod(each.shape)) if each.shape else 0 for each in described]
    names = [each.name for each in described]
    if len(names) == 1:
        if output not in (None, 0, names[0]):
            raise ValueError(f"{_WHERE}: output: the model has one output, {names[0]!r}")
        return slice(0, int(np.prod(model._outputs)))
    if isinstance(output, str):
        if output not in names:
            raise ValueError(f"{_WHERE}: output: there is no {output!r}; {hint(output, names)}")
        place = names.index(output)
    elif output is None:
        raise ValueError(
            f"{_WHERE}: output must name one of the outputs, {listed(map(repr, names))}"
        )
    else:
        place = integer(output, f"{_WHERE}: output")
        if place >= len(names):
            raise ValueError(f"{_WHERE}: output must be less than {len(names)}, got {place}")
    start = sum(sizes[:place])
    return slice(start, start + sizes[place])


def _targets(target: object, outputs: Array) -> Array:
    """Return the column of each row: the greatest one where none is asked for."""
    rows, columns = outputs.shape
    if target is None:
        greatest: Array = outputs.argmax(axis=1)
        return greatest
    where = f"{_WHERE}: target"
    if _is_one(target):
        chosen = np.full(rows, integer(target, where))
    else:
        chosen = np.asarray(target)
        if chosen.shape != (rows,) or chosen.dtype.kind not in "iu":
            raise ValueError(
                f"{where} must be a column or one for each of {rows} rows, integers, got "
                f"{chosen.dtype} of shape {chosen.shape}"
            )
    if rows and not 0 <= int(chosen.min()) <= int(chosen.max()) < columns:
        raise ValueError(
            f"{where} must be from 0 to {columns - 1}, got {int(chosen.min())} to "
            f"{int(chosen.max())}"
        )
    return chosen.astype(np.int64)


def _baseline(model: Predicting[Any], given: object, rows: Array) -> Array:
    """Return a baseline for each row, (n, inputs side by side)."""
    where = f"{_WHERE}: baseline"
    if given is None:
        return np.zeros((len(rows), rows[0].size if len(rows) else 0), rows.dtype)
    several = model._number_of_inputs > 1
    if several and _is_one(given):
        return np.full((len(rows), rows[0].size), number(given, where), rows.dtype)
    if not several:
        alone = isinstance(given, Mapping) and len(given) == 1
        value = next(iter(given.values())) if alone else given  # type: ignore[attr-defined]
        return _spread(value, rows.shape, where, rows.dtype).reshape(len(rows), -1)
    symbols = model.inputs
    names: list[str] = getattr(model, "input_names", [])
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise ValueError(
                f"{where} must have the keys {listed(map(repr, names))}, "
                f"got {listed(map(repr, given))}"
            )
        parts = [given[name] for name in names]
    else:
        parts = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(parts) != len(symbols):
        raise ValueError(f"{where} must have a part for each of {len(symbols)} inputs")
    made = [
        _spread(part, (len(rows), *symbol.shape), f"{where}[{name!r}]", rows.dtype)
        for part, symbol, name in zip(parts, symbols, names, strict=True)
    ]
    return np.concatenate([part.reshape(len(rows), -1) for part in made], axis=1)


def _is_one(value: Any) -> bool:
    return not isinstance(value, (list, tuple, Mapping)) and np.ndim(value) == 0


def _spread(value: object, shape: tuple[int, ...], where: str, dtype: Any) -> Array:
    """Return a number, a sample or rows as rows of a shape."""
    if _is_one(value):
        return np.full(shape, number(value, where), dtype)
    array = _arrays.tensor(value, where, dtype)
    if array.shape == shape[1:]:
        array = array[None]
    if array.shape[1:] != shape[1:] or array.shape[0] not in (1, shape[0]):
        raise ValueError(
            f"{where} must be a number, a sample of shape {shape[1:]} or {shape[0]} of them, got "
            f"shape {array.shape}"
        )
    return np.ascontiguousarray(np.broadcast_to(array, shape))


def _held(model: Predicting[Any], base: Array, rows: Array) -> Array:
    """Return the baseline with the rows' own values where inputs tell categories."""
    fixed = _without_slope(model)
    if not fixed:
        return base
    names: list[str] = getattr(model, "input_names", ["x"])
    layers = listed(repr(name) for name in dict.fromkeys(fixed.values()))
    if len(fixed) == len(names):
        raise ValueError(
            f"{_WHERE}: x is read by {layers}, of which it tells categories or bins: no slope "
            "leads back to it. Explain the rest of the model, from what such a layer returns: "
            "Model(layer.output, model.output).explain(...)"
        )
    start = 0
    base = base.copy()
    for name, symbol in zip(names, model.inputs, strict=True):
        size = int(np.prod(symbol.shape))
        if name in fixed:
            base[:, start : start + size] = rows[:, start : start + size]
        start += size
    return base


def _without_slope(model: Predicting[Any]) -> dict[str, str]:
    """Return the inputs that layers without a slope read, with the names of these layers."""
    graph: Any = getattr(model, "_graph", None)
    if graph is None:
        for layer in model.layers:
            if layer._entry in WITHOUT_SLOPE:
                return {"x": str(layer.name)}
            if layer._entry not in _HANDS_ON:
                break
        return {}
    count = len(graph.input_names)
    origins: list[set[int]] = [{i} for i in range(count)]
    found: dict[str, str] = {}
    for node in graph.nodes:
        layer = graph.layers[node.layer]
        reached = set().union(*(origins[read] for read in node.reads))
        if layer._entry in WITHOUT_SLOPE:
            found |= {graph.input_names[i]: graph.names[node.layer] for i in sorted(reached)}
        origins.append(reached if layer._entry in _HANDS_ON else set())
    return found
