# SPDX-License-Identifier: Apache-2.0
"""What a model is compiled with: optimizer, loss and metrics, chosen by `compile`; its summary."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from . import _choice, _summary
from ._compiled import Compiled
from ._component import flag, integer
from ._guard import CoreModel
from ._layered import Layered
from ._printable import say
from ._spelling import keywords, late

if TYPE_CHECKING:
    from .losses import Identifier as LossLike
    from .losses import Loss
    from .metrics import Identifier as MetricLike
    from .metrics import Metric
    from .optimizers import Identifier as OptimizerLike
    from .optimizers import Optimizer

    Metrics: TypeAlias = MetricLike | Sequence[MetricLike] | None

_PICTURE = "laminar._pictures.model"


class Compiling(Layered):
    """Layers and what they are compiled with."""

    def _instead(self, name: str) -> str:
        if name in ("optimizer", "loss", "metrics", "metrics_names"):
            return "; compile chooses it"
        return "; set_weights changes them" if name == "weights" else "; it follows from the layers"

    @keywords()
    def compile(
        self,
        optimizer: OptimizerLike = "rmsprop",
        loss: LossLike | Sequence[LossLike | None] | Mapping[str, LossLike | None] | None = None,
        metrics: Metrics | Sequence[Metrics] | Mapping[str, Metrics] = None,
        weighted_metrics: Metrics | Sequence[Metrics] | Mapping[str, Metrics] = None,
        loss_weights: float | Sequence[float] | Mapping[str, float] | None = None,
        ignore_nan: bool = False,
    ) -> None:
        """Choose what training does; the optimizer starts afresh, the weights stay.

        Parameters
        ----------
        optimizer : str, mapping or Optimizer
            See `laminar.optimizers`. An object that another model uses is copied, so that each
            model has a learning rate of its own.
        loss : str, mapping, Loss or callable, optional
            See `laminar.losses`; or a function of (y_true, y_pred) that is written in
            `laminar.ops`. It is traced for targets as the first ones are, (n,) being one column,
            which may have another shape than the outputs. Without it a model whose layers add
            losses is trained on these alone; of others the last activation decides:
            binary_crossentropy for sigmoid, categorical_crossentropy or, where the first y has
            class numbers, sparse_categorical_crossentropy for softmax, else mse. Of several outputs
            one for all,
            a list of one for each, or a dict by their names; where there is none, an output is
            predicted and not trained by itself.
        metrics : list of str, mapping, Metric or callable, optional
            See `laminar.metrics`; or functions as of a loss, whose means over the rows appear under
            their names. They count every row once. Of several outputs a list of one or
            of lists for each, or a dict by their names.
        weighted_metrics : list of str, mapping or Metric, optional
            Metrics in which rows count as much as ``sample_weight`` and ``class_weight`` say. One
            whose name is taken appears as ``weighted_`` and the name.
        loss_weights : list or dict of float, optional
            What the loss of each output counts in their sum, which is minimized; 1 without it.
        ignore_nan : bool
            Targets that are NaN are missing. A row whose targets of an output are all missing
            counts for nothing there: in the loss, in what it is divided by, and in metrics. Where
            some are, a loss that is a mean over a row's columns, and metrics of single columns,
            are those of the others; for other losses and metrics the row is missing.

        Raises
        ------
        TypeError, ValueError
            Where an argument is wrong; nothing has changed then.
        RuntimeError
            While the model is being trained.

        Warns
        -----
        UserWarning
            Where loss and last activation do not belong together, such as softmax with
            binary_crossentropy.

        Notes
        -----
        Logs have ``loss``, the sum; of several outputs with a loss, ``price_loss`` for each by its
        name; and the metrics, of several outputs as ``price_mae``, in alphabetical order.
        """
        with self._lock:
            self._not_in_training("compile")
            chosen = Compiled(
                optimizer, loss, metrics, self, weighted_metrics, loss_weights, ignore_nan
            )
            self._freeze()
            model = self._model
            if model is None and self._input is not None and self._layers:
                model = self._build(self._input)
            if model is not None:
                chosen.apply(model, afresh=True)
            if self._compiled is not None and self._compiled.optimizer is not chosen.optimizer:
                self._compiled.optimizer._release()
            if model is None or not chosen.complete:  # it is bound to no model, or to one of before
                chosen.optimizer._release()
            chosen.optimizer._owner = weakref.ref(self)
            chosen.fix()
            self._compiled = chosen
        for i, head in enumerate(chosen.heads):
            advice = head.loss and _choice.mismatch(self._last_layers(i), head.loss)
            if advice:
                where = f"compile: {head.output.name}" if len(chosen.heads) > 1 else "compile"
                warnings.warn(f"{where}: {advice}", UserWarning, stacklevel=3)  # compile's caller

    @property
    def trainable(self) -> bool:
        """Whether all layers are trained; what is set goes to all, from the next compile on."""
        return all(layer.trainable for layer in self._layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        checked = flag(value, f"model {self.name!r}: trainable")
        for layer in self._layers:
            layer.trainable = checked

    def _freeze(self) -> None:
        """Build the model anew where layers have been frozen or freed since; weights stay."""
        frozen = [not layer.trainable for layer in self._layers]
        inside = [layer._trained_inside() for layer in self._layers]
        if self._model is not None and (frozen, inside) != (self._frozen, self._trained_inside):
            self._take_apart(keep=True)

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, whose learning rate is live; None before compile."""
        return None if self._compiled is None else self._compiled.optimizer

    @property
    def loss(self) -> Loss | list[Loss | None] | None:
        """The loss; None before compile, and while it waits for the first targets.

        Of several outputs a list of one for each, None where there is none.
        """
        compiled = self._compiled  # once: another thread may compile meanwhile
        return compiled.loss if compiled is not None and compiled.settled else None

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, without the loss."""
        return [] if self._compiled is None else list(self._compiled.metrics)

    def _loss_titles(self) -> dict[str, str]:
        """Return what pictures call the losses of logs."""
        return {} if self._compiled is None else self._compiled.titles()

    def _metric_of(self, key: str) -> Metric | None:
        """Return the metric that appears under a key of the logs."""
        return None if self._compiled is None else self._compiled.metric_of(key)

    @property
    def metrics_names(self) -> list[str]:
        """The keys of logs: "loss", those of several outputs, and the names of the metrics."""
        return [] if self._compiled is None else list(self._compiled.keys)

    @keywords()
    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], object] | None = None,
        show_trainable: bool = False,
    ) -> None:
        """Print a table of layers, shapes and weights, and what they take in memory.

        Parameters
        ----------
        line_length : int, optional
            The width of the table, at least 40; without it, as wide as its cells.
        print_fn : callable, optional
            Called once with the text, in place of `print`.
        show_trainable : bool
            Add a column: Y where training changes a layer's weights, N where it does not, partly
            where it changes some, such as a BatchNormalization's without its running means. Where
            layers are frozen the column is there in any case.

        Notes
        -----
        The total counts the model's weights, as `count_params` does. The optimizer's parameters,
        known once the model is compiled, are the momenta, averages and summed gradients that it
        keeps of trainable weights; they come on top.
        """
        length = None
        if line_length is not None:
            length = integer(line_length, "summary: line_length", minimum=_summary.SHORTEST)
        shown = flag(show_trainable, "summary: show_trainable")
        (print_fn or say)(_summary.of(self, length, shown))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the structure as a drawing, and tables."""
        made: str = late(_PICTURE).html(self)
        return made

    def _ready(self, where: str, y: object, training: bool = False) -> Compiled:
        """Return what the model is compiled with, if it may be used by ``where`` now.

        A loss that nobody named follows the targets ``y``.
        """
        if not training:
            self._not_in_training(where)
            if self._quantization is not None:
                raise RuntimeError(
                    f"{where}: the model's weights are {self._quantization} since quantize, for "
                    "inference alone; train the model before, or a copy of it"
                )
        if self._compiled is None:
            raise ValueError(f"{where}: compile the model first")
        with self._lock:
            busy = self._trainer is not None
            self._compiled.settle(where, self._last_layers(), y, self._model, busy)
            return self._compiled

    def _still(self, where: str, y: object) -> tuple[Compiled, CoreModel | None]:
        """Return what the model is compiled with and the core's model, both of one moment.

        The latter stays as it is, whatever other threads do; None where it is not built.
        """
        while True:
            compiled = self._ready(where, y, training=True)
            core = self._build_if_known()
            if core is None:
                return compiled, None
            still, _ = core.moment(where, False)
            with self._lock:
                if self._compiled is compiled and self._model is core:
                    return compiled, still
