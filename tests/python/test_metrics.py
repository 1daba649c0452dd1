# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import reference_metrics
from numpy.typing import NDArray
from reference import Spec
from support import blobs, identity_model, small_classifier, specs

import laminar
from laminar import Sequential, _core, layers, metrics

# Probabilities are given straight to the losses, by networks that change nothing.
pytestmark = [pytest.mark.kernels, pytest.mark.filterwarnings("ignore:compile")]

ROWS, WIDTH = 150, 4
TAKES = {entry["name"]: entry["takes"] for entry in _core.entries("metric")}

# The defaults of every metric, and each with its options changed.
VARIANTS = [
    *specs("metric"),
    {"name": "binary_accuracy", "threshold": 0.3},
    {"name": "top_k_categorical_accuracy", "k": 2},
    {"name": "sparse_top_k_categorical_accuracy", "k": 2},
    *(
        {"name": name, "thresholds": threshold, "top_k": top_k, "class_id": class_id}
        for name in ("precision", "recall")
        for threshold in (None, 0.3)
        for top_k in (None, 2)
        for class_id in (None, 3)
    ),
    {"name": "true_positives", "thresholds": 0.3},
    {"name": "false_negatives", "thresholds": 0.3},
    *(
        {"name": "fbeta_score", "average": average, "beta": 2.0, "threshold": threshold}
        for average in ("micro", "macro", "weighted")
        for threshold in (None, 0.3)
    ),
    {"name": "f1_score", "average": "weighted", "threshold": 0.3},
    *(
        {
            "name": "auc",
            "num_thresholds": count,
            "curve": curve,
            "summation_method": method,
            "multi_label": multi_label,
            "from_logits": False,
        }
        for count in (7, 200)
        for curve in ("ROC", "PR")
        for method in ("interpolation", "majoring", "minoring")
        for multi_label in (False, True)
    ),
    {"name": "huber", "delta": 0.3},
    {"name": "binary_crossentropy", "from_logits": False, "label_smoothing": 0.1},
    {"name": "binary_crossentropy", "from_logits": True, "label_smoothing": 0.1},
    {"name": "categorical_crossentropy", "from_logits": True, "label_smoothing": 0.0},
    {"name": "r2_score", "class_aggregation": "variance_weighted_average", "num_regressors": 0},
    {"name": "r2_score", "class_aggregation": "uniform_average", "num_regressors": 3},
]
REGRESSION = ("mse", "mae", "rmse", "huber", "r2_score", "log_cosh", "mape", "cosine_similarity")
POSITIVE = ("msle", "poisson", "kl_divergence")


class Case:
    """Data that a metric takes, and a loss that takes the same targets."""

    def __init__(self, spec: Spec, rng: np.random.Generator, width: int = WIDTH) -> None:
        name = spec["name"]
        # One column stays away from 1, where float32 and float64 are clipped at different places.
        self.p = rng.dirichlet(np.ones(max(width, 2)), ROWS)[:, :width]
        self.weight = rng.uniform(0, 2, ROWS)
        labels = rng.integers(0, width, ROWS)
        self.rows: NDArray[np.float64] = np.eye(width)[labels]  # of values, for the reference
        if TAKES[name] == "labels" or name == "accuracy":
            self.loss, self.y = "sparse_categorical_crossentropy", labels
            return
        if name in REGRESSION:
            self.rows = self.p + 0.1 * rng.normal(size=(ROWS, width))
        elif name in POSITIVE:
            self.rows = self.p * rng.uniform(0.5, 1.5, (ROWS, width))
        elif not name.endswith("categorical_accuracy") and name != "categorical_crossentropy":
            self.rows = rng.integers(0, 2, (ROWS, width)).astype(np.float64)
        self.loss, self.y = "mse", self.rows

    def value(self, spec: Spec, part: slice = slice(None), weighted: bool = True) -> float:
        """Return the reference's value."""
        weight = self.weight[part] if weighted else None
        return reference_metrics.metric(spec, self.rows[part], self.p[part], weight)


