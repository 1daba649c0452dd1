# SPDX-License-Identifier: Apache-2.0
"""Few rows that surely pass scikit-learn's validation, which takes longer than most networks.

Whatever could be warned of, converted or refused goes through the validation itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import _frames

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

_SMALL = 4096  # elements
_TYPES = tuple(map(np.dtype, ("float64", "float32", "int64", "int32")))


def rows(estimator: BaseEstimator, X: Any) -> Any:
    """Return what a fitted estimator predicts, validated as scikit-learn does: an array, or CSR.

    Parameters
    ----------
    estimator : estimator
        NotFittedError where it is not fitted.
    X : array_like or CSR matrix
        What the user passed.
    """
    found = _certain(estimator, X)
    if found is not None:
        return found
    check_is_fitted(estimator)
    return validate_data(estimator, X, accept_sparse=["csr"], reset=False)


def _certain(estimator: BaseEstimator, X: Any) -> NDArray[Any] | None:
    """Return rows as an array where nothing can be said of them; else None."""
    known = vars(estimator)
    features, names = known.get("n_features_in_"), known.get("feature_names_in_")
    array: Any = X
    if names is not None:
        array = _frames.matrix(X)
        if array is None or _frames.names(X) != tuple(names):
            return None
    elif type(X) is list and X and type(X[0]) is list and len(X) * len(X[0]) <= _SMALL:
        try:
            array = np.asarray(X)
        except ValueError:  # rows of different lengths
            return None
    if type(array) is not np.ndarray or array.ndim != 2 or not 0 < array.size <= _SMALL:
        return None
    if array.shape[1] != features or array.dtype not in _TYPES:
        return None
    return array if np.isfinite(array).all() else None
