# SPDX-License-Identifier: Apache-2.0
"""Classes that have names: texts as targets, which become class numbers in the names' order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._heads import Target

    Array = NDArray[Any]

Names = tuple[str, ...] | None


def texts_of(y: object) -> Array | None:
    """Return targets as an array (n,) of texts and missing values; None where they are no texts."""
    if isinstance(y, np.ndarray):
        array = y
    elif isinstance(y, (list, tuple)):
        if not any(isinstance(item, str) for item in y):
            return None
        array = np.array(y, dtype=object)
    elif hasattr(y, "to_numpy") and not hasattr(y, "columns") and not _frames.is_sparse(y):
        array = _frames.as_array(y)
    else:
        return None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "OUT" or not array.size:
        return None
    array = array.astype(object)
    return array if any(isinstance(item, str) for item in array) else None


def numbered(where: str, y: object, known: Names, learn: bool = False) -> tuple[Any, Names]:
    """Return class numbers in place of texts, and the names of the classes.

    Parameters
    ----------
    where : str
        The argument, for error messages.
    y : object
        Targets of any kind; what holds no texts stays as it is.
    known : tuple of str or None
        The names that a model has.
    learn : bool
        Whether it may take those that occur, in alphabetical order, if it has none.

    Raises
    ------
    ValueError, TypeError
        For a missing value, something else among the texts, and a name that is not known.
    """
    texts = texts_of(y)
    if texts is None:
        return y, known
    for row, item in enumerate(texts):
        if not isinstance(item, str):
            missing = _frames.is_missing(item) or type(item).__name__ == "NaTType"
            missing = missing or (isinstance(item, float) and item != item)
            raise (ValueError if missing else TypeError)(
                f"{where} holds names of classes, but row {row} is {item!r}"
            )
    found, places = np.unique(texts.astype(str), return_inverse=True)
    if known is None:
        if not learn:
            raise ValueError(
                f"{where} holds names of classes, such as {str(found[0])!r}, and the model was "
                "not trained with any"
            )
        known = tuple(map(str, found))
    number = {name: i for i, name in enumerate(known)}
    for name in found:
        if name not in number:
            raise ValueError(
                f"{where} holds {str(name)!r}, which is none of the model's classes "
                f"(model.class_names): {', '.join(known[:10])}{', …' * (len(known) > 10)}"
            )
    return np.array([number[name] for name in found], np.int32)[places.reshape(-1)], known


def agreed(where: str, classes: tuple[str, ...], known: Names) -> Names:
    """Return the names of a data set of files, or without any those that are known.

    Raises
    ------
    ValueError
        Where both are there and differ, so that class numbers mean different things.
    """
    if classes and known is not None and classes != known:
        raise ValueError(
            f"{where} has the classes {', '.join(classes[:10])}, the model (model.class_names) "
            f"has {', '.join(known[:10])}"
        )
    return classes or known


def check_loss(where: str, y: object, given: object, loss: Target) -> None:
    """Raise TypeError where names became numbers for a loss that takes no classes."""
    if y is not given and not loss._classifies:
        raise TypeError(
            f"{where} holds names of classes; the loss {loss._entry or 'function'} takes numbers"
        )


def weights_by_number(class_weight: Any, names: Names) -> Any:
    """Return {class number: weight} of {name: weight}."""
    if names is None or not isinstance(class_weight, Mapping):
        return class_weight
    number = {name: i for i, name in enumerate(names)}
    return {number.get(key, key): weight for key, weight in class_weight.items()}
