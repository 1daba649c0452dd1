# SPDX-License-Identifier: Apache-2.0
"""Operations on the symbols of a graph: each becomes a layer of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..layers.base import Layer
from ..layers.symbol import Symbol
from ._trace import ROWS, Trace


class Operation(Layer):
    """An operation as a layer: what else it takes than symbols is fixed."""

    _own = True
    _entry = "operations"

    def __init__(self, function: Callable[[Sequence[Any]], Any], word: str) -> None:
        super().__init__()
        self._function, self._named = function, word
        self._listed = True

    def _word(self) -> str:
        return self._named

    def call(self, inputs: Any) -> Any:
        """Return what the operation makes of a batch."""
        return self._function(inputs)


def on_symbols(function: Callable[[Sequence[Any]], Any], word: str, operands: Sequence[Any]) -> Any:
    """Return the symbol, or the list of them, of a function of symbols and other values.

    Parameters
    ----------
    function : callable
        Takes all operands in a list.
    word : str
        What the layer is named after.
    operands : sequence
        Of which at least one is a symbol.
    """
    places = [i for i, value in enumerate(operands) if isinstance(value, Symbol)]
    symbols = [operands[i] for i in places]

    def of(values: Sequence[Any]) -> Any:
        given = list(operands)
        for place, value in zip(places, values, strict=True):
            given[place] = value
        return function(given)

    trace = Trace()
    with trace.recording():
        made = of([trace.input((ROWS, *symbol.shape)) for symbol in symbols])
    if not isinstance(made, list):
        return Operation(of, word)._called_on(symbols)
    return [
        Operation(lambda values, i=i: of(values)[i], word)._called_on(symbols)  # type: ignore[misc]
        for i in range(len(made))
    ]
