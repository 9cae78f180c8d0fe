"""What ``socketlab study`` takes."""

from __future__ import annotations

from twisted.python import usage

from twisted_lab.command_line import CommandOptions
from twisted_lab.escaping import escape
from twisted_lab.study.running import REACTORS


class StudyOptions(CommandOptions):
    """What ``socketlab study`` takes."""

    synopsis = "Usage: socketlab study --list | NAME [NAME ...] | --all  [options]"
    longdesc = (
        "Runs experiments on this machine's loopback, and says what was observed. NAME is one of"
        " --list, or its number. Exit status 1: an observation is not what was to be shown."
    )
    optFlags = [  # noqa: RUF012 - Twisted's
        ["list", None, "name the experiments, one a line"],
        ["all", None, "run all of them"],
    ]
    optParameters = [  # noqa: RUF012 - Twisted's
        ["html", None, None, "write a report to this file; - is stdout"],
        ["markdown", None, None, "write a lab notebook to this file, its pictures beside it"],
        ["save", None, None, "write the programs to this folder, and run nothing"],
        ["grade", None, None, "grade this program, written for the experiment's exercise"],
        ["many", None, None, "grade every program of this folder, into one table"],
        ["reactor", None, "epoll", "what Twisted's programs run on: epoll or lean"],
    ]
    names: tuple[str, ...] = ()

    def parseArgs(self, *words: str) -> None:
        """Experiments."""
        self.names = words

    def postOptions(self) -> None:
        """Something to run, once."""
        if self["reactor"] not in REACTORS:
            asked = escape(self["reactor"])
            raise usage.UsageError(f"--reactor '{asked}': expected {' or '.join(REACTORS)}")
        if self["list"]:
            return
        if not self.names and not self["all"]:
            raise usage.UsageError("expected the name of an experiment, --all or --list")
        if self.names and self["all"]:
            raise usage.UsageError(f"'{escape(self.names[0])}' is one of --all")
        graded = [one for one in ("grade", "many") if self[one] is not None]
        if len(graded) == 2:
            raise usage.UsageError("--grade is for one program, --many for a folder: not both")
        if graded and (self["all"] or len(self.names) != 1):
            raise usage.UsageError(f"--{graded[0]} is for one experiment's exercise")
        if graded and self["markdown"] is not None:
            raise usage.UsageError(f"--{graded[0]} is told by --html, not --markdown")
