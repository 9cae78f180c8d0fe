"""Builds the wheel and looks: right contents, plugin found from it and from an editable install."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: What must be there, and what must not: an __init__.py in twisted/ would hide Twisted itself.
WANTED = {
    "twisted_lab/__init__.py",
    "twisted_lab/tap.py",
    "twisted_lab/reactor.py",
    "twisted_lab/page/static/index.html",
    "twisted_lab/page/static/main.js",
    "twisted_lab/diagram/diagram.css",
    "twisted_lab/watch/hook/sitecustomize.py",
    "twisted_lab/watch/hook/socketlab_hook/seen.py",
    "twisted_lab/paper.css",
    "twisted_lab/conformance/report.css",
    "twisted_lab/study/study.css",
    "twisted_lab/conformance/examples/http.toml",
    "twisted_lab/conformance/servers/plain/echo.py",
    "twisted_lab/conformance/servers/twisted/echo.py",
    "twisted/plugins/socketlab_plugin.py",
}
FORBIDDEN = {"twisted/__init__.py", "twisted/plugins/__init__.py"}
FOLDERS = ("twisted_lab/", "twisted/plugins/", "socketlab-")


def main() -> int:
    """Exit status: 0 when all is right."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        problems = look_inside(wheel)
        problems += plugin_missing(Path(folder) / "wheel", str(wheel))
        problems += plugin_missing(Path(folder) / "editable", "--editable", str(ROOT))
    for problem in problems:
        print(problem)
    if not problems:
        print(
            "the wheel is right, and twistd finds the plugin from it and from an editable install"
        )
    return bool(problems)


def run(*command: str) -> str:
    """The output of *command*; its failure is ours."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel of this checkout."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT))
    (wheel,) = folder.glob("socketlab-*.whl")
    return wheel


def look_inside(wheel: Path) -> list[str]:
    """Sentences about files that are missing or should not be there."""
    names = set(zipfile.ZipFile(wheel).namelist())
    problems = [f"missing in the wheel: {name}" for name in WANTED - names]
    for name in sorted(names):
        if name in FORBIDDEN or not name.startswith(FOLDERS) or "dropin.cache" in name:
            problems.append(f"does not belong in the wheel: {name}")
    return problems


def plugin_missing(folder: Path, *what: str) -> list[str]:
    """Installs *what* into a new environment and asks twistd for its plugins."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", *what)
    listed = run(str(folder / "bin" / "twistd"), "--help")
    reactors = run(str(folder / "bin" / "twistd"), "--help-reactors")
    said = run(str(folder / "bin" / "socketlab"), "--version")
    problems = [] if "socketlab" in listed else [f"twistd does not list the plugin: {what}"]
    problems += [] if " lean" in reactors else [f"twistd does not list the reactor: {what}"]
    return problems if said.startswith("socketlab ") else [*problems, f"no socketlab: {what}"]


if __name__ == "__main__":
    sys.exit(main())
