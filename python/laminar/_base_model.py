# SPDX-License-Identifier: Apache-2.0
"""All that models do, whatever connects their layers: the base of `Sequential` and `Model`.

Each file adds one thing: `_guard` who may change a model, `_layered` layers and weights,
`_compiling` what is trained for, `_saving` files, `_training`, `_predicting`, `_quantizing`, and
this one what other programs take.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from . import exchange
from ._attributes import is_own
from ._component import flag
from ._quantizing import Quantizing
from ._spelling import keywords, late
from ._types import OutputT
from .layers.base import followed, tracing
from .layers.symbol import Symbol

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ._types import Array
    from .exchange.integers import IntegerProgram
    from .layers.symbol import Symbols
    from .ops._held import Tensor

_TAPE = "laminar._tape.calls"

# What classes of the user's own define of models elsewhere, and what they do here.
_INSTEAD = {
    "call": "derive the class from layers.Layer, and make a model of it: Sequential([{0}()])",
    "train_step": "write the steps as a loop, with a laminar.GradientTape",
    "test_step": "write the steps as a loop",
    "predict_step": "write the steps as a loop",
    "compute_loss": "give compile a loss of your own",
}


class BaseModel(Quantizing[OutputT]):
    """A model; see `Sequential`."""

    _last_call: Any = None  # that `losses` are of

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse what would never run: a model computes what its layers do."""
        super().__init_subclass__(**kwargs)
        for name, advice in _INSTEAD.items():
            if name in vars(cls) and not is_own(cls):
                raise NotImplementedError(
                    f"{cls.__name__}: models do not call {name}; {advice.format(cls.__name__)}"
                )

    @overload
    def __call__(
        self: BaseModel[Array], inputs: Symbols, training: bool | None = None
    ) -> Symbol: ...

    @overload
    def __call__(
        self: BaseModel[list[Array]], inputs: Symbols, training: bool | None = None
    ) -> list[Symbol]: ...

    @overload
    def __call__(
        self: BaseModel[dict[str, Array]], inputs: Symbols, training: bool | None = None
    ) -> dict[str, Symbol]: ...

    @overload
    def __call__(self, inputs: object, training: bool | None = None) -> Any: ...

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the symbols of the outputs, or the outputs for arrays.

        Parameters
        ----------
        inputs : Symbol, array_like, or a list or a dict of them
            As in `predict`.
        training : bool, optional
            True: layers do as in training: dropout is drawn anew in each call, and the moving mean
            and variance of a `BatchNormalization` follow the batch, as in `fit`; those of a frozen
            one stay.

        Returns
        -------
        Symbol, ndarray, or a list or a dict of them
            For symbols, the layers are called on them: they become layers of the `Model` that is
            made of these, which shares their weights. For arrays what `predict` returns; in the
            block of a `laminar.GradientTape`, and for tensors, that as tensors.
        """
        trains = training is True or (
            training is not None and flag(training, f"model {self.name!r}: training")
        )
        given = [inputs]
        if type(inputs) is not np.ndarray:  # which a step of a loop mostly gives
            if isinstance(inputs, (list, tuple, Mapping)):
                given = list(inputs.values()) if isinstance(inputs, Mapping) else list(inputs)
            if tracing() and any(getattr(value, "_is_traced", False) for value in given):
                return self._inside(inputs, training)
            symbols = [isinstance(value, Symbol) for value in given]
            if any(symbols):
                if all(symbols):
                    return self._called_on(inputs)
                raise TypeError(f"model {self.name!r}: takes symbols or arrays, got both")
        if trains or followed(given):
            return late(_TAPE).of_model(self, inputs, trains)
        return self.predict(inputs)

    @property
    def losses(self) -> list[Tensor]:
        """The losses that layers added in the last call with ``training=True`` or in a tape.

        One tensor of one number for each `add_loss`, which the tape follows back to the weights:
        ``loss = ... + sum(model.losses)``. Penalties of regularizers are not among them; a
        regularizer that is called on a variable returns its own.
        """
        if self._last_call is None:
            return []
        return list(late(_TAPE).losses_of(self))

    def _called_on(self, inputs: Any) -> Any:
        """Return the outputs as symbols, the layers called on others in place of the inputs."""
        raise NotImplementedError

    def _inside(self, inputs: Any, training: bool | None) -> Any:
        """Return the outputs in a call that is traced, of which the layers become part."""
        raise NotImplementedError

    @keywords()
    def to_c(self, name: str = "model") -> str:
        """Return the trained model as one file of C99 that needs the standard library alone.

        Its functions ``model_predict(x, out)`` for one row and ``model_predict_rows(x, rows, out)``
        are re-entrant and allocate nothing; the comment on top of the file tells how to use them.
        Each of several inputs or outputs is an argument of its own, ``in_user`` for the input
        "user", ``out_score`` for the output "score", in their order and before or after ``rows``;
        outputs given as a list are ``out_output_0``, ``out_output_1``, …
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
        from .exchange import c_source  # needed by few programs

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
        from .exchange import cpp_header  # needed by few programs

        return cpp_header.source(self._of_one_moment(), name)

    @overload
    def export(self, filepath: str | os.PathLike[str], format: str | None = None) -> None: ...

    @overload
    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str | None = None,
        *,
        quantize: Literal["int8"],
        x: ArrayLike,
        y: ArrayLike | None = None,
    ) -> IntegerProgram: ...

    @keywords()
    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str | None = None,
        *,
        quantize: Literal["int8"] | None = None,
        x: ArrayLike | None = None,
        y: ArrayLike | None = None,
        opset: int | None = None,
    ) -> IntegerProgram | None:
        """Write the model for other programs.

        Parameters
        ----------
        filepath : str or path
            ``.onnx``: an ONNX graph of what the model predicts, with its inputs and outputs by
            their names; needs ``pip install laminar[onnx]``. ``.c`` and ``.hpp``: what `to_c`
            and `to_hpp` return. ``.safetensors``: the weights under the names that a
            ``torch.nn.Sequential`` of the same layers has, with activations as modules of their
            own; of a graph under the layers' names, ``dense_1.weight``. A module's epsilon is not
            in it: PyTorch's default is 1e-5, Keras's and that of the layers here is 1e-3.
            ``.keras``: a model that Keras 3 loads, without optimizer and loss; needs ``pip install
            laminar[keras]``.
        format : {"onnx", "torch", "keras", "c", "hpp"}, optional
            The format, where the file's name ends otherwise.
        quantize : {"int8"}, optional
            Write C that computes with integers alone, for microcontrollers: weights and activations
            of 8 bits, sums of 32, no float and no mathematical library at run time.
        x : array_like, optional
            With ``quantize``: some hundred samples as the program will see them. The scales of
            inputs and activations are those that lose least on them.
        y : array_like, optional
            Their targets: what integers change in loss and metrics is measured.
        opset : int, optional
            Of ONNX: the version of the operators, from 13 on. Without it the lowest that has all of
            them: 13, or 20 where there is a gelu in float32, which 13 has written out with Erf.

        Returns
        -------
        IntegerProgram or None
            With ``quantize``: ``report`` says what integers change in the outputs, in loss and
            metrics; ``predict(x)`` returns what the C computes, to the bit, so that its loss is
            known for other data as well; ``flash_bytes`` and ``ram_bytes`` are what it takes.

        Raises
        ------
        TypeError, ValueError, ImportError, OSError
            Where the model is not built, has a layer that the format lacks, which is named, or the
            file cannot be written.

        Notes
        -----
        In integers there are chains of Dense with any activation of single values, softmax at the
        end, and what becomes part of the weights or scales: Normalization, BatchNormalization,
        Rescaling; SmoothClip and PiecewiseLinearEncoding; and what prediction does without, such
        as Dropout. Relu and its kind are computed, other functions are tables. The comment on top
        of the file tells how inputs become integers and what outputs stand for.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from laminar import Sequential, layers
        >>> model = Sequential([layers.Input(8), layers.Dense(32, "relu"), layers.Dense(1)], seed=1)
        >>> x = np.random.default_rng(2).normal(size=(500, 8))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     program = model.export(os.path.join(folder, "net.c"), quantize="int8", x=x)
        >>> program.report["relative_error"] < 0.02
        True
        """
        if quantize is not None:
            if opset is not None:
                raise ValueError("export: opset is of ONNX alone, and quantize of C")
            model = self._of_one_moment()
            return exchange.export_integers(model, filepath, format, quantize, x, y)
        if x is not None or y is not None:
            raise ValueError("export: x and y are samples for quantize, which is not given")
        exchange.export(self._of_one_moment(), filepath, format, opset)
        return None

    @keywords()
    def load_torch_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Set all weights to those of a PyTorch model, saved as a state dict in safetensors.

        A Dense takes a Linear's, BatchNormalization a BatchNorm1d's, LayerNormalization a
        LayerNorm's, RMSNormalization an RMSNorm's, PReLU a PReLU's. Where the modules have the
        layers' names, these tell which is which, and they must in a graph. In a chain layers take
        weights in their order otherwise. A state dict holds no epsilon: the model predicts what
        PyTorch's does where its normalizations have the same, ``BatchNormalization(epsilon=1e-5)``.

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
