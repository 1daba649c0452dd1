# SPDX-License-Identifier: Apache-2.0
"""Evaluation and prediction: what looks at a model without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from . import _arrays, _frames, _labels, _progress, _rates, _rows, _samples
from ._feed import feed, first_targets
from ._guard import CoreModel
from ._spelling import keywords
from ._tables import frames as tables
from ._tables import records
from ._tables.table import TEXT as _TABLE
from ._training import Training
from ._types import ByOutput, OutputT
from .callbacks._list import CallbackList
from .data import Dataset
from .data._batches import Batches, brought

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ._explanation import Explanation
    from ._heads import ForOutputs
    from ._types import Array, Samples, Scores


class Predicting(Training, ByOutput[OutputT]):
    """A model that predicts."""

    @overload
    def evaluate(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: ForOutputs | None = None,
        steps: int | None = None,
        callbacks: object = None,
        return_dict: Literal[False] = False,
    ) -> Scores: ...

    @overload
    def evaluate(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: ForOutputs | None = None,
        steps: int | None = None,
        callbacks: object = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...

    @overload
    def evaluate(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: ForOutputs | None = None,
        steps: int | None = None,
        callbacks: object = None,
        *,
        return_dict: bool,
    ) -> Scores | dict[str, float]: ...

    @keywords()
    def evaluate(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: ForOutputs | None = None,
        steps: int | None = None,
        callbacks: object = None,
        return_dict: bool = False,
    ) -> Scores | dict[str, float]:
        """Return loss and metrics over all rows, as prediction sees them: without dropout.

        Parameters
        ----------
        x, y, sample_weight
            As in `fit`.
        batch_size : int or None
            Rows of a batch of ``steps``, 32 without it; otherwise of no consequence. Must not be
            given beside what brings batches.
        verbose : {0, 1, 2, "auto"}
            Unless 0, print the values as one line.
        steps : int, optional
            Look at the first so many batches alone; of a generator, which may be endless, at the
            next ones.
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
        steps = _rates.count(steps, "evaluate: steps")
        x = self._joined(brought(x, "evaluate: x"), "evaluate: x")
        _rates.check_size(batch_size, x, "evaluate")
        _rates.check_end(x, steps, "evaluate")
        y = self._of_output(y, "evaluate: y")
        sample_weight = self._of_output(sample_weight, "evaluate: sample_weight")
        y, _ = _labels.numbered("evaluate: y", y, self.class_names)
        if isinstance(x, Dataset):
            _labels.agreed("evaluate: x", x.classes, self.class_names)
        compiled, still = self._still("evaluate", first_targets("evaluate", x, y))
        style = _progress.style(verbose, "evaluate")
        rows = feed("evaluate", x, y, sample_weight, self._dtype, compiled.target, self._joined)
        _frames.check_names(rows.names, "evaluate: x", self.feature_names)
        size = _rates.size_of(_rates.chosen(batch_size), "evaluate", rows)
        rows = rows.in_steps("evaluate", steps, size, again=True)
        calls = CallbackList("evaluate", callbacks)
        with self._built_for(rows.x, rows.y) as core:
            calls.introduce(self, {"verbose": verbose, "metrics": compiled.keys})
            calls.test_begin()
            values = (still or core).evaluate(rows.data, rows.buffer_size)
        calls.test_end(compiled.logs(values))
        if style is not _progress.Silent:
            print(_progress.described(compiled.logs(values)))
        return compiled.named(values, return_dict)

    @keywords()
    def predict(
        self,
        x: Samples,
        batch_size: int | None = None,
        verbose: str | int = 0,
        steps: int | None = None,
        callbacks: object = None,
        *,
        out: NDArray[Any] | None = None,
    ) -> OutputT:
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
            from columns to values. Or a Dataset, which is read piece by piece; or a generator, an
            iterable or a sequence of batches, x alone or tuples that begin with it, whose rows
            follow each other.
        batch_size : int or None
            Rows of a batch of ``steps``, 32 without it; otherwise of no consequence, as rows are
            taken in blocks that fit the cache. Must not be given beside what brings batches.
        verbose
            Accepted for Keras's sake: nothing is printed.
        steps : int, optional
            Predict the first so many batches alone; of a generator, which may be endless, the next
            ones.
        callbacks : Callback or list of Callback, optional
            Their on_predict_begin and on_predict_end are called.
        out : ndarray, optional
            C-contiguous, writeable, (n, outputs), of the model's dtype: receives the result.

        Returns
        -------
        ndarray
            ``out``, or a new array (n, outputs); of a `Model` of several outputs a list or a dict
            of arrays, as it was given its outputs.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong.
        """
        if self._sharing:
            self._build_if_known()
        if callbacks is None and batch_size is None and steps is None and self._model is not None:
            outputs: OutputT | None = self._at_once(x, out)
            if outputs is not None:
                return outputs
        if out is not None and self._several_outputs:
            raise ValueError("predict: out is for models of one output; this one has several")
        steps = _rates.count(steps, "predict: steps")
        x = self._joined(brought(x, "predict: x"), "predict: x")
        _rates.check_size(batch_size, x, "predict")
        _rates.check_end(x, steps, "predict")
        size = _rows.batch_size(_rates.chosen(batch_size), "predict", None)
        pieces: _samples.Samples | None = None
        if isinstance(x, Batches):
            pieces = _samples.OfBatches(x, steps, self._dtype, self._joined, self._number_of_inputs)
        elif isinstance(x, Dataset):
            _frames.check_names(x.feature_names, "predict: x", self.feature_names)
        else:
            x = self._encoded(x, "predict: x")
        if isinstance(x, Dataset):
            pieces = _samples.OfDataset(x, steps, size, self._dtype, self._joined)
        if pieces is not None:
            rows = pieces.first
        else:
            rows = _arrays.features(x, "predict: x", self._dtype)
            _samples.check_steps(-(-len(rows) // size), steps, 4)
            rows = rows if steps is None else rows[: steps * size]
        calls = CallbackList("predict", callbacks)
        with self._built_for(rows) as core:
            calls.introduce(self, {"verbose": verbose})
            calls.predict_begin()
            core, _ = core.moment("predict", False)
            if pieces is not None:
                result = self._predicted_pieces(core, pieces, out)
            else:
                result = self._predicted(core, rows, out)
        calls.predict_end()
        parted: OutputT = self._parted(result)
        return parted

    def _encoded(self, x: Any, where: str) -> Any:
        """Return raw rows of a table as the model's inputs, and what has these as it is."""
        if _TABLE in self._texts and records.are_records(x):
            return records.encoded(x, where, self._texts[_TABLE], self._dtype)
        if _TABLE in self._texts and _frames.names(x) is not None:
            return tables.encoded(x, where, self._texts[_TABLE], self._dtype)
        _frames.check_names(_frames.names(x), where, self.feature_names)
        return x

    @keywords()
    def predict_on_batch(self, x: Samples) -> OutputT:
        """Return the network's output for each row; see `predict`.

        Parameters
        ----------
        x : array_like
            As in `predict`.
        """
        return self.predict(x)

    @overload
    def test_on_batch(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        return_dict: Literal[False] = False,
    ) -> Scores: ...

    @overload
    def test_on_batch(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        *,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...

    @overload
    def test_on_batch(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        *,
        return_dict: bool,
    ) -> Scores | dict[str, float]: ...

    @keywords()
    def test_on_batch(
        self,
        x: Samples,
        y: ForOutputs | None = None,
        sample_weight: ForOutputs | None = None,
        return_dict: bool = False,
    ) -> Scores | dict[str, float]:
        """Return loss and metrics over the rows given; see `evaluate`.

        Parameters
        ----------
        x, y, sample_weight, return_dict
            As in `evaluate`.
        """
        return self.evaluate(x, y, sample_weight=sample_weight, return_dict=return_dict)

    @keywords()
    def vjp(
        self, x: ArrayLike, d_outputs: ArrayLike, training: bool = False
    ) -> tuple[Any, list[Array]]:
        """Return the gradients of ``sum(d_outputs * model(x))``: a vector times the Jacobian.

        With ``d_outputs`` the gradient of any number by the outputs, these are its gradients by the
        inputs and by the weights. Any number of threads may call it at once.

        Parameters
        ----------
        x : array_like
            (n, features), or as in `predict` for several inputs.
        d_outputs : array_like
            As `predict` returns for ``x``: (n, outputs).
        training : bool
            Layers do as in the update that comes next: dropout is drawn, batches are followed.
            Otherwise they do as in prediction.

        Returns
        -------
        d_x : ndarray
            In the form of one input, or a list of them for several.
        d_weights : list of ndarray
            For each tensor of `get_weights`, in that order; 0 for those that are not trained.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong.

        Examples
        --------
        >>> import numpy as np
        >>> from laminar import Sequential, layers
        >>> model = Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones")])
        >>> d_x, d_weights = model.vjp(np.array([[1.0, 2.0]]), np.array([[3.0]]))
        >>> d_x
        array([[3., 3.]], dtype=float32)
        >>> d_weights[0]
        array([[3.],
               [6.]], dtype=float32)
        """
        rows = _arrays.features(self._joined(x, "vjp: x"), "vjp: x", self._dtype)
        with self._built_for(rows) as core:
            core, _ = core.moment("vjp", False)
            gradient = self._outputs_joined(d_outputs, "vjp: d_outputs", len(rows))
            d_x, d_weights = core.vjp(rows.reshape(len(rows), -1), gradient, bool(training))
        return self._taken_apart(d_x.reshape(rows.shape)), d_weights

    @keywords(baselines="baseline")
    def explain(
        self,
        x: Any,
        target: int | ArrayLike | None = None,
        baseline: Any = None,
        output: str | int | None = None,
        tolerance: float = 1e-3,
    ) -> Explanation:
        """Return what each input contributes to an output, by integrated gradients.

        On the straight way from a baseline to a row the slopes of the output by the inputs are
        summed up (M. Sundararajan, A. Taly and Q. Yan, 2017, arXiv:1703.01365). What the inputs of
        a row contribute adds up to what the output differs by from that of the baseline, which is
        checked: the way is divided until it does. The model does not change, and layers do as in
        prediction.

        Parameters
        ----------
        x : array_like
            Rows as in `predict`, in memory; a dict or a list of arrays for several inputs.
        target : int or array_like of int, optional
            The column of the output, for all rows or for each. Without it each row's greatest
            output, which is the class that it is given.
        baseline : float or array_like, optional
            What contributions are compared with: a number, a sample, or one for each row; for
            several inputs a list or a dict of these. Without it 0, which is the mean of inputs that
            are standardized.
        output : str or int, optional
            The name or the number of one of several outputs; it must be given then.
        tolerance : float
            By what share of the output's difference the sum of a row's contributions may be beside
            it; of differences that are small among the rows, by the same share of a twentieth of
            their mean.

        Returns
        -------
        Explanation
            ``values`` in the form of x, ``outputs``, ``base_values``, ``targets`` and ``gaps``.
            Notebooks show the inputs that contribute most.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong, or x tells nothing but categories: no slope leads back
            through an `Embedding`, a `CategoryEncoding` or a `Discretization`. Beside other inputs
            such ones stay as they are in the row and contribute 0.

        Warns
        -----
        UserWarning
            Where contributions do not add up within the tolerance: the output jumps on the way, or
            layers of one's own have no slope there.

        Examples
        --------
        >>> import numpy as np
        >>> from laminar import Input, Sequential, layers
        >>> model = Sequential([Input((2,)), layers.Dense(1, kernel_initializer="ones")])
        >>> model.explain(np.array([[1.0, -2.0], [0.0, 3.0]])).values.round(6)
        array([[ 1., -2.],
               [ 0.,  3.]])
        """
        from . import _explanation  # needed by few programs

        rows = self._encoded(self._joined(x, "explain: x"), "explain: x")
        rows = _arrays.features(rows, "explain: x", self._dtype)
        with self._built_for(rows) as core:
            core, _ = core.moment("explain", False)
            return _explanation.explain(self, core, x, rows, target, baseline, output, tolerance)

    def _outputs_joined(self, outputs: Any, where: str, rows: int) -> NDArray[Any]:
        """Return what has the form of predictions as one matrix."""
        array = _arrays.features(outputs, where, self._dtype)
        if array.shape != (rows, *self._outputs):
            expected = ", ".join(map(str, (rows, *self._outputs)))
            raise ValueError(f"{where} must have shape ({expected}), got {array.shape}")
        return array.reshape(rows, -1)

    def _taken_apart(self, inputs: NDArray[Any]) -> Any:
        """Return what has the form of one input in that of the model's inputs."""
        return inputs

    def _at_once(self, x: Any, out: NDArray[Any] | None) -> Any:
        """Return predictions of what needs no preparation to speak of; None for all else.

        What is wrong with the arguments the long way says.
        """
        core = self._model
        assert core is not None
        if self._plain:
            outputs = core.predict_ready(x, out)
            if outputs is not None or _frames.is_plain(x) or _TABLE in self._texts:
                return outputs
            matrix = _frames.matrix(x)
            if matrix is None:
                return None
            _frames.check_names(_frames.names(x), "predict: x", self.feature_names)
            return core.predict_ready(matrix, out)
        if out is not None or type(x) not in (dict, list, tuple):
            return None
        outputs = core.predict_ready(self._joined(x, "predict: x"), None)
        return None if outputs is None else self._parted(outputs)

    def _predicted_pieces(
        self, core: CoreModel, pieces: _samples.Samples, out: NDArray[Any] | None
    ) -> NDArray[Any]:
        if pieces.rows is None and out is None:
            made = []
            for rows in pieces:
                made.append(self._predicted(core, rows, None))
            return np.concatenate(made)
        if out is None:
            out = np.empty((pieces.rows or 0, *self._outputs), self._dtype)
        done = 0
        assert self._input is not None
        for rows in pieces:
            _arrays.check_sample(rows, "predict: x", self._input)
            if done + len(rows) > len(out):
                raise ValueError(f"predict: x has more than {len(out)} rows")
            self._predicted(core, rows, out[done : done + len(rows)])
            done += len(rows)
        if done < len(out):
            raise ValueError(f"predict: x has {done} rows, expected {len(out)}")
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
