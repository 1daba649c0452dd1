# SPDX-License-Identifier: Apache-2.0
"""Several networks as one estimator: each is one of its own, and their outputs are averaged.

They are trained at the same time, to the bits that each has when it is fitted alone with its seed.
"""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ._multilayer import BaseMultilayer

# What a network by itself leaves, and an ensemble has in its members alone.
_OF_ONE = (
    "coefs_",
    "intercepts_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
    "_model",
    "_recipe",
    "_best_weights",
)
# What is the same for all.
_OF_ALL = ("n_outputs_", "n_layers_", "out_activation_", "_precision", "_target")


def fit(
    e: BaseMultilayer,
    X: Any,
    y: Any,
    sample_weight: Any,
    incremental: bool,
    validation_data: Any,
    callbacks: Any,
) -> None:
    """Train all members, for one epoch where ``incremental``."""
    goes_on = hasattr(e, "estimators_") and (e.warm_start or incremental)
    if goes_on and len(e.estimators_) != e.ensemble:
        raise ValueError(
            f"ensemble is now {e.ensemble}, and warm_start or partial_fit would go on with "
            f"{len(e.estimators_)} networks; to begin anew, use fit with warm_start=False"
        )
    X, _, _ = e._validate_input(X, y, incremental, reset=not goes_on)
    y = y if hasattr(y, "tocsr") else _flat(y)
    members = e.estimators_ if goes_on else _drawn(e)
    options = {name: value for name, value in e.get_params(False).items() if name not in _OWN}
    warned: list[tuple[type[Warning], str]] = []
    for member in members:
        member.set_params(**options)
        member._warned = warned
        for name in ("classes_", "_label_binarizer"):
            if hasattr(e, name):
                setattr(member, name, getattr(e, name))

    def task(member: BaseMultilayer) -> Callable[[], None]:
        own = copy.deepcopy(callbacks)
        return lambda: member._fit(X, y, sample_weight, incremental, validation_data, own)

    interrupted = False
    try:
        _core.side_by_side([task(member) for member in members])
    except KeyboardInterrupt:
        members = [member for member in members if getattr(member, "n_iter_", 0) > 0]
        if not members:
            raise
        interrupted = True
    for member in members:
        del member._warned
    for name in _OF_ONE:
        if hasattr(e, name):
            delattr(e, name)
    for name in _OF_ALL:
        setattr(e, name, getattr(members[0], name))
    e.estimators_ = members
    e.n_iter_ = max(member.n_iter_ for member in members)
    e.t_ = max(member.t_ for member in members)
    e.loss_ = float(np.mean([member.loss_ for member in members]))
    for kind, message in dict.fromkeys(warned):
        warnings.warn(message, kind, stacklevel=5)  # the caller of fit
    if interrupted:
        warnings.warn(
            f"Training interrupted by user. {len(members)} of {e.ensemble} networks are there.",
            stacklevel=5,
        )


_OWN = ("ensemble", "random_state")


def _drawn(e: BaseMultilayer) -> list[BaseMultilayer]:
    """Return new members, each with a seed of its own."""
    seeds = check_random_state(e.random_state).randint(2**31 - 1, size=e.ensemble)
    members = [clone(e).set_params(ensemble=1, random_state=int(seed)) for seed in seeds]
    for member in members:
        vars(member).pop("_skl_callbacks", None)  # which see the ensemble, from one thread
    return members


def _flat(y: Any) -> NDArray[Any]:
    """Return targets as an array, a single column without its second dimension."""
    array = np.asarray(y)
    return array.ravel() if array.ndim == 2 and array.shape[1] == 1 else array


def outputs(e: BaseMultilayer, X: Any) -> NDArray[Any]:
    """Return the mean of the members' outputs for checked rows."""
    first, *others = e.estimators_
    total: NDArray[Any] = first._shown_outputs(X)
    for member in others:
        total += member._shown_outputs(X)
    total /= len(e.estimators_)
    return total
