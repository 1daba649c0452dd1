# SPDX-License-Identifier: Apache-2.0
"""Trained models as files of other kinds, and as source code of other languages."""

__all__: list[str] = []
