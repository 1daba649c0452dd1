# SPDX-License-Identifier: Apache-2.0
"""The exact area under curves: by pairs, in any batches, beyond what is kept, inside an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import fingerprint

from laminar import Sequential, callbacks, layers, metrics

MOST = 1 << 17  # different outputs that are kept


def by_pairs(y: Any, p: Any, weight: Any = None) -> float:
    """Return the share of pairs of a yes and a no in the right order, equal ones by half."""
    y, p = np.asarray(y), np.asarray(p, np.float64)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight)
    yes, no = y > 0.5, y <= 0.5
    order = np.argsort(p[no])
    values, sums = p[no][order], np.concatenate([[0], np.cumsum(weight[no][order])])
    below = sums[np.searchsorted(values, p[yes], "left")]
    upto = sums[np.searchsorted(values, p[yes], "right")]
    return float((weight[yes] * (below + upto)).sum() / 2 / weight[yes].sum() / weight[no].sum())


def rare(rows: int, decimals: int | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return events that are rare, and close probabilities that tell a little of them."""
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=rows) < 0.01).astype(np.float64)
    p = 0.01 / (1 + np.exp(-rng.normal(size=rows) - y))
    return y, p if decimals is None else np.round(p, decimals)


@pytest.mark.parametrize("decimals", [None, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_pairs_in_order(decimals: int | None, weighted: bool) -> None:
    y, p = rare(5000, decimals)
    weight = np.random.default_rng(1).uniform(0, 3, len(y)) if weighted else None
    assert metrics.AUC()(y, p, weight) == pytest.approx(by_pairs(y, p, weight), rel=1e-12)
    assert abs(metrics.AUC(200)(y, p) - by_pairs(y, p)) > 0.05  # what evenly spaced points tell


def test_beside_scikit_learn() -> None:
    sk = pytest.importorskip("sklearn.metrics")
    y, p = rare(3000, 4)
    weight = np.random.default_rng(1).uniform(0, 3, len(y))
    assert metrics.AUC()(y, p, weight) == pytest.approx(
        sk.roc_auc_score(y, p, sample_weight=weight), rel=1e-12
    )
    # Straight lines between points of precision and recall lie above Davis and Goadrich's curve.
    assert metrics.AUC(curve="PR")(y, p) == pytest.approx(
        sk.average_precision_score(y, p), abs=0.02
    )


def test_columns_and_methods() -> None:
    rng = np.random.default_rng(3)
    p, y = rng.uniform(size=(300, 3)), rng.integers(0, 2, (300, 3)).astype(float)
    each = [by_pairs(y[:, j], p[:, j]) for j in range(3)]
    assert metrics.AUC(multi_label=True)(y, p) == pytest.approx(np.mean(each), rel=1e-12)
    assert metrics.AUC()(y, p) == pytest.approx(by_pairs(y.ravel(), p.ravel()), rel=1e-12)
    for curve in ("ROC", "PR"):
        fine = [metrics.AUC(100_001, curve, how)(y, p) for how in ("majoring", "minoring")]
        every = [metrics.AUC(None, curve, how)(y, p) for how in ("majoring", "minoring")]
        assert every == pytest.approx(fine, rel=1e-9)
    assert metrics.AUC()([1, 1], [0.2, 0.3]) == 0
    assert np.isnan(metrics.AUC()([0, 1], [0.2, np.nan]))


def test_logits_far_out_keep_their_order() -> None:
    z = np.array([40.0, 50.0, 60.0, -800.0])
    assert metrics.AUC()([0, 1, 1, 0], z) == 1
    assert metrics.AUC(from_logits=True)([0, 1, 1, 0], z) == 1


def test_pieces_do_not_matter() -> None:
    """Nor does looking between them, which sorts what there is."""
    y, p = rare(90_000)
    weight = np.random.default_rng(1).uniform(0, 3, len(y))
    whole, pieces = metrics.AUC(), metrics.AUC()
    whole.update_state(y, p, weight)
    for first in range(0, len(y), 7_000):
        rows = slice(first, first + 7_000)
        pieces.update_state(y[rows], p[rows], weight[rows])
        pieces.result()
    assert pieces.result() == whole.result()


def test_more_outputs_than_are_kept() -> None:
    y, p = rare(5 * MOST)
    assert len(np.unique(p)) > 4 * MOST
    assert metrics.AUC()(y, p) == pytest.approx(by_pairs(y, p), abs=1e-6)
    many = np.random.default_rng(0).integers(0, 1000, len(p)) / 1000  # few are different: exact
    assert metrics.AUC()(y, many) == pytest.approx(by_pairs(y, many), rel=1e-10)


def model() -> Sequential:
    one = Sequential([layers.Input(2), layers.Dense(1, "sigmoid")], seed=1)
    one.compile("sgd", "binary_crossentropy", ["auc"])
    return one


def test_every_way_through_a_model() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 2)).astype(np.float32)
    y = (rng.uniform(size=3000) < 0.02 / (1 + np.exp(-2 * x[:, 0]))).astype(np.float32)
    one = model()
    expected = by_pairs(y, one.predict(x)[:, 0])
    assert one.evaluate(x, y)[1] == pytest.approx(expected, rel=1e-12)
    one.optimizer.learning_rate = 0.0
    for batch in (1, 64, 3000):
        history = one.fit(x, y, batch, 1, 0, validation_data=(x, y)).history
        assert history["auc"] == pytest.approx([expected], rel=1e-6)
        assert history["val_auc"] == pytest.approx([expected], rel=1e-12)


def test_going_on_inside_an_epoch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2)).astype(np.float32)
    y = (x[:, 0] + rng.normal(size=500) > 0).astype(np.float32)
    path = tmp_path / "m.safetensors"

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 5:
                self.model.save(path)
                self.model.stop_training = True

    straight, stopped, resumed = model(), model(), model()
    history = straight.fit(x, y, 16, 2, 0).history
    stopped.fit(x, y, 16, 2, 0, callbacks=[Stop()])
    found = resumed.fit(x, y, 16, 2, 0, resume=path).history
    assert found["auc"] == history["auc"]
    assert fingerprint(resumed.get_weights()) == fingerprint(straight.get_weights())
