# SPDX-License-Identifier: Apache-2.0
"""Optimizers that follow the gradient, its running square or its sign.

g is the gradient of a weight w, η the learning rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._base import Optimizer, Options, Rate, arguments

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SGD(Optimizer, entry="sgd"):
    """Gradient descent, w -= η g; with momentum v = momentum * v - η g and w += v.

    With ``nesterov`` the update is w += momentum * v - η g, v being updated first.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    momentum : float
        In [0, 1).
    nesterov : bool
        Look ahead along the momentum (Sutskever et al., 2013).
    dampening : float
        Factor on g, in [0, 1]. With 1 - momentum v is a running average of gradients.
        (PyTorch's argument of this name is 1 minus this factor.)
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.SGD(0.1, momentum=0.9), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.95, 2.05])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        dampening: float = 1.0,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.dampening = dampening


class RMSprop(Optimizer, entry="rmsprop"):
    """Steps divided by the root of a running mean of squares (Tieleman and Hinton, 2012).

    s = rho * s + (1 - rho) g**2, then w -= η g / sqrt(s + epsilon).

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    rho : float
        In [0, 1): memory of the running mean.
    momentum : float
        In [0, 1): accumulates the steps.
    epsilon : float
        Keeps the division finite.
    centered : bool
        Subtract the square of the running mean of g from s.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.RMSprop(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.6838, 2.3162])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered


class Adagrad(Optimizer, entry="adagrad"):
    """Steps divided by the root of the sum of all squares (Duchi, Hazan and Singer, 2011).

    s += g**2, then w -= η g / sqrt(s + epsilon).

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    initial_accumulator_value : float
        s at the start.
    epsilon : float
        Keeps the division finite.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Adagrad(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.9155, 2.0845])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-07,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon


class Adadelta(Optimizer, entry="adadelta"):
    """Steps as long as the last ones, through the root of the mean of squares (Zeiler, 2012).

    d = sqrt(u + epsilon) / sqrt(s + epsilon) * g and w -= η d, where s and u are running means
    of g**2 and d**2. Not the same as `RMSprop`: u carries the unit of w.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    rho : float
        In [0, 1): memory of the running means.
    epsilon : float
        Keeps the division finite.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Adadelta(1.0), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.9986, 2.0014])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-07,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.rho = rho
        self.epsilon = epsilon


class Ftrl(Optimizer, entry="ftrl"):
    """Follow the regularized leader (McMahan et al., 2013), for sparse weights.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    learning_rate_power : float
        Not greater than 0: how the rate falls with the sum of squares.
    initial_accumulator_value : float
        The sum of squares at the start.
    l1_regularization_strength, l2_regularization_strength : float
        Penalties; the first makes weights exactly 0.
    l2_shrinkage_regularization_strength : float
        A penalty on the gradient's side.
    beta : float
        Added to the root of the sum of squares.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Ftrl(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.381 , 1.0155])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta


class Lion(Optimizer, entry="lion"):
    """Steps of one length along the sign of a mean of gradients (Chen et al., 2023).

    w -= η sign(beta_1 m + (1 - beta_1) g), then m = beta_2 m + (1 - beta_2) g.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    beta_1, beta_2 : float
        In [0, 1): share of the mean in the step, and memory of the mean.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Lion(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.9, 2.1])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2


class Rprop(Optimizer, entry="rprop"):
    """A step length for each weight, from the gradient's sign alone (Riedmiller and Braun, 1993).

    For gradients of all rows at once: the noise of small batches turns signs. Arguments as in
    PyTorch; Keras does not have it.

    Parameters
    ----------
    learning_rate : float or schedule
        The first step length; a schedule gives that of its first step.
    eta_minus, eta_plus : float
        Factors on the step length where the gradient's sign turns, and where it stays.
    step_min, step_max : float
        Bounds of the step length.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Rprop(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.9, 2.1])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.01,
        eta_minus: float = 0.5,
        eta_plus: float = 1.2,
        step_min: float = 1e-06,
        step_max: float = 50.0,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.eta_minus = eta_minus
        self.eta_plus = eta_plus
        self.step_min = step_min
        self.step_max = step_max
