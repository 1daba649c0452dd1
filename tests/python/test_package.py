# SPDX-License-Identifier: Apache-2.0
"""The command line, and the C++ package in the installed one; tests/consumer builds with that."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import laminar
from laminar import _package
from laminar.__main__ import ANSWERS, COMMANDS, main
from laminar._inspect import described


def has_cpp_package() -> bool:
    return (Path(laminar._core.__file__).parent / "include").is_dir()


needs_cpp_package = pytest.mark.skipif(
    not has_cpp_package(), reason="this copy of the package has no C++ package beside it"
)


@needs_cpp_package
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--{answer}"]) == 0
    assert capsys.readouterr().out == ANSWERS[answer][1]() + "\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_have_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main([command, "--help"])
    assert COMMANDS[command].help in capsys.readouterr().out


def test_config_names_the_instruction_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    assert f"isa: {laminar.show_config()['isa']}\n" in capsys.readouterr().out


def test_inspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.safetensors"
    laminar.Sequential([laminar.Input((3,)), laminar.layers.Dense(2)]).save(path)
    assert main(["inspect", str(path)]) == 0
    assert capsys.readouterr().out == described(str(path)) + "\n"
    assert main(["inspect", str(tmp_path / "missing")]) == 1
    assert "missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["inspect"], ["--version", "config"], ["confg"], ["--cmake"]]
)
def test_what_is_no_command_line_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "laminar", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == laminar.__version__ + "\n"


@needs_cpp_package
def test_the_cpp_package_is_whole() -> None:
    include, cmake = Path(laminar.get_include()), Path(laminar.get_cmake_dir())
    assert (include / "laminar" / "model.hpp").is_file()
    assert (cmake / "laminarConfigVersion.cmake").is_file()
    assert list(cmake.parents[1].glob("*laminar*.*"))  # the library, named as the platform does


@needs_cpp_package
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the module holds the core itself")
def test_the_module_runs_the_library_that_programs_link() -> None:
    # None where BUILD_SHARED_LIBS=OFF.
    for library in Path(laminar.get_cmake_dir()).parents[1].glob("liblaminar.so.*"):
        assert str(library) in Path("/proc/self/maps").read_text()


def test_a_missing_cpp_package_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_package._core, "__file__", str(tmp_path / "_core.so"))
    for function in (laminar.get_include, laminar.get_cmake_dir):
        with pytest.raises(FileNotFoundError, match=r"has no C\+\+ package: expected"):
            function()
    assert main(["--cmakedir"]) == 1
    assert "laminar: this installation of laminar has no C++ package" in capsys.readouterr().err


@needs_cpp_package
def test_entry_points() -> None:
    points = importlib.metadata.distribution("laminar").entry_points
    (root,) = points.select(group="cmake.root")
    assert root.load() is laminar
    (script,) = points.select(group="console_scripts")
    assert script.load() is main