@pytest.mark.parametrize("spec", VARIANTS, ids=str)
def test_values_agree_with_the_formula(spec: Spec, rng: np.random.Generator) -> None:
    case = Case(spec, rng)
    model = identity_model(WIDTH, "linear")
    named = metrics.get({**spec, "name": spec["name"]})
    model.compile("sgd", case.loss, metrics=[named], weighted_metrics=[named])
    assert model.metrics_names == ["loss", named.name, f"weighted_{named.name}"]
    got = model.evaluate(case.p, case.y, sample_weight=case.weight)
    assert got[1] == pytest.approx(case.value(spec, weighted=False), rel=1e-9)
    assert got[2] == pytest.approx(case.value(spec), rel=1e-9)
    # As an object: in pieces, with and without weights, to the same bits.
    for batch in (1, 64, ROWS):
        for value, weight in ((got[1], None), (got[2], case.weight)):
            named.reset_state()
            assert named.result() == 0
            for first in range(0, ROWS, batch):
                part = slice(first, first + batch)
                part_weight = None if weight is None else weight[part]
                last = named(case.y[part], case.p[part], part_weight)
            assert named.result() == last == value


@pytest.mark.parametrize("spec", specs("metric"), ids=str)
@pytest.mark.parametrize("width", [1, 3, 17])
def test_widths_and_float32(spec: Spec, width: int, rng: np.random.Generator) -> None:
    if width == 1 and (TAKES[spec["name"]] == "labels" or spec["name"] == "accuracy"):
        return
    case = Case(spec, rng, width)
    case.p = case.p.astype(np.float32).astype(np.float64)
    made = metrics.get(spec)
    expected = made(case.y, case.p, case.weight)
    assert expected == pytest.approx(case.value(spec), rel=1e-9)
    model = identity_model(width, "linear", "float32")
    model.compile("sgd", case.loss, weighted_metrics=[made])
    got = model.evaluate(case.p, case.y, sample_weight=case.weight)[1]
    assert got == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 7, 64, None])
@pytest.mark.parametrize("hidden", [4, 300])
def test_histories_are_the_metric_over_the_rows_seen(
    hidden: int, batch_size: int | None, rng: np.random.Generator
) -> None:
    """With a learning rate of 0 an epoch sees what evaluate sees; small steps and large ones."""
    x, weight = rng.normal(size=(ROWS, 6)), rng.uniform(0, 2, ROWS)
    y = rng.integers(0, 2, (ROWS, 3))
    chosen: list[Any] = [m for m, takes in TAKES.items() if takes != "labels"]
    results = {}
    for threads in (1, 2, 3):
        laminar.set_num_threads(threads)
        model = Sequential(
            [layers.Input(6), layers.Dense(hidden, "tanh"), layers.Dense(3, "sigmoid")], seed=1
        )
        model.compile({"name": "sgd", "learning_rate": 0}, "mse", chosen, chosen)
        history = model.fit(
            x, y, batch_size, sample_weight=weight, verbose=0, validation_data=(x, y, weight)
        ).history
        results[threads] = str(history)
        for key in model.metrics_names:
            assert history[key] == pytest.approx(history[f"val_{key}"], rel=1e-5), key
        assert history["val_weighted_auc"] != history["val_auc"]
    assert len(set(results.values())) == 1


def test_metrics_of_a_training_see_the_rows_before_each_update() -> None:
    x, y = blobs(40)
    model = small_classifier(metrics=["accuracy", metrics.Recall()])
    once = small_classifier(metrics=["accuracy", metrics.Recall()])
    hits = [once.train_on_batch(x[i : i + 10], y[i : i + 10])[1] for i in range(0, 40, 10)]
    history = model.fit(x, y, batch_size=10, shuffle=False, verbose=0).history
    assert history["accuracy"][0] == pytest.approx(np.mean(hits))


