# SPDX-License-Identifier: Apache-2.0
"""Perceptron: Rosenblatt's unit, with scikit-learn's arguments.

Parameters are stored as they are given and checked by fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .. import _arrays, _core, _seed
from .._component import flag, integer, number
from .._spelling import keywords

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FLOAT64 = np.dtype(np.float64)


class Perceptron(ClassifierMixin, BaseEstimator):
    """Rosenblatt's perceptron (1958): p = 1 if w·x + b > 0 else 0, w += eta0 (y - p) x.

    The rule is applied row by row until an epoch has no mistakes, which comes to pass if and only
    if a plane separates the classes; otherwise until ``max_iter``. More than two classes have one
    unit each against all others. Computed in float64; rows are never standardized.

    Parameters
    ----------
    penalty : None
        Others are not there yet.
    alpha : float
        The penalty's factor; without a penalty it has no effect.
    l1_ratio : float
        The penalty's mixture; without a penalty it has no effect.
    fit_intercept : bool
        Learn b too; otherwise it is 0.
    max_iter : int
        The most epochs. A ConvergenceWarning tells where the last one had mistakes.
    tol : float, optional
        End also where the mean of the mistaken rows' abs(w·x + b) has not become less by ``tol``
        for ``n_iter_no_change`` epochs. Unlike in scikit-learn, where it is 1e-3, this is off by
        default: it ends some trainings on separable data with mistakes left.
    shuffle : bool
        Draw a new order of the rows each epoch.
    verbose : int
        1 prints a line at the end of fit.
    eta0 : float
        The factor on each update. From zero weights it changes no prediction.
    n_jobs : int, optional
        Accepted for scikit-learn's sake; the result does not depend on it.
    random_state : int, RandomState or None
        The seed of the orders; None draws a fresh one.
    early_stopping : bool
        Must be False; True is not there yet.
    validation_fraction : float
        The part held out for early stopping; has no effect yet.
    n_iter_no_change : int
        See ``tol``.
    class_weight : dict, "balanced" or None
        {class: weight}, 1 for classes left out, or weights that make classes count equally;
        multiplies eta0.
    warm_start : bool
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
        The epochs made, of several units the most.
    n_features_in_ : int
        The number of features.
    """

    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    classes_: NDArray[Any]
    n_iter_: int
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
        tol: float | None = None,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: Any = 0,
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
        X: ArrayLike,
        y: ArrayLike,
        coef_init: ArrayLike | None = None,
        intercept_init: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Perceptron:
        """Train until no row is mistaken, or to the last epoch.

        Parameters
        ----------
        X : array_like
            (n, features), booleans, integers or floats.
        y : array_like
            (n,): at least two classes, numbers or strings.
        coef_init, intercept_init : array_like, optional
            Weights to begin with, of the shapes of ``coef_`` and ``intercept_``; 0 otherwise.
        sample_weight : array_like, optional
            (n,): multiplies eta0.

        Returns
        -------
        Perceptron
            The object itself.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong or not there yet; nothing has changed then.

        Warns
        -----
        ConvergenceWarning
            Where the last of ``max_iter`` epochs had mistakes.
        """
        known: Any = getattr(self, "classes_", None)
        goes_on = flag(self.warm_start, "Perceptron: warm_start") and known is not None
        rows, given = self._checked(X, y, reset=not goes_on)
        classes = np.unique(given)
        if len(classes) < 2:
            raise ValueError(f"fit: y must hold at least 2 classes, got 1 class, {classes[0]!r}")
        unit = self._unit(rows.shape[1], classes)
        if goes_on:
            if not np.array_equal(known, classes):
                raise ValueError("fit: with warm_start, the classes must stay the same")
            unit.weights, unit.biases = self.coef_, self.intercept_
        if coef_init is not None:
            unit.weights = _arrays.tensor(coef_init, "fit: coef_init", _FLOAT64)
        if intercept_init is not None:
            unit.biases = _arrays.tensor(intercept_init, "fit: intercept_init", _FLOAT64)
        epochs = integer(self.max_iter, "Perceptron: max_iter", minimum=1)
        mistakes = self._train(unit, rows, given, classes, sample_weight, epochs, "fit")
        if self.verbose:
            print(f"{self.n_iter_} epochs, {mistakes} mistakes in the last")
        if mistakes and self.n_iter_ == epochs:
            warnings.warn(
                f"fit: the last of {epochs} epochs had {mistakes} mistakes; perhaps no plane "
                "separates the classes",
                ConvergenceWarning,
                stacklevel=2,  # the caller of fit
            )
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Perceptron:
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
        known = getattr(self, "classes_", None)
        rows, given = self._checked(X, y, reset=known is None)
        if known is None:
            if classes is None:
                raise ValueError("partial_fit: classes is needed in the first call")
            known = np.unique(np.asarray(classes))
            unit = self._unit(rows.shape[1], known)
        else:
            if classes is not None and not np.array_equal(known, np.unique(np.asarray(classes))):
                raise ValueError(f"partial_fit: classes must stay {known.tolist()}")
            unit = self._fitted()
        self._train(unit, rows, given, known, sample_weight, 1, "partial_fit")
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Return w·x + b: (n,) for two classes, (n, classes) for more.

        Parameters
        ----------
        X : array_like
            (n, features).
        """
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=_FLOAT64, order="C")
        z = self._fitted().decide(rows)
        return z[:, 0] if z.shape[1] == 1 else z

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class of each row: of two by the sign of w·x + b, of more by the largest.

        Parameters
        ----------
        X : array_like
            (n, features).
        """
        z = self.decision_function(X)
        place = (z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)
        return np.asarray(self.classes_[place])

    def _checked(
        self, X: ArrayLike, y: ArrayLike, reset: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return rows in the form that the core takes, and the class of each."""
        rows, given = validate_data(self, X, y, reset=reset, dtype=_FLOAT64, order="C")
        check_classification_targets(given)
        return rows, given

    def _unit(self, features: int, classes: NDArray[Any]) -> _core.Perceptron:
        """Return units of zero weights."""
        return _core.Perceptron(features, len(classes), _seed_of(self.random_state))

    def _fitted(self) -> _core.Perceptron:
        """Return units with the weights learnt."""
        unit = self._unit(self.n_features_in_, self.classes_)
        unit.weights = _arrays.tensor(self.coef_, "coef_", _FLOAT64)
        unit.biases = _arrays.tensor(self.intercept_, "intercept_", _FLOAT64)
        return unit

    def _train(
        self,
        unit: _core.Perceptron,
        rows: NDArray[Any],
        given: NDArray[Any],
        classes: NDArray[Any],
        sample_weight: ArrayLike | None,
        epochs: int,
        where: str,
    ) -> int:
        """Train and take over what was learnt; return the mistakes of the last epoch."""
        if self.penalty is not None:
            raise ValueError(f"Perceptron: penalty must be None so far, got {self.penalty!r}")
        if flag(self.early_stopping, "Perceptron: early_stopping"):
            raise ValueError("Perceptron: early_stopping=True is not there yet")
        place = np.searchsorted(classes, given).clip(max=len(classes) - 1)
        unknown = classes[place] != given
        if unknown.any():
            raise ValueError(f"{where}: y holds {given[unknown][0]!r}, which is no known class")
        weight = sample_weight
        if weight is not None:
            weight = np.ascontiguousarray(_check_sample_weight(weight, rows), _FLOAT64)
        by_class = self._class_weights(classes, place)
        if by_class is not None:
            weight = by_class[place] * (1.0 if weight is None else weight)
        tol = None if self.tol is None else float(number(self.tol, "Perceptron: tol"))
        n_iter, mistakes = unit.fit(
            rows,
            place.astype(_arrays.LABEL),
            weight,
            float(number(self.eta0, "Perceptron: eta0")),
            epochs,
            tol,
            integer(self.n_iter_no_change, "Perceptron: n_iter_no_change", minimum=1),
            flag(self.shuffle, "Perceptron: shuffle"),
            flag(self.fit_intercept, "Perceptron: fit_intercept"),
        )
        self.coef_, self.intercept_, self.classes_ = unit.weights, unit.biases, classes
        self.n_iter_ = n_iter
        return mistakes

    def _class_weights(self, classes: NDArray[Any], place: NDArray[Any]) -> NDArray[Any] | None:
        """Return the weight of each class."""
        if self.class_weight is None:
            return None
        if isinstance(self.class_weight, Mapping):
            table = self.class_weight
            of = [number(table.get(c, 1.0), f"class_weight[{c!r}]") for c in classes.tolist()]
            return np.array(of, _FLOAT64)
        if self.class_weight != "balanced":
            raise ValueError(
                "Perceptron: class_weight must be a dict, 'balanced' or None, "
                f"got {self.class_weight!r}"
            )
        counts = np.bincount(place, minlength=len(classes))
        return len(place) / (len(classes) * np.maximum(counts, 1.0))


def _seed_of(random_state: Any) -> int:
    """Return the seed that scikit-learn's argument means."""
    if random_state is None:
        return _seed.next_seed()
    if hasattr(random_state, "randint"):
        return int(random_state.randint(2**31))
    seed = integer(random_state, "Perceptron: random_state")
    if seed >= _seed.LIMIT:
        raise ValueError(f"Perceptron: random_state must be less than 2**64, got {seed}")
    return seed
