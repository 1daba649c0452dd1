# SPDX-License-Identifier: Apache-2.0
"""Operations on the symbols of a graph: each becomes a layer of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..layers.base import Layer
from ..layers.symbol import Symbol
from ._batch import of_batch
from ._shapes import text_of
from ._trace import ROWS, Trace
from ._traced import Traced


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


class BatchSymbol(Symbol):
    """What operations make of rows that no layer can read, but operations and `Model.add_loss` can.

    It is of all rows of a batch together, or has no axes but that of the rows.
    """

    _of_batch = True

    def __init__(
        self,
        function: Callable[[Sequence[Any]], Any],
        reads: Sequence[Symbol],
        extents: tuple[int, ...],
    ) -> None:
        self._function, self._reads = function, tuple(reads)
        self._order = -1
        self._extents = extents
        self.shape = extents[1:] if extents[:1] == (ROWS,) else extents

    @property
    def name(self) -> str | None:
        """None: no layer computes it."""
        return None

    def __repr__(self) -> str:
        return f"<BatchSymbol {text_of(self._extents)}>"

    def _advice(self) -> str:
        """Return why no layer can read it."""
        if self._extents == (ROWS,):
            return "it is one number for each row; laminar.ops.expand_dims(x, -1) makes it rows"
        return (
            "rows of the batch come together in it, so that the output for one would depend on the "
            "others; such a value is a loss, for add_loss of a model"
        )


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
    symbols: list[Symbol] = []
    for i in places:
        part = operands[i]
        symbols.extend(part._reads if isinstance(part, BatchSymbol) else [part])

    def of(values: Sequence[Any]) -> Any:
        given, rest = list(operands), iter(values)
        for place in places:
            part = operands[place]
            if isinstance(part, BatchSymbol):
                given[place] = part._function([next(rest) for _ in part._reads])
            else:
                given[place] = next(rest)
        return function(given)

    trace = Trace()
    with trace.recording():
        made = of([trace.input((ROWS, *symbol.shape)) for symbol in symbols])
    if isinstance(made, Traced) and (
        made._extents == (ROWS,) or (ROWS not in made._extents and of_batch(made))
    ):
        return BatchSymbol(of, symbols, made._extents)
    if not isinstance(made, list):
        return Operation(of, word)._called_on(symbols)
    return [
        Operation(lambda values, i=i: of(values)[i], word)._called_on(symbols)  # type: ignore[misc]
        for i in range(len(made))
    ]