def test_two_of_a_kind_in_one_compile(rng: np.random.Generator) -> None:
    case = Case({"name": "precision"}, rng)
    low, high = metrics.Precision(thresholds=0.3, name="p3"), metrics.Precision(name="p5")
    model = identity_model(WIDTH, "linear")
    model.compile("sgd", "mse", [low, high], weighted_metrics=[high])
    assert model.metrics_names == ["loss", "p3", "p5", "weighted_p5"]
    got = model.evaluate(case.p, case.y, sample_weight=case.weight, return_dict=True)
    assert got["p3"] == low(case.y, case.p)
    assert got["p5"] == high(case.y, case.p)
    assert got["p5"] != got["p3"] != got["weighted_p5"]


@pytest.mark.parametrize(
    ("loss", "width", "targets", "expected"),
    [
        ("sparse_categorical_crossentropy", 3, [0, 1], 0.5),
        ("categorical_crossentropy", 3, [[1, 0, 0], [0, 1, 0]], 0.5),
        ("binary_crossentropy", 1, [[1], [1]], 0.5),
        ("mse", 1, [[1], [1]], 0.5),
    ],
)
def test_accuracy_takes_the_form_that_fits(
    loss: str, width: int, targets: Any, expected: float
) -> None:
    model = identity_model(width, "linear")
    model.compile("sgd", loss, metrics=["accuracy"])
    outputs = np.array([[0.9, 0.05, 0.05], [0.2, 0.1, 0.7]])[:, :width]
    assert model.evaluate(outputs, targets)[1] == expected
    assert metrics.Accuracy()(targets, outputs) == expected


def test_accuracy_of_classes_is_the_share_of_equal_ones() -> None:
    assert metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]) == 0.75
    assert metrics.Accuracy()([7, 8, 9], [[9], [8], [7]]) == pytest.approx(1 / 3)


def test_threshold() -> None:
    model = identity_model(1, "linear")
    model.compile("sgd", "binary_crossentropy", [metrics.BinaryAccuracy(threshold=0.8)])
    assert model.evaluate([[0.9], [0.7]], [[1], [1]])[1] == 0.5


def test_class_numbers_are_one_hot_rows(rng: np.random.Generator) -> None:
    p, labels = rng.dirichlet(np.ones(WIDTH), ROWS), rng.integers(0, WIDTH, ROWS)
    chosen = [name for name, takes in TAKES.items() if takes == "either"]
    results = []
    for loss, y in (
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", np.eye(WIDTH)[labels]),
    ):
        model = identity_model(WIDTH, "linear")
        model.compile("sgd", loss, chosen)
        results.append(model.evaluate(p, y)[1:])
        for name, value in zip(chosen, results[-1], strict=True):
            assert metrics.get(name)(y, p) == value
            assert metrics.get(name)(y[:, np.newaxis] if y.ndim == 1 else y, p) == value
    assert results[0] == results[1]


def test_metrics_see_probabilities(rng: np.random.Generator) -> None:
    z, y = rng.normal(size=(ROWS, 1)), rng.integers(0, 2, (ROWS, 1))
    for loss in ("binary_crossentropy", "mse"):
        model = identity_model(1, "sigmoid")
        chosen = [
            metrics.AUC(),
            metrics.AUC(from_logits=True, name="logits_auc"),
            metrics.BinaryCrossentropy(),
            metrics.BinaryCrossentropy(from_logits=True, name="logits"),
        ]
        model.compile("sgd", loss, chosen)
        auc, logits_auc, entropy, logits = model.evaluate(z, y)[1:]
        p = model.predict(z)
        assert auc == logits_auc == metrics.AUC()(y, p)
        assert entropy == logits == metrics.BinaryCrossentropy()(y, p)
        assert logits == pytest.approx(metrics.BinaryCrossentropy(from_logits=True)(y, z))


@pytest.mark.parametrize("ignored", [-1, 2])
def test_rows_of_an_ignored_class_do_not_count(ignored: int, rng: np.random.Generator) -> None:
    p, y = rng.dirichlet(np.ones(WIDTH), ROWS), rng.integers(0, WIDTH, ROWS)
    y[::3] = ignored
    rest = y != ignored
    expected = metrics.SparseCategoricalCrossentropy()(y[rest], p[rest])
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=ignored)
    assert metric(y, p) == pytest.approx(expected, rel=1e-12)


