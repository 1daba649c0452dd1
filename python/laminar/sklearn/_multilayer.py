# SPDX-License-Identifier: Apache-2.0
"""What the multi-layer perceptrons share: from checked rows to a trained network and its outputs.

``coefs_`` and ``intercepts_`` are the weights, as in scikit-learn: who changes them changes what
the estimator predicts and where it goes on. The network holds a copy, and all else that training
changes.
"""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, validate_data

from .. import _arrays
from .._rows import Rows
from .._spelling import argument_names
from .._tables import split
from . import _members, _merged, _network, _ready, _sparse
from ._bases import BaseEstimator
from ._parameters import CONSTRAINTS, dropout_rates, hidden_activations, hidden_sizes
from ._stopping import Stopping
from ._tasks import CallbackSupportMixin, Tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray
    from typing_extensions import Self

    from .._types import Array
    from ..activations import Activation
    from ..losses import Loss
    from ..optimizers import Optimizer
    from ..optimizers.schedules import LearningRateSchedule
    from ..sequential import Sequential
    from ._bases import RandomState, Sizes

    OneActivation: TypeAlias = str | Mapping[str, Any] | Activation
    Activations: TypeAlias = OneActivation | Sequence[OneActivation]

_LINE_SEARCH = "ABNORMAL: the line search found no better point"
_LBFGS_MESSAGES = {
    "max_iterations": (1, "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT"),
    "max_evaluations": (1, "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT"),
    "line_search": (2, _LINE_SEARCH),
}


