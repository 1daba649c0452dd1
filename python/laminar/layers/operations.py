# SPDX-License-Identifier: Apache-2.0
"""Layers that are programs of operations: one that comes from a file, and one of a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from .. import _core
from .._spelling import keywords
from .base import Layer, Shape
from .symbol import Symbol


class Operations(Layer, entry="operations"):
    """What a layer of the user's own computes, as a file holds it: its class is not needed.

    Parameters
    ----------
    recorded : mapping
        The core's description: its program, that of training, its weights, and the class that it
        was recorded from.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.
    trainable : bool
        Whether training changes the weights, if it has any.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import Sequential, load_model
    >>> class Doubled(layers.Layer):
    ...     def call(self, inputs):
    ...         return 2.0 * inputs
    ...
    >>> Sequential([layers.Input(2), Doubled()]).save("doubled.safetensors")
    >>> type(load_model("doubled.safetensors").layers[0]).__name__
    'Operations'
    """

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        recorded: Mapping[str, Any],
        name: str | None = None,
        input_shape: Shape | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name, input_shape, trainable)
        self.recorded = recorded

    def _assign(self, name: str, value: object) -> None:
        if name == "recorded":
            if not isinstance(value, Mapping) or "program" not in value:
                raise ValueError(
                    f"Operations: recorded must hold a 'program' that a file has, got {value!r}"
                )
            _core.Program(json.dumps(value["program"]))  # which refuses what is none
            value = dict(value)
            self._listed = len(value["program"]["inputs"]) > 1
        super()._assign(name, value)

    def _inputs(self) -> list[tuple[int, ...]]:
        return [tuple(shape[1:]) for shape in self.recorded["program"]["inputs"]]

    def _check_number(self, count: int) -> None:
        """Raise ValueError where a number of inputs is none that the layer takes."""
        if count != len(self._inputs()):
            raise ValueError(f"{self._label()}: takes {len(self._inputs())} symbols, got {count}")

    def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        wanted = self._inputs()
        if [tuple(shape) for shape in shapes] != wanted:
            raise ValueError(
                f"{self._label()}: was recorded for samples of shape "
                f"{' and '.join(map(str, wanted))}, got {' and '.join(map(str, shapes))}"
            )
        program = _core.Program(json.dumps(self.recorded["program"]))
        return tuple(program.shapes()[0][1:])

    @property
    def _hands_on(self) -> bool:  # type: ignore[override]  # known by the file
        return self.recorded.get("class_name") == AddLoss.__name__

    @property
    def _adds_losses(self) -> bool:
        return len(self.recorded["program"]["outputs"]) > 1

    def _options(self) -> dict[str, Any]:
        return dict(self.recorded)

    def _spec(self) -> dict[str, Any]:
        spec = super()._spec()
        if spec.pop("whole_batch", False):
            spec["kind"] = "batch_operations"
        return spec

    def __repr__(self) -> str:
        return f"<Operations {self._known_name!r}, once {self.recorded.get('class_name')!r}>"


class AddLoss(Layer):
    """What `Model.add_loss` puts behind an output: it hands that on, and adds a loss."""

    _own = True
    _entry = "operations"
    _hands_on = True

    def __init__(self, function: Callable[[Sequence[Any]], Any]) -> None:
        super().__init__()
        self._function = function
        self._listed = True

    @classmethod
    def on(cls, output: Symbol, loss: Any, where: str) -> Symbol:
        """Return the symbol of an output with a loss behind it; TypeError where it is none."""
        if isinstance(loss, Symbol):
            made = cast("Any", loss)
            reads = made._reads if loss._of_batch else [loss]
            function = made._function if loss._of_batch else (lambda values: values[0])
        elif isinstance(loss, (int, float)):
            reads, function = (), lambda _: loss
        else:
            raise TypeError(
                f"{where}: loss must be what operations make of the model's symbols, or a number, "
                f"got {loss!r}"
            )
        return cls(function)._called_on([output, *reads])

    def call(self, inputs: Any) -> Any:
        """Return the output as it is."""
        output, *values = inputs
        self.add_loss(self._function(values))
        return output

    def _word(self) -> str:
        return "add_loss"


class Lambda(Layer):
    """A function as a layer.

    Parameters
    ----------
    function : callable
        Takes a batch, or several in a list, and returns what operations make of it; it may take
        ``training`` too. Its program is saved, not its code.
    name : str, optional
        Unique within its model.
    input_shape : tuple of int or int, optional
        On the first layer of a model: the shape of one sample.

    Examples
    --------
    >>> from laminar import layers
    >>> from laminar import ops
    >>> layers.Lambda(lambda x: ops.square(x))([[1.0, -3.0]])
    array([[1., 9.]], dtype=float32)
    """

    _own = True
    _entry = "operations"

    @keywords(input_dim="input_shape")
    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        input_shape: Shape | None = None,
    ) -> None:
        super().__init__(name, input_shape)
        if not callable(function):
            raise TypeError(f"Lambda: function must be callable, got {function!r}")
        self.function = function

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return what the function makes of a batch."""
        from ._own import takes_training  # which few programs need

        if takes_training(self.function):
            return self.function(inputs, training=training)
        return self.function(inputs)

    def _word(self) -> str:
        return "lambda"
