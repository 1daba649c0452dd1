# SPDX-License-Identifier: Apache-2.0
"""The reference: a page for each public module, and one for each class and function.

They are written from what the package says that it has, so that a new name needs no entry here.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from docutils import nodes
from public_names import Name, documented, homes, methods, modules, names

HERE = Path(__file__).parents[1]
TARGET = HERE / "generated" / "reference"


def heading(text: str) -> list[str]:
    """Return the lines of a page's title."""
    return [text, "=" * len(text), ""]


def file_of(name: Name) -> str:
    """Return the file of a name: not every file system tells `add` from `Add`."""
    plain = name.path
    twins = [n for n in documented() if n.path.lower() == plain.lower() and n != name]
    return f"{plain}-function" if twins and name.kind == "function" else plain


def page_of(name: Name) -> list[str]:
    """Return the page of a class or a function."""
    lines = [*heading(name.path), f".. currentmodule:: {name.module}", ""]
    lines += [f".. auto{name.kind}:: {name.path}", ""]
    if name.kind == "class":
        for method in methods(name):
            member = inspect.getattr_static(name.value, method)
            directive = "autoproperty" if isinstance(member, property) else "automethod"
            lines += [f"   .. {directive}:: {name.path}.{method}", ""]
    return lines


def index_of(module: Any) -> list[str]:
    """Return the page of a module: what its docstring says, and a table for each kind of names."""
    path = module.__name__
    public = [name for name in names() if name.module == path]
    home = homes()
    own = [n for n in public if home[id(n.value)] == n]
    lines = [*heading(path), f".. automodule:: {path}", "", f".. currentmodule:: {path}", ""]
    pages = [n for n in own if n.kind in ("class", "function")]
    for kind, title in (("class", "Classes"), ("function", "Functions")):
        chosen = [n for n in pages if n.kind == kind]
        if chosen:
            lines += [f".. rubric:: {title}", "", ".. autosummary::", ""]
            lines += [f"   {n.name}" for n in chosen] + [""]
    submodules = [n for n in public if n.kind == "module"]
    if submodules:
        lines += [".. rubric:: Modules", "", ".. list-table::", "   :widths: auto", ""]
        for n in submodules:
            first = (inspect.getdoc(n.value) or "").split("\n")[0]
            lines += [f"   * - :py:mod:`{n.name} <{n.value.__name__}>`", f"     - {first}"]
        lines.append("")
    others = [n for n in public if n not in pages and n.kind != "module"]
    if others:
        lines += [".. rubric:: Further names", "", ".. list-table::", "   :widths: auto", ""]
        for n in others:
            lines += [f"   * - ``{n.name}``", f"     - {described(n, home[id(n.value)])}"]
        lines.append("")
    if pages:
        lines += (
            [".. toctree::", "   :hidden:", ""]
            + [f"   {n.name} <{file_of(n)}>" for n in pages]
            + [""]
        )
    return lines


def described(name: Name, home: Name) -> str:
    """Return what a name stands for that has no page."""
    if home != name:
        return f":py:obj:`{home.path}`"
    if name.kind == "object":
        kind = type(name.value)
        return f":py:obj:`{kind.__name__}() <{name.module}.{kind.__name__}>`, ready-made"
    return f"``{str(name.value)[:60]}``"


def write_pages() -> None:
    """Write all pages, where they differ from what is there."""
    pages = {file_of(name): page_of(name) for name in documented()}
    pages |= {module.__name__: index_of(module) for module in modules()}
    listed = [module.__name__ for module in modules()]
    pages["index"] = [
        *heading("Reference"),
        "Every public name. In each example ``import laminar`` and what else it uses stand first;",
        "all of them are run by the tests.",
        "",
        ".. list-table::",
        "   :widths: auto",
        "",
    ]
    for module in modules():
        first = (inspect.getdoc(module) or "").split("\n")[0]
        pages["index"] += [f"   * - :py:mod:`{module.__name__}`", f"     - {first}"]
    pages["index"] += ["", ".. toctree::", "   :hidden:", "", *(f"   {m}" for m in listed), ""]
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in set(TARGET.glob("*.rst")) - {TARGET / f"{page}.rst" for page in pages}:
        old.unlink()
    for page, lines in pages.items():
        path, text = TARGET / f"{page}.rst", "\n".join(lines)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def resolve(app: Any, env: Any, node: Any, content: nodes.Element) -> nodes.Node | None:
    """Return a link for a name in single backquotes, or the name as code where it has no page.

    Docstrings name neighbours without their modules: `Huber` is the one of the same module, and
    otherwise the only one of that name.
    """
    if node.get("reftype") != "obj" or node.get("refdomain") != "py":
        return None
    target = node["reftarget"].removesuffix("()").lstrip("~.")
    known = env.get_domain("py").objects
    found = [name for name in known if name == target or name.endswith(f".{target}")]
    near = [name for name in found if name.startswith(f"{node.get('py:module')}.")]
    chosen = near or found
    if len(chosen) != 1:
        chosen = sorted(chosen, key=len)[:1] if near else []
    if not chosen:
        return nodes.literal(text=content.astext(), classes=["code"])
    entry = known[chosen[0]]
    from sphinx.util.nodes import make_refnode

    return make_refnode(
        app.builder, node["refdoc"], entry.docname, entry.node_id, content, chosen[0]
    )


def signature(app: Any, kind: str, path: str, thing: Any, *rest: Any) -> tuple[str, str] | None:
    """Return what the constructor of a class takes, with its defaults and without types."""
    if kind != "class":
        return None
    taken = inspect.signature(thing).parameters.values()
    empty = inspect.Parameter.empty
    return f"({', '.join(str(p.replace(annotation=empty)) for p in taken)})", ""


def setup(app: Any) -> dict[str, bool]:
    """Write the pages first, and find what docstrings name."""
    app.connect("builder-inited", lambda app: write_pages(), priority=100)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
