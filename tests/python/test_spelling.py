# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect

import pytest

from laminar._spelling import argument_names, hint, keywords, module_getattr


@keywords(lr="learning_rate")
def rate(learning_rate: float = 0.1, *, nesterov: bool = False) -> tuple[float, bool]:
    return learning_rate, nesterov


def test_hint_names_the_nearest_whatever_its_case() -> None:
    assert hint("sdg", ["SGD", "Adam"]) == "did you mean 'SGD'?"
    assert hint("nestrove", ["momentum", "nesterov"]) == "did you mean 'nesterov'?"


def test_hint_lists_all_where_none_is_near() -> None:
    assert hint("zzz", ["b", "a"]) == "there is a, b"
    assert hint("zzz", []) == "there is none"


def test_keywords_pass_present_and_old_names() -> None:
    assert rate(0.5) == (0.5, False)
    assert rate(learning_rate=0.5, nesterov=True) == (0.5, True)
    assert rate(lr=0.5) == (0.5, False)  # type: ignore[call-arg]


def test_keywords_name_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"rate: unknown argument 'nestrove'.*'nesterov'"):
        rate(nestrove=True)  # type: ignore[call-arg]


def test_keywords_refuse_two_names_of_one_argument() -> None:
    with pytest.raises(TypeError, match="'lr' is another name of 'learning_rate'"):
        rate(lr=1, learning_rate=1)  # type: ignore[call-arg]


def test_keywords_keep_the_signature() -> None:
    assert list(inspect.signature(rate).parameters) == ["learning_rate", "nesterov"]
    assert argument_names(rate) == ("learning_rate", "nesterov")


def test_module_getattr_names_the_nearest() -> None:
    missing = module_getattr("laminar.optimizers", ["SGD", "Adam"])
    with pytest.raises(AttributeError, match=r"'laminar.optimizers' has no .*'SDG'.*'SGD'"):
        missing("SDG")
    with pytest.raises(AttributeError, match=r"has no attribute '__wrapped__'$"):
        missing("__wrapped__")
