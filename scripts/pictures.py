"""Makes every picture of README and docs again: of real runs, but for the legend of the marks. ::

    python -m scripts.pictures

That legend, docs/diagram.md, shows events that seldom come together, so its are written down.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from scripts import screenshots, study_pictures, watch_pictures
from tests.diagram import examples

IMAGES = Path(__file__).parents[1] / "docs" / "images"

#: README's pictures, by the screenshot that each is.
SCREENSHOTS = {
    "page-list.png": "list-1280-light.png",
    "page-connection.png": "line-diagram-1280-light.png",
}


def main() -> None:
    """Make them all."""
    examples.draw_all()
    watch_pictures.main()
    study_pictures.main()
    with tempfile.TemporaryDirectory(prefix="socketlab-") as folder:
        screenshots.main(folder)
        for name, taken in SCREENSHOTS.items():
            shutil.copyfile(Path(folder, taken), IMAGES / name)


if __name__ == "__main__":
    main()
