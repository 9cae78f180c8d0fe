"""Our frames are taken out of what the program prints of its exceptions.

A call of ours stands between the program's and the original, so an exception passes through it.
"""

import os
import sys
import threading

from socketlab_hook.seen import uncaught

_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")


def install():
    """Where exceptions are shown: at the end of the program and of a thread, and by traceback."""
    sys.excepthook = _excepthook(sys.excepthook)
    sys.unraisablehook = _of_arguments(sys.unraisablehook)
    threading.excepthook = _of_arguments(threading.excepthook)
    if "traceback" in sys.modules:
        _hook(sys.modules["traceback"])
        return
    import traceback

    _hook(traceback)


def _excepthook(original):
    def show(kind, error, found):
        uncaught(error)
        _clean(error)
        original(kind, error, without_ours(found))

    return show


def _of_arguments(original):
    def show(args):
        uncaught(args.exc_value)
        _clean(args.exc_value)
        original(args)

    return show


def _hook(traceback):
    made, walk = traceback.TracebackException.__init__, traceback.walk_tb

    def __init__(self, kind, error, found, *args, **kwargs):
        _clean(error)
        made(self, kind, error, without_ours(found), *args, **kwargs)

    traceback.TracebackException.__init__ = __init__
    traceback.walk_tb = lambda found: walk(without_ours(found))


def without_ours(found):
    """The traceback *found*, without our frames."""
    while _is_ours(found):
        found = found.tb_next
    at = found
    while at is not None:
        if _is_ours(at.tb_next):
            at.tb_next = at.tb_next.tb_next
        else:
            at = at.tb_next
    return found


def _is_ours(found):
    return found is not None and found.tb_frame.f_code.co_filename.startswith(_HERE)


def _clean(error, known=()):
    """*error* and what it came of."""
    while error is not None and id(error) not in known:
        known = (*known, id(error))
        error.__traceback__ = without_ours(error.__traceback__)
        _clean(error.__context__, known)
        error = error.__cause__
