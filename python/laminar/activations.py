# SPDX-License-Identifier: Apache-2.0
"""Activation functions a = f(z), as objects that carry their arguments.

The names in small letters are ready-made objects with the default arguments, as Keras has
functions under these names: ``Dense(64, activation=activations.relu)``, ``activations.relu(z)``.
Formulas and slopes are computed by the core; the classes here are checked against its list by a
test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from . import _arrays, _component, _core
from ._component import Component
from ._spelling import keywords, module_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._types import Array
    from .layers.symbol import Symbol
    from .ops._held import Held, Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Exponential",
    "HardShrink",
    "HardSiLU",
    "HardSigmoid",
    "HardTanh",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "SoftShrink",
    "Softmax",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Sparsemax",
    "Squareplus",
    "Step",
    "Tanh",
    "TanhShrink",
    "Threshold",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "step",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


class Activation(Component, family="activation"):
    """Base of all activation functions: objects that are called on arrays.

    Examples
    --------
    >>> from laminar import activations
    >>> relu = activations.get("relu")
    >>> isinstance(relu, activations.Activation)
    True
    >>> relu([-1.0, 2.0])
    array([0., 2.])
    """

    _of_user = False

    @overload
    def __call__(self, x: Held, **arguments: Any) -> Tensor: ...

    @overload
    def __call__(self, x: Symbol, **arguments: Any) -> Symbol: ...

    @overload
    def __call__(self, x: float, **arguments: Any) -> np.floating[Any]: ...

    @overload
    def __call__(self, x: ArrayLike, **arguments: Any) -> Array: ...

    def __call__(self, x: Any, **arguments: Any) -> Any:
        """Return f(x).

        Parameters
        ----------
        x : array_like
            Real numbers in any shape and layout. Functions of rows, such as softmax, work along
            the last axis.
        **arguments
            Other values for this call than the object has: ``relu(x, max_value=6)``.

        Returns
        -------
        ndarray or scalar
            float64 for float64 and for Python's floats, else float32; in the shape of ``x``.
        """
        if getattr(x, "_symbolic", False):
            from .ops._activations import apply  # which few programs need

            return apply(x, type(self)(**{**self.get_config(), **arguments}))
        if arguments:
            return type(self)(**{**self.get_config(), **arguments})(x)
        rows, shape = self._rows(x, "x")
        return _core.activate(json.dumps(self._spec()), rows).reshape(shape)[()]

    @overload
    def gradient(self, x: float, d_a: float = 1.0) -> np.floating[Any]: ...

    @overload
    def gradient(self, x: ArrayLike, d_a: ArrayLike = 1.0) -> Array: ...

    def gradient(self, x: Any, d_a: Any = 1.0) -> Any:
        """Return the gradient with respect to x: d_a times f'(x) where f is elementwise.

        Parameters
        ----------
        x : array_like
            As in a call.
        d_a : array_like
            The gradient with respect to f(x), broadcast to its shape.

        Raises
        ------
        ValueError
            For `Step`, whose slope is useless.
        """
        rows, shape = self._rows(x, "x")
        upstream = np.broadcast_to(_arrays.tensor(d_a, "d_a", rows.dtype), shape)
        d_z = _core.activation_gradient(
            json.dumps(self._spec()), rows, np.array(upstream, order="C").reshape(rows.shape)
        )
        return d_z.reshape(shape)[()]

    def _rows(self, x: ArrayLike, name: str) -> tuple[NDArray[Any], tuple[int, ...]]:
        """Return ``x`` as rows of the core's kind, and the shape that it had."""
        kind = np.asarray(x).dtype
        dtype = np.float64 if kind.kind == "f" and kind.itemsize >= 8 else np.float32
        array = _arrays.tensor(x, name, np.dtype(dtype))
        width = array.shape[-1] if array.ndim else 1
        return array.reshape(-1 if array.size else 0, max(width, 1)), array.shape


class Linear(Activation, entry="linear"):
    """Identity, f(z) = z.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Linear()([-1.0, 2.0])
    array([-1.,  2.])
    """


class Step(Activation, entry="step"):
    """Rosenblatt's threshold, f(z) = 1 if z > 0 else 0.

    It has no useful slope: a model that contains it predicts, but refuses to be trained by
    gradient.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Step()([-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """


class Sigmoid(Activation, entry="sigmoid"):
    """Logistic function, f(z) = 1 / (1 + exp(-z)); its slope a (1 - a) is at most 0.25.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Sigmoid()([0.0, 2.0]).round(4)
    array([0.5   , 0.8808])
    """


class Tanh(Activation, entry="tanh"):
    """Hyperbolic tangent; its slope is 1 - a**2.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Tanh()([-1.0, 2.0]).round(4)
    array([-0.7616,  0.964 ])
    """


class ReLU(Activation, entry="relu"):
    """Rectified linear unit, f(z) = max(0, z); its slope at 0 is 0.

    With arguments, f(z) = min(z, max_value) if z > threshold, else
    negative_slope * (z - threshold).

    Parameters
    ----------
    negative_slope : float
        Slope at and below the threshold.
    max_value : float or None
        The largest value; None for no limit.
    threshold : float
        Where the function leaves the lower branch.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.ReLU(negative_slope=0.5, max_value=6.0)([-1.0, 2.0, 9.0])
    array([-0.5,  2. ,  6. ])
    """

    @keywords(alpha="negative_slope")
    def __init__(
        self,
        negative_slope: float = 0.0,
        max_value: float | None = None,
        threshold: float = 0.0,
    ) -> None:
        self.negative_slope = negative_slope
        self.max_value = max_value
        self.threshold = threshold


class LeakyReLU(Activation, entry="leaky_relu"):
    """Leaky rectified linear unit, f(z) = z if z >= 0 else negative_slope * z.

    Parameters
    ----------
    negative_slope : float
        Slope for z < 0. The default is Keras's for the function.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.LeakyReLU(0.25)([-1.0, 2.0])
    array([-0.25,  2.  ])
    """

    @keywords(alpha="negative_slope")
    def __init__(self, negative_slope: float = 0.2) -> None:
        self.negative_slope = negative_slope


class ELU(Activation, entry="elu"):
    """Exponential linear unit, f(z) = z if z > 0 else alpha * (exp(z) - 1).

    Clevert, Unterthiner and Hochreiter (2016), arXiv:1511.07289.

    Parameters
    ----------
    alpha : float
        The function tends to -alpha for very negative z.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.ELU()([-1.0, 2.0]).round(4)
    array([-0.6321,  2.    ])
    """

    @keywords()
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha


class SELU(Activation, entry="selu"):
    """Scaled exponential linear unit, f(z) = scale * elu(z, alpha).

    scale = 1.0507009873554805 and alpha = 1.6732632423543772 keep mean 0 and variance 1 from layer
    to layer. Klambauer et al. (2017), arXiv:1706.02515.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.SELU()([-1.0, 2.0]).round(4)
    array([-1.1113,  2.1014])
    """


class CELU(Activation, entry="celu"):
    """Continuous exponential linear unit, f(z) = z if z > 0 else alpha * (exp(z / alpha) - 1).

    Barron (2017), arXiv:1704.07483.

    Parameters
    ----------
    alpha : float
        The function tends to -alpha for very negative z.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.CELU(alpha=2.0)([-1.0, 2.0]).round(4)
    array([-0.7869,  2.    ])
    """

    @keywords()
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha


class GELU(Activation, entry="gelu"):
    """Gaussian error linear unit, f(z) = z * P(N <= z) for a standard normal N.

    Hendrycks and Gimpel (2016), arXiv:1606.08415.

    Parameters
    ----------
    approximate : bool
        Whether to compute 0.5 z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z**3))) instead.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.GELU()([-1.0, 2.0]).round(4)
    array([-0.1587,  1.9545])
    >>> activations.GELU(approximate=True)([-1.0, 2.0]).round(4)
    array([-0.1588,  1.9546])
    """

    @keywords()
    def __init__(self, approximate: bool = False) -> None:
        self.approximate = approximate


class Softplus(Activation, entry="softplus"):
    """Smooth ReLU, f(z) = log(1 + exp(z)); its slope is sigmoid(z).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Softplus()([-1.0, 2.0]).round(4)
    array([0.3133, 2.1269])
    """


class Softsign(Activation, entry="softsign"):
    """Softsign, f(z) = z / (1 + abs(z)).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Softsign()([-1.0, 3.0])
    array([-0.5 ,  0.75])
    """


class SiLU(Activation, entry="silu"):
    """Swish, the self-gated f(z) = z * sigmoid(z). Ramachandran et al. (2017), arXiv:1710.05941.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.SiLU()([-1.0, 2.0]).round(4)
    array([-0.2689,  1.7616])
    """


class Mish(Activation, entry="mish"):
    """Mish, f(z) = z * tanh(softplus(z)). Misra (2019), arXiv:1908.08681.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Mish()([-1.0, 2.0]).round(4)
    array([-0.3034,  1.944 ])
    """


class Exponential(Activation, entry="exponential"):
    """Exponential, f(z) = exp(z).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Exponential()([0.0, 1.0]).round(4)
    array([1.    , 2.7183])
    """


class HardSigmoid(Activation, entry="hard_sigmoid"):
    """Piecewise linear sigmoid, f(z) = z / 6 + 0.5 between 0 and 1.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.HardSigmoid()([-4.0, 0.0, 1.5])
    array([0.  , 0.5 , 0.75])
    """


class HardTanh(Activation, entry="hard_tanh"):
    """Piecewise linear tanh, f(z) = z between -1 and 1.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.HardTanh()([-4.0, 0.5, 4.0])
    array([-1. ,  0.5,  1. ])
    """


class HardSiLU(Activation, entry="hard_silu"):
    """Piecewise quadratic swish, f(z) = z * hard_sigmoid(z).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.HardSiLU()([-4.0, 0.0, 1.5])
    array([-0.   ,  0.   ,  1.125])
    """


class ReLU6(Activation, entry="relu6"):
    """ReLU that ends at 6, f(z) = min(max(0, z), 6).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.ReLU6()([-1.0, 2.0, 9.0])
    array([0., 2., 6.])
    """


class LogSigmoid(Activation, entry="log_sigmoid"):
    """Logarithm of the sigmoid, f(z) = -log(1 + exp(-z)).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.LogSigmoid()([-1.0, 2.0]).round(4)
    array([-1.3133, -0.1269])
    """


class TanhShrink(Activation, entry="tanh_shrink"):
    """f(z) = z - tanh(z).

    Examples
    --------
    >>> from laminar import activations
    >>> activations.TanhShrink()([-1.0, 2.0]).round(4)
    array([-0.2384,  1.036 ])
    """


class HardShrink(Activation, entry="hard_shrink"):
    """f(z) = z if abs(z) > threshold else 0.

    Parameters
    ----------
    threshold : float
        Values up to it become 0.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.HardShrink(0.5)([-1.0, 0.25, 2.0])
    array([-1.,  0.,  2.])
    """

    @keywords()
    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold


class SoftShrink(Activation, entry="soft_shrink"):
    """f(z) = z moved towards 0 by the threshold, at most to 0.

    Parameters
    ----------
    threshold : float
        How far values are moved.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.SoftShrink(0.5)([-1.0, 0.25, 2.0])
    array([-0.5,  0. ,  1.5])
    """

    @keywords()
    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold


class Squareplus(Activation, entry="squareplus"):
    """Smooth ReLU without exponentials, f(z) = (z + sqrt(z**2 + b)) / 2.

    Barron (2021), arXiv:2112.11687.

    Parameters
    ----------
    b : float
        Roundness of the bend at 0.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Squareplus()([-1.5, 0.0, 1.5])
    array([0.5, 1. , 2. ])
    """

    @keywords()
    def __init__(self, b: float = 4.0) -> None:
        self.b = b


class SparsePlus(Activation, entry="sparse_plus"):
    """f(z) = 0 if z <= -1, (z + 1)**2 / 4 if z < 1, else z.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.SparsePlus()([-2.0, 0.0, 2.0])
    array([0.  , 0.25, 2.  ])
    """


class SparseSigmoid(Activation, entry="sparse_sigmoid"):
    """f(z) = (z + 1) / 2 between 0 and 1.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.SparseSigmoid()([-2.0, 0.5, 2.0])
    array([0.  , 0.75, 1.  ])
    """


class Threshold(Activation, entry="threshold"):
    """f(z) = z if z > threshold else default_value.

    Parameters
    ----------
    threshold : float
        Values above it stay.
    default_value : float
        What the others become.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Threshold(1.0, 0.25)([0.5, 2.0])
    array([0.25, 2.  ])
    """

    @keywords()
    def __init__(self, threshold: float = 0.0, default_value: float = 0.0) -> None:
        self.threshold = threshold
        self.default_value = default_value


class Softmax(Activation, entry="softmax"):
    """Softmax along the last axis, f(z)_j = exp(z_j) / sum_k exp(z_k), by max-shift.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Softmax()([[0.0, 1.0, 2.0]]).round(4)
    array([[0.09  , 0.2447, 0.6652]])
    """


class LogSoftmax(Activation, entry="log_softmax"):
    """Logarithm of the softmax along the last axis.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.LogSoftmax()([[0.0, 1.0, 2.0]]).round(4)
    array([[-2.4076, -1.4076, -0.4076]])
    """


class Sparsemax(Activation, entry="sparsemax"):
    """Projection of the last axis onto the probability simplex: many values are exactly 0.

    Martins and Astudillo (2016), arXiv:1602.02068.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.Sparsemax()([[0.0, 1.0, 1.5]])
    array([[0.  , 0.25, 0.75]])
    """


linear = Linear()
step = Step()
sigmoid = Sigmoid()
tanh = Tanh()
relu = ReLU()
leaky_relu = LeakyReLU()
elu = ELU()
selu = SELU()
celu = CELU()
gelu = GELU()
softplus = Softplus()
softsign = Softsign()
silu = SiLU()
mish = Mish()
exponential = Exponential()
hard_sigmoid = HardSigmoid()
hard_tanh = HardTanh()
hard_silu = HardSiLU()
relu6 = ReLU6()
log_sigmoid = LogSigmoid()
tanh_shrink = TanhShrink()
hard_shrink = HardShrink()
soft_shrink = SoftShrink()
squareplus = Squareplus()
sparse_plus = SparsePlus()
sparse_sigmoid = SparseSigmoid()
threshold = Threshold()
softmax = Softmax()
log_softmax = LogSoftmax()
sparsemax = Sparsemax()
hard_swish = hard_silu
swish = silu
for _ready in list(globals().values()):
    if isinstance(_ready, Activation):
        _ready._fix()  # it is everybody's

Identifier: TypeAlias = (
    "str | Mapping[str, Any] | type[Activation] | Activation | Callable[[Any], Any] | None"
)


class Function(Activation):
    """A function of the user's own, written in `laminar.ops`.

    The layer that has it becomes a program of operations, which files hold.

    Parameters
    ----------
    function : callable
        Takes a batch and returns one of the same shape.
    """

    _of_user = True

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, x: Any, **arguments: Any) -> Any:
        """Return what the function makes of values."""
        return self._function(x, **arguments)

    def get_config(self) -> dict[str, Any]:
        """Refuse: a function cannot be written down."""
        raise TypeError(f"{self!r} has no configuration, as it is a function of Python's")

    def _spec(self) -> dict[str, Any]:
        return self.get_config()

    def __repr__(self) -> str:
        return f"<activation {getattr(self._function, '__name__', 'function')}>"


def get(identifier: Identifier) -> Activation:
    """Return the activation that a user named.

    Parameters
    ----------
    identifier : str, mapping, Activation, callable or None
        A name such as ``"relu"``, a configuration ``{"name": "elu", "alpha": 0.5}``, an object
        (returned as it is), a function that is written in `laminar.ops`, or None for `Linear`.

    Raises
    ------
    TypeError, ValueError
        Where there is no such activation; the message names the nearest one.

    Examples
    --------
    >>> from laminar import activations
    >>> activations.get("elu")
    ELU(alpha=1.0)
    >>> activations.get({"name": "elu", "alpha": 0.5})
    ELU(alpha=0.5)
    """
    if identifier is None:
        return Linear()
    if callable(identifier) and not isinstance(identifier, (Activation, type)):
        return Function(identifier)
    return _component.get(Activation, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
