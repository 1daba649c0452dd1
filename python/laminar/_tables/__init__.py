# SPDX-License-Identifier: Apache-2.0
"""Raw tables, CSV and Parquet, as the numbers that a model takes.

Where the border lies: a `Table`, kept as JSON beside the model in its file, turns a row of texts
and numbers into a vector. It looks categories up and puts in what is missing, which takes no
arithmetic, so that a reader in another language is short. Everything with numbers is the model's
own: its first layer, a Normalization, standardizes them and passes zeros and ones on.
"""

from __future__ import annotations

from .kept import Kept
from .reading import Block, Source
from .survey import Choices, Survey
from .table import Column, Encoder, Table, Target

__all__ = ["Block", "Choices", "Column", "Encoder", "Kept", "Source", "Survey", "Table", "Target"]
