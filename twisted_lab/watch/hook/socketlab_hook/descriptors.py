"""What is done to descriptors, hooked where they are sockets: os.read() and others, and waits."""

import os
import select
import sys

from socketlab_hook import seen
from socketlab_hook.seen import data_of, dressed, error_of, hooked, now, plain, size_of, tell

#: Sockets that a record of a wait names at most.
_MOST = 16


def install():
    """Hook them all."""
    global _ioctl, _FIONREAD
    import fcntl
    import termios

    _ioctl, _FIONREAD = fcntl.ioctl, termios.FIONREAD
    os.read = _of_sockets(os.read, "read", came=_came)
    os.write = _of_sockets(os.write, "write", _writing, _written)
    os.sendfile = _of_sockets(os.sendfile, "sendfile")
    os.close = _closing(os.close)
    select.select = _selecting(select.select)
    if hasattr(select, "epoll"):
        select.epoll = _epoll(select.epoll)
    if hasattr(select, "poll"):
        select.poll = _poll(select.poll)
    if "selectors" in sys.modules:  # imported before us
        selectors = sys.modules["selectors"]
        selectors.EpollSelector._selector_cls = select.epoll
        selectors.PollSelector._selector_cls = select.poll


def _of_sockets(original, name, asked=plain, came=seen.nothing):
    told = hooked(original, name, asked, came, which=lambda fd: seen.process.sockets.get(fd))

    def call(fd, *args, **kwargs):
        known = fd in seen.process.sockets
        return told(fd, *args, **kwargs) if known else original(fd, *args, **kwargs)

    return dressed(call, original, name)


def _came(args, got):
    return len(got), {"data": data_of(got, len(got))}


def _writing(args):
    return (size_of(args[0]),)


def _written(args, count):
    return count, {"data": data_of(args[0], count)}


# -- the end -----------------------------------------------------------------------------------


def _closing(original):
    def close(fd):
        return closing(original, fd)

    return dressed(close, original, "close")


def closing(close, fd):
    """Do ``close(fd)``, and tell of it where that is a socket."""
    known = seen.process.sockets.pop(fd, None)
    if known is None:
        return close(fd)
    more = {"unread": _unread(fd)}
    began = now()
    try:
        result = close(fd)
    except BaseException as error:
        _closed(began, known, error_of(error), more)
        raise
    _closed(began, known, None, more)
    return result


def _closed(began, known, error, more):
    try:
        tell(began, "close", known, (), None, error, more)
    except Exception:
        pass


def _unread(fd):
    """The bytes that wait to be read, which a close throws away (FIONREAD, tty_ioctl(4))."""
    try:
        return int.from_bytes(_ioctl(fd, _FIONREAD, b"\0\0\0\0"), sys.byteorder)
    except Exception:
        return None


# -- waits -------------------------------------------------------------------------------------


def _sockets(ready):
    """Which of *ready*, descriptors or what has one, are sockets of ours."""
    found = []
    for one in ready:
        known = seen.process.sockets.get(one if isinstance(one, int) else one.fileno())
        if known is not None:
            found.append(known)
        if len(found) == _MOST:
            break
    return tuple(found)


def _asks(descriptors):
    """Whether a socket is among *descriptors*; None stands for those that are not known."""
    if descriptors is None:
        return True
    sockets = seen.process.sockets
    return any((one if isinstance(one, int) else one.fileno()) in sockets for one in descriptors)


def _waited(began, asked, name, timeout, count, error, readable=(), writable=()):
    """Tell of a wait for *asked*, if a socket is among them."""
    try:
        if not _asks(asked):
            return
        more = {"readable": _sockets(readable), "writable": _sockets(writable)}
        tell(began, name, None, (timeout,), count, error, more)
    except Exception:
        pass


def _selecting(original):
    def call(rlist, wlist, xlist, timeout=None):
        began = now()
        try:
            ready = original(rlist, wlist, xlist, timeout)
        except BaseException as error:
            _selected(began, (rlist, wlist, xlist), timeout, None, error_of(error))
            raise
        count = sum(map(len, ready))
        _selected(began, (rlist, wlist, xlist), timeout, count, None, ready[0], ready[1])
        return ready

    return dressed(call, original, "select")


def _selected(began, lists, timeout, count, error, readable=(), writable=()):
    try:
        # an iterator has nothing left by now, but what was ready
        asked = [one for among in (*lists, readable, writable) for one in among]
    except TypeError:  # which select() has said already
        asked = ()
    _waited(began, asked, "select", timeout, count, error, readable, writable)


class _Poller:
    """What stands for an object of select that waits; such a class cannot be derived from."""

    __slots__ = ("__weakref__", "_asked", "_poller")

    def __init__(self, poller, asked=()):
        self._poller = poller
        #: The descriptors that it waits for; None: it was made of one that others may have.
        self._asked = None if asked is None else set(asked)

    def __getattr__(self, name):
        return getattr(self._poller, name)

    def register(self, fd, *events, **named):
        result = self._poller.register(fd, *events, **named)
        if self._asked is not None:
            self._asked.add(fd if isinstance(fd, int) else fd.fileno())
        return result

    def unregister(self, fd):
        result = self._poller.unregister(fd)
        if self._asked is not None:
            self._asked.discard(fd if isinstance(fd, int) else fd.fileno())
        return result

    def _wait(self, name, wait, seconds):
        began = now()
        try:
            ready = wait()
        except BaseException as error:
            _waited(began, self._asked, name, seconds, None, error_of(error))
            raise
        readable = [fd for fd, what in ready if what & ~select.POLLOUT]
        writable = [fd for fd, what in ready if what & select.POLLOUT]
        _waited(began, self._asked, name, seconds, len(ready), None, readable, writable)
        return ready


def _epoll(original):
    class Epoll(_Poller):
        __slots__ = ()

        def __init__(self, *args, **kwargs):
            super().__init__(original(*args, **kwargs))

        @classmethod
        def fromfd(cls, fd):
            made = cls.__new__(cls)
            _Poller.__init__(made, original.fromfd(fd), None)
            return made

        def poll(self, timeout=None, maxevents=-1):
            return self._wait("epoll_wait", lambda: self._poller.poll(timeout, maxevents), timeout)

        def __enter__(self):
            self._poller.__enter__()
            return self

        def __exit__(self, *error):
            return self._poller.__exit__(*error)

    Epoll.__module__, Epoll.__name__, Epoll.__qualname__ = "select", "epoll", "epoll"
    return Epoll


def _poll(original):
    class Poll(_Poller):
        __slots__ = ()

        def __init__(self):
            super().__init__(original())

        def poll(self, timeout=None):
            seconds = None if timeout is None or timeout < 0 else timeout / 1000
            return self._wait("poll", lambda: self._poller.poll(timeout), seconds)

    Poll.__module__, Poll.__name__, Poll.__qualname__ = "select", "poll", "poll"
    return Poll
