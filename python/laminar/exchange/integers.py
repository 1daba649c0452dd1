# SPDX-License-Identifier: Apache-2.0
"""A trained model as one file of C99 that computes with integers alone, for microcontrollers.

Weights and activations have 8 bits, sums 32, outputs 16. Scales come from samples. What the C
computes is known here to the bit, so that the loss of accuracy is measured before it is compiled.
"""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays, _core
from .._spelling import hint
from . import _integer_chain, _integer_source
from ._integer_calibration import Integers, calibrated
from ._source_text import name_of_file

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .._base_model import BaseModel

MODES = ("int8",)
_ROWS = 4096  # at once


class IntegerProgram:
    """What an integer program of C computes, to the bit, and what that changes.

    `Sequential.export` returns it.

    Attributes
    ----------
    report : dict
        As of `Sequential.quantize`: ``largest_error`` and ``relative_error`` of outputs for the
        samples, ``output_errors``, the largest of each output, and with targets ``before`` and
        ``after``, loss and metrics of the model's outputs and of the program's.
    flash_bytes : int
        The constant arrays.
    ram_bytes : int
        What one call puts on the stack between layers.
    source : str
        The C.
    """

    def __init__(self, integers: Integers, shapes: tuple[Any, Any], dtype: Any) -> None:
        self._integers = integers
        self._inputs, self._outputs = shapes
        self._dtype = np.dtype(dtype)
        self.report: dict[str, Any] = {}
        self.flash_bytes, self.ram_bytes = _integer_source.sizes(integers)
        self.source = ""

    def quantize(self, x: ArrayLike) -> NDArray[Any]:
        """Return samples as the program's inputs, int8 or int16: factor * x + shift, rounded.

        Parameters
        ----------
        x : array_like
            (n, …), as in `predict`.
        """
        rows = _rows(x, self._inputs, self._dtype, "quantize: x")
        return self._integers.quantized(rows).astype(f"int{self._integers.in_bits}")

    def run(self, q: ArrayLike) -> NDArray[Any]:
        """Return the program's outputs, int16, for its inputs.

        Parameters
        ----------
        q : array_like
            (n, inputs), integers as `quantize` returns them.
        """
        given = np.asarray(q)
        width = int(np.prod(self._inputs))
        bits = self._integers.in_bits
        if given.dtype != f"int{bits}" or given.ndim != 2 or given.shape[1] != width:
            raise ValueError(
                f"run: q must be an array of int{bits} and shape (n, {width}), "
                f"got {given.dtype} of shape {given.shape}"
            )
        parts = [
            self._integers.run(given[i : i + _ROWS].astype(np.int64))
            for i in range(0, len(given), _ROWS)
        ]
        empty = np.empty((0, int(np.prod(self._outputs))))
        return np.concatenate([*parts, empty]).astype(np.int16)

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Return what the program's outputs stand for, in the model's dtype and shape.

        Parameters
        ----------
        x : array_like
            As in `predict` of the model.
        """
        outputs = self._integers.outputs.real(self.run(self.quantize(x)))
        return outputs.astype(self._dtype).reshape(-1, *self._outputs)


def export(
    model: BaseModel,
    path: str | os.PathLike[str],
    format: str | None,
    mode: object,
    x: Any,
    y: Any = None,
) -> IntegerProgram:
    """Write a built model as C of integers; see `Sequential.export`.

    Parameters
    ----------
    model : Sequential or Model
        A built model.
    path : str or path
        The file, whose name without its ending is the model's.
    format : str or None
        "c", which an ending ``.c`` means as well.
    mode : str
        One of `MODES`.
    x, y : array_like
        Samples and, where they are not None, their targets.
    """
    if not isinstance(mode, str):
        raise TypeError(f"export: quantize must be {' or '.join(map(repr, MODES))}, got {mode!r}")
    if mode not in MODES:
        raise ValueError(f"export: there is no quantize {mode!r}; {hint(mode, MODES)}")
    file = os.fspath(path)
    if format != "c" and (format is not None or not file.endswith(".c")):
        raise ValueError(
            f"export: quantize writes C alone, to a file that ends in .c; "
            f"got {format or file!r}; "
            "for others round the weights: model.quantize('int8')"
        )
    if x is None:
        raise ValueError(
            "export: quantize needs x, some hundred samples as the program will see them, "
            "from which scales are found"
        )
    name = name_of_file(path, "export")
    chain = _integer_chain.chain(model, "export")
    shapes = _shapes(model)
    rows = _rows(model._joined(x, "export: x"), shapes[0], model._dtype, "export: x")
    if not len(rows) or not np.isfinite(rows).all():
        raise ValueError("export: x must hold at least one sample, and finite numbers alone")
    with np.errstate(all="ignore"):  # of what is tried while scales are chosen
        found = calibrated(chain, rows, "export")
    program = IntegerProgram(found, shapes, model.dtype)
    _report(program, model, rows.reshape(-1, *shapes[0]), y)
    program.source = _integer_source.source(model, name, program._integers, program.report)
    _core.write_file(path, program.source.encode("ascii"))
    return program


def _shapes(model: BaseModel) -> tuple[tuple[int, ...], tuple[int, ...]]:
    wiring = model._wiring()
    (_, inputs), (_, number) = wiring.inputs[0], wiring.outputs[0]
    return inputs, wiring.shapes[number]


def _rows(x: Any, shape: tuple[int, ...], dtype: Any, where: str) -> NDArray[Any]:
    """Return samples as rows of numbers in double, rounded to what the model reads."""
    array = np.asarray(_arrays.features(x, where, np.dtype(dtype)))
    if array.shape[1:] != shape:
        raise ValueError(f"{where} must have the shape (n, {', '.join(map(str, shape))}), "
                         f"got {array.shape}")  # fmt: skip
    return array.reshape(len(array), -1).astype(np.float64)


def _report(program: IntegerProgram, model: BaseModel, x: NDArray[Any], y: Any) -> None:
    """Measure what integers change."""
    exact, found = model.predict(x), program.predict(x)
    if isinstance(exact, (dict, list)):  # of a graph whose one output has a name
        (exact,) = exact.values() if isinstance(exact, dict) else exact
    error = np.abs(found.astype(np.float64) - exact)
    size = float(np.sqrt(np.mean(np.square(exact, dtype=np.float64))))
    root = float(np.sqrt(np.mean(np.square(error))))
    program.report = {
        "largest_error": float(error.max()),
        "relative_error": root / size if size > 0 else root,
        "output_errors": error.reshape(len(x), -1).max(axis=0).tolist(),
    }
    if y is not None:
        model.evaluate(x, y)  # which names what is wrong with the targets
        y = model._of_output(y, "export: y")
        program.report |= {key: _scored(model, outputs, y)
                           for key, outputs in (("before", exact), ("after", found))}  # fmt: skip


def _scored(model: BaseModel, outputs: NDArray[Any], y: Any) -> dict[str, float]:
    """Return loss and metrics of outputs: those of a model that hands them on."""
    from .. import Input, Sequential, layers

    compiled = model._compiled
    assert compiled is not None  # it has been evaluated
    shape = outputs.shape[1:]
    same = Sequential([Input(shape), layers.Reshape(shape)], dtype=model.dtype)
    arguments = {**copy.deepcopy(compiled.arguments()), "optimizer": "sgd"}
    same.compile(**arguments | {"loss": copy.deepcopy(compiled.loss)})
    same.class_names = model.class_names
    found: dict[str, float] = same.evaluate(outputs, y, return_dict=True)
    return found