# Keras 3.15.1 on these rows, plain and weighted.
KERAS_Y = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
KERAS_P = [[0.1, 0.2, 0.7], [0.4, 0.35, 0.25], [0.6, 0.3, 0.1], [0.3, 0.5, 0.2], [0.1, 0.8, 0.1]]
KERAS_WEIGHT = [1, 2, 0.5, 1.5, 1]
KERAS: dict[str, tuple[dict[str, Any], float, float]] = {
    "BinaryAccuracy": ({}, 0.86666667, 0.80555558),
    "CategoricalAccuracy": ({}, 0.60000002, 0.41666666),
    "TopKCategoricalAccuracy": ({"k": 2}, 0.80000001, 0.75),
    "Precision": ({}, 1.0, 1.0),
    "Precision 2": ({"thresholds": 0.3}, 0.66666669, 0.5625),
    "Precision 3": ({"top_k": 2}, 0.40000001, 0.375),
    "Precision 4": ({"top_k": 2, "class_id": 1}, 0.40000001, 0.5),
    "Recall": ({}, 0.60000002, 0.41666666),
    "Recall 2": ({"thresholds": 0.3}, 0.80000001, 0.75),
    "Recall 3": ({"top_k": 2}, 0.80000001, 0.75),
    "Recall 4": ({"class_id": 2, "thresholds": 0.22}, 0.5, 0.40000001),
    "F1Score": ({"average": "macro"}, 0.61111104, 0.42279935),
    "F1Score 2": ({"average": "micro"}, 0.59999996, 0.4166666),
    "F1Score 3": ({"average": "weighted", "threshold": 0.32}, 0.71999991, 0.66587293),
    "FBetaScore": ({"average": "macro", "beta": 2.0}, 0.62962961, 0.45164284),
    "AUC": ({}, 0.85000002, 0.7361111),
    "AUC 2": ({"curve": "PR"}, 0.81703782, 0.68109012),
    "AUC 3": ({"summation_method": "majoring"}, 0.86000001, 0.74652773),
    "AUC 4": ({"curve": "PR", "summation_method": "minoring"}, 0.60888892, 0.4826389),
    "AUC 5": ({"multi_label": True, "num_thresholds": 20}, 0.88888884, 0.77460325),
    "TruePositives": ({}, 3.0, 2.5),
    "TrueNegatives": ({}, 10.0, 12.0),
    "FalsePositives": ({}, 0.0, 0.0),
    "FalseNegatives": ({"thresholds": 0.3}, 1.0, 1.5),
    "BinaryCrossentropy": ({}, 0.43996635, 0.516168),
    "BinaryCrossentropy 2": ({"label_smoothing": 0.1}, 0.48665828, 0.55199617),
    "CategoricalCrossentropy": ({}, 0.74998081, 0.89150542),
    "CategoricalCrossentropy 2": ({"from_logits": True}, 0.92693359, 0.98530239),
    "MeanSquaredError": ({}, 0.13900001, 0.17166667),
    "MeanAbsoluteError": ({}, 0.31333333, 0.35555553),
    "RootMeanSquaredError": ({}, 0.37282705, 0.41432676),
    "R2Score": ({}, 0.36111113, 0.02547475),
    "R2Score 2": ({"class_aggregation": "variance_weighted_average"}, 0.34843749, 0.09560977),
}


