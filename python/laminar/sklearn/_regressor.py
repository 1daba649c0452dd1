# SPDX-License-Identifier: Apache-2.0
"""MLPRegressor: numbers, one or several a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.validation import validate_data

from .._spelling import keywords
from ._bases import RegressorMixin, available_if
from ._multilayer import BaseMultilayer
from ._tasks import with_callbacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

    from .._types import Array
    from ..callbacks import Callback
    from ..losses import Loss
    from ..optimizers import Optimizer
    from ..optimizers.schedules import LearningRateSchedule
    from ._bases import RandomState, Sizes
    from ._multilayer import Activations


class MLPRegressor(RegressorMixin, BaseMultilayer):
    """A network for numbers, with the arguments of ``sklearn.neural_network.MLPRegressor``.

    Arguments after ``max_fun`` are laminar's own.

    Parameters
    ----------
    loss : str, mapping or Loss, default "squared_error"
        "squared_error", "poisson" with outputs exp(z), or one of `laminar.losses`.
    hidden_layer_sizes : array_like or int, default (100,)
        The widths of the hidden layers.
    activation : str or sequence, default "relu"
        "identity", "logistic", "tanh" or "relu" of the hidden layers; also any of
        `laminar.activations`, and a sequence of one for each layer.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
        "lbfgs" takes all rows at once.
    alpha : float, default 0.0001
        The penalty on the weights: ``alpha / 2`` times the sum of their squares, divided by the
        rows of a batch, or by the sum of their weights.
    batch_size : int or "auto", default "auto"
        Rows an update; "auto" is 200, or all where they are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"} or schedule, default "constant"
        Of "sgd": "invscaling" divides by ``(t_ + 1) ** power_t`` after each epoch, "adaptive" by 5
        where an epoch would end training. A schedule of `laminar.optimizers.schedules` serves
        "adam" as well; its rates belong to laminar's loss, the mean over outputs.
    learning_rate_init : float, default 0.001
        The first learning rate.
    power_t : float, default 0.5
        See ``learning_rate``.
    max_iter : int, default 200
        The most epochs, or iterations of "lbfgs". A ConvergenceWarning tells where they were not
        enough.
    shuffle : bool, default True
        Draw a new order of the rows each epoch.
    random_state : int, RandomState or None, default None
        The source of weights, held-out rows and orders.
    tol : float, default 1e-4
        Epochs that better loss or score by less count as no change; for "lbfgs" the largest element
        of the gradient at the end.
    verbose : bool, default False
        Print a line each epoch.
    warm_start : bool, default False
        Let fit go on from the last one, with the optimizer's state, which scikit-learn forgets.
    momentum, nesterovs_momentum : float, bool, default 0.9 and True
        Of "sgd".
    early_stopping : bool, default False
        Hold ``validation_fraction`` of the rows out, end where their score gets no better, and keep
        the weights that were best.
    validation_fraction : float, default 0.1
        See ``early_stopping``.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        Of "adam".
    n_iter_no_change : int, default 10
        The most epochs without change.
    max_fun : int, default 15000
        The most evaluations of "lbfgs".
    dropout : float or sequence of float, default 0.0
        The share of each hidden layer's outputs that training drops.
    batch_normalization : bool, default False
        Normalize each hidden layer before its activation.
    optimizer : str, mapping or Optimizer, optional
        One of `laminar.optimizers` in place of the solver, with its own learning rate.
    dtype : {"float32", "float64"} or None, default None
        The type of weights and of all computation; None is that of X in the first fit, float32
        where X is float32 and float64 otherwise, as in scikit-learn.
    ensemble : int, default 1
        How many networks are trained, each with a seed of its own drawn from ``random_state``, at
        the same time as far as there are threads. Predicted is the mean of their outputs, which
        mostly is better than any one of them; of classes, the mean of the probabilities.

    Attributes
    ----------
    estimators_ : list
        With an ``ensemble`` the estimator of each network, which fits to the same bits alone. They
        have the weights, ``loss_curve_`` and scores; ``loss_`` is their mean, ``n_iter_`` and
        ``t_`` are the largest.
    coefs_, intercepts_ : list of ndarray
        The weights and biases of each layer. Changes count in predictions and further training.
    loss_ : float
        The loss of the last epoch.
    loss_curve_ : list of float
        That of each epoch; not there with "lbfgs".
    best_loss_ : float or None
        The least of them; None with early_stopping.
    validation_scores_ : list of float or None
        The score on held-out data after each epoch; None where there are none.
    best_validation_score_ : float or None
        The largest of them.
    n_iter_ : int
        The epochs of the last fit.
    t_ : int
        The rows seen, each as often as it was seen.
    n_layers_, n_outputs_ : int
        Layers with input and output, and units of the last.
    out_activation_ : str
        "exp" for the loss "poisson", else "identity".
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray
        Their names, where X has names.

    Examples
    --------
    >>> from laminar.sklearn import MLPRegressor
    >>> x = [[i / 50] for i in range(100)]
    >>> y = [2 * row[0] + 1 for row in x]
    >>> model = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", random_state=1).fit(x, y)
    >>> model.predict([[1.0]]).round(1)
    array([3.])
    """

    @keywords()
    def __init__(
        self,
        loss: str | Mapping[str, Any] | Loss = "squared_error",
        hidden_layer_sizes: Sizes = (100,),
        activation: Activations = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | LearningRateSchedule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        batch_normalization: bool = False,
        optimizer: str | Mapping[str, Any] | Optimizer | None = None,
        dtype: str | None = None,
        ensemble: int = 1,
    ) -> None:
        self._store(locals(), MLPRegressor)

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        validation_data: Sequence[Any] | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> Self:
        """Train until the loss, or the score of held-out rows, gets no better.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features). Sparse rows are made dense a block at a time, for "lbfgs" all
            at once.
        y : array_like
            (n,) or (n, outputs) numbers.
        sample_weight : array_like, optional
            (n,): how much each row counts.
        validation_data : tuple, optional
            ``(X, y)`` or ``(X, y, sample_weight)``: scored after each epoch, and what
            ``early_stopping`` looks at in place of held-out rows.
        callbacks : Callback or list of Callback, optional
            Of `laminar.callbacks`, called between epochs. Those of scikit-learn, from version 1.9
            on, are set by `set_callbacks`: progress bars and monitors, which see each epoch.

        Returns
        -------
        MLPRegressor
            The object itself.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong, or the weights stop being finite.

        Warns
        -----
        ConvergenceWarning
            Where ``max_iter`` was not enough.
        """
        self._fit(X, y, sample_weight, False, validation_data, callbacks)
        return self

    @available_if(lambda estimator: estimator._check_solver())
    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, from the weights there are.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        MLPRegressor
            The object itself.
        """
        self._fit(X, y, sample_weight, True)
        return self

    def predict(self, X: Any) -> Array:
        """Return the numbers of each row, (n,) or (n, outputs).

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features).
        """
        outputs = self._forward(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _validate_input(
        self, X: Any, y: Any, incremental: bool, reset: bool
    ) -> tuple[Any, NDArray[Any], None]:
        """Return rows and targets (n, outputs)."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = self._encoded(y)
        if not reset and y.shape[1] != self.n_outputs_:
            raise ValueError(f"y has {y.shape[1]} outputs, the estimator {self.n_outputs_}")
        return X, y, None

    def _outputs_of(self, y: NDArray[Any]) -> int:
        return int(y.shape[1])

    def _output_activation(self) -> str:
        return "exp" if isinstance(self.loss, str) and self.loss == "poisson" else "identity"

    def _encoded(self, y: Any) -> NDArray[Any]:
        """Return targets as (n, outputs)."""
        array = np.asarray(y, np.float64)
        return array.reshape(-1, 1) if array.ndim == 1 else array

    def _decoded(self, y: NDArray[Any]) -> NDArray[Any]:
        return y

    def _score(self, outputs: NDArray[Any], y: NDArray[Any], weight: Any) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        return float(r2_score(y, outputs, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
