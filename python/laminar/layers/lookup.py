# SPDX-License-Identifier: Apache-2.0
"""Vocabularies: words or whole numbers as numbers from 0 on.

The core knows numbers only, so these are no layers of a model: call them on the data before, and
keep what `get_config` returns beside the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._attributes import Attributes
from .._component import integer
from .._spelling import argument_names, keywords
from .preprocessing import checked_mode

L = TypeVar("L", bound="Lookup")

_MODES = ("int", "one_hot", "multi_hot", "count")


class Lookup(Attributes):
    """Base of the lookups: a vocabulary, and what to do with values that it lacks."""

    _kinds = ""
    _dtype: type[Any] = object

    def __init__(
        self,
        vocabulary: Sequence[Any] | None,
        num_oov_indices: int,
        max_tokens: int | None,
        output_mode: str,
    ) -> None:
        kind = type(self).__name__
        self.num_oov_indices = integer(num_oov_indices, f"{kind}: num_oov_indices")
        self.max_tokens = (
            None if max_tokens is None else integer(max_tokens, f"{kind}: max_tokens", minimum=1)
        )
        self.output_mode = checked_mode(output_mode, kind, _MODES)
        self.vocabulary: list[Any] | None = None
        self._numbers: dict[Any, int] = {}
        if vocabulary is not None:
            self._learn(self._checked(vocabulary, f"{kind}: vocabulary").ravel().tolist())

    @keywords()
    def adapt(self, data: ArrayLike) -> None:
        """Take the vocabulary from data: the most frequent values first, equals in order.

        Parameters
        ----------
        data : array_like
            Values of any shape.
        """
        values, counts = np.unique(self._checked(data, "adapt: data"), return_counts=True)
        order = np.lexsort((np.arange(len(values)), -counts))
        limit = None if self.max_tokens is None else self.max_tokens - self.num_oov_indices
        self._learn(values[order][:limit].tolist())

    def get_vocabulary(self) -> list[Any]:
        """Return the known values, the first of which has the number ``num_oov_indices``."""
        if self.vocabulary is None:
            raise ValueError(f"{type(self).__name__}: no vocabulary yet; give one or call adapt")
        return list(self.vocabulary)

    def vocabulary_size(self) -> int:
        """Return how many numbers there are, those of unknown values included."""
        return len(self.get_vocabulary()) + self.num_oov_indices

    def __call__(self, data: ArrayLike) -> NDArray[Any]:
        """Return data as numbers, or as vectors of ``vocabulary_size()`` values.

        Parameters
        ----------
        data : array_like
            (n,) or (n, values).

        Returns
        -------
        ndarray
            "int": int64, of the shape of data. "one_hot": float32, an axis more. "multi_hot" and
            "count": float32 (n, size), over the values of each row.

        Raises
        ------
        ValueError
            Where a value is unknown and there is no number for such values.
        """
        size = self.vocabulary_size()
        array = self._checked(data, f"{type(self).__name__}: data")
        values, where = np.unique(array, return_inverse=True)
        numbers = np.array([self._number(value) for value in values.tolist()], np.int64)
        found = numbers[where.reshape(array.shape)]
        if self.output_mode == "int":
            return found
        if self.output_mode == "one_hot":
            return np.eye(size, dtype=np.float32)[found]
        rows = found.reshape(len(found), -1)
        counts = np.zeros((len(rows), size), np.float32)
        np.add.at(counts, (np.arange(len(rows))[:, np.newaxis], rows), 1)
        return counts if self.output_mode == "count" else np.minimum(counts, 1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, vocabulary included, as JSON can carry them."""
        return {name: getattr(self, name) for name in argument_names(type(self).__init__)}

    @classmethod
    def from_config(cls: type[L], config: Mapping[str, Any]) -> L:
        """Make an object of what `get_config` returned.

        Parameters
        ----------
        config : dict
            What `get_config` has returned.
        config : dict
            What `get_config` has returned.
        """
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def _change(self, name: str, value: object) -> None:
        vars(self).update(vars(self._with(name, value)))

    def _checked(self, values: object, where: str) -> NDArray[Any]:
        array = np.asarray(values)
        if array.dtype.kind == "O" and all(isinstance(v, str) for v in array.ravel()):
            array = array.astype(np.str_)
        if array.dtype.kind not in self._kinds:
            raise TypeError(f"{where} must hold {self._described()}, got dtype {array.dtype}")
        if array.ndim not in (1, 2):
            raise ValueError(f"{where} must have one or two axes, got shape {array.shape}")
        return array

    def _described(self) -> str:
        raise NotImplementedError

    def _learn(self, vocabulary: list[Any]) -> None:
        numbers = {value: i + self.num_oov_indices for i, value in enumerate(vocabulary)}
        if len(numbers) != len(vocabulary):
            raise ValueError(f"{type(self).__name__}: vocabulary holds a value twice")
        vars(self).update(vocabulary=vocabulary, _numbers=numbers)

    def _number(self, value: Any) -> int:
        known = self._numbers.get(value)
        if known is not None:
            return known
        if self.num_oov_indices == 0:
            raise ValueError(
                f"{type(self).__name__}: {value!r} is not in the vocabulary, and with "
                "num_oov_indices=0 there is no number for it"
            )
        if self.num_oov_indices == 1:
            return 0
        return _spread(str(value)) % self.num_oov_indices


