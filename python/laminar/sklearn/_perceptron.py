# SPDX-License-Identifier: Apache-2.0
"""Perceptron: Rosenblatt's unit, with scikit-learn's arguments, attributes and messages.

Arguments are stored as they are given and checked by fit, by scikit-learn's own validation. The
core computes in float64; ``coef_`` and ``intercept_`` have the type of the rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call, unique_labels
from sklearn.utils.validation import _check_sample_weight, validate_data

from .. import _arrays, _core
from .._spelling import keywords
from . import _ready
from ._bases import BaseEstimator, ClassifierMixin
from ._parameters import PERCEPTRON_CONSTRAINTS
from ._perceptron_lines import Lines
from ._sparse import for_core
from ._sparse_coef import SparseCoef

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from .._types import Array
    from ._bases import RandomState

_FLOATS = (np.float64, np.float32)


class Perceptron(ClassifierMixin, SparseCoef, BaseEstimator):
    """Rosenblatt's perceptron (1958): p = 1 if w·x + b > 0 else 0, w += eta0 (y - p) x.

    The rule is applied row by row, epoch after epoch. More than two classes have one unit each
    against all others. Arguments, results and messages are those of
    ``sklearn.linear_model.Perceptron``, but for the order that ``shuffle`` draws. Rows are never
    standardized.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet"} or None, default None
        Before each row w is multiplied by 1 - eta0 alpha ("l2"), or after each row brought nearer
        to 0 by eta0 alpha ("l1"); "elasticnet" does both, mixed by ``l1_ratio``.
    alpha : float, default 0.0001
        The penalty's factor.
    l1_ratio : float, default 0.15
        The share of "l1" in "elasticnet".
    fit_intercept : bool, default True
        Learn b too; otherwise it is 0.
    max_iter : int, default 1000
        The most epochs. A ConvergenceWarning tells where they were not enough.
    tol : float or None, default 1e-3
        End where the mean of the mistaken rows' abs(w·x + b), with the penalty, has not become less
        by ``tol`` for ``n_iter_no_change`` epochs. Rows with w·x + b = 0 count as mistakes of
        either class. None is Rosenblatt's own training: such a row is a mistake only where y is 1,
        and without a penalty the end is the first epoch without mistakes, which comes if and only
        if a plane separates the classes; scikit-learn goes on to ``max_iter`` then.
    shuffle : bool, default True
        Draw a new order of the rows each epoch.
    verbose : int, default 0
        1 prints a few lines each epoch.
    eta0 : float, default 1.0
        The factor on each update. From zero weights and without penalties it changes no prediction.
    n_jobs : int or None, default None
        Accepted for scikit-learn's sake; the result does not depend on it.
    random_state : int, RandomState or None, default 0
        The source of orders and held-out rows.
    early_stopping : bool, default False
        Hold ``validation_fraction`` of the rows out, in the shares of the classes, and end where
        the share that is predicted right does not grow by ``tol`` for ``n_iter_no_change`` epochs.
    validation_fraction : float, default 0.1
        See ``early_stopping``.
    n_iter_no_change : int, default 5
        See ``tol``.
    class_weight : dict, "balanced" or None, default None
        {class: weight} or weights that make classes count equally; multiplies eta0. Of more than
        two classes, each unit's own class is weighted, and all others count 1.
    warm_start : bool, default False
        Go on from the weights of the last fit.

    Attributes
    ----------
    coef_ : ndarray
        w, of shape (1, features) for two classes, (classes, features) for more.
    intercept_ : ndarray
        b, of shape (1,) or (classes,).
    classes_ : ndarray
        The classes in ascending order; of two, the second is the one with p = 1.
    n_iter_ : int
        The epochs of the last fit, of several units the most.
    t_ : float
        1 and the rows seen, each as often as it was seen.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray
        Their names, where X has names.

    Examples
    --------
    >>> from laminar.sklearn import Perceptron
    >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 0, 1]
    >>> model = Perceptron().fit(x, y)
    >>> model.predict([[1.0, 1.0], [0.0, 1.0]])
    array([1, 0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = PERCEPTRON_CONSTRAINTS
    intercept_: Array
    classes_: NDArray[Any]
    n_iter_: int
    t_: float
    n_features_in_: int

    @keywords()
    def __init__(
        self,
        *,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: RandomState = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Mapping[Any, float] | str | None = None,
        warm_start: bool = False,
    ) -> None:
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        coef_init: ArrayLike | None = None,
        intercept_init: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train until nothing gets better, or to the last epoch.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features), booleans, integers or floats. Sparse rows stay sparse, and give what
            dense ones give; scikit-learn lets b learn a hundred times slower from them.
        y : array_like
            (n,): at least two classes, numbers or strings.
        coef_init, intercept_init : array_like, optional
            Weights to begin with, of the shapes of ``coef_`` and ``intercept_``; 0 otherwise.
        sample_weight : array_like, optional
            (n,), not negative: multiplies eta0.

        Returns
        -------
        Perceptron
            The object itself.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong, or the weights stop being finite.

        Warns
        -----
        ConvergenceWarning
            Where ``max_iter`` was not enough: with ``tol`` all epochs were made, without it the
            last one had mistakes.
        """
        self._validate_params()
        X, y = self._checked(X, y, reset=True)
        classes = unique_labels(np.unique(y))
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self._dense_coef() if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        start = (coef_init, intercept_init)
        mistakes = self._train(X, y, classes, sample_weight, start, self.max_iter)
        self.t_ = 1.0 + self.n_iter_ * X.shape[0]
        unfinished = self.tol is not None or (mistakes > 0 and self.penalty is None)
        if unfinished and self.n_iter_ == self.max_iter:
            warnings.warn(
                "Maximum number of iteration reached before convergence. Consider increasing "
                "max_iter to improve the fit.",
                ConvergenceWarning,
                stacklevel=2,  # the caller of fit
            )
        return self

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch, from the weights there are.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`; y need not hold every class.
        classes : array_like, optional
            All classes; needed in the first call.

        Returns
        -------
        Perceptron
            The object itself.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.
        """
        self._validate_params()
        first = not hasattr(self, "classes_")
        if first:
            self._check_first_part()
        X, y = self._checked(X, y, reset=first)
        _check_partial_fit_first_call(self, classes)
        begun = hasattr(self, "coef_")
        start = (self._dense_coef(), self.intercept_) if begun else (None, None)
        self._train(X, y, self.classes_, sample_weight, start, 1)
        self.t_ = getattr(self, "t_", 1.0) + X.shape[0]
        return self

    def decision_function(self, X: Any) -> Array:
        """Return w·x + b: (n,) for two classes, (n, classes) for more.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features).
        """
        X = _ready.rows(self, X)
        z = self._units(self.classes_, (self._dense_coef(), self.intercept_)).decide(for_core(X))
        z = z.astype(np.result_type(X.dtype, self.coef_.dtype), copy=False)
        return z[:, 0] if z.shape[1] == 1 else z

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row: of two by the sign of w·x + b, of more by the largest.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features).
        """
        z = self.decision_function(X)
        place = (z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)
        return np.asarray(self.classes_[place])

    def _check_first_part(self) -> None:
        """Raise ValueError for arguments that a first call of partial_fit cannot follow."""
        if self.early_stopping:
            raise ValueError("early_stopping should be False with partial_fit")
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight '{self.class_weight}' is not supported for partial_fit. In order to "
                f"use 'balanced' weights, use compute_class_weight('{self.class_weight}', "
                "classes=classes, y=y). In place of y you can use a large enough sample of the "
                "full training set target to properly estimate the class frequency distributions. "
                "Pass the resulting weights as the class_weight parameter."
            )

    def _checked(self, X: Any, y: ArrayLike, reset: bool) -> tuple[Any, NDArray[Any]]:
        """Return rows, dense or CSR, and the class of each."""
        X, classes = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=_FLOATS,
            order="C",
            accept_large_sparse=False,
            reset=reset,
        )
        return X, classes

    def _units(
        self, classes: NDArray[Any], start: tuple[Any, Any], seed: int = 0
    ) -> _core.Perceptron:
        """Return units with the given weights and biases, or with 0."""
        n_units = len(classes) if len(classes) > 2 else 1
        units = _core.Perceptron(self.n_features_in_, len(classes), seed)
        coef, intercept = start
        if coef is not None:
            coef = np.ascontiguousarray(coef, np.float64)
            coef = coef.reshape(1, -1) if n_units == 1 else coef
            if coef.shape != (n_units, self.n_features_in_):
                raise ValueError(
                    "Provided coef_init does not match dataset."
                    if n_units == 1
                    else "Provided ``coef_`` does not match dataset. "
                )
            units.weights = coef
        if intercept is not None:
            intercept = np.ascontiguousarray(intercept, np.float64)
            if intercept.shape != (n_units,):
                raise ValueError("Provided intercept_init does not match dataset.")
            units.biases = intercept
        return units

    def _train(
        self,
        X: Any,
        y: NDArray[Any],
        classes: NDArray[Any],
        sample_weight: ArrayLike | None,
        start: tuple[Any, Any],
        epochs: int,
    ) -> int:
        """Train and take over what was learnt; return the mistakes of the last epoch."""
        # It refuses labels that are no class.
        by_class = compute_class_weight(self.class_weight, classes=classes, y=y)
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if len(classes) < 2:
            raise ValueError("The number of classes has to be greater than one; got 1 class")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        unit = self._units(classes, start, seed)
        ratio = {None: 0.0, "l2": 0.0, "l1": 1.0}.get(self.penalty, self.l1_ratio)
        strength = 0.0 if self.penalty is None else float(self.alpha)
        try:
            n_iter, mistakes = unit.fit(
                for_core(X),
                np.searchsorted(classes, y).astype(_arrays.LABEL),
                weight,
                None if self.class_weight is None else by_class.astype(np.float64),
                self._held_out(y, weight) if self.early_stopping else None,
                float(self.eta0),
                strength * ratio,
                strength * (1 - ratio),
                epochs,
                None if self.tol is None else float(self.tol),
                int(self.n_iter_no_change),
                self.tol is not None,
                bool(self.shuffle),
                bool(self.fit_intercept),
                Lines() if self.verbose else None,
            )
        except FloatingPointError as error:
            raise ValueError(
                f"{error} Scaling input data with StandardScaler or MinMaxScaler might help."
            ) from None
        self.classes_ = classes
        self.coef_ = unit.weights.astype(X.dtype, copy=False)
        self.intercept_ = unit.biases.astype(X.dtype, copy=False)
        self.n_iter_ = n_iter
        return mistakes

    def _held_out(self, y: NDArray[Any], weight: NDArray[Any] | None) -> NDArray[Any]:
        """Return which rows early stopping holds out."""
        split = StratifiedShuffleSplit(
            test_size=self.validation_fraction, random_state=self.random_state
        )
        _, chosen = next(split.split(np.zeros((len(y), 1)), y))
        if weight is not None and not (weight[chosen] > 0).any():
            raise ValueError(
                "The sample weights for validation set are all zero, consider using a different "
                "random state."
            )
        mask = np.zeros(len(y), np.uint8)
        mask[chosen] = 1
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
