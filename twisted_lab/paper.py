"""A page of HTML that stands alone: no script, no address outside, printable."""

from __future__ import annotations

from html import escape
from importlib import resources

from twisted_lab.diagram.drawing import style

#: What every such page is drawn with; in it are the rules of the pictures, too.
SHEET = "paper.css"

#: Pixels of a picture where there is room, and on a telephone.
WIDE, NARROW = 760, 344


def document(title: str, body: str, sheet: str = "") -> str:
    """The page with *body*, which is HTML, under *title*, which is text; *sheet* adds rules."""
    rules = (resources.files("twisted_lab") / SHEET).read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{in_html(title)}</title>\n<style>\n{rules}{style()}{sheet}</style></head>\n"
        f"<body><main>\n{body}</main></body></html>\n"
    )


def in_html(said: str) -> str:
    """*said*, which is safe to show, as text of a page."""
    return escape(said, quote=True)


def in_widths(wide: str, narrow: str) -> str:
    """A picture in both widths; the style shows the one that fits."""
    return f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
