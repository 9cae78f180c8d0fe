"""A program of an experiment: the body of a function, as a file that stands alone.

Rule: the code that runs is the code that is shown. A function is written so that its body is a
whole program, imports included; nothing is added to it and nothing left out.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """*source* is a Python program; *name* is its part in the experiment (``server``).

    *twisted*: it has a reactor. *path* is where it is a file already, and runs from there.
    """

    name: str
    source: str
    twisted: bool = False
    path: str = ""

    @property
    def ends(self) -> bool:
        """Whether it ends by itself; a reactor that nobody stops serves on."""
        return not self.twisted or "reactor.stop()" in self.source

    @property
    def file(self) -> str:
        """What it is called as a file."""
        return f"{self.name}.py"


def program_of(function: Callable[[], object]) -> Program:
    """The program that is the body of *function*; its docstring is the program's."""
    source = textwrap.dedent(inspect.getsource(function))
    defined = ast.parse(source).body[0]
    assert isinstance(defined, ast.FunctionDef)
    lines = source.splitlines(keepends=True)[defined.body[0].lineno - 1 : defined.end_lineno]
    return Program(function.__name__, textwrap.dedent("".join(lines)))
