"""Programs that are not Python's, seen through strace(1): its lines become records as the rings'.

``tracer.py`` runs it, ``outlet.py`` reads what it writes, ``lines.py`` makes lines whole, and
``values.py`` reads what stands in them. ``calls.py`` makes records of lines: each kind of call has
a file (``naming.py``, ``moving.py``, ``descriptors.py``, ``waits.py``), ``tables.py`` knows which
socket a descriptor is, ``processes.py`` whose it is, and ``places.py`` the line of the source.
"""

from twisted_lab.watch.strace.tracer import Tracer

__all__ = ["Tracer"]
