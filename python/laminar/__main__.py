# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m laminar``, or ``laminar``.

Options answer one question about the installation, for use in build scripts. Commands stand in
``COMMANDS``: what each adds to the parser, and what it does. Those on files are in
`laminar.command`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import laminar
from laminar._printable import lines
from laminar._spelling import hint
from laminar.command import COMMANDS_ON_FILES
from laminar.command._manners import ERRORS, message

ANSWERS: dict[str, tuple[str, Callable[[], str]]] = {
    "version": ("the version", lambda: laminar.__version__),
    "includedir": ("the folder of the C++ headers", laminar.get_include),
    "cmakedir": ("the folder of the CMake package", laminar.get_cmake_dir),
}


class Command(NamedTuple):
    """One command: its line in the help, its arguments, its work."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing to the parser of a command without arguments."""


def _config(arguments: argparse.Namespace) -> None:
    """Print what this build is and what of it runs here."""
    for key, value in laminar.show_config().items():
        print(f"{key}: {', '.join(value) if isinstance(value, list) else value}")


_INTERRUPTED = 130  # as shells count the signal
STATUS = (
    "Exit status: 0 where all was done, 1 at an error of files, values or training, 2 where the "
    "command line is none, 130 after Ctrl-C."
)

COMMANDS: dict[str, Command] = {
    "config": Command("print what this build is and what of it runs here", _no_arguments, _config),
    **{
        name: Command(text, module.add_arguments, module.run)
        for name, (text, module) in COMMANDS_ON_FILES.items()
    },
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        "laminar",
        description="Dense neural networks on CPUs.",
        epilog=STATUS,
        allow_abbrev=False,
    )
    questions = parser.add_mutually_exclusive_group()
    for name, (text, answer) in ANSWERS.items():
        questions.add_argument(
            f"--{name}", dest="answer", action="store_const", const=answer, help=f"print {text}"
        )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parsers: dict[str, argparse.ArgumentParser] = {}
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        command.add_arguments(sub)
        sub.epilog = f"{sub.epilog} {STATUS}" if sub.epilog else STATUS
        sub.set_defaults(run=command.run)
        parsers[name] = sub

    _refuse_misspelt(sys.argv[1:] if argv is None else list(argv), parser, parsers)
    arguments = parser.parse_args(argv)
    run = getattr(arguments, "run", None)
    if arguments.answer is None and run is None:
        parser.error("expected an option or a command")
    if arguments.answer is not None and run is not None:
        parser.error("expected an option or a command, got both")
    try:
        if run is None:
            print(arguments.answer())
        else:
            run(arguments)
    except ERRORS as error:
        print(lines(f"laminar: {message(error)}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(f"laminar: {str(error) or 'interrupted'}", file=sys.stderr)
        if (
            argv is None
        ):  # a process of its own: all is unwound, and its modules need not be taken apart
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(_INTERRUPTED)
        return _INTERRUPTED
    return 0


def _refuse_misspelt(
    words: list[str],
    parser: argparse.ArgumentParser,
    parsers: dict[str, argparse.ArgumentParser],
) -> None:
    """End with status 2 and the nearest name where a command or an option does not exist.

    argparse would first miss the option that was meant.
    """
    if words and not words[0].startswith("-"):
        if words[0] not in parsers:
            parser.error(f"unknown command {words[0]!r}; {hint(words[0], parsers)}")
        parser, words = parsers[words[0]], words[1:]
    options = parser._option_string_actions
    for word in words:
        if word == "--":
            break
        name = word.partition("=")[0]
        value = len(name) < 2 or not name.startswith("-") or " " in name
        if value or re.match(r"-\.?\d", name) or any(o.startswith(name) for o in options):
            continue
        advice = hint(name, options)
        if not advice.startswith("did you mean"):
            advice = f"{parser.prog} --help lists the options"
        parser.error(f"unknown option {name!r}; {advice}")


if __name__ == "__main__":
    sys.exit(main())
