# SPDX-License-Identifier: Apache-2.0
"""Galleries of the lessons and recipes, whose programs and lists stay where they are.

Sphinx-Gallery wants a title that is underlined and a heading for each folder: copies of the
programs in `generated/sources` have them. The order is that of the folder's README.md, and so is
the heading's text. A lesson draws its picture where the gallery tells it to; a recipe has none.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
EXAMPLES = HERE.parent / "examples"
SOURCES = HERE / "generated" / "sources"
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


def underlined(program: str) -> str:
    """Return a program whose docstring begins with a title as reStructuredText has them."""
    found = re.search(r'^"""(.*)$', program, re.MULTILINE)
    assert found is not None
    title = found[1].rstrip(".")
    return program.replace(found[0], f'"""{title}\n{"=" * len(title)}', 1)


def write_sources() -> None:
    """Write what Sphinx-Gallery reads, where it differs from what is there."""
    for folder in FOLDERS:
        target = SOURCES / folder
        target.mkdir(parents=True, exist_ok=True)
        programs = (EXAMPLES / folder).glob("[!_]*.py")
        texts = {p.name: underlined(p.read_text("utf-8")) for p in programs}
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


def arguments(gallery: dict[str, Any], script: dict[str, Any]) -> list[str]:
    """Return the command line of an example: where its picture goes, if it draws one."""
    source = Path(script["src_file"])
    return ["--output", str(source.with_suffix(".png"))] if source.parent.name == "lessons" else []


def scrape(block: object, variables: dict[str, Any], gallery: dict[str, Any]) -> str:
    """Return the picture that a program has drawn, in the gallery's words."""
    from sphinx_gallery.scrapers import figure_rst

    source = Path(variables["src_file"])
    drawn = source.with_suffix(".png")
    if not drawn.exists():
        return ""
    target = next(variables["image_path_iterator"])
    shutil.move(drawn, target)
    return str(figure_rst([target], gallery["src_dir"], source.stem.replace("_", " ")))


GALLERIES: dict[str, Any] = {
    "examples_dirs": [str(SOURCES / folder) for folder in FOLDERS],
    "gallery_dirs": [f"generated/{folder}" for folder in FOLDERS],
    "within_subsection_order": "examples.place",
    "filename_pattern": r"\.py$",
    "image_scrapers": ("examples.scrape",),
    "reset_argv": "examples.arguments",
    "reset_modules": (),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "plot_gallery": "True",
    "abort_on_example_error": True,
    "copyfile_regex": r"$^",
}


def setup(app: Any) -> dict[str, bool]:
    """Write the sources before Sphinx-Gallery looks for them."""
    app.connect("builder-inited", lambda app: write_sources(), priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
