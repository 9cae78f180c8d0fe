"""The methods of socket.socket that name a socket or ask for its name, and its options."""

import errno
import sys

from socketlab_hook import seen
from socketlab_hook.seen import dressed, error_of, hooked, now, plain, tell

_AT_ONCE = ("listen", "shutdown", "setsockopt", "getsockopt", "settimeout", "setblocking")

#: The descriptors of datagram sockets, and of those the ones that have no address yet.
datagrams = set()
nameless = set()


def hook(kind, base, file):
    """Hook those of *kind*, whose originals are *base*'s; *file* is where Python has them."""
    for name in _AT_ONCE:
        setattr(kind, name, hooked(getattr(base, name), name))
    for name in ("getsockname", "getpeername"):
        setattr(kind, name, _naming(getattr(base, name), name, file))
    for name in ("bind", "connect", "connect_ex"):
        setattr(kind, name, _addressing(getattr(base, name), name, base))


def _naming(original, name, file):
    """getsockname() and getpeername(); not those of Python's own, which names what it warns of."""
    ask = hooked(original, name)

    def named(self):
        caller = sys._getframe(1).f_code
        if caller.co_name == "__repr__" and caller.co_filename == file:
            return original(self)
        return ask(self)

    return dressed(named, original, name)


def _addressing(original, name, base):
    """bind() and connect(): after them the socket has names."""

    def call(self, *args):
        began = now()
        try:
            result = original(self, *args)
        except BaseException as error:
            told(began, name, self, args, None, error_of(error))
            raise
        # connect_ex() gives its errno as its result
        told(began, name, self, args, result, result or None, base)
        return result

    return dressed(call, original, name)


def told(began, name, self, args, result, error, base=None, asked=plain, came=None):
    """Tell of a call after which the socket may have a name; ``came`` is as of ``hooked()``."""
    ended = now()
    try:
        more = {} if came is None or error else came(args, result)[1]
        if base is not None and not error and (came is None or self.fileno() in nameless):
            more.update(_name(self, base))
            nameless.discard(self.fileno())
        if error == errno.EADDRINUSE:
            more = {"note": _holder(args[0][1])}
        known = seen.process.socket(self.fileno())
        tell(began, name, known, asked(args), result, error, more, ended)
    except Exception:
        pass


def _holder(port):
    """Who has *port*, as the kernel's tables say (proc(5), /proc/net/tcp)."""
    states = set()
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name) as table:
                lines = table.read().splitlines()[1:]
        except OSError:
            continue
        states.update(line.split()[3] for line in lines if f":{port:04X} " in line[:38])
    if "0A" in states:
        return "another socket listens there"
    return (
        "connections there are in TIME_WAIT" if "06" in states else "another socket is bound to it"
    )


def _name(sock, base):
    try:
        return {"local": plain(base.getsockname(sock))}
    except OSError:
        return {}
