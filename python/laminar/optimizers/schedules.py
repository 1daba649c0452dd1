# SPDX-License-Identifier: Apache-2.0
"""Learning rates as functions of the step, to be given to an optimizer as its learning rate.

The core computes them. ``schedule(step)`` is the rate of the update that ``step`` updates precede.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _component, _core
from .._component import Component
from .._spelling import keywords, module_names

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseSquareRootDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "LinearWarmup",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "get",
    "serialize",
]

P = ParamSpec("P")


def arguments(init: Callable[P, None]) -> Callable[P, None]:
    """Decorate the constructor of a schedule: arguments that do not fit each other are refused."""
    checked = keywords()(init)

    @functools.wraps(init)
    def construct(*args: P.args, **kwargs: P.kwargs) -> None:
        checked(*args, **kwargs)
        schedule: Any = args[0]
        schedule(0)

    return construct


class LearningRateSchedule(Component, family="schedule"):
    """Base of all schedules.

    For a function of your own use `laminar.callbacks.LearningRateScheduler`.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> rate = schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
    >>> isinstance(rate, schedules.LearningRateSchedule)
    True
    >>> rate([0, 100, 200])
    array([0.1  , 0.05 , 0.025])
    """

    def __call__(self, step: ArrayLike) -> float | NDArray[np.float64]:
        """Return the learning rate at a step, or at each of several.

        Parameters
        ----------
        step : int or array of int
            At least 0, the number of updates made before.
        """
        steps = np.asarray(step)
        if steps.size and not np.issubdtype(steps.dtype, np.integer):
            raise TypeError(f"{type(self).__name__}: step must be an integer, got {step!r}")
        rates = _core.schedule_rates(
            json.dumps(self._spec()), np.require(steps.reshape(-1), np.int64, ["C", "A"])
        ).reshape(steps.shape)
        return float(rates) if steps.ndim == 0 else rates


class InverseTimeDecay(LearningRateSchedule, entry="inverse_time_decay"):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps).

    Parameters
    ----------
    initial_learning_rate : float
        The first rate.
    decay_steps : float
        The unit of time.
    decay_rate : float
        At least 0.
    staircase : bool
        Use the whole part of step / decay_steps.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.001)([0, 1000, 4000]).round(6)
    array([0.1 , 0.05, 0.02])
    """

    @arguments
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase


class ExponentialDecay(LearningRateSchedule, entry="exponential_decay"):
    """initial_learning_rate * decay_rate ** (step / decay_steps).

    Parameters
    ----------
    initial_learning_rate : float
        The first rate.
    decay_steps : float
        Steps in which the rate takes the factor decay_rate.
    decay_rate : float
        At least 0.
    staircase : bool
        Use the whole part of step / decay_steps.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)([0, 100, 200])
    array([0.1  , 0.05 , 0.025])
    """

    @arguments
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase


class PiecewiseConstantDecay(LearningRateSchedule, entry="piecewise_constant_decay"):
    """values[i] up to and including step boundaries[i], after the last one values[-1].

    Parameters
    ----------
    boundaries : sequence of float
        Increasing steps.
    values : sequence of float
        Rates, one more than boundaries.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])([100, 101, 201])
    array([0.1  , 0.01 , 0.001])
    """

    @arguments
    def __init__(self, boundaries: Sequence[float], values: Sequence[float]) -> None:
        self.boundaries = boundaries
        self.values = values


class PolynomialDecay(LearningRateSchedule, entry="polynomial_decay"):
    """(initial - end) * (1 - step / decay_steps) ** power + end, then end.

    Parameters
    ----------
    initial_learning_rate : float
        The first rate.
    decay_steps : float
        Steps to the end.
    end_learning_rate : float
        The last rate.
    power : float
        1 is a line.
    cycle : bool
        Instead of stopping, stretch decay_steps to its next multiple.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.PolynomialDecay(0.1, decay_steps=100, end_learning_rate=0.0)([0, 50, 200])
    array([0.1 , 0.05, 0.  ])
    """

    @arguments
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle


class CosineDecay(LearningRateSchedule, entry="cosine_decay"):
    """Half a cosine wave down to the share alpha (Loshchilov and Hutter, 2017), after a warm-up.

    Parameters
    ----------
    initial_learning_rate : float
        The first rate.
    decay_steps : float
        Steps of the half wave.
    alpha : float
        The last rate as a share of the highest.
    warmup_target : float, optional
        The rate after the warm-up, from which the wave starts; without it there is none.
    warmup_steps : int
        Steps in which the rate rises in a line.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.CosineDecay(0.1, decay_steps=100)([0, 50, 100, 500]).round(6)
    array([0.1 , 0.05, 0.  , 0.  ])
    """

    @arguments
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps


