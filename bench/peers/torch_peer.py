# SPDX-License-Identifier: Apache-2.0
"""PyTorch: the plain eager loop that its users write, on tensors that are there already.

Predictions are of the module or of its trace, whichever is faster.
"""

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

import cases
import graphs
import own
import worker

ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
OUTPUTS: dict[str, Callable[[], torch.nn.Module]] = {
    "binary": torch.nn.Sigmoid,
    "categorical": lambda: torch.nn.Softmax(dim=1),
    **dict.fromkeys(("mse", *own.LOSSES), torch.nn.Identity),
}
LOSSES: dict[str, Callable[[], Callable[..., torch.Tensor]]] = {
    "binary": torch.nn.BCEWithLogitsLoss,
    "categorical": torch.nn.CrossEntropyLoss,
    "mse": torch.nn.MSELoss,
    "cox": lambda: lambda risk, y: own.cox(y, risk, OWN).mean(),
    "mixture": lambda: lambda out, y: own.mixture(y, out, OWN).mean(),
}

OPERATIONS = graphs.Operations(
    lambda x, w, b: torch.addmm(b, x, w),
    torch.relu,
    lambda table, rows: torch.nn.functional.embedding(rows, table),
    lambda parts: torch.cat(parts, dim=1),
)
OWN: Any = SimpleNamespace(
    **vars(torch)
    | {
        "dense": OPERATIONS.dense,
        "log_softmax": lambda x: torch.log_softmax(x, dim=-1),
        "logsumexp": lambda x, axis: torch.logsumexp(x, dim=axis),
        "transpose": torch.t,
    }
)


class Graph(torch.nn.Module):
    """A case of graphs.py or own.py, up to its logits."""

    def __init__(self, case: cases.Case, weights: cases.Weights):
        super().__init__()
        self.kind, self.network = case.graph, cases.network_of(case)
        self.operations = OWN if self.network is own else OPERATIONS
        self.w = torch.nn.ParameterList(torch.from_numpy(w.copy()) for w in weights)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        out: torch.Tensor = self.network.logits(self.kind, list(self.w), x, self.operations)
        return out


class Peer:
    """A torch.nn.Sequential with the case's weights; it ends in logits."""

    by_rows = False

    @staticmethod
    def set_threads(threads: int) -> None:
        """Set the size of torch's thread pool."""
        torch.set_num_threads(threads)

    @staticmethod
    def versions() -> dict[str, str]:
        """Return the version and the instruction set of its own kernels."""
        return {"torch": torch.__version__, "torch isa": torch.backends.cpu.get_cpu_capability()}

    def __init__(self, case: cases.Case, x: np.ndarray, y: np.ndarray, weights: cases.Weights):
        modules: list[torch.nn.Module] = []
        self.graph = case.graph
        for kernel, bias in () if case.graph else zip(weights[::2], weights[1::2], strict=True):
            linear = torch.nn.Linear(*kernel.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(kernel.T))
                linear.bias.copy_(torch.from_numpy(bias))
            modules += [linear, ACTIVATIONS[case.activation]()]
        self.model = Graph(case, weights) if case.graph else torch.nn.Sequential(*modules[:-1])
        self.with_output = torch.nn.Sequential(self.model, OUTPUTS[case.loss]())
        self.criterion = LOSSES[case.loss]()
        parameters = self.model.parameters()
        if case.optimizer == "adam":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(
                parameters,
                lr=cases.ADAM["learning_rate"],
                betas=(cases.ADAM["beta_1"], cases.ADAM["beta_2"]),
                eps=cases.ADAM["epsilon"],
            )
        else:
            self.optimizer = torch.optim.SGD(parameters, lr=cases.SGD["learning_rate"])
        self.batch = case.batch
        self.x = torch.from_numpy(x if x.dtype == np.float32 else x.astype(np.int64))
        self.y = torch.from_numpy(y if y.dtype == np.float32 else y.astype(np.int64))

    def fit(self, epochs: int) -> None:
        """Train."""
        for _ in range(epochs):
            for x, y in zip(self.x.split(self.batch), self.y.split(self.batch), strict=True):
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()

    def weights(self) -> cases.Weights:
        """Return the weights, kernels as (in, out)."""
        found = [p.detach().numpy() for p in self.model.parameters()]
        return found if self.graph else [w.T for w in found]

    def predictors(self, x: np.ndarray) -> list[Callable[[], torch.Tensor]]:
        """Return the module as it is, and as a frozen trace; x is a tensor already."""
        tensor = torch.from_numpy(x)
        self.with_output.eval()
        with warnings.catch_warnings():  # that tracing is going to be replaced
            warnings.simplefilter("ignore")
            traced = torch.jit.freeze(torch.jit.trace(self.with_output, tensor))

        def using(network: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[], torch.Tensor]:
            def predict() -> torch.Tensor:
                with torch.inference_mode():
                    return network(tensor)

            for _ in range(2):  # in which a trace is compiled
                predict()
            return predict

        return [using(self.with_output), using(traced)]

    def as_numpy(self, outputs: torch.Tensor) -> np.ndarray:
        """Return the outputs as an array."""
        return outputs.numpy()


if __name__ == "__main__":
    worker.main(Peer)
