# SPDX-License-Identifier: Apache-2.0
"""quantize: rounding by the definition, the same bits anywhere, files, exports, what is refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import laminar
from laminar import Input, Model, Sequential, layers, ops

MODES = ("int8", "bfloat16")
pytestmark = pytest.mark.kernels


def rounded(w: NDArray[Any], mode: str, axis: int = 0) -> NDArray[Any]:
    """Return what weights become; ``axis`` is the one along which they share a scale."""
    if mode == "int8":
        scale = np.abs(w).max(axis=axis, keepdims=True) / np.float32(127)
        scale = np.where(scale >= np.finfo(np.float32).tiny, scale, np.float32(1))
        return np.rint(w / scale) * scale
    bits = w.view(np.uint32).astype(np.uint64)
    kept = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return kept.astype(np.uint32).view(np.float32)


def network(features: int = 20, seed: int = 3, **options: Any) -> Sequential:
    return Sequential(
        [
            layers.Input(features),
            layers.Dense(37, "tanh", bias_initializer="random_normal"),
            layers.Maxout(9, 3),
            layers.BatchNormalization(),
            layers.Dense(150, "relu", use_bias=False),
            layers.Dense(3, "softmax"),
        ],
        seed=seed,
        **options,
    )


@pytest.mark.parametrize("mode", MODES)
def test_weights_are_rounded_by_column(mode: str) -> None:
    model = network()
    before = model.get_weights()
    assert model.quantization_mode is None
    assert model.quantize(mode) is None
    assert model.quantization_mode == mode
    for tensor, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        expected = rounded(old, mode) if tensor.name.endswith("kernel") else old
        np.testing.assert_array_equal(new, expected, err_msg=tensor.name)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("columns", [1, 5, 16, 33, 127, 128, 129, 200])
def test_outputs_are_those_of_rounded_weights(
    mode: str, columns: int, rng: np.random.Generator
) -> None:
    depth = 1 + columns % 71
    model = Sequential([layers.Input(depth), layers.Dense(columns)], seed=1)
    model.set_weights([rng.normal(size=(depth, columns)), rng.normal(size=columns)])
    model.quantize(mode)
    x = rng.normal(size=(70, depth)).astype(np.float32)
    kernel, bias = (w.astype(np.float64) for w in model.get_weights())
    y = model.predict(x)
    np.testing.assert_allclose(y, x.astype(np.float64) @ kernel + bias, rtol=1e-5, atol=1e-5)
    for threads in (1, 2):
        laminar.set_num_threads(threads)
        np.testing.assert_array_equal(model.predict(x), y)
        for first, rows in ((0, 1), (3, 2), (5, 4), (9, 16), (20, 17)):
            np.testing.assert_array_equal(
                model.predict(x[first : first + rows]), y[first : first + rows]
            )


@pytest.mark.parametrize("mode", MODES)
def test_columns_of_zeros_of_huge_and_of_tiny_weights(mode: str) -> None:
    kernel = np.array(
        [[0, 3e38, 1e-45, 1e-39, 1], [0, -1e38, 3e-45, 3e-38, 1e-45], [0, 2e38, 0, -1e-38, -0.5]],
        np.float32,
    )
    model = Sequential([layers.Input(3), layers.Dense(5, use_bias=False)])
    model.set_weights([kernel])
    model.quantize(mode)
    (held,) = model.get_weights()
    assert np.isfinite(held).all()
    np.testing.assert_array_equal(held[:, 0], 0)
    step = np.maximum(np.abs(kernel).max(axis=0) * 0.00394, 1e-35)  # more than half a scale
    assert (np.abs(held.astype(np.float64) - kernel) <= step).all()
    np.testing.assert_allclose(model.predict(np.eye(3)), held, rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("mode", MODES)
def test_inputs_that_are_not_finite(mode: str) -> None:
    model = Sequential([layers.Input(3), layers.Dense(40)], seed=2)
    model.quantize(mode)
    x = np.array([[np.nan, 1, 1], [np.inf, 1, 1], [1, 1, 1]] * 8, np.float32)
    y = model.predict(x)
    assert np.isnan(y[0]).all()
    kernel = model.get_weights()[0]
    expected = np.where(kernel[0] == 0, np.nan, np.copysign(np.inf, kernel[0]))
    np.testing.assert_array_equal(y[1], expected)
    assert np.isfinite(y[2]).all()
    np.testing.assert_array_equal(model.predict(x[1:2]), y[1:2])


@pytest.mark.parametrize("mode", MODES)
def test_graphs_shared_layers_tables_and_own_layers(mode: str, rng: np.random.Generator) -> None:
    class Scaled(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(int(input_shape[-1]), 21), name="w")

        def call(self, inputs: Any) -> Any:
            return ops.tanh(ops.matmul(inputs, self.w))

    a, b = Input((6,), name="a"), Input((4,), name="b")
    shared = layers.Dense(12, "relu")
    words = layers.Flatten()(layers.Embedding(11, 5)(b))
    joined = layers.concatenate([shared(a), shared(Scaled()(a)[:, :6]), words])
    model = Model([a, b], [layers.Dense(2)(joined), layers.Dense(3, "softmax")(joined)], seed=4)
    x = [rng.normal(size=(40, 6)), rng.integers(0, 11, (40, 4))]
    before = model.get_weights()
    outputs = model.predict(x)
    report = model.quantize(mode, x)
    assert report is not None
    assert 0 < report["relative_error"] < 0.03
    for tensor, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        axis = 1 if tensor.name.endswith("embeddings") else 0
        expected = old if tensor.name.endswith("bias") else rounded(old, mode, axis)
        np.testing.assert_array_equal(new, expected, err_msg=tensor.name)
    parts = model.predict(x)
    worst = max(
        float(np.abs(p.astype(np.float64) - o).max()) for p, o in zip(parts, outputs, strict=True)
    )
    assert report["largest_error"] == pytest.approx(worst)
    for part, alone in zip(parts, model.predict([x[0][7:8], x[1][7:8]]), strict=True):
        np.testing.assert_array_equal(part[7:8], alone)


@pytest.mark.parametrize("mode", MODES)
def test_files_copies_and_pickles_are_the_same_bits(
    mode: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    x, y = rng.normal(size=(60, 20)).astype(np.float32), rng.integers(0, 3, 60)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "full.safetensors")
    model.quantize(mode)
    expected, scores = model.predict(x), model.evaluate(x, y)
    path = tmp_path / "rounded.safetensors"
    model.save(path)
    smaller = {"int8": 4, "bfloat16": 3}[mode]  # the other file has Adam's arrays besides
    assert smaller * path.stat().st_size < (tmp_path / "full.safetensors").stat().st_size
    for other in (
        laminar.load_model(path),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ):
        assert other.quantization_mode == mode
        np.testing.assert_array_equal(other.predict(x), expected)
        assert other.evaluate(x, y) == scores
    plain = network(seed=9)
    plain.load_weights(path)
    for mine, held in zip(plain.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, held)
    model.save_weights(tmp_path / "weights.safetensors")
    plain.load_weights(tmp_path / "weights.safetensors")
    assert plain.quantization_mode is None
    np.testing.assert_allclose(plain.predict(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_weights_that_are_set_are_rounded_and_rounded_ones_stay(
    mode: str, rng: np.random.Generator
) -> None:
    model = network()
    model.quantize(mode)
    x = rng.normal(size=(5, 20)).astype(np.float32)
    expected = model.predict(x)
    model.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(x), expected)
    fresh = network(seed=8).get_weights()
    model.set_weights(fresh)
    np.testing.assert_array_equal(model.get_weights()[0], rounded(fresh[0], mode))
    model.compile("sgd", "mse")
    assert model.quantization_mode == mode
    model.layers[0].trainable = False
    model.compile("sgd", "mse")  # which builds the model anew
    assert model.quantization_mode == mode
    np.testing.assert_allclose(model.get_weights()[0], rounded(fresh[0], mode), rtol=1e-6)


def test_models_that_share_layers_follow(rng: np.random.Generator) -> None:
    whole = network()
    head = Model(whole.inputs, whole.layers[0].output)
    x = rng.normal(size=(4, 20)).astype(np.float32)
    head.predict(x)
    whole.quantize("int8")
    np.testing.assert_array_equal(head.get_weights()[0], whole.get_weights()[0])
    assert head.quantization_mode is None
    np.testing.assert_allclose(
        head.predict(x), Model(whole.inputs, whole.layers[0].output).predict(x)
    )


def test_the_report(rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(60, 20)), rng.integers(0, 3, 60)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = model.evaluate(x, y, return_dict=True)
    outputs = model.predict(x).astype(np.float64)
    report = model.quantize("int8", x, y)
    assert report is not None
    error = model.predict(x) - outputs
    assert report["largest_error"] == pytest.approx(np.abs(error).max())
    assert report["relative_error"] == pytest.approx(
        np.linalg.norm(error) / np.linalg.norm(outputs)
    )
    assert report["before"] == before
    assert report["after"] == model.evaluate(x, y, return_dict=True)


def test_summary_and_inspect(tmp_path: Path) -> None:
    from laminar import _inspect

    model = network()
    model.quantize("int8")
    texts: list[str] = []
    model.summary(print_fn=texts.append)
    assert "weights of int8" in texts[0]
    kernels = sum(w.size for w in model.get_weights() if w.ndim == 2)
    columns = sum(w.shape[1] for w in model.get_weights() if w.ndim == 2)
    others = model.count_params() - kernels
    size = (kernels + 4 * columns + 4 * others) / 1024
    assert f"Held in int8 and scales: {size:.2f} KB" in texts[0]
    model.save(tmp_path / "m.safetensors")
    assert "rounded to int8" in _inspect.described(str(tmp_path / "m.safetensors"))


@pytest.mark.parametrize("mode", MODES)
def test_exports_have_the_rounded_weights(
    mode: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    x = rng.normal(size=(6, 20)).astype(np.float32)
    model = network()
    model.quantize(mode)
    model.export(tmp_path / "rounded.onnx")
    session = runtime.InferenceSession(tmp_path / "rounded.onnx")
    (outputs,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(outputs, model.predict(x), rtol=1e-5, atol=1e-5)
    assert "model_predict" in model.to_c()
    dense = Sequential([layers.Input(5), layers.Dense(4)], seed=1)
    dense.quantize(mode)
    dense.export(tmp_path / "torch.safetensors", "torch")
    fresh = Sequential([layers.Input(5), layers.Dense(4)], seed=2)
    fresh.load_torch_weights(tmp_path / "torch.safetensors")
    np.testing.assert_array_equal(fresh.get_weights()[0], dense.get_weights()[0])


def test_gradients_by_inputs(rng: np.random.Generator) -> None:
    model, plain = network(), network(seed=5)
    model.quantize("bfloat16")
    plain.set_weights(model.get_weights())
    x, d = rng.normal(size=(4, 20)), rng.normal(size=(4, 3))
    np.testing.assert_array_equal(model.vjp(x, d)[0], plain.vjp(x, d)[0])


def test_gradients_of_tapes(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 20)).astype(np.float32)

    def gradients(model: Sequential) -> list[Any]:
        with laminar.GradientTape() as tape:
            y = ops.sum(ops.square(model(x, training=True)))
        return [np.asarray(g) for g in tape.gradient(y, model.trainable_variables)]

    rounded_one, plain = network(), network(seed=5)
    rounded_one.quantize("bfloat16")
    plain.set_weights(rounded_one.get_weights())
    for mine, theirs in zip(gradients(rounded_one), gradients(plain), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_products_of_bfloat16_stay_a_choice_of_training(rng: np.random.Generator) -> None:
    model = network(precision="bfloat16")
    model.quantize("int8")
    plain = network()
    plain.set_weights(model.get_weights())
    x = rng.normal(size=(4, 20))
    np.testing.assert_allclose(model.predict(x), plain.predict(x), rtol=1e-5, atol=1e-6)


def test_what_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(60, 20)), rng.integers(0, 3, 60)
    model = network()
    with pytest.raises(ValueError, match="no mode 'int4'; did you mean 'int8'"):
        model.quantize("int4")
    with pytest.raises(TypeError, match="mode must be 'int8' or 'bfloat16', got 8"):
        model.quantize(8)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unknown argument 'config'"):
        model.quantize("int8", config=None)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="x, which is not given"):
        model.quantize("int8", y=y)
    with pytest.raises(ValueError, match="compile"):
        model.quantize("int8", x, y)
    assert model.quantization_mode is None
    with pytest.raises(ValueError, match="not built"):
        Sequential([layers.Dense(1)]).quantize("int8")
    with pytest.raises(ValueError, match=r"float64.*float32"):
        network(dtype="float64").quantize("int8")
    with pytest.raises(ValueError, match="nothing to round"):
        Sequential([layers.Input(3), layers.BatchNormalization()]).quantize("int8")
    broken = network()
    weights = broken.get_weights()
    weights[0][3, 4] = np.nan
    broken.set_weights(weights)
    with pytest.raises(ValueError, match=r"'dense/kernel' has a value that is not finite, at 3, 4"):
        broken.quantize("int8")
    assert broken.quantization_mode is None

    model.compile("adam", "sparse_categorical_crossentropy")
    model.quantize("int8")
    with pytest.raises(RuntimeError, match="weights are int8 already"):
        model.quantize("bfloat16")
    for train in (model.fit, model.train_on_batch, model.find_learning_rate):
        with pytest.raises(RuntimeError, match=r"weights are int8 since quantize.*copy"):
            train(x, y)
    assert np.isfinite(model.evaluate(x, y))
    model.save(tmp_path / "m.safetensors")
    other = network()
    other.compile("adam", "sparse_categorical_crossentropy")
    weights = other.get_weights()
    with pytest.raises(ValueError, match=r"resume: .*weights of int8, which quantize has rounded"):
        other.fit(x, y, verbose=0, resume=tmp_path / "m.safetensors")
    np.testing.assert_array_equal(other.get_weights()[0], weights[0])
    variables = model.trainable_variables
    with pytest.raises(RuntimeError, match=r"kernel.* is int8 since quantize"):
        laminar.optimizers.SGD().apply_gradients([(np.zeros(variables[0].shape), variables[0])])
