# SPDX-License-Identifier: Apache-2.0
"""What a model is made with, and who may change it when: the base of all models.

A model belongs to the thread that trains it until that is done; what would change it meanwhile is
refused elsewhere, what only looks at it is not.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _core, _seed
from ._attributes import Attributes
from ._component import integer
from ._locks import Lock

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ._compiled import Compiled

CoreModel: TypeAlias = "_core.ModelFloat32 | _core.ModelFloat64"

CORE_MODELS: dict[str, type[_core.ModelFloat32] | type[_core.ModelFloat64]] = {
    "float32": _core.ModelFloat32,
    "float64": _core.ModelFloat64,
}


class Guarded(Attributes):
    """A name, a type of numbers, a seed, and a lock."""

    name: str
    _model: CoreModel | None = None  # the core's, once the model is built
    _compiled: Compiled | None = None
    _trainer: tuple[int, int] | None = None  # the thread that trains, and its process
    _quantization: str | None = None  # what weights are rounded to, for inference
    _sharing = False  # whether other models may have some of the layers

    def _begin(
        self, name: str | None, dtype: DTypeLike, seed: int | None, precision: str | None
    ) -> None:
        """Take what all constructors take; `_draw_seed` must follow."""
        kind = type(self).__name__
        self.name = _checked_name(name or kind.lower(), kind)
        self._dtype = _checked_dtype(dtype, kind)
        self._precision = _checked_precision(precision, self.dtype, kind)
        given = None if seed is None else integer(seed, f"{kind}: seed")
        if given is not None and given >= _seed.LIMIT:
            raise ValueError(f"{kind}: seed must be less than 2**64, got {seed}")
        self._given_seed = given
        # Held while what Python and the core know of the model changes together. Nobody who holds
        # it computes, or waits for a thread that trains.
        self._lock = Lock()

    def _draw_seed(self) -> None:
        """Settle the seed, last of all that can fail: a constructor that raises draws none."""
        self._seed = _seed.next_seed() if self._given_seed is None else self._given_seed

    def _change(self, name: str, value: object) -> None:
        if name != "name":
            raise AttributeError(
                f"{type(self).__name__}: {name} cannot be changed; make another model"
                + self._how_to_change(name)
            )
        vars(self)["name"] = _checked_name(value, type(self).__name__)

    def _claim(self, where: str) -> None:
        """Become the model that has the newest weights of all its layers."""

    def _how_to_change(self, name: str) -> str:
        """Return the end of the message that an argument cannot be changed."""
        return ""

    @property
    def dtype(self) -> str:
        """The type of weights and of all computation, "float32" or "float64"."""
        return str(self._dtype.name)

    @property
    def precision(self) -> str:
        """What the operands of products are rounded to: "bfloat16", or the dtype."""
        return self._precision

    @property
    def quantization_mode(self) -> str | None:
        """What `quantize` has rounded the weights to; None where it has not."""
        return self._quantization

    @property
    def seed(self) -> int:
        """The source of initial weights, shuffling and dropout."""
        return self._seed

    @property
    def _being_trained(self) -> bool:
        return self._trainer is not None

    def _not_in_training(self, where: str) -> None:
        trainer = self._trainer
        if trainer is None:
            return
        if trainer[1] != os.getpid() and self._trained_elsewhere():
            raise RuntimeError(
                f"{where}: the model was being trained by another thread when this process was "
                "forked, and may be in the middle of a step; load it from a file"
            )
        by = " by another thread" if self._trained_elsewhere() else ""
        raise RuntimeError(f"{where}: the model is being trained{by}")

    def _trained_elsewhere(self) -> bool:
        trainer = self._trainer
        return trainer is not None and trainer[0] != threading.get_ident()

    @contextlib.contextmanager
    def _in_training(self, where: str, compiled: Compiled, core: CoreModel) -> Iterator[None]:
        """Train the built model as it was compiled, or raise RuntimeError."""
        trainer = (threading.get_ident(), os.getpid())
        try:
            with self._lock:
                self._not_in_training(where)
                if self._compiled is not compiled or self._model is not core:
                    raise RuntimeError(
                        f"{where}: another thread has compiled the model or changed its layers "
                        "meanwhile"
                    )
                if self._sharing:
                    self._claim(where)
                self._trainer = trainer
            yield
        finally:
            if self._trainer is trainer:
                if self._sharing:
                    self._claim(where)
                self._trainer = None


def _checked_name(name: object, kind: str) -> str:
    """Return a model's name; TypeError where it is no text."""
    if not isinstance(name, str):
        raise TypeError(f"{kind}: name must be a string, got {name!r}")
    return name


def _checked_dtype(dtype: DTypeLike, kind: str) -> np.dtype[Any]:
    """Return float32 or float64; an error for anything else."""
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{kind}: dtype must be a type of numbers, got {dtype!r}") from None
    known = result.name in CORE_MODELS and result.isnative
    if dtype is None or not known:  # type: ignore[redundant-expr]
        raise ValueError(f"{kind}: dtype must be 'float32' or 'float64', got {dtype!r}")
    return result


def _checked_precision(precision: str | None, dtype: str, kind: str) -> str:
    """Return the precision of products; an error where the dtype has no such one."""
    allowed = [dtype, "bfloat16"] if dtype == "float32" else [dtype]
    if precision is None:
        return dtype
    if not isinstance(precision, str):
        raise TypeError(f"{kind}: precision must be a text or None, got {precision!r}")
    if precision not in allowed:
        names = " or ".join(map(repr, allowed))
        raise ValueError(
            f"{kind}: precision must be {names} where dtype is {dtype!r}, got {precision!r}"
        )
    return precision
