# SPDX-License-Identifier: Apache-2.0
"""Adam and its kin: steps from running means of the gradient and of its square.

g is the gradient of a weight w, η the learning rate, t the number of the update.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._base import Optimizer, Options, Rate, SharedOptions, arguments

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Adam(Optimizer, entry="adam"):
    """Steps from running means of g and g**2, both corrected for their start at 0.

    D. P. Kingma and J. Ba (2015), arXiv:1412.6980, in the form that Keras computes.

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    beta_1, beta_2 : float
        In [0, 1): memory of the running means of g and of g**2.
    epsilon : float
        Keeps the division finite.
    amsgrad : bool
        Divide by the largest running mean of g**2 so far (Reddi et al., 2018).
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Adam(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.9, 2.1])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad


class AdamW(Optimizer, entry="adamw"):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019).

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    weight_decay : float
        Before each update, w -= η weight_decay w.
    beta_1, beta_2 : float
        In [0, 1): memory of the running means of g and of g**2.
    epsilon : float
        Keeps the division finite.
    amsgrad : bool
        Divide by the largest running mean of g**2 so far (Reddi et al., 2018).
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.AdamW(0.1, weight_decay=0.01), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.899, 2.098])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        **options: Unpack[SharedOptions],
    ) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad


class Adamax(Optimizer, entry="adamax"):
    """Adam with the largest gradient in place of the mean of squares (Kingma and Ba, 2015).

    Parameters
    ----------
    learning_rate : float or schedule
        η, at least 0; or a schedule.
    beta_1, beta_2 : float
        In [0, 1): memory of the mean of g and of the largest ``abs(g)``.
    epsilon : float
        Keeps the division finite.
    **options
        See `Optimizer`.

    Examples
    --------
    >>> from laminar import optimizers
    >>> import numpy as np
    >>> optimizer, w = optimizers.Adamax(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.9, 2.1])
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


class Nadam(Optimizer, entry="nadam"):
    """Adam with Nesterov momentum (Dozat, 2016).

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
    >>> optimizer, w = optimizers.Nadam(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.8937, 2.1063])
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


class RAdam(Optimizer, entry="radam"):
    """Adam that starts with plain momentum and trusts g**2 as it learns it (Liu et al., 2020).

    arXiv:1908.03265. Arguments as in PyTorch; Keras does not have it.

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
    >>> optimizer, w = optimizers.RAdam(0.1), np.array([1.0, 2.0])
    >>> optimizer.apply([np.array([0.5, -0.5])], [w])
    >>> w.round(4)
    array([0.95, 2.05])
    """

    @arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        **options: Unpack[Options],
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
