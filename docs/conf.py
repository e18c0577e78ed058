"""How the documentation is built: ``sphinx-build -W docs site``."""

project = "Poise"
copyright = "The Poise developers"  # noqa: A001
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Poise"
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
exclude_patterns = ["site"]
