# SPDX-License-Identifier: Apache-2.0
"""MLPClassifier: classes, one of two or of several, or any number of them (multilabel)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import validate_data

from .. import _arrays
from .._spelling import keywords
from ._bases import ClassifierMixin, available_if
from ._multilayer import BaseMultilayer
from ._parameters import CONSTRAINTS
from ._tasks import with_callbacks

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from .._types import Array
    from ..callbacks import Callback
    from ..losses import Loss
    from ..optimizers import Optimizer
    from ..optimizers.schedules import LearningRateSchedule
    from ._bases import RandomState, Sizes
    from ._multilayer import Activations


class MLPClassifier(ClassifierMixin, BaseMultilayer):
    """A network for classes, with the arguments of ``sklearn.neural_network.MLPClassifier``.

    Arguments after ``max_fun`` are laminar's own.

    Parameters
    ----------
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
    loss : str, mapping or Loss, default "log_loss"
        "log_loss", or one of `laminar.losses`, whose targets are 0 and 1.
    dropout : float or sequence of float, default 0.0
        The share of each hidden layer's outputs that training drops.
    batch_normalization : bool, default False
        Normalize each hidden layer before its activation.
    class_weight : dict, "balanced" or None, default None
        {class: weight}, 1 for classes left out, or weights that make classes count equally.
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
    classes_ : ndarray
        The classes in ascending order.
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
        "logistic" for two classes and multilabel, else "softmax".
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray
        Their names, where X has names.

    Examples
    --------
    >>> from laminar.sklearn import MLPClassifier
    >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
    >>> model = MLPClassifier((16,), solver="lbfgs", random_state=1).fit(x, y)
    >>> model.predict([[0.0, 1.0], [1.0, 1.0]])
    array(['yes', 'no'], dtype='<U3')
    """

    classes_: NDArray[Any]
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "class_weight": [dict, Mapping, str, None],
    }

    @keywords()
    def __init__(
        self,
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
        loss: str | Mapping[str, Any] | Loss = "log_loss",
        dropout: float | Sequence[float] = 0.0,
        batch_normalization: bool = False,
        class_weight: Mapping[Any, float] | str | None = None,
        optimizer: str | Mapping[str, Any] | Optimizer | None = None,
        dtype: str | None = None,
        ensemble: int = 1,
    ) -> None:
        self._store(locals(), MLPClassifier)

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
            (n,) classes, numbers or strings; (n, labels) of 0 and 1, also sparse.
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
        MLPClassifier
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch, from the weights there are.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`; y need not hold every class.
        classes : array_like, optional
            All classes; needed in the first call.

        Returns
        -------
        MLPClassifier
            The object itself.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"partial_fit: class_weight {self.class_weight!r} needs all rows; "
                "pass a dict of weights"
            )
        if _check_partial_fit_first_call(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
        self._fit(X, y, sample_weight, True)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row, or (n, labels) of 0 and 1, sparse where fit's were.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features).
        """
        return self._decoded_outputs(self._forward(X))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features).
        """
        outputs = self._forward(X)
        if self.n_outputs_ == 1:
            both = np.empty((len(outputs), 2), outputs.dtype)
            both[:, 1:] = outputs
            np.subtract(1, outputs, out=both[:, :1])
            return both
        return outputs

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : array_like or CSR matrix
            (n, features).
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):  # a probability of 0 is -inf
            return np.asarray(np.log(probabilities, out=probabilities))

    def _validate_input(
        self, X: Any, y: Any, incremental: bool, reset: bool
    ) -> tuple[Any, NDArray[Any], NDArray[Any] | None]:
        """Return rows, encoded targets, and what each row counts by its class."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            classes = unique_labels(y)
            if self.warm_start:
                if set(classes) != set(self.classes_):
                    raise ValueError(
                        "warm_start can only be used where `y` has the same classes as in the "
                        f"previous call to fit. Previously got {self.classes_}, `y` has {classes}"
                    )
            elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
                raise ValueError(
                    "`y` has classes not in `self.classes_`. "
                    f"`self.classes_` has {self.classes_}. 'y' has {classes}."
                )
        return X, self._encoded(y), self._class_weights(y)

    def _class_weights(self, y: NDArray[Any]) -> NDArray[Any] | None:
        """Return what each row counts by its class."""
        if self.class_weight is None:
            return None
        if isinstance(self.class_weight, Mapping):
            unknown = set(self.class_weight) - set(self.classes_.tolist())
            if unknown:
                raise ValueError(
                    f"class_weight has {min(unknown, key=repr)!r}, which is no class; "
                    f"there are {self.classes_.tolist()}"
                )
        return np.asarray(compute_sample_weight(self.class_weight, y))

    def _outputs_of(self, y: NDArray[Any]) -> int:
        """Return the number of units that the classes take."""
        if self._label_binarizer.y_type_ == "multiclass":
            return len(self.classes_)
        return int(y.shape[1])

    def _output_activation(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def _encoded(self, y: Any) -> NDArray[Any]:
        """Return targets as the loss takes them: class numbers, or columns of 0 and 1."""
        if self._label_binarizer.y_type_ == "multiclass" and self.loss == "log_loss":
            given = column_or_1d(y)
            place = np.searchsorted(self.classes_, given).clip(max=len(self.classes_) - 1)
            if (self.classes_[place] != given).any():
                wrong = given[self.classes_[place] != given].tolist()[0]
                raise ValueError(f"y has {wrong!r}, which is none of {self.classes_.tolist()}")
            return np.asarray(place, _arrays.LABEL)
        columns = self._label_binarizer.transform(y)
        return np.asarray(columns.toarray() if issparse(columns) else columns, np.float64)

    def _decoded(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the classes of encoded targets."""
        if y.ndim == 1:
            return np.asarray(self.classes_[y])
        return self._decoded_outputs(y)

    def _decoded_outputs(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the classes that outputs stand for; columns are sparse where those of fit were."""
        binarizer, classes = self._label_binarizer, self.classes_
        if binarizer.y_type_ == "multiclass" and len(classes) == self.n_outputs_:
            return np.asarray(classes[outputs.argmax(axis=1)])
        if binarizer.y_type_ == "binary" and len(classes) == 2 and self.n_outputs_ == 1:
            return np.asarray(classes[(outputs.ravel() > 0.5).astype(np.intp)])
        values = outputs.ravel() if self.n_outputs_ == 1 else outputs
        found = self._label_binarizer.inverse_transform(values)
        return found if issparse(found) else np.asarray(found)

    def _score(self, outputs: NDArray[Any], y: NDArray[Any], weight: Any) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        return float(accuracy_score(y, self._decoded_outputs(outputs), sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
