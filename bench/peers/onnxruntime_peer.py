# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: predictions of a graph of Gemm and activations, as exporters write it."""

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import cases
import worker

OPERATORS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax"}


def graph(case: cases.Case, weights: cases.Weights) -> onnx.ModelProto:
    """Return the network; its input is x, its output y."""
    layers = len(weights) // 2
    activations = [case.activation] * (layers - 1) + [cases.LOSSES[case.loss]]
    nodes, value = [], "x"
    for i, activation in enumerate(activations):
        last = i + 1 == layers
        into = "y" if last and activation == "linear" else f"z{i}"
        nodes.append(helper.make_node("Gemm", [value, f"w{2 * i}", f"w{2 * i + 1}"], [into]))
        value = into
        if activation != "linear":
            into = "y" if last else f"a{i}"
            nodes.append(helper.make_node(OPERATORS[activation], [value], [into]))
            value = into
    built = helper.make_graph(
        nodes,
        case.name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", case.widths[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", case.widths[-1]])],
        [numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(weights)],
    )
    return helper.make_model(built, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


class Peer:
    """A session with the case's network."""

    threads = 1

    @classmethod
    def set_threads(cls, threads: int) -> None:
        """Remember the size of the thread pool for the sessions to come."""
        cls.threads = threads

    @staticmethod
    def versions() -> dict[str, str]:
        """Return the version."""
        return {"onnxruntime": onnxruntime.__version__}

    def __init__(self, case: cases.Case, x: np.ndarray, y: np.ndarray, weights: cases.Weights):
        if not case.predict:
            raise NotImplementedError("it predicts only")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        self.session = onnxruntime.InferenceSession(
            graph(case, weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.outputs = case.widths[-1]

    def predictors(self, x: np.ndarray) -> list[Callable[[], np.ndarray]]:
        """Return an array from an array, and into a buffer that is bound once as the input is."""
        names, feed = ["y"], {"x": x}
        out = np.empty((len(x), self.outputs), np.float32)
        binding = self.session.io_binding()
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        bound = onnxruntime.OrtValue.ortvalue_from_numpy(out)
        binding.bind_ortvalue_output("y", bound)

        def run_bound() -> onnxruntime.OrtValue:
            self.session.run_with_iobinding(binding)
            return bound

        return [lambda: self.session.run(names, feed)[0], run_bound]

    def as_numpy(self, outputs: np.ndarray | onnxruntime.OrtValue) -> np.ndarray:
        """Return the outputs as an array."""
        return outputs if isinstance(outputs, np.ndarray) else outputs.numpy()


if __name__ == "__main__":
    worker.main(Peer)