@pytest.mark.parametrize("name", KERAS)
def test_keras_s_values(name: str) -> None:
    arguments, plain, weighted = KERAS[name]
    metric = getattr(metrics, name.split()[0])(**arguments)
    assert metric(KERAS_Y, KERAS_P) == pytest.approx(plain, rel=2e-6)
    metric.reset_state()
    assert metric(KERAS_Y, KERAS_P, KERAS_WEIGHT) == pytest.approx(weighted, rel=2e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learn_agrees(weighted: bool, rng: np.random.Generator) -> None:
    sk = pytest.importorskip("sklearn.metrics")
    rows = 400
    w = rng.uniform(0, 2, rows) if weighted else None
    labels, p = rng.integers(0, 5, rows), rng.dirichlet(np.ones(5), rows)
    p[np.arange(rows), labels] += 0.1
    p /= p.sum(axis=1, keepdims=True)
    said, one_hot = p.argmax(axis=1), np.eye(5)[labels]

    def same(metric: metrics.Metric, y: Any, outputs: Any, expected: float) -> None:
        assert metric(y, outputs, w) == pytest.approx(expected, rel=1e-9), metric

    options = {"sample_weight": w}
    same(metrics.Accuracy(), labels, p, sk.accuracy_score(labels, said, **options))
    same(metrics.Accuracy(), labels, said, sk.accuracy_score(labels, said, **options))
    top_2 = sk.top_k_accuracy_score(labels, p, k=2, **options)
    same(metrics.SparseTopKCategoricalAccuracy(2), labels, p, top_2)
    same(metrics.TopKCategoricalAccuracy(2), one_hot, p, top_2)
    log_loss = sk.log_loss(labels, p, **options)
    same(metrics.SparseCategoricalCrossentropy(), labels, p, log_loss)
    same(metrics.CategoricalCrossentropy(), one_hot, p, log_loss)
    for average in ("micro", "macro", "weighted"):
        expected = sk.f1_score(labels, said, average=average, **options)
        same(metrics.F1Score(average), labels, p, expected)
        expected = sk.fbeta_score(labels, said, beta=0.5, average=average, **options)
        same(metrics.FBetaScore(average, 0.5), one_hot, p, expected)

    y, q = (labels > 2).astype(int), np.round(p[:, 3] + p[:, 4], 3)
    yes = q > 0.5
    same(metrics.Precision(), y, q, sk.precision_score(y, yes, **options))
    same(metrics.Recall(), y, q, sk.recall_score(y, yes, **options))
    same(metrics.F1Score(threshold=0.5), y, q, sk.f1_score(y, yes, **options))
    same(metrics.BinaryAccuracy(), y, q, sk.accuracy_score(y, yes, **options))
    same(metrics.BinaryCrossentropy(), y, q, sk.log_loss(y, q, **options))
    matrix = sk.confusion_matrix(y, yes, **options).ravel()
    four = (
        metrics.TrueNegatives(),
        metrics.FalsePositives(),
        metrics.FalseNegatives(),
        metrics.TruePositives(),
    )
    for metric, expected in zip(four, matrix, strict=True):
        same(metric, y, q, expected)
    assert metrics.AUC()(y, q, w) == pytest.approx(sk.roc_auc_score(y, q, **options), abs=2e-3)
    # With a threshold between any two outputs the area is exact.
    same(metrics.AUC(1001), y, q, sk.roc_auc_score(y, q, **options))
    precision_recall = sk.average_precision_score(y, q, **options)
    assert metrics.AUC(curve="PR")(y, q, w) == pytest.approx(precision_recall, abs=5e-3)
    each = sk.roc_auc_score(one_hot, np.round(p, 3), average="macro", **options)
    same(metrics.AUC(1001, multi_label=True), one_hot, np.round(p, 3), each)

    target = 1e5 + rng.normal(size=(rows, 3)) * [1, 2, 3]
    value = target + rng.normal(size=(rows, 3))
    same(metrics.MeanSquaredError(), target, value, sk.mean_squared_error(target, value, **options))
    absolute = sk.mean_absolute_error(target, value, **options)
    same(metrics.MeanAbsoluteError(), target, value, absolute)
    same(metrics.R2Score(), target, value, sk.r2_score(target, value, **options))
    by_variance = sk.r2_score(target, value, multioutput="variance_weighted", **options)
    same(metrics.R2Score("variance_weighted_average"), target, value, by_variance)


@pytest.mark.parametrize("spec", specs("metric"), ids=str)
def test_nan_gives_nan(spec: Spec, rng: np.random.Generator) -> None:
    case = Case(spec, rng)
    case.p[70, 2] = np.nan
    assert np.isnan(metrics.get(spec)(case.y, case.p))


@pytest.mark.parametrize("spec", specs("metric"), ids=str)
def test_directions(spec: Spec, rng: np.random.Generator) -> None:
    """The perfect answer is better than any other, in the direction that the core tells."""
    spec = {**spec, "k": 2} if "k" in spec else spec  # of 4 classes the first 5 are always right
    case = Case(spec, rng)
    metric = metrics.get(spec)
    usual, perfect = metric(case.y, case.p), metrics.get(spec)(case.y, case.rows)
    assert perfect > usual if metric._direction == "max" else perfect < usual


def test_a_copy_starts_afresh() -> None:
    metric = metrics.Recall(thresholds=0.3)
    metric.update_state([1, 1], [0.4, 0.1])
    again = copy.deepcopy(metric)
    assert (again.thresholds, again.result(), metric.result()) == (0.3, 0, 0.5)


def test_rows_that_do_not_fit_are_refused_and_change_nothing() -> None:
    metric = metrics.MeanSquaredError()
    metric.update_state([[1, 2]], [[1, 3]])
    for y, p, weight, message in (
        ([[1, 2]], [[1, 2, 3]], None, "y_pred has 3 columns, earlier rows had 2"),
        ([[1, 2]], [[1, 2], [3, 4]], None, "y_pred has 2 rows, y_true has 1"),
        ([[1, 2]], [[1, 2]], [1, 2], "sample_weight has 2"),
        ([[1, 2]], [[1, 2]], [-1], "sample_weight must be finite and not negative"),
        ([], [], None, "MeanSquaredError: y_pred has no rows"),
    ):
        with pytest.raises(ValueError, match=message):
            metric.update_state(y, p, weight)
    with pytest.raises(TypeError, match="MeanSquaredError: y_true must hold"):
        metric.update_state(["a"], [1.0])
    assert metric.result() == 0.5
    with pytest.raises(ValueError, match="class numbers from 0 to 1, but row 0 is 2"):
        metrics.SparseCategoricalAccuracy()([2], [[0.1, 0.9]])
    with pytest.raises(ValueError, match=r"class_id must be below the number of outputs, 2, got 2"):
        metrics.Recall(class_id=2)([[0, 1]], [[0.1, 0.9]])
    with pytest.raises(ValueError, match="num_thresholds must be at least 2"):
        metrics.AUC(num_thresholds=1)([0, 1], [0.1, 0.9])


def test_keys_are_what_the_user_wrote() -> None:
    x, y = blobs()
    chosen = ["acc"]
    model = small_classifier(metrics=chosen)
    history = model.fit(x, y, verbose=0, validation_split=0.2).history
    assert list(history) == ["loss", "acc", "val_loss", "val_acc"]
    named = small_classifier(metrics=[metrics.SparseCategoricalAccuracy(name="hits")])
    assert list(named.evaluate(x, y, return_dict=True)) == ["loss", "hits"]
    assert metrics.MeanSquaredError().name == "mean_squared_error"
    single = small_classifier(metrics="accuracy", weighted_metrics="acc")
    assert single.metrics_names == ["loss", "accuracy", "acc"]


def test_the_same_metric_twice_is_refused() -> None:
    for twice in (["acc", "accuracy"], ["acc", "acc"], ["loss"], ["acc", "AUC", "auc"]):
        with pytest.raises(ValueError, match=r"given twice|unknown metric"):
            small_classifier(metrics=twice)
    with pytest.raises(ValueError, match="given twice"):
        small_classifier(weighted_metrics=["acc", "accuracy"])


def test_metrics_that_do_not_fit_the_loss_are_refused() -> None:
    with pytest.raises(ValueError, match="metric"):
        small_classifier(metrics=["categorical_accuracy"])
    with pytest.raises(TypeError, match="name must be a string"):
        metrics.Accuracy(name=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"metric 'metric': must be a function of \(y_true, y_pred"):
        small_classifier(metrics=[lambda y: 0])
