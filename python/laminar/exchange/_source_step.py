# SPDX-License-Identifier: Apache-2.0
"""What the layers of exported programs become: steps, each one statement of C or C++."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._source_text import Dialect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._programs import Program


@dataclass
class Step:
    """One reading of arrays and one writing of another.

    Parameters
    ----------
    title : str
        What the comment above it says.
    code : str
        A statement that reads FROM, or of several arrays FROM_0, FROM_1, …, and writes TO. A step
        that is not the first of its layer reads, as FROM, what the one before has written.
        SCRATCH is memory that the steps of the layer have for themselves.
    width : int
        Numbers written.
    in_place : bool
        Whether it may write what it reads, the first of several.
    arrays : list of str
        Definitions of the arrays that it uses.
    scratch : int
        How large SCRATCH is.
    """

    title: str
    code: str
    width: int
    in_place: bool = True
    arrays: list[str] = field(default_factory=list)
    scratch: int = 0


@dataclass
class Source:
    """A layer in its model: what a step may need to know."""

    layer: Any
    number: int
    reads: list[tuple[int, ...]]  # the shapes of what it reads
    outputs: tuple[int, ...]
    weights: dict[str, NDArray[Any]]
    dialect: Dialect
    where: str
    program: Program | None = None  # of a layer that users have written themselves

    def array(self, name: str, values: NDArray[Any] | None) -> tuple[str, list[str]]:
        """Return how a weight is called, and its definition; the null pointer where it is none."""
        if values is None:
            return "NONE", []
        own = f"{name}_{self.number}"
        return f"OURS_{own}", [self.dialect.array(own, values)]

    def real(self, value: float) -> str:
        """Return a number of the layer's configuration."""
        return self.dialect.number(value)
