"""How a socket begins, and how it ends."""

import _socket
import sys
import weakref

from socketlab_hook import seen
from socketlab_hook.descriptors import closing
from socketlab_hook.naming import datagrams, nameless, told
from socketlab_hook.seen import dressed, error_of, now, plain, tell

#: The family, the type and the protocol of a socket as C has them: Python makes enums of them.
_KIND = tuple(getattr(_socket.socket, name) for name in ("family", "type", "proto"))

#: A weak reference by the id of a socket object, so that one that is collected is told of.
_living = {}


def hook(kind, base):
    """Hook what makes and ends a *kind*, whose originals are *base*'s."""
    kind.__init__ = _creating(kind.__init__)
    kind._accept = _accepting(base)
    kind._real_close = _closing(kind._real_close)
    kind.detach = _detaching(kind.detach)


def _creating(original):
    def begin(self, family=-1, type=-1, proto=-1, fileno=None):
        began = now()
        try:
            original(self, family, type, proto, fileno)
        except BaseException as error:
            _not_created(began, (family, type, proto), fileno, error)
            raise
        try:
            _created(self, began, fileno)
        except Exception:
            pass

    return dressed(begin, original, "__init__")


def _not_created(began, asked, fileno, error):
    try:
        if fileno is None:
            tell(began, "socket", None, plain(asked), None, error_of(error))
    except Exception:
        pass


def _created(sock, began, fileno):
    fd, process = sock.fileno(), seen.process
    family, type, proto = (one.__get__(sock) for one in _KIND)
    known = process.sockets.get(fd) if fileno is not None else None
    if known is None:
        known = process.new(fd)
        # One made of a descriptor had its system call elsewhere: dup(2), a parent, systemd.
        name = "socket" if fileno is None else "fromfd"
        tell(began, name, known, (family, type, proto), fd, None, {"family": family, "type": type})
    for known_as in (datagrams, nameless):
        known_as.add(fd) if type & 0xF == 2 else known_as.discard(fd)
    _living[id(sock)] = weakref.ref(sock, _Collected(known, fd, id(sock)))


def _accepting(base):
    def _accept(self):
        began = now()
        try:
            fd, peer = base._accept(self)
        except BaseException as error:
            told(began, "accept", self, (), None, error_of(error))
            raise
        try:
            _accepted(began, self, fd, peer, base)
        except Exception:
            pass
        return fd, peer

    return dressed(_accept, base._accept, "_accept")


#: When the last accept() ended, and the address of each listener that is bound to one alone.
_last_accept = [0]
_addresses = {}

#: ns since the last accept() in which nobody waits for long.
_SHORT = 250_000_000


def _accepted(began, listener, fd, peer, base):
    ended = now()
    known = seen.process.socket(listener.fileno())
    family, type = (one.__get__(listener) for one in _KIND[:2])
    more = {"new": seen.process.new(fd), "peer": plain(peer), "family": family, "type": type}
    late = began - _last_accept[0] > _SHORT
    _last_accept[0] = ended
    if known not in _addresses:
        name = plain(base.getsockname(listener))
        _addresses[known] = None if name[:1] in (("0.0.0.0",), ("::",)) else name
    more["local"] = _addresses[known]
    if late or more["local"] is None:
        own = base(family, type, 0, fd)  # for what it is asked alone, and let go of again
        try:
            more["local"] = plain(own.getsockname())
            more["waited"] = _waited(own) if late else None
        finally:
            own.detach()
    tell(began, "accept", known, (), fd, None, more, ended)


def _waited(sock):
    """The seconds since the handshake: tcpi_last_data_sent, where nothing was sent yet (tcp(7))."""
    try:
        info = sock.getsockopt(6, 11, 48)  # IPPROTO_TCP, TCP_INFO
    except OSError:
        return None  # not TCP
    return int.from_bytes(info[44:48], sys.byteorder) / 1000


def pairing(original):
    """socketpair()."""

    def socketpair(*args):
        began = now()
        pair = original(*args)
        try:
            first, second = (seen.process.new(one.fileno()) for one in pair)
            fds = tuple(one.fileno() for one in pair)
            more = {"new": second, "family": int(pair[0].family), "type": int(pair[0].type)}
            tell(began, "socketpair", first, plain(args), fds, None, more)
        except Exception:
            pass
        return pair

    return dressed(socketpair, original, "socketpair")


# -- the end -----------------------------------------------------------------------------------


class _Collected:
    """Called when a socket was collected; one that was not closed before is closed by that."""

    def __init__(self, socket, fd, identity):
        self.socket, self.fd, self.identity = socket, fd, identity

    def __call__(self, reference):
        process = seen.process
        try:
            _living.pop(self.identity, None)
            if process.sockets.get(self.fd) == self.socket:
                process.ghosts[self.fd] = process.sockets.pop(self.fd)
                tell(now(), "close", self.socket, (), None, None, {"collected": True})
        except Exception:
            pass


def _closing(original):
    def _real_close(self, *args):
        return closing(lambda fd: original(self, *args), self.fileno())

    return dressed(_real_close, original, "_real_close")


def _detaching(original):
    def detach(self):
        began, fd = now(), self.fileno()
        known = seen.process.sockets.get(fd)
        _living.pop(id(self), None)
        result = original(self)
        if known is not None:
            try:
                tell(began, "detach", known, (), fd)
            except Exception:
                pass
        return result

    return dressed(detach, original, "detach")
