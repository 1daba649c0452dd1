# SPDX-License-Identifier: Apache-2.0
"""Galleries of the lessons and recipes, whose programs and lists stay where they are.

They are run here, each in a process of its own as a reader would, unless `-D run_examples=0` says
otherwise: what they print and draw is kept in `generated/pictures`, and made anew where a program
has changed. Sphinx-Gallery makes the pages. It wants a title that is underlined and a heading for
each folder: copies of the programs in `generated/sources` have them, with what was printed and
drawn. The order is that of the folder's README.md, and so is the heading's text.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
EXAMPLES = HERE.parent / "examples"
SOURCES = HERE / "generated" / "sources"
PICTURES = HERE / "generated" / "pictures"
FOLDERS = ("lessons", "recipes")


def listed(folder: str) -> list[str]:
    """Return the programs of a folder in the order in which its README.md lists them."""
    text = (EXAMPLES / folder / "README.md").read_text("utf-8")
    return re.findall(r"^\| \[(\w+\.py)\]\(\1\)", text, re.MULTILINE)


def heading(folder: str) -> str:
    """Return the head of a folder's README.md, up to its table, as reStructuredText."""
    text = (EXAMPLES / folder / "README.md").read_text("utf-8").partition("\n| ")[0]
    text = re.sub(r"^# (.*)$", lambda m: f"{m[1]}\n{'=' * len(m[1])}", text, flags=re.MULTILINE)
    parts = re.split(r"^```\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = "::\n\n" + re.sub(r"^", "    ", part, flags=re.MULTILINE)
        else:
            parts[i] = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", part)
    return "".join(parts) + "\n"


def absent(program: Path) -> list[str]:
    """Return the packages that an example imports and that are not installed."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(program.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    beside = {path.stem for path in program.parent.glob("*.py")}
    return sorted(name for name in names - beside if find_spec(name) is None)


def run(program: Path) -> None:
    """Run an example whose packages are there, and keep what it prints and draws."""
    if absent(program):
        return
    printed = (PICTURES / program.name).with_suffix(".txt")
    if printed.exists() and printed.stat().st_mtime > program.stat().st_mtime:
        return
    drawn = (
        ["--output", str(printed.with_suffix(".png"))] if program.parent.name == "lessons" else []
    )
    command = [sys.executable, str(program), *drawn]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise RuntimeError(f"{program} failed: {done.stderr}")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("picture: ")]
    printed.write_text("\n".join(lines) + "\n", "utf-8")


def shown(program: Path) -> str:
    """Return an example in the form of the gallery, with what it has printed and drawn."""
    text = program.read_text("utf-8")
    found = re.search(r'^"""([^\n]*)\n(.*?)"""\n', text, re.MULTILINE | re.DOTALL)
    assert found is not None
    title = found[1].rstrip(".")
    head = [title, "=" * len(title), found[2]]
    printed = (PICTURES / program.name).with_suffix(".txt")
    picture = printed.with_suffix(".png")
    after = ""
    if missing := absent(program):
        head += [f"Not run for this page: {', '.join(missing)} is not installed.", ""]
    elif printed.exists():
        said = printed.read_text("utf-8").splitlines()
        lines = [f"    {line}" for long in said for line in textwrap.wrap(long, 88) or [""]]
        head += ["It says:", "", ".. code-block:: text", "", *lines, ""]
    if picture.exists():
        place = f"generated/pictures/{picture.name}"
        head += [f".. image:: /{place}", f"   :alt: {title}", ""]
        after = f"\n# sphinx_gallery_thumbnail_path = '{place}'\n"
    made = text.replace(found[0], '"""{}"""\n{}'.format("\n".join(head), after), 1)
    ast.parse(made)  # Sphinx-Gallery shows what is no program as if nothing had happened
    return made


def write_sources(app: Any) -> None:
    """Write what Sphinx-Gallery reads, where it differs from what is there."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    programs = [p for folder in FOLDERS for p in sorted((EXAMPLES / folder).glob("[!_]*.py"))]
    if app.config.run_examples:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(run, programs))
    for folder in FOLDERS:
        target = SOURCES / folder
        target.mkdir(parents=True, exist_ok=True)
        texts = {p.name: shown(p) for p in programs if p.parent.name == folder}
        texts["GALLERY_HEADER.rst"] = heading(folder)
        for old in set(target.iterdir()) - {target / name for name in texts}:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        for name, text in texts.items():
            path = target / name
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")


def place(name: str) -> tuple[int, str]:
    """Return where an example stands among those of its folder."""
    order = [program for folder in FOLDERS for program in listed(folder)]
    return (order.index(name) if name in order else len(order), name)


GALLERIES: dict[str, Any] = {
    "examples_dirs": [str(SOURCES / folder) for folder in FOLDERS],
    "gallery_dirs": [f"generated/{folder}" for folder in FOLDERS],
    "within_subsection_order": "examples.place",
    "filename_pattern": r"\.py$",
    "image_scrapers": (),
    "reset_modules": (),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "plot_gallery": "False",
    "copyfile_regex": r"$^",
}


def setup(app: Any) -> dict[str, bool]:
    """Write the sources before Sphinx-Gallery looks for them."""
    app.add_config_value("run_examples", True, "html", bool)
    app.connect("builder-inited", write_sources, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