class BaseMultilayer(CallbackSupportMixin, BaseEstimator):
    """Base of `MLPClassifier` and `MLPRegressor`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = CONSTRAINTS
    # The constructor's arguments, whose types are checked by fit.
    hidden_layer_sizes: Sizes
    activation: Activations
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str | LearningRateSchedule
    learning_rate_init: float
    power_t: float
    max_iter: int
    loss: str | Mapping[str, Any] | Loss
    shuffle: bool
    random_state: RandomState
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    dropout: float | Sequence[float]
    batch_normalization: bool
    optimizer: str | Mapping[str, Any] | Optimizer | None
    dtype: str | None
    ensemble: int
    # What fit leaves.
    estimators_: list[Self]
    coefs_: list[Array]
    intercepts_: list[Array]
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_layers_: int
    n_outputs_: int
    n_features_in_: int
    out_activation_: str
    _precision: str  # the dtype of the network
    _model: Sequential
    _target: _network.Target
    _best_weights: list[NDArray[Any]] | None
    _no_improvement_count: int
    _recipe: dict[str, Any]
    _random_state: Any
    _warned: list[tuple[type[Warning], str]]  # of a member, what the ensemble says for all

    if TYPE_CHECKING:  # what each of them has
        class_weight: Any
        _label_binarizer: Any

        def _validate_input(
            self, X: Any, y: Any, incremental: bool, reset: bool
        ) -> tuple[Any, NDArray[Any], NDArray[Any] | None]: ...
        def _outputs_of(self, y: NDArray[Any]) -> int: ...
        def _output_activation(self) -> str: ...
        def _encoded(self, y: Any) -> NDArray[Any]: ...
        def _decoded(self, y: NDArray[Any]) -> NDArray[Any]: ...
        def _score(self, outputs: NDArray[Any], y: NDArray[Any], weight: Any) -> float: ...

    def _store(self, values: dict[str, Any], cls: type) -> None:
        """Keep the constructor's arguments as they were given."""
        for name in argument_names(cls.__init__):  # type: ignore[misc]
            setattr(self, name, values[name])

    def _check_solver(self) -> bool:
        """Return True where fit goes by epochs; AttributeError hides partial_fit otherwise."""
        if self.solver == "lbfgs" and self.optimizer is None:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        incremental: bool,
        validation_data: Any = None,
        callbacks: Any = None,
    ) -> None:
        """Train, for one epoch where ``incremental``."""
        self._validate_params()
        if self.ensemble > 1:
            tasks = None if incremental else Tasks(self, X, y, sample_weight, 0)
            _members.fit(self, X, y, sample_weight, incremental, validation_data, callbacks)
            if tasks is not None:
                tasks.close()
            return
        if hasattr(self, "estimators_"):
            del self.estimators_
        sizes = hidden_sizes(self.hidden_layer_sizes)
        kinds = hidden_activations(self.activation, len(sizes))
        dropout_rates(self.dropout, len(sizes))
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        full_batch = self.solver == "lbfgs" and self.optimizer is None
        if full_batch:
            self._refuse_stochastic(validation_data, callbacks)
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        if not first:
            self._best_weights = getattr(self, "_best_weights", None)
            self._no_improvement_count = getattr(self, "_no_improvement_count", 0)
        given = X, y, sample_weight
        X, y, by_class = self._validate_input(X, y, incremental, reset=first)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        if by_class is not None:
            weight = by_class if weight is None else weight * by_class
        self._random_state = check_random_state(self.random_state)
        if first:
            self.n_outputs_ = self._outputs_of(y)
            self._precision = self.dtype or X.dtype.name
            self._initialize([X.shape[1], *sizes, self.n_outputs_], kinds)
        else:
            self._precision = self.dtype or self.coefs_[0].dtype.name
            self._check_sizes(sizes)
        tasks = None if incremental else Tasks(self, *given, int(self.max_iter))
        if full_batch:
            assert tasks is not None
            self._ready_network(first)
            self._fit_lbfgs(self._rows(X, y, weight), tasks)
        else:
            called = [callbacks] if callable(getattr(callbacks, "set_model", None)) else callbacks
            own = [] if tasks is None or not tasks.wanted else [tasks]
            self._fit_epochs(X, y, weight, incremental, first, validation_data, called or [], own)
        if tasks is not None:
            tasks.close()

    def _check_sizes(self, sizes: list[int]) -> None:
        """Raise ValueError where training cannot go on with the weights there are."""
        present = [coef.shape[1] for coef in self.coefs_[:-1]]
        if sizes != present:
            raise ValueError(
                f"hidden_layer_sizes is now {sizes}, and warm_start or partial_fit would go on "
                f"with weights of {present}; to begin anew, use fit with warm_start=False"
            )

    def _refuse_stochastic(self, validation_data: Any, callbacks: Any) -> None:
        """Raise ValueError for what has no meaning without batches and epochs."""
        given = {
            "validation_data": validation_data is not None,
            "callbacks": callbacks is not None,
            "batch_normalization": bool(self.batch_normalization),
            "dropout": bool(np.any(self.dropout)),
        }
        for name, asked in given.items():
            if asked:
                raise ValueError(f"{name} needs solver 'sgd' or 'adam', got solver='lbfgs'")

    def _initialize(self, units: list[int], kinds: list[Any]) -> None:
        """Draw the weights as scikit-learn does, and begin all records."""
        self.n_iter_ = 0
        self.t_ = 0
        self.n_layers_ = len(units)
        self.out_activation_ = self._output_activation()
        random = self._random_state
        self.coefs_, self.intercepts_ = [], []
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(units)):
            kind = kinds[min(i, len(kinds) - 1)]._entry if kinds else ""
            bound = np.sqrt((2.0 if kind == "sigmoid" else 6.0) / (fan_in + fan_out))
            self.coefs_.append(
                random.uniform(-bound, bound, (fan_in, fan_out)).astype(self._precision)
            )
            self.intercepts_.append(random.uniform(-bound, bound, fan_out).astype(self._precision))
        self._best_weights = None
        self._no_improvement_count = 0
        if self.solver == "lbfgs" and self.optimizer is None:
            return
        self.loss_curve_ = []
        stops = bool(self.early_stopping)
        self.best_loss_ = None if stops else np.inf
        self.validation_scores_ = [] if stops else None
        self.best_validation_score_ = -np.inf if stops else None

    def _ready_network(self, first: bool) -> None:
        """Make the network, or bring the one there is up to date with arguments and weights."""
        recipe = _network.recipe(self)
        self._target = _network.target_of(self.loss, self.n_outputs_, self.out_activation_)
        weights = (self.coefs_, self.intercepts_)
        # Who takes private attributes away resets what they hold, as in scikit-learn.
        known = not first and hasattr(self, "_model")
        if known and getattr(self, "_recipe", None) == recipe:
            _network.set_weights(self._model, *weights)
        else:
            kept = self._model.get_weights() if known else None
            seed = int(self._random_state.randint(2**31 - 1))
            self._model = _network.build(self, self._target, weights, seed)
            if kept is not None and len(kept) == len(self._model.weights):
                self._model.set_weights(kept)
                _network.set_weights(self._model, *weights)
        self._recipe = recipe
        self._model._core("fit").penalties_per_row = True

    def _rows(self, X: Any, y: Any, weight: Any) -> Rows:
        """Return rows, targets and weights in the network's type; sparse ones stay sparse."""
        dtype = np.dtype(self._precision)
        x = X if issparse(X) else _arrays.features(X, "fit: X", dtype)
        wanted = y if y.dtype == _arrays.LABEL else _arrays.targets(y, "fit: y", dtype)
        return Rows(x, wanted, _arrays.row_weights(weight, "fit: sample_weight", dtype))

    def _fit_lbfgs(self, rows: Rows, tasks: Tasks) -> None:
        """Minimize over all rows as one batch."""
        x: Any = rows.x
        x = x.toarray() if issparse(x) else x
        x = _arrays.features(x, "fit: X", np.dtype(self._precision))
        share, core = self._target.share, self._model._core("fit")

        def shown(iteration: int, loss: float) -> bool:
            if self.verbose:
                print(f"Iteration {iteration}, loss = {loss:.8f}")
            return tasks.wanted and tasks.iteration(iteration < self.max_iter)

        if tasks.wanted:
            tasks.begin("iteration")
        try:
            reason, iterations, _, value = core.fit_lbfgs(
                x,
                rows.y,
                rows.weight,
                int(self.max_iter),
                int(self.max_fun),
                float(self.tol),
                1 / share,
                shown if self.verbose or tasks.wanted else None,
            )
        except FloatingPointError:
            self._refuse_weights()
        self.n_iter_ = iterations
        self.loss_ = value * share * self._target.factor + self._offset(rows)
        self._take_weights()
        if reason not in _LBFGS_MESSAGES or (
            reason == "line_search" and self._at_precision(x, rows, value)
        ):
            return
        status, text = _LBFGS_MESSAGES[reason]
        message = f"lbfgs failed to converge after {iterations} iteration(s) (status={status}):\n"
        message += f"{text}\n"
        if iterations == self.max_iter:
            message += (
                "\nIncrease the number of iterations to improve the convergence "
                f"(max_iter={self.max_iter})."
            )
        message += "\nYou might also want to scale the data as shown in:\n"
        message += "    https://scikit-learn.org/stable/modules/preprocessing.html"
        self._warn(message, ConvergenceWarning)

    def _at_precision(self, x: Any, rows: Rows, value: float) -> bool:
        """Whether a step along the gradient would change the loss by little more than its rounding.

        Such a step lowers it by about the square of the gradient, and rounding adds up over rows.
        """
        _, gradients = self._model._core("fit").loss_and_gradients(x, rows.y, rows.weight)
        largest = max(float(np.abs(g).max()) for g in gradients)
        return largest**2 <= 16 * float(np.finfo(x.dtype).eps) * max(1.0, abs(value))

    def _fit_epochs(
        self,
        X: Any,
        y: Any,
        weight: Any,
        incremental: bool,
        first: bool,
        validation_data: Any,
        callbacks: Any,
        tasks: list[Tasks],
    ) -> None:
        """Train by batches until nothing gets better, or for one epoch."""
        held_out = None
        if validation_data is not None:
            held_out = self._validation(validation_data)
        elif self.early_stopping:
            X, y, weight, held_out = self._split(X, y, weight)
        self._ready_network(first)
        rows = self._rows(X, y, weight)
        n = rows.x.shape[0]
        size = min(200, n) if self.batch_size == "auto" else int(self.batch_size)
        if size > n:
            self._warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
            )
            size = n
        if size == n and self._is_a_set() and _merged.suits(rows.x):
            rows = _merged.merged(rows)
            size = rows.length
        score = None
        if held_out is not None:
            known = self._decoded(held_out.y)
            self.validation_scores_ = self.validation_scores_ or []
            if self.best_validation_score_ is None:
                self.best_validation_score_ = -np.inf

            def score() -> float:
                outputs = self._outputs(held_out.x)
                return float(self._score(outputs, known, held_out.weight))

        offset, factor = self._offset(rows), self._target.factor
        stopping = Stopping(self, n, lambda loss: factor * loss + offset, score, self._target.share)
        self.n_iter_ = 0
        model, epochs = self._model, 1 if incremental else int(self.max_iter)
        validation = None
        if validation_data is not None:
            assert held_out is not None
            validation = (held_out.x, held_out.y, held_out.weight)
        interrupted = False
        try:
            sparse = issparse(rows.x)
            model.fit(
                _sparse.dataset(rows.x, self._precision, rows.y, rows.weight) if sparse else rows.x,
                None if sparse else rows.y,
                batch_size=size,
                epochs=epochs,
                verbose=0,
                callbacks=[*callbacks, stopping, *tasks],
                validation_data=validation,
                shuffle=bool(self.shuffle),
                sample_weight=None if sparse else rows.weight,
            )
        except FloatingPointError:
            if not self.early_stopping or self._best_weights is None:
                self._take_weights()
                self._refuse_weights()
        except KeyboardInterrupt:
            interrupted = True
        if self.early_stopping and self._best_weights is not None:
            model.set_weights(self._best_weights)
        self._take_weights()
        if interrupted:
            if hasattr(self, "_warned"):
                raise KeyboardInterrupt
            self._warn("Training interrupted by user.")
        if not (incremental or stopping.converged) and self.n_iter_ == self.max_iter:
            self._warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
            )

    def _warn(self, message: str, kind: type[Warning] = UserWarning) -> None:
        """Warn the caller of fit; what members would say, the ensemble says once."""
        if hasattr(self, "_warned"):
            self._warned.append((kind, message))
        else:
            warnings.warn(message, kind, stacklevel=6)

    def _is_a_set(self) -> bool:
        """Whether the order of a batch's rows has no part in an update."""
        return not (np.any(self.dropout) or self.batch_normalization)

    def _split(self, X: Any, y: Any, weight: Any) -> tuple[Any, Any, Any, Rows]:
        """Hold rows out for early stopping, as scikit-learn does where each class is trained on."""
        arrays = [X, y] if weight is None else [X, y, weight]
        classes = self._class_numbers(y)
        stratify = classes if self.n_outputs_ == 1 else None
        held = math.ceil(self.validation_fraction * len(y))  # as train_test_split has it
        parts: list[Any] = []
        if stratify is None or held >= len(y) or _divides(stratify, held):
            *parts, trained, _ = train_test_split(
                *arrays,
                np.arange(len(y)),
                random_state=self._random_state,
                test_size=self.validation_fraction,
                stratify=stratify,
            )
        if classes is not None and (not parts or len(np.unique(classes[trained])) <= classes.max()):
            generator = np.random.default_rng(self._random_state.randint(1 << 31))
            order = np.argsort(split.places(len(y), [held], generator, classes))
            parts = [a[rows] for a in arrays for rows in np.split(order, [len(y) - held])]
        held_out = parts[1::2]
        if held_out[0].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        train_weight, held_weight = (None, None) if weight is None else (parts[4], parts[5])
        return parts[0], parts[2], train_weight, self._rows(held_out[0], held_out[1], held_weight)

    def _class_numbers(self, y: Any) -> NDArray[Any] | None:
        """Return the class of each row, from 0; None where a row has no one class."""
        if not is_classifier(self):
            return None
        if y.ndim == 2 and y.shape[1] > 1:
            if self._label_binarizer.y_type_ != "multiclass":
                return None
            y = y.argmax(axis=1)
        numbers: NDArray[Any] = np.unique(y, return_inverse=True)[1].reshape(-1)
        return numbers

    def _validation(self, data: Any) -> Rows:
        """Return the user's own validation data."""
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ValueError(
                "fit: validation_data must be (X, y) or (X, y, sample_weight), "
                f"got {type(data).__name__}"
            )
        X, y, weight = (*data, None)[:3]
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        weight = None if weight is None else _check_sample_weight(weight, X)
        rows = self._rows(X, self._encoded(y), weight)
        if len(rows.y) != len(rows.x):
            raise ValueError(
                f"fit: validation_data has {len(rows.x)} rows of X and {len(rows.y)} of y"
            )
        return rows

    def _offset(self, rows: Rows) -> float:
        """Return what scikit-learn's loss has beside laminar's: a constant of the targets."""
        if self.out_activation_ != "exp":
            return 0.0
        y = np.asarray(rows.y, np.float64)
        log = np.log(y, out=np.zeros_like(y), where=y > 0)
        if rows.weight is not None and not rows.weight.any():
            return 0.0  # which fit refuses
        return float(np.average(y * log - y, weights=rows.weight, axis=0).sum())

    def _take_weights(self) -> None:
        """Show the network's weights as attributes."""
        self.coefs_, self.intercepts_ = _network.get_weights(self._model)
        if not all(np.isfinite(w).all() for w in (*self.coefs_, *self.intercepts_)):
            self._refuse_weights()

    def _refuse_weights(self) -> None:
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large "
            "values and need to be preprocessed."
        ) from None

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return the network's outputs for checked rows."""
        rows = _sparse.dataset(X, self._precision) if issparse(X) else X
        outputs: NDArray[Any] = self._model.predict(rows)
        return outputs

    def _forward(self, X: Any) -> NDArray[Any]:
        """Return the network's outputs for a user's rows, with the weights that are shown.

        They have the type of the rows, as in scikit-learn, whatever they were computed in.
        """
        X = _ready.rows(self, X)
        single = "estimators_" not in vars(self)
        outputs = self._shown_outputs(X) if single else _members.outputs(self, X)
        return outputs.astype(np.float32 if X.dtype == np.float32 else np.float64, copy=False)

    def _shown_outputs(self, X: Any) -> NDArray[Any]:
        """Return the network's outputs for checked rows, with the weights that are shown."""
        _network.set_weights(self._model, self.coefs_, self.intercepts_)
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _divides(classes: NDArray[Any], held: int) -> bool:
    """Whether scikit-learn divides rows by these classes: it refuses rare ones."""
    counts = np.bincount(classes)
    return bool(counts.min() >= 2 and min(held, len(classes) - held) >= len(counts))
