# SPDX-License-Identifier: Apache-2.0
"""Layers, as objects that carry their arguments, and the input they start from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _component
from .._spelling import module_names
from .activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from .base import Layer
from .dense import Dense, Maxout
from .dropout import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from .embedding import Embedding
from .lookup import IntegerLookup, StringLookup
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .normalization import BatchNormalization, LayerNormalization, RMSNormalization
from .numeric import PeriodicEmbedding, PiecewiseLinearEncoding, SmoothClip
from .operations import Lambda, Operations
from .preprocessing import CategoryEncoding, Discretization, Normalization, Rescaling
from .shape import Flatten, Reshape
from .symbol import Input

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "CategoryEncoding",
    "Concatenate",
    "Dense",
    "Discretization",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Input",
    "IntegerLookup",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Maxout",
    "Minimum",
    "Multiply",
    "Normalization",
    "Operations",
    "PReLU",
    "PeriodicEmbedding",
    "PiecewiseLinearEncoding",
    "RMSNormalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "SmoothClip",
    "Softmax",
    "StringLookup",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "get",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


def get(identifier: Mapping[str, Any] | Layer) -> Layer:
    """Return the layer that a configuration describes.

    Parameters
    ----------
    identifier : mapping or Layer
        ``{"class_name": "Dense", "config": {"units": 3}}``, or an object (returned as it is).

    Raises
    ------
    TypeError, ValueError
        Where there is no such layer; the message names the nearest one.

    Examples
    --------
    >>> from laminar import layers
    >>> layers.get({"class_name": "Dense", "config": {"units": 3}}).units
    3
    """
    return _component.get(Layer, identifier)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__, __dir__ = module_names(__name__, __all__)
