# SPDX-License-Identifier: Apache-2.0
"""Estimators with scikit-learn's names, arguments, attributes and messages.

``from laminar.sklearn import MLPClassifier`` in place of ``from sklearn.neural_network import
MLPClassifier`` leaves programs working; what laminar can do beyond is in keyword arguments. Needs
``pip install laminar[sklearn]``; nothing else in laminar imports scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._spelling import module_names

try:
    import sklearn  # noqa: F401  # named, so that the message is about it alone
except ImportError:
    raise ImportError(
        "laminar.sklearn: needs scikit-learn, which is not installed; "
        "pip install laminar[sklearn] brings it"
    ) from None

from ._classifier import MLPClassifier
from ._perceptron import Perceptron
from ._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron", "from_sklearn"]

if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(
        __name__, __all__, elsewhere={"from_sklearn": "_from_sklearn"}
    )
else:
    from ._from_sklearn import from_sklearn
