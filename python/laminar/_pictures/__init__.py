# SPDX-License-Identifier: Apache-2.0
"""Pictures as HTML and SVG: of models, trainings and data in notebooks, and charts of reports.

`html` and `svg` make elements and charts, `style` says what charts look like everywhere, `view` is
what a notebook is given. The others draw one thing each. Nothing here is imported before a picture
is wanted, and none needs another package.
"""
