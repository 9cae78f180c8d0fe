"""Makes the pictures of docs/tutorial.md, of real runs. ::

python -m scripts.study_pictures
"""

from __future__ import annotations

from pathlib import Path

from twisted_lab.study.experiment import experiment
from twisted_lab.study.notebook import alone
from twisted_lab.study.running import run

IMAGES = Path(__file__).parents[1] / "docs" / "images"

#: The experiments whose first picture the tutorial shows.
SHOWN = ("stream-life", "stream-no-boundaries", "unread-data", "four-ways", "real-time")


def main() -> None:
    """Run them, and keep their pictures; one that does not show what it is to show is none."""
    for name in SHOWN:
        outcome = run(experiment(name))
        if not outcome.holds:
            failed = "; ".join(one.says for one in outcome.observations if not one.holds)
            raise SystemExit(f"{name}: {failed}")
        picture = alone(outcome.pictures[0].wide)
        (IMAGES / f"study-{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
