# SPDX-License-Identifier: Apache-2.0
"""Types that type checkers see, where what a call returns depends on what it is given.

A model is generic in the form of its outputs: an array, or a list or a dict of arrays. That is for
type checkers alone; when programs run, ``Model[list]`` is `Model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Generic, TypeAlias, TypedDict

    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import NotRequired, TypeVar

    from .data import Dataset
    from .data._batches import SequenceOfBatches

    Array: TypeAlias = NDArray[np.floating[Any]]
    Inputs: TypeAlias = ArrayLike | Sequence[ArrayLike] | Mapping[str, ArrayLike]
    Samples: TypeAlias = ArrayLike | Dataset | Iterable[Any] | SequenceOfBatches
    # Of a batch, the rows as None; of several inputs or outputs a list.
    Shapes: TypeAlias = tuple[int | None, ...] | list[tuple[int | None, ...]]
    # The loss, or, where there are metrics, a list that begins with it.
    Scores: TypeAlias = float | list[float]

    class Change(TypedDict):
        """What `quantize` changes in outputs, and in loss and metrics where targets are given."""

        largest_error: float
        relative_error: float
        before: NotRequired[dict[str, float]]
        after: NotRequired[dict[str, float]]

    OutputT = TypeVar("OutputT", covariant=True, default=Array)

    class ByOutput(Generic[OutputT]):
        """Base of what is generic in the form of its outputs."""

else:
    Array = Change = Inputs = Samples = Shapes = Scores = OutputT = object

    class ByOutput:
        """Base of what is generic in the form of its outputs."""

        def __class_getitem__(cls, output: object) -> type:
            """Return the class itself."""
            return cls
