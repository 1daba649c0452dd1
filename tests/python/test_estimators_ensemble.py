# SPDX-License-Identifier: Apache-2.0
"""Estimators of several networks: each is the estimator that its seed gives alone."""

from __future__ import annotations

import os
import pickle
import signal
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6", reason="laminar.sklearn needs scikit-learn")

import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from support import fingerprint

import laminar
from laminar import callbacks
from laminar.sklearn import MLPClassifier, MLPRegressor


@pytest.fixture(autouse=True)
def _automatic_threads() -> Iterator[None]:
    yield
    laminar.set_num_threads(0)


def rows(n: int = 90) -> Any:
    return np.random.default_rng(3).standard_normal((n, 5))


def texts(n: int = 90) -> Any:
    return np.array(["red", "green", "blue"])[(rows(n)[:, 0] > 0).astype(int) + (np.arange(n) % 2)]


def classifier(**options: Any) -> MLPClassifier:
    return MLPClassifier((8,), **{"max_iter": 4, "random_state": 5, "ensemble": 3, **options})


def quietly(estimator: Any, *data: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*data, **options)


def bits(estimator: Any) -> str:
    return fingerprint([*estimator.coefs_, *estimator.intercepts_])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_members_are_estimators_that_fit_alone(threads: int) -> None:
    laminar.set_num_threads(threads)
    e = quietly(classifier(), rows(), texts())
    assert len({bits(member) for member in e.estimators_}) == 3
    alone = [quietly(clone(member), rows(), texts()) for member in e.estimators_]
    assert [bits(m) for m in e.estimators_] == [bits(m) for m in alone]
    mean = np.mean([m.predict_proba(rows()) for m in alone], axis=0)
    np.testing.assert_allclose(e.predict_proba(rows()), mean, rtol=1e-14)
    assert (e.predict(rows()) == e.classes_[mean.argmax(axis=1)]).all()
    assert e.classes_.tolist() == ["blue", "green", "red"]
    assert e.n_iter_ == 4
    assert e.loss_ == pytest.approx(np.mean([m.loss_ for m in alone]))
    assert not hasattr(e, "coefs_")
    again = quietly(clone(e), rows(), texts())
    assert again.predict_proba(rows()).tobytes() == e.predict_proba(rows()).tobytes()
    copied = pickle.loads(pickle.dumps(e))
    assert copied.predict_proba(rows()).tobytes() == e.predict_proba(rows()).tobytes()


def test_regression_tables_and_sparse_rows() -> None:
    table = pd.DataFrame(rows(), columns=list("abcde"))
    y = rows()[:, :2]
    counts: list[int] = []
    counting = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: counts.append(epoch))
    options = {"max_iter": 6, "early_stopping": True, "random_state": 0, "dtype": "float32"}
    e = MLPRegressor(hidden_layer_sizes=(6,), ensemble=2, **options)
    quietly(e, table, y, sample_weight=np.ones(90), callbacks=[counting])
    assert sorted(counts) == sorted([*range(6), *range(6)])
    assert e.feature_names_in_.tolist() == list("abcde")
    assert e.predict(table).shape == (90, 2)
    with pytest.raises(ValueError, match="feature names"):
        e.predict(table[list("edcba")])
    sparse = quietly(clone(e).set_params(early_stopping=False), csr_matrix(rows()), y[:, 0])
    assert sparse.predict(csr_matrix(rows()[:7])).shape == (7,)
    full = quietly(
        MLPRegressor(solver="lbfgs", ensemble=2, random_state=1, max_iter=3), rows(), y[:, 0]
    )
    assert full.predict(rows()).shape == (90,)


def test_training_goes_on() -> None:
    e = classifier(warm_start=True)
    quietly(quietly(e, rows(), texts()), rows(), texts())
    first = e.estimators_[0]
    assert first.loss_curve_ == sorted(first.loss_curve_, reverse=True)
    assert len(first.loss_curve_) == 8
    e.set_params(ensemble=2)
    with pytest.raises(ValueError, match=r"ensemble is now 2, and .* go on with 3 networks"):
        e.fit(rows(), texts())
    online = classifier(ensemble=2)
    for _ in range(3):
        online.partial_fit(rows(), texts(), classes=np.unique(texts()))
    assert [len(member.loss_curve_) for member in online.estimators_] == [3, 3]
    assert online.predict(rows(4)).shape == (4,)


def test_another_number_begins_anew() -> None:
    e = quietly(classifier(), rows(), texts())
    quietly(e.set_params(ensemble=1), rows(), texts())
    assert not hasattr(e, "estimators_")
    assert bits(e) == bits(quietly(classifier(ensemble=1), rows(), texts()))
    quietly(e.set_params(ensemble=2), rows(), texts())
    assert not hasattr(e, "coefs_")
    with pytest.raises(NotFittedError):
        classifier().predict(rows())
    with pytest.raises(ValueError, match="'ensemble' parameter"):
        classifier(ensemble=0).fit(rows(), texts())


def test_what_all_would_warn_of_is_said_once() -> None:
    with pytest.warns(ConvergenceWarning) as caught:
        classifier().fit(rows(), texts())
    assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_what_is_trained(threads: int) -> None:
    laminar.set_num_threads(threads)
    e = classifier(max_iter=10**6, n_iter_no_change=10**6, ensemble=4)

    def interrupt(epoch: int, logs: Any) -> None:
        if epoch == 3:  # on a member's thread, on which no signal comes
            os.kill(os.getpid(), signal.SIGINT)

    reached = callbacks.LambdaCallback(on_epoch_end=interrupt)
    with pytest.warns(UserWarning, match=r"interrupted by user. [12] of 4 networks are there"):
        e.fit(rows(), texts(), callbacks=reached)
    assert e.predict(rows()).shape == (90,)
