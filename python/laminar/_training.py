# SPDX-License-Identifier: Apache-2.0
"""Training: `fit`, single updates, and what is looked up beside it.

The core's model does the work; this file checks what only Python can see, turns users' data into
arrays, and calls callbacks between epochs. Everything is checked before anything changes: a call
that raises TypeError or ValueError leaves the model as it was.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from . import _frames, _labels, _progress, _range_test, _rates, _rows
from ._component import flag, integer, number_of_bytes
from ._feed import feed, first_targets, split, validation
from ._quick import Quick
from ._resume import Resumed
from ._saving import Saving
from ._spelling import keywords
from ._tables.table import TEXT as _TABLE
from .callbacks import History
from .callbacks._list import CallbackList
from .data import Dataset
from .data._batches import brought

if TYPE_CHECKING:
    from ._heads import ForOutputs
    from ._range_test import RangeTest
    from ._types import Array, Inputs, Samples, Scores
    from .data._batches import SequenceOfBatches


class Training(Saving):
    """A model that is trained."""

    _quick: Quick | None = None

    @keywords(nb_epoch="epochs")
    def fit(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        batch_size: int | None = _rates.BATCH_SIZE,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: object = None,
        validation_split: float = 0.0,
        validation_data: Sequence[Any] | Dataset | Iterable[Any] | SequenceOfBatches | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: ForOutputs | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
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
            its rows are checked when they are read, and wrong ones end training there. Or what
            brings batches, tuples (x, y) or (x, y, sample_weight), each of which is one update of
            exactly these rows: a generator or another iterator, an iterable, or a sequence with
            ``__len__`` and ``__getitem__`` such as `laminar.utils.PyDataset`. For a `Model` of
            several inputs, x is a dict of arrays by their names or a list of them, in batches too.
        y : array_like
            (n, outputs), or (n,) for one output; for a sparse loss class numbers, (n,) or (n, 1).
            Classes may be texts, for a sparse loss or the binary one: their numbers are the places
            in ``class_names``, which are the texts that occur in alphabetical order. Of several
            outputs a list of one array for each, or a dict by their names. With `compile`'s
            ``ignore_nan`` NaN is a target that is missing, also in place of a class number. Left
            out where no loss or metric reads it, as in a model that is trained on what its layers
            add alone.
        batch_size : int or None
            Rows an update, at least 1; None, or n and more, is all rows. A last partial batch is
            weighted by its own size. Must not be given beside what brings batches.
        epochs : int
            The number of the last epoch: ``epochs - initial_epoch`` are trained.
        verbose : {"auto", 0, 1, 2}
            0 is silent, 2 prints one line an epoch; "auto" and 1 draw a bar on a terminal or in a
            notebook, and print lines elsewhere: of more than 30 epochs the first ten, then every
            tenth, every hundredth and so on, the last one, and one a minute at least.
        callbacks : Callback or list of Callback, optional
            Called between epochs, and between batches where one of them asks for it.
        validation_split : float
            In [0, 1): the fraction of rows, the last ones before shuffling, held out for
            validation. A UserWarning tells where they hold a class that the others lack.
        validation_data : tuple, optional
            ``(x, y)`` or ``(x, y, sample_weight)`` for validation, or a Dataset, a generator, an
            iterable or a sequence of batches, in place of a split.
        shuffle : bool
            Draw a new order of the rows each epoch; of a sequence, of its batches. What a generator
            or an iterable gives is taken as it comes.
        class_weight : dict, optional
            {class number: weight} for every class that occurs; multiplies ``sample_weight``. Only
            of one output.
        sample_weight : array_like, optional
            (n,): the weight of each row in the loss. A row of weight 2 pulls as the row twice,
            whatever the batch size: a batch is divided by its rows times the mean weight of all
            rows, or by its rows alone where only reading tells that mean: of batches that are
            brought, and of a Dataset in blocks or in steps. See `laminar.losses`. Of several
            outputs also a list of arrays, None for ones, or a dict by their names.
        initial_epoch : int
            The number of the first epoch, to go on counting after an earlier fit.
        steps_per_epoch : int, optional
            Batches an epoch. The next epoch goes on where this one stops. Without it an epoch is
            all of the data, so that an endless generator needs it, and one for several epochs.
        validation_steps : int, optional
            Batches of each validation: the first ones, of a generator the next ones.
        validation_batch_size : int, optional
            Rows of a batch of these, without it ``batch_size``; of no other consequence.
        validation_freq : int or collection of int
            Validate after every so many epochs, or after these epochs, counted from 1.
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
        Exception
            What a generator or a sequence raises, unchanged; the weights are those of the last
            batch.
        KeyboardInterrupt
            At Ctrl-C; the weights are those of the last completed batch. One that is under way is
            abandoned where it takes long. Weights that overflowed in the epoch do not stay: they
            are replaced by finite ones of the same epoch, the last ones if these are found soon.
            With an EarlyStopping they are then those of its best epoch, which it sets after errors
            too.
        RuntimeError
            While the model is being trained already.

        Warns
        -----
        UserWarning
            Where there are fewer batches than ``steps_per_epoch`` or ``validation_steps`` ask for.
            An epoch ends with the data; after it training ends, or begins the data anew if they
            are no generator.

        Notes
        -----
        Generators and sequences are asked for a batch when it is due, by the thread that calls, and
        may look at the model. A sequence may have ``on_epoch_begin`` and ``on_epoch_end``, which
        are called around each epoch's batches.

        Other threads may predict, evaluate, save and copy the model meanwhile; they see it as it is
        between two steps. What would change it raises RuntimeError there.
        """
        given = y = self._of_output(y, "fit: y")
        sample_weight = self._of_output(sample_weight, "fit: sample_weight")
        rates = _rates.Rates(
            steps_per_epoch, validation_steps, validation_batch_size, validation_freq
        )
        epochs = integer(epochs, "fit: epochs")
        initial_epoch = integer(initial_epoch, "fit: initial_epoch")
        x = self._joined(brought(x, "fit: x"), "fit: x")
        _rates.check_size(batch_size, x, "fit")
        rates.check(x, epochs, initial_epoch, resume is not None)
        rates.check_validation(validation_data is not None or bool(validation_split))
        y, class_names = _labels.numbered("fit: y", y, self.class_names, learn=True)
        if isinstance(x, Dataset):
            class_names = _labels.agreed("fit: x", x.classes, class_names)
        compiled = self._ready("fit", first_targets("fit", x, y))
        _labels.check_loss("fit: y", y, given, compiled.target)
        _progress.style(verbose)
        history = History()
        calls = CallbackList("fit", callbacks, history)
        style = _progress.style(calls.verbose(verbose))
        loss = compiled.target
        train = feed("fit", x, y, sample_weight, self._dtype, loss, self._joined)
        _frames.check_names(train.names, "fit: x", self.feature_names)
        held_out = None
        if validation_data is not None:
            held_out = validation(
                validation_data, self._dtype, loss, class_names, self._joined, self._of_output
            )
            names = train.names or self.feature_names
            _frames.check_names(held_out.names, "fit: validation_data: x", names)
        elif validation_split:
            train, held_out = split(train, validation_split, loss)
        if class_weight is not None:
            by_number = _labels.weights_by_number(class_weight, class_names)
            train = train.with_class_weight("fit", by_number, loss)
        size = _rates.size_of(batch_size, "fit", train)
        train = train.in_steps("fit", rates.steps, size)
        held_out = rates.of_validation(held_out, size, epochs, initial_epoch, resume is not None)
        shuffle = flag(shuffle, "fit: shuffle")
        limit = 0 if memory_limit is None else number_of_bytes(memory_limit, "fit: memory_limit")
        if resume is not None and initial_epoch:
            raise ValueError("fit: resume tells the first epoch; initial_epoch must not be given")
        keys = compiled.keys + ([f"val_{key}" for key in compiled.keys] if held_out else [])
        params = {
            "epochs": epochs,
            "steps": train.steps(size),
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
            if self.stop_training or epoch + 1 == epochs or train.ends():
                return True
            calls.epoch_begin(epoch + 1)
            return bool(self.stop_training)

        def on_batch(epoch: int, done: int, ends: bool, logs: dict[str, float]) -> bool:
            calls.batch_end(done - 1, logs)
            if not self.stop_training and not ends:
                calls.batch_begin(done)
            return bool(self.stop_training)

        def on_progress(epoch: int, done: int, batches: int, logs: Mapping[str, float]) -> None:
            shown.batch(epoch, done, batches, dict(logs))

        with (
            self._built_for(train.x, train.y) as core,
            self._in_training("fit", compiled, core),
        ):
            self._check_slopes("fit", core)
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
                    train.begin(core.seed if shuffle else None, core.epochs, len(history.epoch))
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
                        rates.every,
                        rates.after,
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

    @overload
    def train_on_batch(
        self,
        x: Inputs,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: Literal[False] = False,
    ) -> Scores: ...

    @overload
    def train_on_batch(
        self,
        x: Inputs,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        class_weight: Mapping[int, float] | None = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...

    @overload
    def train_on_batch(
        self,
        x: Inputs,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        class_weight: Mapping[int, float] | None = None,
        *,
        return_dict: bool,
    ) -> Scores | dict[str, float]: ...

    @keywords()
    def train_on_batch(
        self,
        x: Inputs,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Scores | dict[str, float]:
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
        quick = self._quick
        if quick is not None and sample_weight is None and class_weight is None:
            with self._lock.held:  # so that nobody begins to train or to change the model meanwhile
                values = quick.update(self, x, y)
            if type(values) is float and not return_dict:
                return values
            if values is not None:
                several = values if isinstance(values, list) else [values]
                return quick.compiled.named(several, return_dict)
        x = self._joined(x, "train_on_batch: x")
        y = self._of_output(y, "train_on_batch: y")
        sample_weight = self._of_output(sample_weight, "train_on_batch: sample_weight")
        y, _ = _labels.numbered("train_on_batch: y", y, self.class_names)
        compiled = self._ready("train_on_batch", y)
        rows = _rows.prepared("train_on_batch", x, y, sample_weight, self._dtype, compiled.target)
        rows = _rows.with_class_weight("train_on_batch", rows, class_weight, compiled.target)
        with (
            self._built_for(rows.x, rows.y) as core,
            self._in_training("train_on_batch", compiled, core),
        ):
            self._check_slopes("train_on_batch", core)
            values = core.train_on_batch(*rows)
        self._quick = Quick.of(self, compiled, core)
        return compiled.named(values, return_dict)

    @keywords()
    def loss_and_gradients(
        self, x: Inputs, y: ForOutputs | None = None, sample_weight: ForOutputs | None = None
    ) -> tuple[float, list[Array]]:
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
        x = self._joined(x, "loss_and_gradients: x")
        y = self._of_output(y, "loss_and_gradients: y")
        sample_weight = self._of_output(sample_weight, "loss_and_gradients: sample_weight")
        y, _ = _labels.numbered("loss_and_gradients: y", y, self.class_names)
        compiled, still = self._still("loss_and_gradients", y)
        rows = _rows.prepared(
            "loss_and_gradients", x, y, sample_weight, self._dtype, compiled.target
        )
        with self._built_for(rows.x, rows.y) as core:
            return (still or core).loss_and_gradients(*rows)

    @keywords()
    def find_learning_rate(
        self,
        x: Inputs,
        y: ForOutputs | None = None,
        batch_size: int | None = 32,
        start: float = 1e-7,
        end: float = 10.0,
        steps: int = 100,
        sample_weight: ForOutputs | None = None,
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
        x = self._joined(x, "find_learning_rate: x")
        y = self._of_output(y, "find_learning_rate: y")
        sample_weight = self._of_output(sample_weight, "find_learning_rate: sample_weight")
        compiled = self._ready("find_learning_rate", y)
        rows = _rows.prepared(
            "find_learning_rate", x, y, sample_weight, self._dtype, compiled.target
        )
        size = _rows.batch_size(batch_size, "find_learning_rate", rows.length)
        return _range_test.run(self, compiled, rows, size, start, end, steps)
