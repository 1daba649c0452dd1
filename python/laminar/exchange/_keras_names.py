# SPDX-License-Identifier: Apache-2.0
"""Keras's variables of each layer: their names, in the order in which files hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# {class: (what is trained, what is not)}; a name in "name=option" is there where the option is on,
# one that ends in ? may be missing.
_VARIABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "BatchNormalization": (
        ("gamma=scale", "beta=center"),
        ("moving_mean", "moving_variance"),
    ),
    "Dense": (("kernel", "bias=use_bias"), ()),
    "Embedding": (("embeddings",), ()),
    "LayerNormalization": (("gamma=scale", "beta=center"), ()),
    "Normalization": ((), ("mean?", "variance?", "count?")),
    "PReLU": (("alpha",), ()),
    "RMSNormalization": (("scale",), ()),
}


def variables(entry: Mapping[str, Any], trained: bool, trains: bool) -> list[str]:
    """Return the names of a layer's variables in one of two lists.

    Parameters
    ----------
    entry : mapping
        Its class and configuration.
    trained : bool
        Which list: of what is trained, or of the rest.
    trains : bool
        Whether the layer is trained: one that is not has all of them in the second list.
    """
    of_class = _VARIABLES.get(str(entry.get("class_name")), ((), ()))
    config = entry["config"]
    lists = [
        [name for name, _, option in (each.partition("=") for each in names) if _on(config, option)]
        for names in of_class
    ]
    if not trains:
        lists = [[], [*lists[0], *lists[1]]]
    return lists[0 if trained else 1]


def _on(config: Mapping[str, Any], option: str) -> bool:
    return not option or bool(config.get(option, True))