class StringLookup(Lookup):
    """Strings as numbers: ``num_oov_indices`` and on for those of the vocabulary, less for others.

    A callable object, not a layer: ``model.fit(lookup(words), y)``.

    Parameters
    ----------
    vocabulary : sequence of str, optional
        The known strings; `adapt` can find them.
    num_oov_indices : int
        Numbers kept for unknown strings; with 0 they are an error.
    max_tokens : int, optional
        The most numbers that `adapt` may give away, unknown strings included.
    output_mode : {"int", "one_hot", "multi_hot", "count"}
        See `Lookup.__call__`.

    Examples
    --------
    >>> from laminar import layers
    >>> lookup = layers.StringLookup(vocabulary=["red", "green"])
    >>> lookup(["green", "red", "blue"])
    array([2, 1, 0])
    """

    _kinds = "U"

    @keywords()
    def __init__(
        self,
        vocabulary: Sequence[str] | None = None,
        num_oov_indices: int = 1,
        max_tokens: int | None = None,
        output_mode: str = "int",
    ) -> None:
        super().__init__(vocabulary, num_oov_indices, max_tokens, output_mode)

    def _described(self) -> str:
        return "strings"


class IntegerLookup(Lookup):
    """Whole numbers, such as keys, as numbers from 0 on; otherwise like `StringLookup`.

    Parameters
    ----------
    vocabulary : sequence of int, optional
        The known numbers; `adapt` can find them.
    num_oov_indices : int
        Numbers kept for unknown ones; with 0 they are an error.
    max_tokens : int, optional
        The most numbers that `adapt` may give away, unknown ones included.
    output_mode : {"int", "one_hot", "multi_hot", "count"}
        See `Lookup.__call__`.

    Examples
    --------
    >>> from laminar import layers
    >>> lookup = layers.IntegerLookup(vocabulary=[100, 7])
    >>> lookup([7, 100, 5])
    array([2, 1, 0])
    """

    _kinds = "iu"

    @keywords()
    def __init__(
        self,
        vocabulary: Sequence[int] | None = None,
        num_oov_indices: int = 1,
        max_tokens: int | None = None,
        output_mode: str = "int",
    ) -> None:
        super().__init__(vocabulary, num_oov_indices, max_tokens, output_mode)

    def _described(self) -> str:
        return "integers"


def _spread(text: str) -> int:
    """Return a number that depends on the text alone, in every process (FNV-1a, 64 bits)."""
    number = 0xCBF29CE484222325
    for byte in text.encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return number
