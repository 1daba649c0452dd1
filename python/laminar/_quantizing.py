# SPDX-License-Identifier: Apache-2.0
"""Weights rounded for inference, and what that changes in what a model predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ._predicting import Predicting
from ._spelling import hint, keywords
from ._types import OutputT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._heads import ForOutputs
    from ._types import Change, Samples

MODES = ("int8", "bfloat16")


class Quantizing(Predicting[OutputT]):
    """A model whose weights may be rounded."""

    @overload
    def quantize(self, mode: str, x: None = None, y: None = None) -> None: ...

    @overload
    def quantize(self, mode: str, x: Samples, y: ForOutputs | None = None) -> Change: ...

    @keywords()
    def quantize(
        self, mode: str, x: Samples | None = None, y: ForOutputs | None = None
    ) -> Change | None:
        """Round the weights, for predictions that wait for less memory.

        Rounded are the kernels of Dense and Maxout, weights of layers of one's own that rows are
        multiplied by, and the tables of Embeddings; inputs, sums, biases and all else stay float32.
        A row of a large network takes about a third of the time with int8, and half with bfloat16;
        32 rows and more at once take up to half as long again. Files have a quarter or half of the
        bytes. The model then predicts, is evaluated, saved, copied and exported, and is not
        trained any more. Exports have the rounded weights as floats.

        Parameters
        ----------
        mode : {"int8", "bfloat16"}
            "int8": each weight is the nearest of -127 ... 127 times a scale, the largest size in
            its column (of a table: in its row) / 127. "bfloat16": the nearest number of 8 bits of
            fraction, the upper half of a float.
        x : array_like, optional
            Samples, as in `predict`, of which the outputs are compared.
        y : array_like, optional
            Their targets, as in `evaluate`: loss and metrics of the compiled model are compared.

        Returns
        -------
        dict or None
            With ``x``: ``largest_error``, the largest change of an output; ``relative_error``, the
            root of the mean square of all changes divided by that of the outputs; and with ``y``
            ``before`` and ``after``, each as `evaluate` returns it with ``return_dict=True``.

        Raises
        ------
        TypeError, ValueError
            For another mode, data that do not fit, a model that is not built, is of float64, has
            weights that are not finite or none that can be rounded; nothing has changed then.
        RuntimeError
            Where the weights are rounded already, or while the model is being trained.

        Notes
        -----
        `get_weights`, exports and models that share the layers have the rounded numbers; weights
        that are set later are rounded as well. `fit` raises RuntimeError: train before, or keep a
        copy, as ``copy.copy(model)`` makes one.

        Examples
        --------
        >>> import numpy as np
        >>> from laminar import Sequential, layers
        >>> model = Sequential([layers.Input(8), layers.Dense(32, "relu"), layers.Dense(1)], seed=1)
        >>> x = np.random.default_rng(2).normal(size=(100, 8))
        >>> report = model.quantize("int8", x)
        >>> report["relative_error"] < 0.02
        True
        """
        if not isinstance(mode, str):
            raise TypeError(f"quantize: mode must be {' or '.join(map(repr, MODES))}, got {mode!r}")
        if mode not in MODES:
            raise ValueError(f"quantize: there is no mode {mode!r}; {hint(mode, MODES)}")
        if x is None and y is not None:
            raise ValueError("quantize: y are targets of samples, x, which is not given")
        core = self._core("quantize")
        if self._quantization is None:
            self._not_in_training("quantize")
        before = None if x is None or self._quantization is not None else self._measured(x, y)
        with self._lock:
            self._not_in_training("quantize")
            core = self._model or core
            self._changed("quantize")  # refused where another model is training a layer
            core.quantize(mode)
            self._quantization = mode
            self._changed("quantize")
        return None if before is None else _compared(before, self._measured(x, y))

    def _measured(self, x: Any, y: Any) -> tuple[NDArray[Any], dict[str, float] | None]:
        """Return outputs, all in one, and loss and metrics."""
        outputs: Any = self.predict(x)
        parts = outputs.values() if isinstance(outputs, dict) else outputs
        parts = list(parts) if isinstance(outputs, (dict, list)) else [outputs]
        flat = np.concatenate([np.ravel(part) for part in parts]).astype(np.float64)
        return flat, None if y is None else self.evaluate(x, y, return_dict=True)


def _compared(before: tuple[Any, Any], after: tuple[Any, Any]) -> Change:
    """Return what has changed in outputs and metrics."""
    error = np.abs(after[0] - before[0])
    size = np.sqrt(np.mean(np.square(before[0]))) if before[0].size else 0.0
    root = np.sqrt(np.mean(np.square(error))) if error.size else 0.0
    report: Change = {
        "largest_error": float(error.max(initial=0.0)),
        "relative_error": float(root / size) if size > 0 else float(root),
    }
    if before[1] is not None:
        report |= {"before": before[1], "after": after[1]}
    return report
