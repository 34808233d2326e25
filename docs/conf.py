"""Settings of the documentation's build: ``python -m sphinx -W -b html docs docs/_build/html``."""

import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from sklearn_lloyd import __version__

project = "sklearn-lloyd"
author = "The sklearn-lloyd developers"
copyright = "2026, The sklearn-lloyd developers"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
]
# No intersphinx: the build needs no network. References to other projects stay plain text.
nitpicky = False
default_role = "literal"  # docstrings write `name` for code
exclude_patterns = ["_build", "auto_examples/**/*.ipynb"]
myst_heading_anchors = 2
templates_path = []

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False  # the pages in docs/api.rst choose the members
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"(__init__\.py|output|make_data\.py)",
    "reset_modules": ("matplotlib",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "write_computation_times": False,
    "show_signature": False,
    "remove_config_comments": True,
}

toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn-lloyd {version}"
html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
}
html_sidebars = {"index": [], "api": [], "contributing": [], "guide/*": []}


def escape_shapes(app, what, name, obj, options, lines):
    """Keep ``of shape (n_iter_,)`` from being read as a link to a target ``n_iter``."""
    for i, line in enumerate(lines):
        if " of shape (" in line:
            lines[i] = re.sub(r"(\w)_(?=[,)])", r"\1\\_", line)


def write_formula(self, node):
    """Write a formula as MathML, which browsers draw themselves: no script, no network."""
    is_block = node.tagname == "math_block"
    formula = tex2mathml(node.astext(), as_block=is_block)
    block = f'<div style="margin: 1em 0; overflow-x: auto">{formula}</div>'
    self.body.append(block if is_block else formula)
    raise nodes.SkipNode


def copy_pages(app, exception):
    """The pages that examples write stand beside those that Sphinx makes."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir, "pages")
        folder.mkdir(exist_ok=True)
        shutil.copy(Path(app.srcdir, "../examples/output/lloyd_steps.html"), folder)


def setup(app):
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    app.connect("build-finished", copy_pages)
    app.connect("autodoc-process-docstring", escape_shapes, priority=100)  # before numpydoc
