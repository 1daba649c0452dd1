# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's base classes, which have no types, and the types that they have.

Estimators would otherwise be of type Any to mypy, which could find no misspelt name in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias, TypeVar

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    F = TypeVar("F", bound=Callable[..., object])

    Sizes: TypeAlias = int | Sequence[int] | NDArray[np.integer[Any]]
    RandomState: TypeAlias = int | np.random.RandomState | None

    class BaseEstimator:
        """Base of all estimators."""

        n_features_in_: int
        feature_names_in_: NDArray[np.object_]

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def get_metadata_routing(self) -> Any: ...
        def set_fit_request(self, **requests: bool | str | None) -> Self: ...
        def set_partial_fit_request(self, **requests: bool | str | None) -> Self: ...
        def set_score_request(self, **requests: bool | str | None) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...
        def _validate_params(self) -> None: ...

    class ClassifierMixin:
        """Base of classifiers."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...

    class RegressorMixin:
        """Base of regressors."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float: ...

    def available_if(check: Callable[[Any], bool]) -> Callable[[F], F]: ...

else:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.metaestimators import available_if

    Sizes = RandomState = object

__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "RandomState",
    "RegressorMixin",
    "Sizes",
    "available_if",
]
