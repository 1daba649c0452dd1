# SPDX-License-Identifier: Apache-2.0
"""What users of Keras look for is there, under the names they know."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from laminar import (
    _core,
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)

NAMES: dict[ModuleType, str] = {
    activations: """linear step sigmoid tanh relu leaky_relu elu selu celu gelu softplus softsign
        mish exponential hard_sigmoid hard_tanh hard_swish relu6 log_sigmoid log_softmax softmax
        swish silu""",
    losses: """mse mae rmse huber log_cosh mape msle poisson kl_divergence cosine_similarity hinge
        squared_hinge categorical_hinge quantile pinball tweedie gamma binary_crossentropy
        binary_focal_crossentropy categorical_focal_crossentropy categorical_crossentropy
        sparse_categorical_crossentropy mean_squared_error mean_absolute_error""",
    optimizers: """sgd adagrad rmsprop adadelta adam adamw adamax nadam ftrl lion lamb adafactor
        muon""",
    initializers: """zeros ones constant identity random_normal random_uniform truncated_normal
        glorot_uniform glorot_normal he_normal he_uniform lecun_normal lecun_uniform orthogonal
        variance_scaling""",
    metrics: """accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy
        top_k_categorical_accuracy precision recall f1_score auc binary_crossentropy mse mae rmse
        mape r2_score cosine_similarity""",
    regularizers: "l1 l2 l1_l2 orthogonal",
    constraints: "max_norm non_neg unit_norm min_max_norm",
}
CLASSES: dict[ModuleType, str] = {
    layers: """Input Dense Activation ReLU LeakyReLU ELU Softmax PReLU Maxout Dropout AlphaDropout
        GaussianNoise GaussianDropout BatchNormalization LayerNormalization RMSNormalization
        Normalization Rescaling Discretization CategoryEncoding Embedding StringLookup IntegerLookup
        Flatten Reshape PeriodicEmbedding PiecewiseLinearEncoding SmoothClip""",
    callbacks: """EarlyStopping ModelCheckpoint ReduceLROnPlateau LearningRateScheduler CSVLogger
        TerminateOnNaN LambdaCallback ProgressBar History""",
    optimizers.schedules: """InverseTimeDecay ExponentialDecay PiecewiseConstantDecay
        PolynomialDecay CosineDecay CosineDecayRestarts OneCycle""",
}
LEAST = {
    "activation": 25,
    "loss": 22,
    "optimizer": 14,
    "initializer": 16,
    "schedule": 8,
    "metric": 18,
}


@pytest.mark.parametrize("module", NAMES, ids=lambda module: module.__name__)
def test_names_are_known(module: ModuleType) -> None:
    for name in NAMES[module].split():
        assert module.get(name) is not None, name


@pytest.mark.parametrize("module", CLASSES, ids=lambda module: module.__name__)
def test_classes_are_there(module: ModuleType) -> None:
    for name in CLASSES[module].split():
        assert inspect.isclass(getattr(module, name)), name


def test_the_lists_are_whole() -> None:
    for family, least in LEAST.items():
        assert len(_core.entries(family)) >= least
