"""Makes the pictures of docs/first-mistake.md, of real runs. ::

    python -m scripts.watch_pictures

The server and the client of ``docs/watched/`` run, each watched, and both recordings become one
picture: of the wrong server, and of the right one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"

#: The pictures, by the server they are of.
PICTURES = {"capitals_wrong.py": "watch-wrong.svg", "capitals.py": "watch-right.svg"}

_SOCKETLAB = (sys.executable, "-m", "twisted_lab")

#: Seconds that a run may take.
_PATIENCE = 60


def main() -> None:
    """Make them all."""
    for server, picture in PICTURES.items():
        with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
            made = run(server, Path(folder))[2]
            (DOCS / "images" / picture).write_text(made)


def run(server: str, folder: Path) -> tuple[str, str, str]:
    """What the client printed, what was said of the server, and the picture of both."""
    here, there, picture = (str(folder / name) for name in ("server", "client", "picture"))
    words = _watched(here, DOCS / "watched" / server, "0")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        port = one.stdout.readline().strip()
        other = _watched(there, DOCS / "watched" / "client.py", port)
        client = subprocess.run(
            other, check=True, capture_output=True, text=True, timeout=_PATIENCE
        )
        _, said = one.communicate(timeout=_PATIENCE)
    subprocess.run((*_SOCKETLAB, "export", here, there, "--svg", picture), check=True)
    return client.stdout, said, Path(picture).read_text()


def _watched(recording: str, program: Path, port: str) -> tuple[str, ...]:
    how = ("watch", "--quiet", "--record", recording, "--")
    return (*_SOCKETLAB, *how, sys.executable, str(program), port)


if __name__ == "__main__":
    main()
