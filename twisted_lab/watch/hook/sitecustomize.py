"""What Python runs when it starts under ``socketlab watch``: install the hook, then step aside.

Rule: a program must run as without us. Whatever goes wrong here is left to the watcher to notice,
and a sitecustomize of the program's own comes after ours.
"""

import os
import sys


def _install():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if path != here]
    sys.path.insert(0, here)
    try:
        import socketlab_hook

        socketlab_hook.install(os.environ.get("SOCKETLAB_WATCH"))
    except Exception:
        pass  # the watcher says that nothing was seen
    finally:
        sys.path.remove(here)


def _step_aside():
    """Import the one that ours stood in front of."""
    ours = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)


_install()
_step_aside()
