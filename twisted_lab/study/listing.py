"""A program as HTML: its lines numbered as its calls name them, its words told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pygments import lex
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, String, Token

from twisted_lab.paper import in_html
from twisted_lab.study.program import Program

#: What is told apart, and the class it has.
_CLASSES = (
    (Comment, "c"),
    (Keyword.Constant, "n"),
    (Keyword, "k"),
    (String, "s"),
    (Token.Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
)


def listing(program: Program, caption: str = "") -> str:
    """*program* in a figure, under its name."""
    lines = "".join(f"<li><code>{line or ' '}</code></li>" for line in _lines(program.source))
    title = in_html(caption or program.file)
    return f'<figure class="code"><figcaption>{title}</figcaption><ol>{lines}</ol></figure>\n'


def _lines(source: str) -> Iterator[str]:
    line: list[str] = []
    for kind, text in lex(source, PythonLexer()):
        name = _class(kind)
        for number, part in enumerate(text.split("\n")):
            if number:
                yield "".join(line)
                line = []
            if part:
                line.append(
                    f'<span class="{name}">{in_html(part)}</span>' if name else in_html(part)
                )
    if line:
        yield "".join(line)


def _class(kind: Any) -> str:
    return next((name for group, name in _CLASSES if kind in group), "")
