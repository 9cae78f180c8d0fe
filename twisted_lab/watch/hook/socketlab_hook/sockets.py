"""The methods of socket.socket, hooked, and the functions that make sockets or look up names."""

import _socket
import errno
import sys
import weakref

from socketlab_hook import seen
from socketlab_hook.descriptors import closing
from socketlab_hook.seen import data_of, dressed, error_of, hooked, now, plain, size_of, tell

_AT_ONCE = ("listen", "shutdown", "setsockopt", "getsockopt", "settimeout", "setblocking")
_LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")

#: Bytes kept of what send() did not take, to see whether they are sent next.
_REST = 32

#: The family, the type and the protocol of a socket as C has them: Python makes enums of them.
_KIND = tuple(getattr(_socket.socket, name) for name in ("family", "type", "proto"))

#: A weak reference by the id of a socket object, so that one that is collected is told of.
_living = {}


def install():
    """Hook them all."""
    for name in _LOOK_UPS:
        setattr(_socket, name, _function(getattr(_socket, name), name))
    _socket.socketpair = _pairing(_socket.socketpair)
    import socket

    for name in _LOOK_UPS[1:]:  # had socket been imported before us
        setattr(socket, name, getattr(_socket, name))
    _hook(socket.socket, _socket.socket, socket.__file__)


def _hook(kind, base, file):
    kind.__init__ = _creating(kind.__init__)
    kind._accept = _accepting(base)
    kind._real_close = _closing(kind._real_close)
    kind.detach = _detaching(kind.detach)
    kind.recv = hooked(_whole(base.recv, base, False), "recv", came=_came)
    kind.recvfrom = hooked(_whole(base.recvfrom, base, True), "recvfrom", came=_came_from)
    kind.recv_into = hooked(base.recv_into, "recv_into", _into, _came_into)
    kind.recvfrom_into = hooked(base.recvfrom_into, "recvfrom_into", _into, _came_from_into)
    kind.recvmsg = hooked(base.recvmsg, "recvmsg", came=_came_message)
    kind.recvmsg_into = hooked(base.recvmsg_into, "recvmsg_into", _into_all, _came_into_all)
    kind.send = hooked(base.send, "send", _sending, _sent)
    kind.sendall = hooked(base.sendall, "sendall", _sending, _sent)
    kind.sendto = _sending_to(base)
    kind.sendmsg = _sending_message(base.sendmsg)
    for name in _AT_ONCE:
        setattr(kind, name, hooked(getattr(base, name), name))
    for name in ("getsockname", "getpeername"):
        setattr(kind, name, _naming(getattr(base, name), name, file))
    for name in ("bind", "connect", "connect_ex"):
        setattr(kind, name, _addressing(getattr(base, name), name, base))


# -- what is received --------------------------------------------------------------------------


def _whole(original, base, sender):
    """recv() and recvfrom(), of datagrams by recvmsg(2), which says whether one was cut."""
    cut = 0x20  # MSG_TRUNC

    def receive(self, *args):
        if not args or self.fileno() not in _datagrams:
            return original(self, *args)
        data, _, came, peer = base.recvmsg(self, args[0], 0, *args[1:])
        _came_with[seen.thread()] = {"peer": plain(peer), **({"cut": True} if came & cut else {})}
        return (data, peer) if sender else data

    return dressed(receive, original, "recv")


#: The descriptors of datagram sockets, and of those the ones that have no address yet.
_datagrams = set()
_nameless = set()

#: What is known of the last datagram of a thread, besides its bytes.
_came_with = {}


def _more(**known):
    if _came_with:
        known.update(_came_with.pop(seen.thread(), ()))
    return known


def _came(args, got):
    return len(got), _more(data=data_of(got, len(got)))


def _came_from(args, result):
    got, peer = result
    return len(got), _more(data=data_of(got, len(got)), peer=plain(peer))


