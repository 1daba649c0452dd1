# SPDX-License-Identifier: Apache-2.0
"""Physics-informed networks beside PyTorch's: `python bench/physics.py`.

Trains the recipes' networks for u'' + u = 0 and for the heat equation in laminar and PyTorch: the
same initial weights, points, batches, optimizer and number of steps, on one thread. laminar has the
derivatives in a layer, which `fit` trains ("laminar"), or takes them with tapes in a loop ("loop");
PyTorch's users write such a loop. First all must have the same loss after 20 steps. Each figure is
the processor's time in a fresh process that trains to the end; they take turns, every other round
backwards. The ratio is the median of the rounds' ratios.
"""

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "examples" / "recipes"))

import physics_heat
import physics_ode
from torch_stack import torch_stack

import laminar

RATE, CHECKED = 5e-3, 20
KINDS = ("laminar", "loop", "torch")


class Oscillation:
    """u'' + u = 0."""

    layer, epochs, batch = physics_ode.Oscillation, physics_ode.EPOCHS, physics_ode.BATCH
    points = np.linspace(0, physics_ode.END, 128).reshape(-1, 1)
    tested = np.linspace(0, physics_ode.END, 1001).reshape(-1, 1)
    exact = np.sin(tested[:, 0])

    @staticmethod
    def u(columns: list[Any], network: Any, functions: Any) -> Any:
        """Return the solution that a network stands for."""
        (t,) = columns
        start = functions.tanh(t)
        return start + start**2 * network(2 * t / physics_ode.END - 1)

    @staticmethod
    def residual(u: Any, columns: list[Any], slopes: Callable[..., list[Any]]) -> Any:
        """Return what is left of the equation."""
        (t,) = columns
        (first,) = slopes(u, [t])
        (second,) = slopes(first, [t])
        return second + u


class Rod:
    """The heat equation."""

    layer, epochs, batch = physics_heat.Rod, physics_heat.EPOCHS, physics_heat.BATCH
    points = np.random.default_rng(3).uniform(size=(physics_heat.POINTS, 2))
    tested = np.stack(np.meshgrid(*2 * [np.linspace(0, 1, 51)]), axis=-1).reshape(-1, 2)
    exact = np.exp(-physics_heat.D * np.pi**2 * tested[:, 1]) * np.sin(np.pi * tested[:, 0])

    @staticmethod
    def u(columns: list[Any], network: Any, functions: Any) -> Any:
        """Return the solution that a network stands for."""
        x, t = columns
        hidden = network(2 * functions.concatenate([x, t], 1) - 1)
        return functions.sin(np.pi * x) + t * x * (1 - x) * hidden

    @staticmethod
    def residual(u: Any, columns: list[Any], slopes: Callable[..., list[Any]]) -> Any:
        """Return what is left of the equation."""
        x, t = columns
        by_x, by_t = slopes(u, [x, t])
        (second,) = slopes(by_x, [x])
        return by_t - physics_heat.D * second


EQUATIONS: dict[str, Any] = {"u'' + u = 0": Oscillation, "heat equation": Rod}


