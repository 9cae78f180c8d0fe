"""Programs of experiments: the body of a function is a program that stands alone."""

from __future__ import annotations

import ast

from twisted.trial.unittest import SynchronousTestCase

from twisted_lab.study.experiment import experiment, names
from twisted_lab.study.program import program_of


def example():
    """Says what it is."""
    import sys

    def twice(text):
        return text + text  # indented

    print(twice("a"), len(sys.argv))


class ProgramTests(SynchronousTestCase):
    def test_source(self) -> None:
        """A function's body is the program, its docstring and comments included."""
        program = program_of(example)
        self.assertEqual(program.file, "example.py")
        self.assertTrue(program.source.startswith('"""Says what it is."""\nimport sys\n'))
        self.assertIn("\n    return text + text  # indented\n", program.source)

    def test_every_program(self) -> None:
        """Every program of the study is one, says what it does, and fits a narrow column."""
        for name in names():
            one = experiment(name)
            for program in (*one.programs, *one.twisted.values()):
                tree = ast.parse(program.source)
                self.assertTrue(ast.get_docstring(tree), (name, program.name))
                for line in program.source.splitlines():
                    self.assertLessEqual(len(line), 96, (name, line))

    def test_ends(self) -> None:
        """A reactor that nobody stops serves on; all else ends by itself."""
        life = experiment("stream-life")
        self.assertTrue(all(program.ends for program in life.programs))
        self.assertFalse(life.twisted["server"].ends)
        self.assertTrue(experiment("flow-control").twisted["client"].ends)