def _into(args):
    return (args[1] if len(args) > 1 and args[1] else size_of(args[0]), *plain(args[2:]))


def _came_into(args, count):
    return count, {"data": data_of(args[0], count)}


def _came_from_into(args, result):
    count, peer = result
    return count, {"data": data_of(args[0], count), "peer": plain(peer)}


def _came_message(args, result):
    got, _, flags, peer = result
    return len(got), {"data": data_of(got, len(got)), "peer": plain(peer), "flags": int(flags)}


def _into_all(args):
    return (sum(map(size_of, args[0])),)


def _came_into_all(args, result):
    count, _, flags, peer = result
    return count, {"peer": plain(peer), "flags": int(flags)}


# -- what is sent ------------------------------------------------------------------------------


def _sending(args):
    return (size_of(args[0]), *plain(args[1:])) if args else ()


def _sent(args, result):
    size = size_of(args[0])
    count = size if result is None else result
    more = {"data": data_of(args[0], count)}
    if count < size:
        more["rest"] = bytes(memoryview(args[0]).cast("B")[count : count + _REST])
    return count, more


def _sent_to(args, result):
    return result, {"data": data_of(args[0], result), "peer": plain(args[-1])}


def _sending_to(base):
    """sendto(); it gives a socket without an address one (udp(7)), which is asked for once."""

    def sendto(self, *args):
        began = now()
        try:
            count = base.sendto(self, *args)
        except BaseException as error:
            _told(began, "sendto", self, args, None, error_of(error), None, _sending)
            raise
        _told(began, "sendto", self, args, count, None, base, _sending, _sent_to)
        return count

    return dressed(sendto, base.sendto, "sendto")


def _sending_message(original):
    """sendmsg(); its buffers may be an iterator, so they are gathered before."""

    def asked(args):
        return (sum(map(size_of, args[0])),)

    def came(args, result):
        more = {"data": b"".join(map(bytes, args[0]))[: min(result, seen.process.capture)]}
        if len(args) > 3:
            more["peer"] = plain(args[3])
        return result, more

    inner = hooked(original, "sendmsg", asked, came)

    def sendmsg(self, buffers, *args, **kwargs):
        return inner(self, list(buffers), *args, **kwargs)

    return dressed(sendmsg, original, "sendmsg")


# -- addresses ---------------------------------------------------------------------------------


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
            _told(began, name, self, args, None, error_of(error))
            raise
        # connect_ex() gives its errno as its result
        _told(began, name, self, args, result, result or None, base)
        return result

    return dressed(call, original, name)


def _told(began, name, self, args, result, error, base=None, asked=plain, came=None):
    ended = now()
    try:
        more = {} if came is None or error else came(args, result)[1]
        if base is not None and not error and (came is None or self.fileno() in _nameless):
            more.update(_name(self, base))
            _nameless.discard(self.fileno())
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


# -- how a socket begins -----------------------------------------------------------------------


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
    for known_as in (_datagrams, _nameless):
        known_as.add(fd) if type & 0xF == 2 else known_as.discard(fd)
    _living[id(sock)] = weakref.ref(sock, _Collected(known, fd, id(sock)))


def _accepting(base):
    def _accept(self):
        began = now()
        try:
            fd, peer = base._accept(self)
        except BaseException as error:
            _told(began, "accept", self, (), None, error_of(error))
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


def _pairing(original):
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


def _function(original, name):
    """A function of no socket."""

    def look_up(*args, **kwargs):
        began = now()
        try:
            found = original(*args, **kwargs)
        except BaseException as error:
            _looked(began, name, args, None, error_of(error))
            raise
        _looked(began, name, args, len(found) if isinstance(found, list) else 1, None)
        return found

    return dressed(look_up, original, name)


def _looked(began, name, args, result, error):
    try:
        tell(began, name, None, plain(args), result, error)
    except Exception:
        pass


# -- how it ends -------------------------------------------------------------------------------


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
