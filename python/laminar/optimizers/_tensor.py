# SPDX-License-Identifier: Apache-2.0
"""Optimizers whose step of a weight depends on its whole tensor.

η is the learning rate, t the number of the update.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._base import Optimizer, Options, Rate, SharedOptions, arguments

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Lamb(Optimizer, entry="lamb"):
    """Adam with each tensor's step as long as its weights (You et al., 2020), for large batches.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    beta_1, beta_2 : float
        In [0, 1): memory of the running means of g and of g**2.
    epsilon : float
        Keeps the division finite.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Lamb(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.8419, 2.1581])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon


class Adafactor(Optimizer, entry="adafactor"):
    """Adam's squares as the product of means over rows and columns (Shazeer and Stern, 2018).

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule. No larger than 1 / sqrt(t) is used.
    beta_2_decay : float
        beta_2 is 1 - t**beta_2_decay.
    epsilon_1, epsilon_2 : float
        Least square of a gradient, and least length of a tensor.
    clip_threshold : float
        Longest root mean square of a step.
    relative_step : bool
        As in Keras without effect: the bound on η holds anyway.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Adafactor(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.8419, 2.1581])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step


class Muon(Optimizer, entry="muon"):
    """Momentum with all directions of a matrix made equally long (Jordan et al., 2024).

    Vectors and scalars are Adam's.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    adam_beta_1, adam_beta_2 : float
        For all that is no matrix: memory of Adam's means.
    adam_weight_decay : float
        For all that is no matrix: decay before each update.
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        For matrices: before each update, w -= η weight_decay w.
    exclude_embeddings : bool
        Adam for tensors with "embedding" in their name.
    muon_a, muon_b, muon_c : float
        Coefficients of the Newton-Schulz steps.
    adam_lr_ratio : float
        Adam's rate as a share of η.
    momentum : float
        In [0, 1).
    ns_steps : int
        Newton-Schulz steps.
    nesterov : bool
        Look ahead along the momentum.
    rms_rate : float
        The step is this times the root of the longer side.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Muon(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.8996, 2.0992])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-07,
        weight_decay: float = 0.004,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float = 0.2,
        **options: Unpack[SharedOptions],
    ) -> None:
        self.learning_rate = learning_rate
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate
