# SPDX-License-Identifier: Apache-2.0
"""Initial values of weights, as objects that carry their arguments and as functions of a shape.

The core draws the numbers: a draw depends on the seed, the tensor and the index alone, so that
the same seed gives the same weights in C++ and in Python with any number of threads. ``fan_in``
and ``fan_out`` are the widths of a layer's input and output.

All random initializers take a ``seed``. Without one, a layer's weights come from its model's
seed, and a call draws anew each time (after `laminar.utils.set_random_seed`, in a fixed sequence).
With one, all tensors of one shape are equal, as in Keras.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from . import _arrays, _component, _core, _seed
from ._component import Component, integer
from ._spelling import keywords, module_names

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "InverseSqrtUniform",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "inverse_sqrt_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


class Initializer(Component, family="initializer"):
    """Base of all initializers.

    Examples
    --------
    >>> from laminar import initializers
    >>> initializers.get("zeros")((2,))
    array([0., 0.], dtype=float32)
    """

    _of_user = False

    @keywords()
    def __call__(self, shape: int | Sequence[int], dtype: DTypeLike = "float32") -> NDArray[Any]:
        """Return an array of initial values.

        Parameters
        ----------
        shape : tuple of int or int
            For two axes (fan_in, fan_out); a vector's one width is both, and the axes before the
            last two multiply both, as in Keras.
        dtype : {"float32", "float64"}
            float32 values are the rounded float64 ones.

        Returns
        -------
        ndarray
        """
        where = type(self).__name__
        extents = tuple(shape) if isinstance(shape, Sequence) else (shape,)
        extents = tuple(integer(extent, f"{where}: shape") for extent in extents)
        out = np.empty(extents, _arrays.float_type(dtype, f"{where}: dtype"))
        _core.initialize(json.dumps(self._spec()), _seed.next_seed(), out)
        return out


class Zeros(Initializer, entry="zeros"):
    """All values 0.

    Examples
    --------
    >>> from laminar import initializers
    >>> initializers.Zeros()((3,))
    array([0., 0., 0.], dtype=float32)
    """


class Ones(Initializer, entry="ones"):
    """All values 1.

    Examples
    --------
    >>> from laminar import initializers
    >>> initializers.Ones()((3,))
    array([1., 1., 1.], dtype=float32)
    """


class Constant(Initializer, entry="constant"):
    """All values the same.

    Parameters
    ----------
    value : float
        The value.

    Examples
    --------
    >>> from laminar import initializers
    >>> initializers.Constant(0.5)((3,))
    array([0.5, 0.5, 0.5], dtype=float32)
    """

    @keywords()
    def __init__(self, value: float = 0.0) -> None:
        self.value = value


class Identity(Initializer, entry="identity"):
    """``gain`` on the diagonal, 0 elsewhere; for tensors of two axes.

    Parameters
    ----------
    gain : float
        The value on the diagonal.

    Examples
    --------
    >>> from laminar import initializers
    >>> initializers.Identity(gain=2.0)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    @keywords()
    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain


class RandomNormal(Initializer, entry="random_normal"):
    """Normal, not truncated.

    Parameters
    ----------
    mean, stddev : float
        Mean and standard deviation.
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.RandomNormal(mean=1.0, stddev=0.1, seed=1)((100, 100))
    >>> round(float(drawn.mean()), 2), round(float(drawn.std()), 2)
    (1.0, 0.1)
    """

    @keywords()
    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed


class RandomUniform(Initializer, entry="random_uniform"):
    """Uniform on [minval, maxval).

    Parameters
    ----------
    minval, maxval : float
        The bounds.
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.RandomUniform(-0.5, 0.5, seed=1)((10, 10))
    >>> bool((abs(drawn) <= 0.5).all())
    True
    """

    @keywords()
    def __init__(
        self,
        minval: float = -0.05,
        maxval: float = 0.05,
        seed: int | None = None,
    ) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed


class TruncatedNormal(Initializer, entry="truncated_normal"):
    """Normal, cut two deviations from the mean.

    Parameters
    ----------
    mean, stddev : float
        Of the normal before it is cut, as in Keras; its values then deviate by 0.88 stddev.
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.TruncatedNormal(stddev=0.5, seed=1)((10, 10))
    >>> bool((abs(drawn) <= 1).all())
    True
    """

    @keywords()
    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed


