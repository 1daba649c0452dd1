# SPDX-License-Identifier: Apache-2.0
"""Small helpers under the names that Keras users look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays, _seed
from ._component import integer
from ._custom import custom_object_scope, register_keras_serializable
from ._spelling import keywords, module_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "PyDataset",
    "custom_object_scope",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
]


class PyDataset:
    """Base of sequences of batches, as Keras has it.

    A class below it has ``__getitem__(index)``, which returns a batch ``(x, y)`` or ``(x, y,
    sample_weight)``, and ``__len__()``, the number of batches, or the property ``num_batches``,
    which may be None for ever more of them. `fit`, `evaluate` and `predict` take any object with
    these; the base only adds what they need not define.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size
        Accepted for Keras's sake: batches are made by the thread that trains, when they are due.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import Sequential, layers
    >>> class Noise(PyDataset):
    ...     def __len__(self):
    ...         return 10
    ...
    ...     def __getitem__(self, index):
    ...         return np.random.default_rng(index).normal(size=(32, 4)), np.zeros(32)
    >>> model = Sequential([layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> model.fit(Noise(), epochs=2, verbose=0).epoch
    [0, 1]
    """

    @keywords()
    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None where they do not end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define __len__() or num_batches")

    def on_epoch_begin(self) -> None:
        """Run before each epoch."""

    def on_epoch_end(self) -> None:
        """Run after the batches of each epoch."""


@keywords(y="x")
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float32]:
    """Return class numbers as one-hot rows.

    Parameters
    ----------
    x : array_like
        Class numbers 0..num_classes-1, of shape (n,) or (n, 1).
    num_classes : int, optional
        The number of columns; the largest class plus 1 if not given.

    Returns
    -------
    ndarray
        float32 of shape (n, num_classes), with a 1 in each row.

    Raises
    ------
    TypeError, ValueError
        Where x is not of whole numbers, or one is negative or too large.

    Examples
    --------
    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    classes = _arrays.labels(x, "to_categorical: x")
    lowest, highest = int(classes.min()), int(classes.max())
    count = max(highest, 0) + 1 if num_classes is None else num_classes
    count = integer(count, "to_categorical: num_classes", minimum=1)
    for extreme in (lowest, highest):
        if not 0 <= extreme < count:
            raise ValueError(
                f"to_categorical: x must hold classes from 0 to {count - 1}, got {extreme}"
            )
    result = np.zeros((len(classes), count), np.float32)
    result[np.arange(len(classes)), classes] = 1
    return result


@keywords()
def set_random_seed(seed: int) -> None:
    """Make what follows repeatable.

    The first model made afterwards without a seed of its own gets exactly ``seed``, the next
    ``seed + 1``, and so on. As in Keras, Python's ``random`` and NumPy's global generator are
    seeded too, for data that are made with them.

    Parameters
    ----------
    seed : int
        0 ≤ seed < 2**32.

    Raises
    ------
    TypeError, ValueError
        For anything else; nothing is seeded then.
    """
    seed = integer(seed, "set_random_seed: seed")
    if seed >= 2**32:  # NumPy's limit
        raise ValueError(f"set_random_seed: seed must be less than 2**32, got {seed}")
    import random  # a second import of milliseconds that most programs do not need

    _seed.set_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
