# SPDX-License-Identifier: Apache-2.0
"""Kinds of models, and models from files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import _saving
from ._spelling import keywords, module_getattr
from .sequential import Sequential

__all__ = ["Sequential", "load_model"]


@keywords()
def load_model(filepath: str | os.PathLike[str]) -> Sequential:
    """Return the model of a file that ``model.save`` or C++'s ``save_model`` wrote.

    It is compiled if it was when it was saved, and its optimizer goes on where it stopped. Loading
    runs no code of the file's, whoever made it.

    Parameters
    ----------
    filepath : str or path
        The file, ending in ``.safetensors``.

    Returns
    -------
    Sequential
        The model; it predicts the same bits as the one that was saved.

    Raises
    ------
    ValueError
        Where the file is none of laminar's, damaged, or of a newer format.
    OSError
        Where it cannot be read.
    """
    return _saving.load(_saving.checked_path(filepath, "load_model"), Sequential)


if not TYPE_CHECKING:  # a type checker shall see misspelt names for itself
    __getattr__ = module_getattr(__name__, __all__)
