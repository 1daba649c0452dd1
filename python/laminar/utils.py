# SPDX-License-Identifier: Apache-2.0
"""Small helpers under the names that Keras users look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays, _seed
from ._component import integer
from ._spelling import keywords, module_getattr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["set_random_seed", "to_categorical"]


@keywords(y="x")
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[Any]:
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
    __getattr__ = module_getattr(__name__, __all__)