class Laminar:
    """The recipe: a layer, trained by fit."""

    def __init__(self, equation: Any, weights: list[np.ndarray], steps: int):
        self.equation = equation
        rate = laminar.optimizers.schedules.CosineDecay(RATE, steps)
        inputs = laminar.Input(equation.points.shape[1:])
        self.model = laminar.Sequential([inputs, equation.layer()], seed=1)
        self.model.set_weights(weights)
        self.model.compile(laminar.optimizers.Adam(rate), loss=physics_ode.residual)

    def fit(self, points: np.ndarray, epochs: int) -> None:
        """Train, in the order of the points."""
        none, batch = np.zeros(len(points)), self.equation.batch
        self.model.fit(points, none, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)

    def outputs(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the solution and the residual."""
        return tuple(self.model.predict(points).T)


class Loop:
    """A loop with tapes within a tape."""

    def __init__(self, equation: Any, weights: list[np.ndarray], steps: int):
        layers = laminar.layers
        self.equation = equation
        parts = [layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(1)]
        inputs = laminar.Input(equation.points.shape[1:])
        self.network = laminar.Sequential([inputs, *parts], seed=1)
        self.network.set_weights(weights)
        rate = laminar.optimizers.schedules.CosineDecay(RATE, steps)
        self.optimizer = laminar.optimizers.Adam(rate)

    def parts(self, points: np.ndarray) -> tuple[Any, Any]:
        """Return the solution and the residual, as tensors."""
        rows = points.astype(np.float32)
        columns = [laminar.ops.convert_to_tensor(rows[:, i : i + 1]) for i in range(rows.shape[1])]
        with laminar.GradientTape(persistent=True) as tape:
            tape.watch(columns)
            u = self.equation.u(columns, self.network, laminar.ops)
            return u, self.equation.residual(u, columns, tape.gradient)

    def fit(self, points: np.ndarray, epochs: int) -> None:
        """Train, in the order of the points."""
        batches = np.split(points, range(self.equation.batch, len(points), self.equation.batch))
        weights = self.network.trainable_variables
        for _ in range(epochs):
            for batch in batches:
                with laminar.GradientTape() as tape:
                    loss = laminar.ops.mean(laminar.ops.square(self.parts(batch)[1]))
                gradients = tape.gradient(loss, weights)
                self.optimizer.apply_gradients(zip(gradients, weights, strict=True))

    def outputs(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the solution and the residual."""
        u, residual = self.parts(points)
        return u.numpy()[:, 0], residual.numpy()[:, 0]


class Torch:
    """The loop that PyTorch's users write."""

    def __init__(self, equation: Any, weights: list[np.ndarray], steps: int):
        import torch

        self.equation, self.torch = equation, torch
        self.network = torch_stack(weights, "Tanh")
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE, eps=1e-7)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)

    def slopes(self, y: Any, sources: list[Any]) -> Any:
        """Return the slopes, which can be differentiated once more."""
        return self.torch.autograd.grad(y, sources, self.torch.ones_like(y), create_graph=True)

    def parts(self, tensor: Any) -> tuple[Any, Any]:
        """Return the solution and the residual, as tensors."""
        columns = [column.requires_grad_() for column in tensor.split(1, dim=1)]
        u = self.equation.u(columns, self.network, self.torch)
        return u, self.equation.residual(u, columns, self.slopes)

    def fit(self, points: np.ndarray, epochs: int) -> None:
        """Train, in the order of the points."""
        batches = self.torch.from_numpy(points.astype(np.float32)).split(self.equation.batch)
        for _ in range(epochs):
            for batch in batches:
                self.optimizer.zero_grad()
                loss = self.parts(batch)[1].square().mean()
                loss.backward()
                self.optimizer.step()
                self.schedule.step()

    def outputs(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the solution and the residual."""
        u, residual = self.parts(self.torch.from_numpy(points.astype(np.float32)))
        return u.detach().numpy()[:, 0], residual.detach().numpy()[:, 0]


def measure(kind: str, name: str) -> dict[str, float]:
    """Return the loss after some steps, seconds per step and the error at the end."""
    laminar.set_num_threads(1)
    if kind == "torch":
        import torch

        torch.set_num_threads(1)
    equation = EQUATIONS[name]
    steps = equation.epochs * len(equation.points) // equation.batch
    inputs = laminar.Input(equation.points.shape[1:])
    weights = laminar.Sequential([inputs, equation.layer()], seed=1).get_weights()
    rival = {"laminar": Laminar, "loop": Loop, "torch": Torch}[kind]
    first = rival(equation, weights, steps)  # which also warms up
    first.fit(np.tile(equation.points, (CHECKED, 1))[: CHECKED * equation.batch], 1)
    loss = float(np.mean(np.square(first.outputs(equation.points)[1])))
    trained = rival(equation, weights, steps)
    start = time.process_time()
    trained.fit(equation.points, equation.epochs)
    seconds = (time.process_time() - start) / steps
    u, _ = trained.outputs(equation.tested)
    error = float(np.linalg.norm(u - equation.exact) / np.linalg.norm(equation.exact))
    return {"loss": loss, "seconds": seconds, "error": error}


def measured_apart(kind: str, name: str) -> dict[str, float]:
    """Return the same from a process of its own, on one processor."""
    processor = sorted(os.sched_getaffinity(0))[-1]
    finished = subprocess.run(
        [sys.executable, __file__, "--measure", kind, "--equation", name],
        check=True,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {processor}),
    )
    result: dict[str, float] = json.loads(finished.stdout)
    return result


def spread(numbers: list[float], form: str) -> str:
    """Return the median and the range."""
    low, high = min(numbers), max(numbers)
    return f"{statistics.median(numbers):{form}} ({low:{form}}-{high:{form}})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes per figure")
    parser.add_argument("--equation", choices=EQUATIONS)
    parser.add_argument("--measure", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.equation)))
        return
    kinds = [kind for kind in KINDS if kind != "torch" or importlib.util.find_spec("torch")]
    print("microseconds per step: median (lowest-highest); error: of u, relative\n")
    print("| equation | rival | time | its time / laminar's | error |\n|---|---|---|---|---|")
    for name in [arguments.equation] if arguments.equation else EQUATIONS:
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        for r in range(arguments.rounds):
            for kind in kinds if r % 2 == 0 else reversed(kinds):
                found[kind].append(measured_apart(kind, name))
        right = found["laminar"][0]["loss"]
        for kind, results in found.items():
            if not math.isclose(results[0]["loss"], right, rel_tol=1e-3):
                raise SystemExit(f"{name}: {kind}'s loss is {results[0]['loss']}, not {right}")
            times = [1e6 * result["seconds"] for result in results]
            ratios = [
                result["seconds"] / own["seconds"]
                for result, own in zip(results, found["laminar"], strict=True)
            ]
            cells = [name, kind, spread(times, ".0f"), spread(ratios, ".2f")]
            print(f"| {' | '.join(cells)} | {results[0]['error']:.1e} |", flush=True)


if __name__ == "__main__":
    main()
