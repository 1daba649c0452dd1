# SPDX-License-Identifier: Apache-2.0
"""A model as a chain of what integer programs compute, in real numbers: products, lines, functions.

Neighbours are made one where that changes nothing: what normalizes or rescales goes into the
products beside it, functions that follow each other become one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..layers import PiecewiseLinearEncoding, SmoothClip
from . import _moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._base_model import BaseModel

    Array = NDArray[Any]
    Parts = tuple[Callable[[Array], Array], ...]


@dataclass
class Affine:
    """factor x + shift for each value, of those that ``index`` names, kept from low to high."""

    factor: Array
    shift: Array
    index: Array | None = None
    low: Array | None = None
    high: Array | None = None

    @property
    def plain(self) -> bool:
        """Whether it is nothing but a factor and a shift."""
        return self.index is None and self.low is None

    def __call__(self, x: Array) -> Array:
        x = x if self.index is None else x[:, self.index]
        y = self.factor * x + self.shift
        return y if self.low is None or self.high is None else np.clip(y, self.low, self.high)

    def then(self, other: Affine) -> Affine:
        """Return both as one; this one keeps within no limits."""
        at = slice(None) if other.index is None else other.index
        index = other.index if self.index is None else self.index[at]
        shift = self.shift[at] * other.factor + other.shift
        return Affine(self.factor[at] * other.factor, shift, index, other.low, other.high)


@dataclass
class Product:
    """x kernel + bias."""

    kernel: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        found: Array = x @ self.kernel + self.bias
        return found


@dataclass
class Function:
    """A function of each value, or several in turn.

    ``straight`` has the slope below 0, from 0 to 1, and the largest value, where that is all.
    """

    parts: Parts
    straight: tuple[float, float] | None = None

    def __call__(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            for part in self.parts:
                x = np.asarray(part(x), np.float64)
        return x


@dataclass
class Softmax:
    """The exponentials of so many values after each other, divided by their sum."""

    group: int

    def __call__(self, x: Array) -> Array:
        rows = x.reshape(len(x), -1, self.group)
        e = np.exp(rows - rows.max(axis=2, keepdims=True))
        found: Array = (e / e.sum(axis=2, keepdims=True)).reshape(x.shape)
        return found


Operation = Affine | Product | Function | Softmax


@dataclass
class Chain:
    """What becomes of a row; ``lead`` and ``trail`` are those of inputs and outputs."""

    lead: Affine
    body: list[Operation]
    trail: Affine


@dataclass
class _Layer:
    """A layer in its chain."""

    layer: Any
    weights: dict[str, Array]
    before: tuple[int, ...]
    after: tuple[int, ...]
    where: str

    def wide(self, values: Any) -> Array:
        """Return what each value of the last axis has, for all values of a row."""
        array = np.ravel(np.asarray(values, np.float64))
        return np.tile(array, prod(self.after) // array.size)


def _activation(source: _Layer) -> list[Operation]:
    function = source.layer.activation
    spec = function._spec()
    name = spec["name"]
    if name == "linear":
        return []
    if name == "softmax":
        return [Softmax(source.after[-1])]
    if name in ROWS:
        raise ValueError(
            f"{source.where}: layer {source.layer.name!r}: activation {name!r} of whole rows has "
            f"no form in integers; {ROWS[name]}"
        )
    return [Function((function,), _straight(name, spec))]


def _straight(name: str, spec: dict[str, Any]) -> tuple[float, float] | None:
    """Return the slope below 0 and the largest value of a function that is two straight lines."""
    slope, most = float(spec.get("negative_slope", 0.0)), spec.get("max_value")
    if name == "relu6":
        return 0.0, 6.0
    if name not in ("relu", "leaky_relu") or spec.get("threshold") or not 0 <= slope <= 1:
        return None
    return slope, np.inf if most is None else float(most)


def _dense(source: _Layer) -> list[Operation]:
    kernel = source.weights["kernel"].astype(np.float64)
    bias = source.weights.get("bias", np.zeros(kernel.shape[1])).astype(np.float64)
    return [Product(kernel, bias), *_activation(source)]


def _batch_normalization(source: _Layer) -> list[Operation]:
    """Of (x - mean) gamma / sqrt(variance + epsilon) + beta, as in prediction."""
    weights = {name: values.astype(np.float64) for name, values in source.weights.items()}
    root = np.sqrt(weights["moving_variance"] + source.layer.epsilon)
    factor = weights.get("gamma", 1.0) / root
    shift = weights.get("beta", 0.0) - weights["moving_mean"] * factor
    return [Affine(source.wide(factor), source.wide(shift))]


def _normalization(source: _Layer) -> list[Operation]:
    """(x - mean) / deviation or its opposite."""
    mean = source.weights["mean"].astype(np.float64)
    deviation = _moments.deviation(source.weights, source.layer.invert).astype(np.float64)
    if source.layer.invert:
        return [Affine(source.wide(deviation), source.wide(mean))]
    return [Affine(source.wide(1 / deviation), source.wide(-mean / deviation))]


def _rescaling(source: _Layer) -> list[Operation]:
    return [Affine(source.wide(source.layer.scale), source.wide(source.layer.offset))]


def _operations(source: _Layer) -> list[Operation]:
    layer = source.layer
    if isinstance(layer, SmoothClip):
        limit = layer.limit
        return [Function((lambda x: x / np.hypot(1.0, x / limit),))]
    if isinstance(layer, PiecewiseLinearEncoding):
        return [_pieces(layer.edges, source.before)]
    raise ValueError(
        f"{source.where}: layer {layer.name!r} is written in operations, which have no form in "
        f"integers; {REFUSED['operations']}"
    )


def _pieces(edges: Any, before: tuple[int, ...]) -> Affine:
    """(x - b_(t-1)) / (b_t - b_(t-1)) for each bin, kept from 0 to 1 but at both ends."""
    counts = [len(each) - 1 for each in edges]
    ends = np.cumsum(counts)
    low, high = np.zeros(ends[-1]), np.ones(ends[-1])
    low[ends - counts], high[ends - 1] = -np.inf, np.inf
    left = np.concatenate([each[:-1] for each in edges])
    width = np.concatenate([np.diff(each) for each in edges])
    groups = prod(before) // before[-1]
    feature = np.repeat(np.arange(before[-1]), counts)
    index = np.concatenate([feature + group * before[-1] for group in range(groups)])
    each = (1 / width, -left / width, low, high)
    factor, shift, low, high = (np.tile(values, groups) for values in each)
    return Affine(factor, shift, index, low, high)


def _nothing(source: _Layer) -> list[Operation]:
    return []


# Activations of whole rows, but for softmax, and what to do instead.
ROWS = {
    "log_softmax": "end with 'softmax', which orders the classes alike",
    "sparsemax": "end with 'softmax', and train it so",
}

KINDS: dict[str, Callable[[_Layer], list[Operation]]] = {
    "activation": _activation,
    "alpha_dropout": _nothing,
    "batch_normalization": _batch_normalization,
    "dense": _dense,
    "dropout": _nothing,
    "flatten": _nothing,
    "gaussian_dropout": _nothing,
    "gaussian_noise": _nothing,
    "normalization": _normalization,
    "operations": _operations,
    "rescaling": _rescaling,
    "reshape": _nothing,
}

_OF_SEVERAL = (
    "export one chain of layers, each reading the one before: of an ensemble one network alone"
)
_OUTSIDE = "do what it does before the program, and give the model the numbers that it makes"

# All other layers, and what to do instead.
REFUSED = {
    "add": _OF_SEVERAL,
    "average": _OF_SEVERAL,
    "batch_operations": "use a layer that works on each row alone",
    "category_encoding": _OUTSIDE,
    "concatenate": _OF_SEVERAL,
    "discretization": _OUTSIDE,
    "dot": _OF_SEVERAL,
    "embedding": "give the model categories as zeros and ones",
    "layer_normalization": "use BatchNormalization, which becomes part of the weights",
    "maximum": _OF_SEVERAL,
    "maxout": "use Dense with 'relu'",
    "minimum": _OF_SEVERAL,
    "multiply": _OF_SEVERAL,
    "operations": "use layers of laminar's, or export the model as C with floats",
    "prelu": "use LeakyReLU",
    "rms_normalization": "use BatchNormalization, which becomes part of the weights",
    "slice": _OF_SEVERAL,
    "subtract": _OF_SEVERAL,
}


def chain(model: BaseModel, where: str) -> Chain:
    """Return a built model as a chain.

    Raises
    ------
    ValueError
        Where the model is not built, is no chain, has a layer or an activation that has no form in
        integers, or weights that are not finite.
    """
    core = model._core(where)
    wiring = model._wiring().of_prediction(model.layers)
    described = model._described(core)
    tensors = list(zip(core.tensors(), core.get_weights(), strict=True))
    for tensor, values in tensors:
        if not np.isfinite(values).all():
            raise ValueError(f"{where}: weight {tensor['name']!r} has a value that is not finite")
    found: list[Operation] = []
    for i, (number, reads) in enumerate(wiring.calls):
        layer, facts = model.layers[number], described[number]
        kind, name = facts["kind"], facts["name"]
        if kind not in KINDS:
            cure = REFUSED.get(kind, REFUSED["operations"])
            raise ValueError(
                f"{where}: layer {layer.name!r} of kind {kind!r} has no form in integers; {cure}"
            )
        if reads != (i,):
            raise ValueError(
                f"{where}: layer {layer.name!r} does not read the layer before it alone, and an "
                f"integer program is a chain; {_OF_SEVERAL}"
            )
        own = {
            tensor["name"].removeprefix(f"{name}/"): values
            for tensor, values in tensors[slice(*facts["tensors"])]
        }
        before, after = wiring.shapes[i], wiring.shapes[i + 1]
        for operation in KINDS[kind](_Layer(layer, own, before, after, where)):
            if found and isinstance(found[-1], Softmax) and not isinstance(operation, Affine):
                raise ValueError(
                    f"{where}: layer {layer.name!r} reads a softmax, which has a form in integers "
                    "at the end alone; use 'sigmoid' inside"
                )
            found.append(operation)
    if len(wiring.inputs) != 1 or [number for _, number in wiring.outputs] != [len(wiring.calls)]:
        raise ValueError(
            f"{where}: a model of several inputs or outputs has no form in integers; {_OF_SEVERAL}"
        )
    return _parted(_joined(found), prod(wiring.inputs[0][1]), prod(wiring.shapes[-1]))


def _joined(operations: list[Operation]) -> list[Operation]:
    """Return fewer operations that compute the same."""
    found: list[Operation] = []
    for i, operation in enumerate(operations):
        last = found[-1] if found else None
        ends = i + 1 == len(operations)
        if isinstance(operation, Affine):
            if isinstance(last, Affine) and last.low is None:
                found[-1] = last.then(operation)
                continue
            if isinstance(last, Product) and operation.plain and not ends:
                kernel = last.kernel * operation.factor
                found[-1] = Product(kernel, last.bias * operation.factor + operation.shift)
                continue
        elif isinstance(operation, Product):
            if isinstance(last, Affine) and last.plain and len(found) > 1:
                found.pop()
                bias = operation.bias + last.shift @ operation.kernel
                operation = Product(last.factor[:, None] * operation.kernel, bias)
        elif isinstance(operation, Function):
            if isinstance(last, Affine) and len(found) > 1 and _of_functions(last, found[-2]):
                found.pop()
                factor, shift = last.factor[0], last.shift[0]
                line = (lambda x, factor=factor, shift=shift: factor * x + shift,)
                operation = Function(line + operation.parts)
                last = found[-1]
            if isinstance(last, Function):
                found[-1] = Function(last.parts + operation.parts)
                continue
        if isinstance(last, Affine) and not isinstance(operation, Product) and last.low is not None:
            width = len(last.factor)  # what a function reads has one scale for all values
            found.append(Affine(np.ones(width), np.zeros(width)))
        found.append(operation)
    return found


def _of_functions(line: Affine, before: Operation) -> bool:
    """Whether a line may become part of the functions around it: one for all values."""
    same = line.plain and np.ptp(line.factor) == 0 and np.ptp(line.shift) == 0
    return isinstance(before, Function) and bool(same)


def _parted(operations: list[Operation], inputs: int, outputs: int) -> Chain:
    """Return the lines of inputs and outputs apart from the operations between them."""

    def same(width: int) -> Affine:
        return Affine(np.ones(width), np.zeros(width))

    def taken(place: int, width: int) -> Affine:
        if operations and isinstance(found := operations[place], Affine) and found.plain:
            operations.pop(place)
            return found
        return same(width)

    lead = taken(0, inputs)
    trail = taken(-1, outputs)
    first = next((i for i, each in enumerate(operations) if isinstance(each, Product)), 0)
    if first and not isinstance(operations[first - 1], Affine):  # which makes 8 bits of 16
        operations.insert(first, same(len(operations[first].kernel)))  # type: ignore[union-attr]
    return Chain(lead, operations, trail)
