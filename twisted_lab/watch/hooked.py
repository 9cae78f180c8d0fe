"""A program in Python, seen through the hook that it is started with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from twisted_lab.watch.records import Record
from twisted_lab.watch.rings import Rings


class Hooked:
    """Watches the program *words*; *capture* bytes of each message are kept, in *folder*."""

    def __init__(
        self, folder: Path, words: Sequence[str], capture: int, environment: Mapping[str, str]
    ) -> None:
        self._rings = Rings(folder)
        self.words = list(words)
        paths = (str(_hook()), environment.get("PYTHONPATH", ""))
        self.environment: Mapping[str, str] = {
            "SOCKETLAB_WATCH": str(folder),
            "SOCKETLAB_CAPTURE": str(capture),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }

    def read(self, *, all: bool = False) -> list[tuple[int, Record]]:
        """What the program did since the last time, as (pid, record); *all*: to its end."""
        return self._rings.read(all=all)

    @property
    def lost(self) -> int:
        """How many records there was no room for."""
        return self._rings.lost

    @property
    def worked(self) -> bool:
        """Whether the program could be watched at all."""
        return self._rings.hooked

    @property
    def living(self) -> list[int]:
        """The processes that are watched now."""
        return self._rings.living

    def close(self) -> None:
        """Let go of it."""
        self._rings.close()


def _hook() -> Path:
    """The folder that goes before all others in the program's path."""
    return Path(str(resources.files("twisted_lab.watch") / "hook"))
