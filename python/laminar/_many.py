# SPDX-License-Identifier: Apache-2.0
"""Several networks at once: `fit_many`.

A network of the size that tables want leaves threads little to share within a step. Here each has a
thread, so that several take less time than one after the other. None of that changes a bit of what
any of them learns.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays, _core, _frames, _labels, _progress
from ._base_model import BaseModel
from ._printable import listed, say
from ._spelling import argument_names, hint, keywords
from .data import Dataset
from .data._batches import Batches, brought

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._heads import ForOutputs
    from .callbacks import History

# Arguments of `fit` that are about data of another kind, or that all members have from here.
_NOT_OF_EACH = ("x", "y", "verbose", "steps_per_epoch", "validation_steps", "resume")
_OF_EACH = (
    "rows",
    "validation_rows",
    *(name for name in argument_names(BaseModel.fit) if name not in _NOT_OF_EACH),
)


@keywords()
def fit_many(
    models: Sequence[BaseModel[Any]],
    x: ArrayLike | Sequence[ArrayLike] | Mapping[str, ArrayLike],
    y: ForOutputs | None = None,
    batch_size: int | None = 32,
    epochs: int = 1,
    verbose: str | int = "auto",
    callbacks: object = None,
    validation_split: float = 0.0,
    validation_data: Sequence[Any] | None = None,
    shuffle: bool = True,
    class_weight: Mapping[Any, float] | None = None,
    sample_weight: ForOutputs | None = None,
    initial_epoch: int = 0,
    validation_batch_size: int | None = None,
    validation_freq: int | Collection[int] = 1,
    memory_limit: int | str | None = None,
    each: Sequence[Mapping[str, Any]] | None = None,
) -> list[History]:
    """Train several models at once on the same data, each as if it were trained alone.

    The threads that laminar may use (`laminar.set_num_threads`) are shared out: as many models are
    trained at a time as there are threads, and the last one has them all. A model ends in the same
    bits as by its own ``fit`` with the same arguments, however many threads there are. The data is
    converted once.

    Parameters
    ----------
    models : list of Sequential or Model
        Compiled ones, which differ in seeds, widths, optimizers or whatever else, and have no layer
        in common.
    x, y : array_like
        As in `fit`: arrays, a table or a sparse matrix, or for several inputs or outputs a list or
        a dict of them; not what brings batches.
    batch_size, epochs
        As in `fit`.
    verbose : {"auto", 0, 1, 2}
        0 is silent; otherwise a line is printed for each model when it is done.
    callbacks : Callback or list of Callback, optional
        Each model has copies of its own. They are called on the thread that trains it.
    validation_split, validation_data, shuffle, class_weight, sample_weight, initial_epoch
        As in `fit`.
    validation_batch_size, validation_freq, memory_limit
        As in `fit`.
    each : list of dict, optional
        For each model the arguments that differ: those of `fit`, where callbacks are taken as they
        are; and ``rows``, the places of the rows that it is trained on, and ``validation_rows``, in
        place of ``validation_data``, for the folds of a cross-validation for example. These rows
        are copied while the model is trained.

    Returns
    -------
    list of History
        Of each model, also kept as its ``history``.

    Raises
    ------
    TypeError, ValueError, FloatingPointError, RuntimeError
        As in `fit`, with the number of the model. The others are ended after their last completed
        batch; a model that has not begun stays as it was.
    KeyboardInterrupt
        At Ctrl-C. Models that are done stay so, those that are being trained are ended as in `fit`,
        and the others are as they were.

    Examples
    --------
    >>> import laminar
    >>> (x, y), test = laminar.datasets.load_digits()
    >>> def network(seed):
    ...     model = laminar.Sequential(
    ...         [laminar.layers.Dense(64, "relu"), laminar.layers.Dense(10, "softmax")], seed=seed
    ...     )
    ...     model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> members = [network(seed) for seed in range(5)]
    >>> histories = laminar.fit_many(members, x, y, epochs=2, verbose=0)
    >>> model = laminar.ensemble(members)
    >>> model.save("digits.safetensors")  # doctest: +SKIP
    """
    members = checked(models, "fit_many")
    _check_apart(members)
    display = _progress.style(verbose, "fit_many") is not _progress.Silent
    common = {
        "batch_size": batch_size,
        "epochs": epochs,
        "callbacks": callbacks,
        "validation_split": validation_split,
        "validation_data": validation_data,
        "shuffle": shuffle,
        "class_weight": class_weight,
        "sample_weight": sample_weight,
        "initial_epoch": initial_epoch,
        "validation_batch_size": validation_batch_size,
        "validation_freq": validation_freq,
        "memory_limit": memory_limit,
    }
    differing = _differing(members, each)
    data = _Data(members, x, y, common, differing)
    histories: list[History | None] = [None] * len(members)

    def task(i: int) -> Callable[[], None]:
        def train() -> None:
            given = data.arguments(i)
            if "callbacks" not in differing[i]:
                given["callbacks"] = copy.deepcopy(callbacks)
            began = time.monotonic()
            histories[i] = _trained(members[i], data, given, i)
            if display:
                say(_line(i, len(members), time.monotonic() - began, members[i].history))

        return train

    _core.side_by_side([task(i) for i in range(len(members))])
    return [history for history in histories if history is not None]


def _trained(model: BaseModel[Any], data: _Data, given: Mapping[str, Any], i: int) -> History:
    """Train one member; an error says which one it was."""
    before = model.history
    try:
        return model.fit(verbose=0, **given)
    except (TypeError, ValueError, FloatingPointError, RuntimeError) as error:
        if type(error) not in (TypeError, ValueError, FloatingPointError, RuntimeError):
            raise
        raise type(error)(f"fit_many: models[{i}]: {error}") from error
    finally:
        if model.history is not before:  # it has been trained, if not to the end
            model.feature_names = data.feature_names or model.feature_names
            model.class_names = data.class_names or model.class_names


def _line(i: int, count: int, seconds: float, history: History | None) -> str:
    record = {} if history is None else history.history
    epochs = 0 if history is None else len(history.epoch)
    last = {name: values[-1] for name, values in record.items() if values}
    done = f"Model {i + 1}/{count} - {epochs} epochs - {seconds:.3g}s"
    return f"{done} - {_progress.described(last)}" if last else done


def checked(models: object, where: str) -> list[BaseModel[Any]]:
    """Return a user's models; an error where some are none."""
    if isinstance(models, BaseModel) or not isinstance(models, Iterable):
        raise TypeError(f"{where}: models must be a list of models, got {type(models).__name__}")
    members = list(models)
    if not members:
        raise ValueError(f"{where}: models must be at least one, got none")
    for i, model in enumerate(members):
        if not isinstance(model, BaseModel):
            raise TypeError(f"{where}: models[{i}] must be a model, got {type(model).__name__}")
    return members


