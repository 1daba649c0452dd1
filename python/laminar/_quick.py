# SPDX-License-Identifier: Apache-2.0
"""Updates of few rows, one after the other, without looking at everything anew for each."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from . import _rows

if TYPE_CHECKING:
    from ._compiled import Compiled
    from ._guard import CoreModel
    from ._training import Training


class Quick:
    """What the last update has found of a model, which then holds for the next one as well."""

    __slots__ = ("compiled", "core", "distributions")

    def __init__(self, compiled: Compiled, core: CoreModel, distributions: bool) -> None:
        self.compiled, self.distributions = compiled, distributions
        self.core = weakref.ref(core)  # which a model gives up when its layers change

    @classmethod
    def of(cls, model: Training, compiled: Compiled, core: CoreModel) -> Quick | None:
        """Return it, unless updates need more than arrays: what several outputs or own parts do."""
        own = compiled._own or any(
            layer._is_traced or layer._entry == "operations" for layer in model._layers
        )
        if own or not model._plain:
            return None
        return cls(compiled, core, _rows.sums_to_one(compiled.target))

    def update(self, model: Training, x: object, y: object) -> float | list[float] | None:
        """Make an update with arrays that need no conversion.

        None where they do, or the model is no longer what it was, or is being trained.
        """
        core = self.core()
        if (
            core is None
            or core is not model._model
            or self.compiled is not model._compiled
            or model._trainer is not None
            or model._sharing
        ):
            return None
        return core.train_ready(x, y, self.distributions)
