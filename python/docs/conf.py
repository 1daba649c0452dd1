# SPDX-License-Identifier: Apache-2.0
"""Sphinx builds the documentation by this: `python -m sphinx -W -b html python/docs build/docs`.

The pages under `generated/` are written at each build by `extensions`: the reference from what the
package says that it has, the galleries' sources from `python/examples`. `-D run_examples=0`
leaves the examples unrun, which the tests run anyway, and `-t plain` their looks, as tests do.
"""

import sys
from pathlib import Path

import laminar

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

from examples import GALLERIES  # noqa: E402  # found by the line above

project = "laminar"
author = "the laminar contributors"
copyright = "the laminar contributors; Apache License 2.0"
version = release = laminar.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "examples",
    "included",
    "reference",
]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["generated/sources/**", "extensions/**", "_templates/**"]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]  # the galleries' order is an object, which cannot be kept

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"
nitpicky = True

autodoc_typehints = "none"  # docstrings say them
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = GALLERIES

html_title = "laminar"
html_static_path = ["_static"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": [], "migrate/*": []}  # programs side by side need room
if tags.has("plain"):  # noqa: F821  # Sphinx's: for tests, in half the time and without looks
    html_theme = "basic"
else:
    html_theme = "pydata_sphinx_theme"
    html_css_files = ["laminar.css"]
    html_theme_options = {
        "navigation_with_keys": False,
        "collapse_navigation": True,
        "header_links_before_dropdown": 6,
        "navbar_align": "left",
        "navbar_end": ["theme-switcher"],
        "secondary_sidebar_items": ["page-toc"],
        "footer_start": ["copyright"],
        "footer_end": [],
        "back_to_top_button": False,
        "logo": {"text": "laminar"},
    }
