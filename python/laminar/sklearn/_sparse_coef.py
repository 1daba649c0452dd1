# SPDX-License-Identifier: Apache-2.0
"""Weights of a linear model that may be stored as a CSR matrix, where many are 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray


E = TypeVar("E", bound="SparseCoef")


class SparseCoef:
    """Base of estimators with ``coef_``."""

    coef_: Any

    def sparsify(self: E) -> E:
        """Store ``coef_`` as a CSR matrix, which pays where most weights are 0.

        Returns
        -------
        SparseCoef
            The object itself.
        """
        check_is_fitted(self, msg="Estimator, %(name)s, must be fitted before sparsifying.")
        self.coef_ = csr_matrix(self.coef_)
        return self

    def densify(self: E) -> E:
        """Store ``coef_`` as an array again.

        Returns
        -------
        SparseCoef
            The object itself.
        """
        check_is_fitted(self, msg="Estimator, %(name)s, must be fitted before densifying.")
        self.coef_ = self._dense_coef()
        return self

    def _dense_coef(self) -> NDArray[Any]:
        return np.asarray(self.coef_.toarray() if issparse(self.coef_) else self.coef_)
