# SPDX-License-Identifier: Apache-2.0
"""Functions under TensorFlow's names, against NumPy, and what importing laminar costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import run_python

import laminar.compat.tensorflow as tf
from laminar import Tensor, ops

A = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3)

CASES: list[tuple[Any, Any]] = [
    (lambda: tf.reduce_mean(A, axis=0), A.mean(axis=0)),
    (lambda: tf.reduce_sum(input_tensor=A), A.sum()),
    (lambda: tf.reduce_max(A, axis=1, keepdims=True), A.max(axis=1, keepdims=True)),
    (lambda: tf.math.reduce_variance(A), A.var()),
    (lambda: tf.matmul(A, A, transpose_b=True), A @ A.T),
    (lambda: tf.matmul(A, A, transpose_a=True), A.T @ A),
    (lambda: tf.linalg.matvec(A, [1.0, 2.0, 3.0]), A @ [1, 2, 3]),
    (lambda: tf.pow(A, 2), A**2),
    (lambda: tf.add(x=A, y=1.0), A + 1),
    (lambda: tf.maximum(2.5, tf.constant(A)), np.maximum(A, 2.5)),
    (lambda: tf.clip_by_value(A, 2, 4), A.clip(2, 4)),
    (lambda: tf.concat([A, A], axis=1), np.concatenate([A, A], axis=1)),
    (lambda: tf.stack([A, A]), np.stack([A, A])),
    (lambda: tf.reshape(A, (3, 2)), A.reshape(3, 2)),
    (lambda: tf.transpose(A), A.T),
    (lambda: tf.expand_dims(A, 0), A[None]),
    (lambda: tf.gather(A, [2, 0], axis=1), A[:, [2, 0]]),
    (lambda: tf.one_hot([1, 0], 3), [[0, 1, 0], [1, 0, 0]]),
    (lambda: tf.where(tf.greater(A, 3), A, 0.0), np.where(A > 3, A, 0)),
    (lambda: tf.cast([1, 2], tf.float32), [1, 2]),
    (lambda: tf.constant(2.0, shape=(2, 2)), np.full((2, 2), 2)),
    (lambda: tf.zeros((2, 3)), np.zeros((2, 3))),
    (lambda: tf.ones(4), np.ones(4)),
    (lambda: tf.eye(3), np.eye(3)),
    (lambda: tf.fill((2,), 7), [7, 7]),
    (lambda: tf.linspace(0, 1, 5), np.linspace(0, 1, 5)),
    (lambda: tf.range(4), np.arange(4)),
    (lambda: tf.range(1, 8, 3), np.arange(1, 8, 3)),
    (lambda: tf.split(A, 3, axis=1)[1], A[:, 1:2]),
    (lambda: tf.split(A, [1, 2], axis=1)[1], A[:, 1:]),
    (lambda: tf.nn.relu(A - 3), np.maximum(A - 3, 0)),
    (lambda: tf.nn.softmax(A), ops.softmax(A)),
    (lambda: tf.nn.leaky_relu(A - 3, alpha=0.5), np.where(A > 3, A - 3, (A - 3) / 2)),
    (lambda: tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]), [np.log(2)]),
    (
        lambda: tf.nn.softmax_cross_entropy_with_logits(labels=np.eye(3)[:2], logits=0 * A),
        [np.log(3)] * 2,
    ),
    (lambda: tf.identity(A), A),
    (lambda: tf.argmax(A, axis=1), [2, 2]),
    (lambda: tf.math.log(A), np.log(A)),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_functions(number: int) -> None:
    function, expected = CASES[number]
    made = function()
    assert isinstance(made, Tensor)
    assert made.dtype == "float32"
    np.testing.assert_allclose(made.numpy(), expected, rtol=1e-6, atol=1e-7)


def test_facts() -> None:
    assert (tf.shape(A), tf.rank(A), tf.size(A)) == ((2, 3), 2, 6)
    assert tf.constant([1.0], dtype=tf.float64).dtype == "float64"
    assert tf.function(len) is len
    assert tf.function(reduce_retracing=True)(len) is len


def test_random_values() -> None:
    drawn = []
    for _ in range(2):
        tf.random.set_seed(3)
        drawn.append([tf.random.normal((3, 4)).numpy(), tf.random.uniform([3], 1, 2).numpy()])
    np.testing.assert_array_equal(drawn[0][0], drawn[1][0])
    assert (drawn[0][1] >= 1).all() and (drawn[0][1] < 2).all()


def test_misspelt_names() -> None:
    for call, message in (
        (lambda: tf.reduce_men, "did you mean 'reduce_mean'"),
        (lambda: tf.nn.relo, "did you mean 'relu'"),
        (lambda: tf.math.sqt, "did you mean 'sqrt'"),
        (lambda: tf.keras.layers.Dens, "did you mean 'Dense'"),
        (lambda: tf.keras.optimisers, "did you mean 'optimizers'"),
    ):
        with pytest.raises(AttributeError, match=message):
            call()


def test_nothing_of_it_is_imported_with_laminar() -> None:
    done = run_python(
        "import sys, laminar\n"
        "names = ('keras', 'compat', '_tape', 'ops')\n"
        "print([n for n in names if 'laminar.' + n in sys.modules])\n"
        "laminar.Variable\n"
        "from laminar import keras, GradientTape\n"
        "assert keras.layers is laminar.layers\n"
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_bases_of_own_parts_are_where_keras_has_them() -> None:
    from laminar import keras, layers, losses, metrics

    assert keras.Layer is layers.Layer
    assert keras.Loss is losses.Loss
    assert keras.Metric is metrics.Metric
