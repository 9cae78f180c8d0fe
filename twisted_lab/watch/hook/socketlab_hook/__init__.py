"""Records every network call of the Python program it is loaded into.

It runs in somebody else's program, in whatever Python that has (3.8 and later), so: it knows the
standard library alone, it uses no thread, signal, low descriptor or output, and an error of ours is
never theirs. What it records goes to a ring in shared memory (``ring.py``), which costs no system
call and outlives a ``kill -9``. ``seen.py`` has what is known of this process and the form of the
records; ``sockets.py``, ``descriptors.py`` and ``tls.py`` are what is hooked, and ``tracebacks.py``
keeps our frames out of what the program prints.

Rule: what a call gives, raises and leaves behind is the original's.
"""

import os

from socketlab_hook import descriptors, seen, sockets, tls, tracebacks

#: Bytes of a message that are kept, unless SOCKETLAB_CAPTURE says otherwise.
CAPTURE = 256


def install(folder):
    """Hook this process, and those that are forked of it; tell of their calls in *folder*."""
    if not folder or not os.path.isdir(folder) or seen.process is not None:
        return
    _leave_word(folder)
    seen.begin(folder, int(os.environ.get("SOCKETLAB_CAPTURE", CAPTURE)))
    descriptors.install()  # first: what imports select finds it hooked
    sockets.install()
    tls.install()
    tracebacks.install()


def _leave_word(folder):
    """That a Python was there: of one without sockets there is nothing else to know it by."""
    os.close(os.open(os.path.join(folder, "hooked"), os.O_CREAT | os.O_WRONLY, 0o600))
