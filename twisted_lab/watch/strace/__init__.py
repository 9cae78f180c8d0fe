"""Programs that are not Python's, seen through strace(1): its lines become records as the rings'.

``tracer.py`` runs it and reads what it writes; ``lines.py`` makes lines whole, ``values.py`` reads
what stands in them, ``calls.py`` says which socket a call was of, ``tables.py`` knows that of a
descriptor, and ``places.py`` the line of the source.
"""

from twisted_lab.watch.strace.tracer import Tracer

__all__ = ["Tracer"]
