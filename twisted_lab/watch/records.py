"""What a source tells of a program, before it is made events of.

``hook/socketlab_hook/seen.py`` lists the forms of a record; one more is strace's alone:
``("x", ns, socket, …)``, the process ended and held these sockets.
"""

from __future__ import annotations

from typing import Any

#: A record; its first word says of which form.
Record = tuple[Any, ...]

#: A socket: the process that made it, and its number there.
Key = tuple[int, int]