def _check_apart(members: Sequence[BaseModel[Any]]) -> None:
    """Raise ValueError where two models have a layer in common."""
    homes: dict[int, int] = {}
    for i, model in enumerate(members):
        for layer in model.layers:
            other = homes.setdefault(id(layer), i)
            if other != i:
                raise ValueError(
                    f"fit_many: models[{other}] and models[{i}] have the layer {layer.name!r} in "
                    "common; laminar.models.clone_model makes a model of its own"
                )


def _differing(
    members: Sequence[BaseModel[Any]], each: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Return the arguments of each member alone."""
    if each is None:
        return [{} for _ in members]
    if isinstance(each, Mapping) or not isinstance(each, Sequence):
        raise TypeError(f"fit_many: each must be a list of dicts, got {type(each).__name__}")
    if len(each) != len(members):
        raise ValueError(
            f"fit_many: each must have one dict for each of {len(members)} models, got {len(each)}"
        )
    for i, given in enumerate(each):
        if not isinstance(given, Mapping):
            raise TypeError(f"fit_many: each[{i}] must be a dict, got {type(given).__name__}")
        for name in given:
            if name not in _OF_EACH:
                raise TypeError(
                    f"fit_many: each[{i}]: unknown argument {name!r}; {hint(str(name), _OF_EACH)}"
                )
        if "validation_rows" in given and "validation_data" in given:
            raise ValueError(
                f"fit_many: each[{i}] has validation_rows and validation_data; give one of them"
            )
    return [dict(given) for given in each]


class _Data:
    """The rows that all members are trained on, converted once.

    Parameters
    ----------
    members : list of BaseModel
        Those who read them.
    x, y : object
        The user's.
    common : dict
        Arguments of `fit` for all members.
    differing : list of dict
        Those of each.
    """

    def __init__(
        self,
        members: Sequence[BaseModel[Any]],
        x: Any,
        y: Any,
        common: Mapping[str, Any],
        differing: Sequence[Mapping[str, Any]],
    ) -> None:
        self._members = members
        self._common, self._differing = common, differing
        first = members[0]
        given = _array(first, x, "fit_many: x")
        self.x = {
            dtype: _arrays.features(given, "fit_many: x", dtype)
            for dtype in {model._dtype for model in members}
        }
        self.rows = len(self.x[first._dtype])
        self.feature_names = None if isinstance(x, Mapping) else _frames.names(x)
        for i, model in enumerate(members):
            trained = model.feature_names
            _frames.check_names(self.feature_names, f"fit_many: models[{i}]: x", trained)
        known = {model.class_names for model in members} - {None}
        if len(known) > 1:
            raise ValueError(
                "fit_many: the models were trained with different class_names: "
                + listed(", ".join(names or ()) for names in known)
            )
        wanted = first._of_output(y, "fit_many: y")
        numbers, self.class_names = _labels.numbered(
            "fit_many: y", wanted, next(iter(known), None), learn=True
        )
        if numbers is not wanted:
            for model in members:
                target = model._ready("fit_many", numbers).target
                _labels.check_loss("fit_many: y", numbers, wanted, target)
        self.y = numbers if first._several_outputs else _plain(numbers)

    def arguments(self, i: int) -> dict[str, Any]:
        """Return what one member's `fit` is called with."""
        model, own = self._members[i], dict(self._differing[i])
        places = {name: own.pop(name, None) for name in ("rows", "validation_rows")}
        options = {**self._common, **own}
        x = self.x[model._dtype]
        weight = model._of_output(options.pop("sample_weight", None), "fit: sample_weight")
        several = model._several_outputs
        weight = weight if weight is None or several else _plain(weight)
        if places["validation_rows"] is not None:
            held = self._places(places["validation_rows"], f"each[{i}]: validation_rows")
            parts = [x[held], _some(self.y, held, several)]
            if weight is not None:
                parts.append(_some(weight, held, several))
            options["validation_data"] = tuple(parts)
        elif isinstance(options.get("validation_data"), (tuple, list)):
            options["validation_data"] = self._numbered(options["validation_data"])
        y = self.y
        if places["rows"] is not None:
            taken = self._places(places["rows"], f"each[{i}]: rows")
            x, y, weight = x[taken], _some(y, taken, several), _some(weight, taken, several)
        if options.get("class_weight") is not None:
            names = self.class_names
            options["class_weight"] = _labels.weights_by_number(options["class_weight"], names)
        return {"x": x, "y": y, "sample_weight": weight, **options}

    def _places(self, given: object, what: str) -> NDArray[Any]:
        """Return places of rows as an array; an error where they are none."""
        places = np.asarray(given)
        if places.dtype == bool and places.shape == (self.rows,):
            return np.flatnonzero(places)
        if places.ndim != 1 or places.dtype.kind not in "iu" or not places.size:
            raise ValueError(
                f"fit_many: {what} must be places of rows, (n,) integers, or (rows,) booleans, "
                f"got {places.dtype} of shape {places.shape}"
            )
        if places.min() < 0 or places.max() >= self.rows:
            raise ValueError(
                f"fit_many: {what} must be in [0, {self.rows}), the rows of x, got "
                f"{places.min()} to {places.max()}"
            )
        return places

    def _numbered(self, validation: Sequence[Any]) -> tuple[Any, ...]:
        """Return validation data with class numbers for texts, which all members agree about."""
        if len(validation) < 2:
            return tuple(validation)
        where = "fit_many: validation_data: y"
        y = self._members[0]._of_output(validation[1], where)
        numbers, _ = _labels.numbered(where, y, self.class_names)
        return (validation[0], numbers, *validation[2:])


def _array(model: BaseModel[Any], x: Any, where: str) -> Any:
    """Return a user's samples, those of several inputs as one array, side by side."""
    given = brought(x, where)
    if isinstance(given, (Dataset, Batches)):
        kind = given.kind if isinstance(given, Batches) else "a Dataset"
        raise TypeError(
            f"{where} must be arrays or a table, which all models read at once, got {kind}"
        )
    return model._joined(given, where)


def _plain(values: Any) -> Any:
    """Return targets or weights as an array, from a table or a list."""
    if values is None or isinstance(values, np.ndarray):
        return values
    found = _frames.columns(values, "fit_many: y")
    if found is None:
        return np.asarray(values)
    return found.arrays[0] if len(found.arrays) == 1 else np.column_stack(found.arrays)


def _some(values: Any, places: NDArray[Any], several: bool) -> Any:
    """Return some rows of targets or weights, of several outputs those of each."""
    if values is None:
        return None
    if several and isinstance(values, Mapping):
        return {name: _some(value, places, False) for name, value in values.items()}
    if several and isinstance(values, (list, tuple)):
        return [_some(value, places, False) for value in values]
    return _plain(values)[places]
