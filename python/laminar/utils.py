# SPDX-License-Identifier: Apache-2.0
"""Small helpers under the names that Keras users look for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays, _seed
from ._component import flag, integer
from ._custom import custom_object_scope, register_keras_serializable
from ._spelling import keywords, module_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._base_model import BaseModel

__all__ = [
    "Picture",
    "PyDataset",
    "custom_object_scope",
    "plot_model",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
]


class PyDataset:
    """Base of sequences of batches, as Keras has it.

    A class below it has ``__getitem__(index)``, which returns a batch ``(x, y)`` or ``(x, y,
    sample_weight)``, and ``__len__()``, the number of batches, or the property ``num_batches``,
    which may be None for ever more of them. `fit`, `evaluate` and `predict` take any object with
    these; the base only adds what they need not define.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size
        Accepted for Keras's sake: batches are made by the thread that trains, when they are due.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import Sequential, layers
    >>> from laminar.utils import PyDataset
    >>> class Noise(PyDataset):
    ...     def __len__(self):
    ...         return 10
    ...
    ...     def __getitem__(self, index):
    ...         return np.random.default_rng(index).normal(size=(32, 4)), np.zeros(32)
    >>> model = Sequential([layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> model.fit(Noise(), epochs=2, verbose=0).epoch
    [0, 1]
    """

    @keywords()
    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None where they do not end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define __len__() or num_batches")

    def on_epoch_begin(self) -> None:
        """Run before each epoch."""

    def on_epoch_end(self) -> None:
        """Run after the batches of each epoch."""


@keywords(y="x")
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float32]:
    """Return class numbers as one-hot rows.

    Parameters
    ----------
    x : array_like
        Class numbers 0..num_classes-1, of shape (n,) or (n, 1).
    num_classes : int, optional
        The number of columns; the largest class plus 1 if not given.

    Returns
    -------
    ndarray
        float32 of shape (n, num_classes), with a 1 in each row.

    Raises
    ------
    TypeError, ValueError
        Where x is not of whole numbers, or one is negative or too large.

    Examples
    --------
    >>> from laminar.utils import to_categorical
    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    classes = _arrays.labels(x, "to_categorical: x")
    lowest, highest = int(classes.min()), int(classes.max())
    count = max(highest, 0) + 1 if num_classes is None else num_classes
    count = integer(count, "to_categorical: num_classes", minimum=1)
    for extreme in (lowest, highest):
        if not 0 <= extreme < count:
            raise ValueError(
                f"to_categorical: x must hold classes from 0 to {count - 1}, got {extreme}"
            )
    result = np.zeros((len(classes), count), np.float32)
    result[np.arange(len(classes)), classes] = 1
    return result


class Picture:
    """A drawing that notebooks show and `plot_model` returns.

    Parameters
    ----------
    svg : str
        A whole SVG file.

    Attributes
    ----------
    svg : str
        The file's text, which ``str`` gives as well.

    Examples
    --------
    >>> from laminar import Input, Sequential, layers, utils
    >>> picture = utils.plot_model(Sequential([Input((3,)), layers.Dense(2)]), None)
    >>> picture.svg.count("<rect class="), str(picture) == picture.svg
    (0, True)
    """

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture of {len(self.svg):,} characters of SVG>"


@keywords(filepath="to_file")
def plot_model(
    model: BaseModel, to_file: str | os.PathLike[str] | None = "model.svg", show_shapes: bool = True
) -> Picture:
    """Draw the structure of a model: a box for each input and each call of a layer.

    The drawing is made here, without graphviz: names, classes, arguments that are not the
    defaults, shapes, and numbers of weights. Layers that learn are tinted, frozen ones have a
    dashed frame and say so, shared ones are drawn for each call. It is light or dark as the
    reader's system is, and the same model gives the same bytes.

    Parameters
    ----------
    model : Sequential or Model
        Built or not; what is not known yet is "?".
    to_file : str or path, optional
        A file whose name ends in ``.svg``, which browsers show and text programs take. None
        writes none.
    show_shapes : bool
        Say the shape of each output and the number of weights.

    Returns
    -------
    Picture
        Notebooks show it; ``str`` gives the text of the file.

    Raises
    ------
    TypeError, ValueError
        Where the model is none, has no layers, or the file's name ends otherwise.
    OSError
        Where the file cannot be written.

    Examples
    --------
    >>> from laminar.utils import plot_model
    >>> from laminar import Input, Model, layers
    >>> a, b = Input((3,), name="a"), Input((3,), name="b")
    >>> encoder = layers.Dense(4, "relu", name="encoder")
    >>> y = layers.Dense(1)(layers.concatenate([encoder(a), encoder(b)]))
    >>> plot_model(Model([a, b], y), "twins.svg")._repr_svg_().count("shared: call")
    4
    """
    from ._compiling import Compiling
    from ._pictures import model as pictures
    from ._pictures import network, parts

    if not isinstance(model, Compiling):
        raise TypeError(
            f"plot_model: model must be a Sequential or a Model, got {type(model).__name__}"
        )
    shown = flag(show_shapes, "plot_model: show_shapes")
    if to_file is not None and not os.fspath(to_file).lower().endswith(".svg"):
        raise ValueError(
            f"plot_model: to_file must end in .svg, got {os.fspath(to_file)!r}; browsers and "
            "programs such as Inkscape make other pictures of it"
        )
    if not model.layers:
        raise ValueError("plot_model: the model has no layers; add one first")
    found = parts.of(model)
    picture = Picture(network.document(found, pictures.title(model), shown))
    if to_file is not None:
        with open(to_file, "w", encoding="utf-8") as file:
            file.write(picture.svg)
    return picture


@keywords()
def set_random_seed(seed: int) -> None:
    """Make what follows repeatable.

    The first model made afterwards without a seed of its own gets exactly ``seed``, the next
    ``seed + 1``, and so on. As in Keras, Python's ``random`` and NumPy's global generator are
    seeded too, for data that are made with them.

    Parameters
    ----------
    seed : int
        0 ≤ seed < 2**32.

    Raises
    ------
    TypeError, ValueError
        For anything else; nothing is seeded then.

    Examples
    --------
    >>> import laminar
    >>> def drawn():
    ...     laminar.utils.set_random_seed(7)
    ...     model = laminar.Sequential([laminar.layers.Input(2), laminar.layers.Dense(2)])
    ...     return model.get_weights()[0]
    ...
    >>> bool((drawn() == drawn()).all())
    True
    """
    seed = integer(seed, "set_random_seed: seed")
    if seed >= 2**32:  # NumPy's limit
        raise ValueError(f"set_random_seed: seed must be less than 2**32, got {seed}")
    import random  # a second import of milliseconds that most programs do not need

    _seed.set_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
