"""``socketlab watch -- PROGRAM``: your own program's socket calls, recorded, drawn and explained.

``hook/`` runs in the program and writes what it calls to rings in shared memory; ``rings.py``
reads them, ``sockets.py`` makes events of them, and ``program.py`` starts the program and ends
with it. A program that is not Python's is seen through ``strace.py``.
"""