class CosineDecayRestarts(LearningRateSchedule, entry="cosine_decay_restarts"):
    """Half cosine waves, one after the other (Loshchilov and Hutter, 2017).

    Parameters
    ----------
    initial_learning_rate : float
        The first rate.
    first_decay_steps : float
        Steps of the first wave.
    t_mul, m_mul : float
        Length and height of a wave as multiples of the one before.
    alpha : float
        The lowest rate as a share of the first.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.CosineDecayRestarts(0.1, first_decay_steps=100)([0, 50, 100, 200]).round(6)
    array([0.1 , 0.05, 0.1 , 0.05])
    """

    @arguments
    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha


class OneCycle(LearningRateSchedule, entry="one_cycle"):
    """Up to max_lr and down again, once (Smith and Topin, 2018); as PyTorch's OneCycleLR.

    Parameters
    ----------
    max_lr : float
        The highest rate.
    total_steps : int
        Steps of the cycle; after it the last rate stays.
    pct_start : float
        Share of the steps that lead up.
    anneal_strategy : {"cos", "linear"}
        The shape.
    div_factor : float
        The first rate is max_lr / div_factor, …
    final_div_factor : float
        … the last one that divided by this.
    three_phase : bool
        Come down in as many steps as went up, and to the last rate in the rest.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.OneCycle(0.1, total_steps=100)([0, 29, 99]).round(6)
    array([0.004, 0.1  , 0.   ])
    """

    @arguments
    def __init__(
        self,
        max_lr: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
    ) -> None:
        self.max_lr = max_lr
        self.total_steps = total_steps
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.three_phase = three_phase


class InverseSquareRootDecay(LearningRateSchedule, entry="inverse_square_root_decay"):
    """peak * min(t / warmup_steps, sqrt(warmup_steps / t)) with t = step + 1.

    A. Vaswani et al. (2017), arXiv:1706.03762, section 5.3.

    Parameters
    ----------
    peak_learning_rate : float
        The highest rate.
    warmup_steps : int
        Steps in which it is reached.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.InverseSquareRootDecay(0.1, warmup_steps=100)([0, 99, 399]).round(6)
    array([0.001, 0.1  , 0.05 ])
    """

    @arguments
    def __init__(self, peak_learning_rate: float, warmup_steps: int = 4000) -> None:
        self.peak_learning_rate = peak_learning_rate
        self.warmup_steps = warmup_steps


class LinearWarmup(LearningRateSchedule, entry="linear_warmup"):
    """From initial to target in a line, then target (Goyal et al., 2017, arXiv:1706.02677).

    Parameters
    ----------
    target_learning_rate : float
        The rate after the warm-up.
    warmup_steps : int
        Its steps.
    initial_learning_rate : float
        The first rate.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> schedules.LinearWarmup(0.1, warmup_steps=100)([0, 50, 100, 500])
    array([0.  , 0.05, 0.1 , 0.1 ])
    """

    @arguments
    def __init__(
        self, target_learning_rate: float, warmup_steps: int, initial_learning_rate: float = 0.0
    ) -> None:
        self.target_learning_rate = target_learning_rate
        self.warmup_steps = warmup_steps
        self.initial_learning_rate = initial_learning_rate


Identifier: TypeAlias = "Mapping[str, Any] | LearningRateSchedule"


def get(identifier: Identifier) -> LearningRateSchedule:
    """Return the schedule of a configuration; an object is returned as it is.

    Parameters
    ----------
    identifier : mapping or LearningRateSchedule
        ``{"name": "cosine_decay", "initial_learning_rate": 0.1, "decay_steps": 1000}`` or Keras's
        ``{"class_name": "CosineDecay", "config": {…}}``.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> written = {"name": "linear_warmup", "target_learning_rate": 0.1, "warmup_steps": 100}
    >>> schedules.get(written)(50)
    0.05
    """
    return _component.get(LearningRateSchedule, identifier)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return a schedule as what JSON can carry.

    Parameters
    ----------
    learning_rate_schedule : LearningRateSchedule
        `deserialize` makes an equal one of the result.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> written = schedules.serialize(schedules.LinearWarmup(0.1, warmup_steps=100))
    >>> written["class_name"]
    'LinearWarmup'
    >>> written["config"]["warmup_steps"]
    100
    """
    return {
        "class_name": type(learning_rate_schedule).__name__,
        "config": learning_rate_schedule.get_config(),
    }


def deserialize(config: Mapping[str, Any]) -> LearningRateSchedule:
    """Return the schedule of a configuration.

    Parameters
    ----------
    config : mapping
        What `serialize` returned.

    Examples
    --------
    >>> from laminar.optimizers import schedules
    >>> written = schedules.serialize(schedules.LinearWarmup(0.1, warmup_steps=100))
    >>> schedules.deserialize(written)(50)
    0.05
    """
    return get(config)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
