# SPDX-License-Identifier: Apache-2.0
"""Sequential: a network in which each layer reads the one before.

The core's model does the work; this file checks what only Python can see, turns users' data into
arrays, and calls callbacks between epochs. Everything is checked before anything changes: a call
that raises TypeError or ValueError leaves the model as it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays, _frames, _labels, _progress, _range_test, _rows, exchange
from ._component import flag, integer, number_of_bytes
from ._feed import feed, first_targets, split, validation
from ._resume import Resumed
from ._saving import Saving
from ._spelling import keywords
from ._tables import frames as tables
from ._tables import records
from ._tables.table import TEXT as _TABLE
from .callbacks import History
from .callbacks._list import CallbackList
from .data import Dataset
from .exchange import c_source, cpp_header

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._range_test import RangeTest
    from ._stack import CoreModel


class Sequential(Saving):
    """A network in which each layer reads the one before.

    The shape of a sample is given by an `Input`, by the first layer's ``input_shape``, by `build`,
    or inferred from the first data. With it the model is built: it has weights.

    Parameters
    ----------
    layers : iterable of Layer, optional
        The layers from input to output, which may start with an `Input`. A layer belongs to one
        model.
    name : str, optional
        Kept for the reader.
    dtype : {"float32", "float64"}
        The type of weights and of all computation. Data of other types are converted: integers
        beyond 2**24 and float64 are rounded to float32.
    seed : int, optional
        0 ≤ seed < 2**64: the source of initial weights, shuffling and dropout. Without it, see
        `laminar.utils.set_random_seed`.
    precision : {None, "float32", "float64", "bfloat16"}
        What the operands of products are rounded to, in training and in prediction: None, for the
        dtype, or "bfloat16" with float32. Weights, sums, activations, losses and updates stay
        float32. Products take half the time then on processors with AVX512-BF16, and on all others
        give the same sums more slowly. Exported models know nothing of it.

    Attributes
    ----------
    stop_training : bool
        A callback sets it to end fit after the epoch.
    history : History or None
        That of the last fit.
    feature_names : tuple of str or None
        The columns of the table that it was trained with. Later tables must have the same in the
        same order, or ValueError is raised; None lifts that.
    class_names : tuple of str or None
        The classes in the order of their numbers, where targets were texts or a Dataset of files.

    Examples
    --------
    >>> import numpy as np
    >>> from laminar import Sequential, layers
    >>> x = np.random.default_rng(0).normal(size=(200, 30))
    >>> y = x.sum(axis=1)
    >>> model = Sequential([layers.Input(shape=(30,)), layers.Dense(64, "relu"), layers.Dense(1)])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(x, y, epochs=10, validation_split=0.2, verbose=0)
    """

    @keywords(nb_epoch="epochs")
    def fit(
        self,
        x: ArrayLike | Dataset,
        y: ArrayLike | None = None,
        batch_size: int | None = 32,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: object = None,
        validation_split: float = 0.0,
        validation_data: Sequence[Any] | Dataset | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: ArrayLike | None = None,
        initial_epoch: int = 0,
        memory_limit: int | str | None = None,
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for some epochs, each of which sees every row once.

        Parameters
        ----------
        x : array_like
            (n, features), booleans, integers or floats. A table of pandas, polars or Arrow will do
            if all its columns are of numbers, here as in all that follows; so will a sparse matrix
            of SciPy, which becomes dense. Or a `laminar.data.Dataset`, which brings y and weights:
            its rows are checked when they are read, and wrong ones end training there.
        y : array_like
            (n, outputs), or (n,) for one output; for a sparse loss class numbers, (n,) or (n, 1).
            Classes may be texts, for a sparse loss or the binary one: their numbers are the places
            in ``class_names``, which are the texts that occur in alphabetical order.
        batch_size : int or None
            Rows an update, at least 1; None, or n and more, is all rows. A last partial batch is
            weighted by its own size.
        epochs : int
            The number of the last epoch: ``epochs - initial_epoch`` are trained.
        verbose : {"auto", 0, 1, 2}
            0 is silent, 2 prints one line an epoch; "auto" and 1 draw a bar on a terminal or in a
            notebook and are like 2 elsewhere.
        callbacks : Callback or list of Callback, optional
            Called between epochs, and between batches where one of them asks for it.
        validation_split : float
            In [0, 1): the fraction of rows, the last ones before shuffling, held out for
            validation. A UserWarning tells where they hold a class that the others lack.
        validation_data : tuple, optional
            ``(x, y)`` or ``(x, y, sample_weight)`` for validation, or a Dataset, in place of a
            split.
        shuffle : bool
            Draw a new order of the rows each epoch.
        class_weight : dict, optional
            {class number: weight} for every class that occurs; multiplies ``sample_weight``.
        sample_weight : array_like, optional
            (n,): the weight of each row in the loss. A row of weight 2 pulls as the row twice,
            whatever the batch size: a batch is divided by its rows times the mean weight of all
            rows (of a Dataset that does not fit into its buffer, by its rows), see
            `laminar.losses`.
        initial_epoch : int
            The number of the first epoch, to go on counting after an earlier fit.
        memory_limit : int or str, optional
            Bytes, or a text such as "2GB", that training may take beside the data. A batch that
            needs more goes through in parts whose gradients are added up, so that
            ``batch_size=None`` is exact batch gradient descent on data of any size, a
            memory-mapped array for example.
        resume : str or path, optional
            A file that `ModelCheckpoint` or `save` wrote while a model like this one, compiled in
            the same way, was trained: weights, optimizer, counters, history and callbacks are
            taken from it, and training goes on where it stopped. With the same data and arguments
            it ends in the same bits as if it had not stopped.

        Returns
        -------
        History
            Loss and metrics of each epoch, those before ``resume`` included; also kept as
            ``model.history``.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong; nothing has changed then. Rows of a Dataset in blocks that
            turn out wrong end training, the weights as they are then.
        FloatingPointError
            Where the loss is no longer finite; the last finite weights are kept. The callback
            `TerminateOnNaN` ends training quietly instead.
        KeyboardInterrupt
            At Ctrl-C; the weights are those of the last completed batch. One that is under way is
            abandoned where it takes long. Weights that overflowed in the epoch do not stay: they
            are replaced by finite ones of the same epoch, the last ones if these are found soon.
            With an EarlyStopping they are then those of its best epoch, which it sets after errors
            too.
        RuntimeError
            While the model is being trained already.

        Notes
        -----
        Other threads may predict, evaluate, save and copy the model meanwhile; they see it as it is
        between two steps. What would change it raises RuntimeError there.
        """
        given = y
        y, class_names = _labels.numbered("fit: y", y, self.class_names, learn=True)
        if isinstance(x, Dataset):
            class_names = _labels.agreed("fit: x", x.classes, class_names)
        compiled = self._ready("fit", first_targets(x, y))
        _labels.check_loss("fit: y", y, given, compiled.loss)
        epochs = integer(epochs, "fit: epochs")
        initial_epoch = integer(initial_epoch, "fit: initial_epoch")
        _progress.style(verbose)
        history = History()
        calls = CallbackList("fit", callbacks, history)
        style = _progress.style(calls.verbose(verbose))
        loss = compiled.loss
        train = feed("fit", x, y, sample_weight, self._dtype, loss)
        _frames.check_names(train.names, "fit: x", self.feature_names)
        held_out = None
        if validation_data is not None:
            held_out = validation(validation_data, self._dtype, loss, class_names)
            names = train.names or self.feature_names
            _frames.check_names(held_out.names, "fit: validation_data: x", names)
        elif validation_split:
            train, held_out = split(train, validation_split, loss)
        if class_weight is not None:
            by_number = _labels.weights_by_number(class_weight, class_names)
            train = train.with_class_weight("fit", by_number, loss)
        size = _batch_size(batch_size, "fit", train.length)
        shuffle = flag(shuffle, "fit: shuffle")
        limit = 0 if memory_limit is None else number_of_bytes(memory_limit, "fit: memory_limit")
        if resume is not None and initial_epoch:
            raise ValueError("fit: resume tells the first epoch; initial_epoch must not be given")
        keys = compiled.keys + ([f"val_{key}" for key in compiled.keys] if held_out else [])
        params = {
            "epochs": epochs,
            "steps": None if train.length is None else -(-train.length // size),
            "verbose": verbose,
            "metrics": keys,
            "initial_epoch": initial_epoch,
        }
        last: dict[str, float] = {}

        def on_epoch(epoch: int, logs: Mapping[str, float]) -> bool:
            nonlocal last
            last = dict(logs)
            calls.epoch_end(epoch, last)
            shown.epoch(epoch, last)
            if not self.stop_training and epoch + 1 < epochs:
                calls.epoch_begin(epoch + 1)
            return bool(self.stop_training)

        def on_batch(epoch: int, done: int, ends: bool, logs: Mapping[str, float]) -> bool:
            calls.batch_end(done - 1, dict(logs))
            if not self.stop_training and not ends:
                calls.batch_begin(done)
            return bool(self.stop_training)

        def on_progress(epoch: int, done: int, batches: int, logs: Mapping[str, float]) -> None:
            shown.batch(epoch, done, batches, dict(logs))

        with (
            self._built_for(train.x, train.y) as core,
            self._in_training("fit", compiled, core),
        ):
            if held_out is not None:
                self._check_shapes(held_out.x, held_out.y)
            with Resumed(self, core, resume, calls, history, class_names) as resumed:
                first = initial_epoch if resume is None else core.next_epoch
                params["initial_epoch"] = first
                ended = first if resumed.stopped else epochs
                shown = style(epochs, first)
                self.stop_training = False
                self.feature_names = train.names or self.feature_names
                self.class_names = class_names or resumed.class_names
                if isinstance(x, Dataset) and x._table is not None:
                    self._texts = {**self._texts, _TABLE: x._table.to_json()}
                calls.start(self, params)
                resumed.restore()
                self.history, self._calls = history, calls
                try:
                    if first < ended and not self.stop_training:
                        calls.begin(first, core.batches_done if resume else None)
                    core.fit(
                        train.data,
                        held_out and held_out.data,
                        size,
                        ended,
                        first,
                        resume is not None,
                        shuffle,
                        limit,
                        train.buffer_size,
                        (held_out or train).buffer_size,
                        on_epoch,
                        on_progress if shown.within_epoch else None,
                        on_batch if calls.between_batches else None,
                        self._notes,
                    )
                except FloatingPointError as error:
                    if not calls.accept(error):
                        calls.left()
                        raise
                except BaseException:
                    calls.left()
                    raise
                finally:
                    shown.close()
                    self._calls = None
        calls.end(last)
        return history

    @keywords()
    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one update with all rows given.

        Parameters
        ----------
        x, y, sample_weight, class_weight
            As in `fit`, but the loss is divided by the number of rows, as in Keras: what other
            batches weigh is not known. Weights whose mean over all batches is 1 train as in fit.
        return_dict : bool
            Return {key: value} in place of a list.

        Returns
        -------
        float, list of float or dict
            The loss before the update, followed by the metrics if there are any.

        Raises
        ------
        TypeError, ValueError, FloatingPointError
            As in `fit`.
        KeyboardInterrupt
            At Ctrl-C, before the update; the weights are unchanged.
        """
        y, _ = _labels.numbered("train_on_batch: y", y, self.class_names)
        compiled = self._ready("train_on_batch", y)
        rows = _rows.prepared("train_on_batch", x, y, sample_weight, self._dtype, compiled.loss)
        rows = _rows.with_class_weight("train_on_batch", rows, class_weight, compiled.loss)
        with (
            self._built_for(rows.x, rows.y) as core,
            self._in_training("train_on_batch", compiled, core),
        ):
            return _values(core.train_on_batch(*rows), compiled.keys, return_dict)

    @keywords()
    def evaluate(
        self,
        x: ArrayLike | Dataset,
        y: ArrayLike | None = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: ArrayLike | None = None,
        callbacks: object = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics over all rows, as prediction sees them: without dropout.

        Parameters
        ----------
        x, y, sample_weight
            As in `fit`.
        batch_size : int or None
            Accepted for Keras's sake; the result does not depend on it.
        verbose : {0, 1, 2, "auto"}
            Unless 0, print the values as one line.
        callbacks : Callback or list of Callback, optional
            Their on_test_begin and on_test_end are called.
        return_dict : bool
            Return {key: value} in place of a list.

        Returns
        -------
        float, list of float or dict
            The loss, followed by the metrics if there are any.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.
        """
        y, _ = _labels.numbered("evaluate: y", y, self.class_names)
        if isinstance(x, Dataset):
            _labels.agreed("evaluate: x", x.classes, self.class_names)
        compiled, still = self._still("evaluate", first_targets(x, y))
        style = _progress.style(verbose, "evaluate")
        rows = feed("evaluate", x, y, sample_weight, self._dtype, compiled.loss)
        _frames.check_names(rows.names, "evaluate: x", self.feature_names)
        _batch_size(batch_size, "evaluate", rows.length or 1)
        calls = CallbackList("evaluate", callbacks)
        with self._built_for(rows.x, rows.y) as core:
            calls.introduce(self, {"verbose": verbose, "metrics": compiled.keys})
            calls.test_begin()
            values = (still or core).evaluate(rows.data, rows.buffer_size)
        calls.test_end(dict(zip(compiled.keys, values, strict=True)))
        if style is not _progress.Silent:
            print(_progress.described(dict(zip(compiled.keys, values, strict=True))))
        return _values(values, compiled.keys, return_dict)

    @keywords()
    def predict(
        self,
        x: ArrayLike | Dataset,
        batch_size: int | None = None,
        verbose: str | int = 0,
        callbacks: object = None,
        *,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Return the network's output for each row.

        Any number of threads may call it at once, and others may change or train the model
        meanwhile: all rows see one state of it, while fit runs that after some step. A row's
        output does not depend, in any bit, on the other rows.

        Parameters
        ----------
        x : array_like
            (n, features). C-contiguous arrays of the model's dtype are not copied. To a model that
            ``laminar train`` has made, or that was trained on a Dataset of files, raw rows, texts
            and missing values included: a table of pandas, polars or pyarrow, or a list of dicts
            from columns to values. Or a Dataset, which is read piece by piece.
        batch_size, verbose
            Accepted for Keras's sake: rows are taken in blocks that fit the cache, silently.
        callbacks : Callback or list of Callback, optional
            Their on_predict_begin and on_predict_end are called.
        out : ndarray, optional
            C-contiguous, writeable, (n, outputs), of the model's dtype: receives the result.

        Returns
        -------
        ndarray
            ``out``, or a new array (n, outputs).

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong.
        """
        if callbacks is None and self._model is not None and out is None and batch_size is None:
            outputs = self._model.predict_ready(x)
            if outputs is not None:
                return outputs
        if isinstance(x, Dataset):
            _frames.check_names(x.feature_names, "predict: x", self.feature_names)
        elif _TABLE in self._texts and records.are_records(x):
            x = records.encoded(x, "predict: x", self._texts[_TABLE], self._dtype)
        elif _TABLE in self._texts and _frames.names(x) is not None:
            x = tables.encoded(x, "predict: x", self._texts[_TABLE], self._dtype)
        else:
            _frames.check_names(_frames.names(x), "predict: x", self.feature_names)
        first = x._pieces.first if isinstance(x, Dataset) else None
        rows = _arrays.features(x if first is None else first.x, "predict: x", self._dtype)
        _batch_size(batch_size, "predict", len(rows))
        calls = CallbackList("predict", callbacks)
        with self._built_for(rows) as core:
            calls.introduce(self, {"verbose": verbose})
            calls.predict_begin()
            core, _ = core.moment("predict", False)
            if isinstance(x, Dataset):
                result = self._predicted_pieces(core, x, out)
            else:
                result = self._predicted(core, rows, out)
        calls.predict_end()
        return result

    def _predicted_pieces(
        self, core: CoreModel, data: Dataset, out: NDArray[Any] | None
    ) -> NDArray[Any]:
        pieces = data._pieces.all()
        parts = (_arrays.features(piece.x, "predict: x", self._dtype) for piece in pieces)
        if data.rows is None and out is None:
            return np.concatenate([self._predicted(core, rows, None) for rows in parts])
        if out is None:
            out = np.empty((len(data), *self._outputs), self._dtype)
        done = 0
        assert self._input is not None
        for rows in parts:
            _arrays.check_sample(rows, "predict: x", self._input)
            if done + len(rows) > len(out):
                raise ValueError(f"predict: the data set has more than {len(out)} rows")
            self._predicted(core, rows, out[done : done + len(rows)])
            done += len(rows)
        if done < len(out):
            raise ValueError(f"predict: the data set has {done} rows, expected {len(out)}")
        return out

    def _predicted(
        self, core: CoreModel, rows: NDArray[Any], out: NDArray[Any] | None
    ) -> NDArray[Any]:
        shape = (len(rows), *self._outputs)
        if out is None:
            out = np.empty(shape, self._dtype)
        else:
            _arrays.check_output(out, "predict: out", shape, rows)
        core.predict(rows, out)
        return out

    @keywords()
    def loss_and_gradients(
        self, x: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[float, list[NDArray[Any]]]:
        """Return the loss over all rows and its gradient; nothing is updated.

        Dropout acts as it would in the next update.

        Parameters
        ----------
        x, y, sample_weight
            As in `fit`.

        Returns
        -------
        loss : float
            The mean over the rows of weight times loss, divided by their number.
        gradients : list of ndarray
            The derivative of the loss by each tensor of `get_weights`, in that order.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.
        """
        y, _ = _labels.numbered("loss_and_gradients: y", y, self.class_names)
        compiled, still = self._still("loss_and_gradients", y)
        rows = _rows.prepared("loss_and_gradients", x, y, sample_weight, self._dtype, compiled.loss)
        with self._built_for(rows.x, rows.y) as core:
            return (still or core).loss_and_gradients(*rows)

    @keywords()
    def find_learning_rate(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = 32,
        start: float = 1e-7,
        end: float = 10.0,
        steps: int = 100,
        sample_weight: ArrayLike | None = None,
    ) -> RangeTest:
        """Try ever larger learning rates, and return what the loss did.

        L. N. Smith (2017), arXiv:1506.01186. A copy of the model makes one update with each rate,
        until the loss has grown to four times its least value or is not finite; the model itself
        stays exactly as it is. The rows are shuffled by the model's seed.

        Parameters
        ----------
        x, y, batch_size, sample_weight
            As in `fit`.
        start, end : float
            The first and the last rate, 0 < start < end; those between grow by equal factors.
        steps : int
            How many there are, at least 2.

        Returns
        -------
        RangeTest
            ``rates``, ``losses``, ``suggestion``, and ``plot()``.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong, or the loss is not finite from the start.
        """
        compiled = self._ready("find_learning_rate", y)
        rows = _rows.prepared("find_learning_rate", x, y, sample_weight, self._dtype, compiled.loss)
        size = _batch_size(batch_size, "find_learning_rate", rows.length)
        return _range_test.run(self, compiled, rows, size, start, end, steps)

    @keywords()
    def to_c(self, name: str = "model") -> str:
        """Return the trained model as one file of C99 that needs the standard library alone.

        Its functions ``model_predict(x, out)`` for one row and ``model_predict_rows(x, rows, out)``
        are re-entrant and allocate nothing; the comment on top of the file tells how to use them.
        Layers without an activation compute the same bits as `predict` on processors with fused
        multiply-add, activations the same values within 1e-6 (float64: 1e-12) of their size,
        LayerNormalization and sparsemax of their row's size. That is of a model whose precision is
        its dtype: its products are not rounded to bfloat16. A category that `predict` refuses
        becomes NaN.

        Parameters
        ----------
        name : str
            What the names in the file start with: an identifier of C.

        Raises
        ------
        TypeError, ValueError
            Where the name is none, or the model is not built.
        """
        return c_source.source(self._of_one_moment(), name)

    @keywords()
    def to_hpp(self, name: str = "model") -> str:
        """Return the trained model as one header of C++20; see `to_c`.

        Parameters
        ----------
        name : str
            The namespace that it opens, which has ``predict(x, out)`` and ``predict_rows(x, out)``
            on spans. The latter returns false where they do not hold as many rows.

        Raises
        ------
        TypeError, ValueError
            Where the name is no identifier, or the model is not built.
        """
        return cpp_header.source(self._of_one_moment(), name)

    @keywords()
    def export(self, filepath: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the model for other programs.

        Parameters
        ----------
        filepath : str or path
            ``.onnx``: an ONNX graph of what the model predicts; needs ``pip install
            laminar[onnx]``. ``.safetensors``: the weights under the names that a
            ``torch.nn.Sequential`` of the same layers has, with activations as modules of their
            own. ``.c`` and ``.hpp``: what `to_c` and `to_hpp` return.
        format : {"onnx", "torch", "c", "hpp"}, optional
            The format, where the file's name ends otherwise.

        Raises
        ------
        TypeError, ValueError, ImportError, OSError
            Where the model is not built, has a layer that the format lacks, which is named, or the
            file cannot be written.
        """
        exchange.export(self._of_one_moment(), filepath, format)

    @keywords()
    def load_torch_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Set all weights to those of a PyTorch model, saved as a state dict in safetensors.

        Layers take weights in their order, whatever the modules are called: a Dense a Linear's,
        BatchNormalization a BatchNorm1d's, LayerNormalization a LayerNorm's, PReLU a PReLU's.

        Parameters
        ----------
        filepath : str or path
            A ``.safetensors`` file. Weights of another dtype are converted.

        Raises
        ------
        ValueError, OSError
            Where the model is not built, or the file is absent, damaged or of another model;
            nothing has changed then.
        """
        exchange.load_torch_weights(self, filepath)


def _batch_size(value: int | None, where: str, rows: int | None) -> int:
    """Return the rows of a batch, at most all of them."""
    if value is None:
        if rows is None:
            raise ValueError(f"{where}: batch_size must be given for rows of unknown number")
        return rows
    size = integer(value, f"{where}: batch_size", minimum=1)
    return size if rows is None else min(size, rows)


def _values(
    values: list[float], keys: list[str], return_dict: bool
) -> float | list[float] | dict[str, float]:
    """Return loss and metrics in the form that Keras does."""
    if return_dict:
        return dict(zip(keys, values, strict=True))
    return values if len(values) > 1 else values[0]
