# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from types import ModuleType

import pytest
from support import run_python

import laminar

MODULES = [value for value in vars(laminar).values() if inspect.ismodule(value)]
PUBLIC = [module for module in MODULES if not module.__name__.rpartition(".")[2].startswith("_")]


def test_public_names_exist() -> None:
    for name in laminar.__all__:
        assert getattr(laminar, name) is not None
    # Some are there where another test has imported them.
    others = {"command", "compat", "exchange", "model", "sequential", "sklearn", "test"}
    known = {*laminar.__all__, *others}
    assert {m.__name__.rpartition(".")[2] for m in PUBLIC} <= known
    assert laminar.models.Sequential is laminar.Sequential
    assert laminar.layers.Input is laminar.Input


def test_version_and_configuration() -> None:
    configuration = laminar.show_config()
    assert configuration["version"] == laminar.__version__
    assert configuration["isa"] in configuration["isas"]
    assert {"threads", "compiler", "eigen"} <= set(configuration)


@pytest.mark.parametrize("module", PUBLIC, ids=lambda m: m.__name__)
def test_everything_public_is_documented(module: ModuleType) -> None:
    only = module.__name__.rpartition(".")[2].capitalize()  # that of laminar.model, for example
    for name in getattr(module, "__all__", [only]):
        thing = getattr(module, name)
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            continue
        assert inspect.getdoc(thing), f"{module.__name__}.{name}"
        for attribute, member in vars(thing).items() if inspect.isclass(thing) else ():
            if not attribute.startswith("_") and (callable(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{name}.{attribute}"


def test_misspelt_modules_are_told_the_nearest() -> None:
    with pytest.raises(AttributeError, match="'optimizer'; did you mean 'optimizers'"):
        laminar.optimizer  # noqa: B018  # the look-up is the test


def test_keras_style() -> None:
    code = """
import laminar as keras
from laminar import layers, optimizers
model = keras.models.Sequential()
model.add(layers.Dense(20, input_dim=4, activation="relu"))
model.add(layers.Dropout(0.4))
model.add(layers.Dropout(p=0.5))
model.add(layers.Dense(1))
sgd = optimizers.SGD(lr=0.03, momentum=0.9, nesterov=True)
model.compile(optimizer=sgd, loss="mse", metrics=["mae"])
model.fit([[1, 2, 3, 4]] * 8, [1] * 8, batch_size=4, nb_epoch=2, verbose=0)
print(model.predict([[1, 2, 3, 4]], verbose=0).shape)
"""
    done = run_python(code)
    assert (done.returncode, done.stdout) == (0, "(1, 1)\n"), done.stderr


def test_import_brings_nothing_that_is_not_needed() -> None:
    code = """
import sys, numpy
before = set(sys.modules)
import laminar
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new & {"tqdm", "difflib", "random", "sklearn", "matplotlib", "IPython", "asyncio"}))
"""
    done = run_python(code)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_import_and_training_print_nothing() -> None:
    code = """
import laminar
model = laminar.Sequential([laminar.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit([[1.0]], [1.0], verbose=0)
model.evaluate([[1.0]], [1.0])
model.predict([[1.0]])
"""
    done = run_python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads() -> None:
    automatic = laminar.get_num_threads()
    assert automatic >= 1
    laminar.set_num_threads(3)
    assert laminar.get_num_threads() == 3
    with pytest.raises(ValueError):
        laminar.set_num_threads(-1)
    assert laminar.get_num_threads() == 3
    laminar.set_num_threads(0)
    assert laminar.get_num_threads() == automatic


def test_what_few_programs_need_is_not_imported() -> None:
    modules = "{'laminar.exchange.c_source', 'laminar.layers._immediate'}"
    found = run_python(f"import sys, numpy, laminar; print(*{modules} & set(sys.modules))")
    assert found.returncode == 0, found.stderr
    assert "laminar" not in found.stdout