class GlorotUniform(Initializer, entry="glorot_uniform"):
    """Uniform on ±sqrt(6 / (fan_in + fan_out)), also called Xavier (Glorot and Bengio, 2010).

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.GlorotUniform(seed=1)((3, 3))
    >>> bool((abs(drawn) <= 1).all())
    True
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class GlorotNormal(Initializer, entry="glorot_normal"):
    """Normal with variance 2 / (fan_in + fan_out), truncated as in Keras.

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> round(float(initializers.GlorotNormal(seed=1)((100, 50)).std()), 2)
    0.12
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class HeUniform(Initializer, entry="he_uniform"):
    """Uniform on ±sqrt(6 / fan_in) (He, Zhang, Ren and Sun, 2015, arXiv:1502.01852).

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.HeUniform(seed=1)((6, 10))
    >>> bool((abs(drawn) <= 1).all())
    True
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class HeNormal(Initializer, entry="he_normal"):
    """Normal with variance 2 / fan_in, truncated as in Keras; made for ReLU.

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> round(float(initializers.HeNormal(seed=1)((200, 50)).std()), 2)
    0.1
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class LecunUniform(Initializer, entry="lecun_uniform"):
    """Uniform on ±sqrt(3 / fan_in) (LeCun, Bottou, Orr and Müller, 1998).

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.LecunUniform(seed=1)((3, 10))
    >>> bool((abs(drawn) <= 1).all())
    True
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class LecunNormal(Initializer, entry="lecun_normal"):
    """Normal with variance 1 / fan_in, truncated as in Keras; made for SELU.

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> round(float(initializers.LecunNormal(seed=1)((100, 50)).std()), 2)
    0.1
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class InverseSqrtUniform(Initializer, entry="inverse_sqrt_uniform"):
    """Uniform on ±1 / sqrt(fan_in), which is PyTorch's default for kernels.

    Parameters
    ----------
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.InverseSqrtUniform(seed=1)((4, 10))
    >>> bool((abs(drawn) <= 0.5).all())
    True
    """

    @keywords()
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class Orthogonal(Initializer, entry="orthogonal"):
    """Random matrix with orthonormal rows or columns (Saxe et al., 2014, arXiv:1312.6120).

    The axes before the last count as one.

    Parameters
    ----------
    gain : float
        Factor on all values.
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> q = initializers.Orthogonal(seed=1)((3, 3), dtype="float64")
    >>> abs(q @ q.T).round(6)
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """

    @keywords()
    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self.seed = seed


class VarianceScaling(Initializer, entry="variance_scaling"):
    """Variance ``scale`` / fan, of which most others here are cases.

    Parameters
    ----------
    scale : float
        Greater than 0.
    mode : {"fan_in", "fan_out", "fan_avg"}
        Which fan; fan_avg is the mean of both.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        The truncated normal is stretched to the wanted variance.
    seed : int, optional
        Of this tensor alone; None draws from the model's seed.

    Examples
    --------
    >>> from laminar import initializers
    >>> drawn = initializers.VarianceScaling(1.0, "fan_out", "uniform", seed=1)((10, 3))
    >>> bool((abs(drawn) <= 1).all())
    True
    """

    @keywords()
    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed


# The other names that Keras has for them.
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
inverse_sqrt_uniform = InverseSqrtUniform
orthogonal = Orthogonal
variance_scaling = VarianceScaling

Identifier: TypeAlias = (
    "str | Mapping[str, Any] | type[Initializer] | Initializer | Callable[..., Any]"
)


class Function(Initializer):
    """A function of the user's own: it takes a shape and ``dtype=``, and returns an array.

    A layer's weights get its values when a model takes the layer.

    Parameters
    ----------
    function : callable
        The function.
    """

    _of_user = True

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, shape: int | Sequence[int], dtype: DTypeLike = "float32") -> NDArray[Any]:
        """Return an array of initial values; ValueError where it is of another shape."""
        where = f"initializer {getattr(self._function, '__name__', 'function')!r}"
        extents = tuple(shape) if isinstance(shape, Sequence) else (shape,)
        kind = _arrays.float_type(dtype, f"{where}: dtype")
        try:
            made = self._function(extents, dtype=kind.name)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            made = self._function(extents)
        array = _arrays.tensor(made, where, kind)
        if array.shape != extents:
            raise ValueError(f"{where} must return shape {extents}, got {array.shape}")
        return array

    def get_config(self) -> dict[str, Any]:
        """Return nothing: a function cannot be written down."""
        return {}

    def _spec(self) -> dict[str, Any]:
        return {"name": "zeros"}  # the values come from Python

    def __repr__(self) -> str:
        return f"<initializer {getattr(self._function, '__name__', 'function')}>"


def get(identifier: Identifier) -> Initializer:
    """Return the initializer that a user named.

    Parameters
    ----------
    identifier : str, mapping, Initializer or callable
        A name such as ``"he_normal"``, a configuration, an object (returned as it is), or a
        function that takes a shape and ``dtype=`` and returns an array.

    Raises
    ------
    TypeError, ValueError
        Where there is no such initializer; the message names the nearest one.

    Examples
    --------
    >>> from laminar import initializers
    >>> initializers.get("he_normal")
    HeNormal(seed=None)
    >>> initializers.get({"name": "constant", "value": 0.5})((2,))
    array([0.5, 0.5], dtype=float32)
    """
    if callable(identifier) and not isinstance(identifier, (Initializer, type)):
        return Function(identifier)
    return _component.get(Initializer, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
