"""What is known of this process: its sockets, the places that call, and how a call is told.

A record is a tuple:

``("p", pid, parent, argv, executable, version)``   a process begins: the first of its ring
``("f", socket, …)``                                it is a fork, and holds these sockets too
``("e", ns, thread, name, errno)``   an exception of a call that nobody caught
``("l", n, file, line, function)``                  the place called *n* from now on
``("c", ns, ns it took, thread, name, socket, arguments, result, error, place, more)``   a call

A *socket* is (the pid that made it, a number), *error* an errno, or the name of an exception;
*more* is a dict of what else is known: ``data``, ``peer``, ``local``, ``family``, ``type``, ``new``
(a socket that the call made), ``unread``, ``flags``, ``tls``, ``collected``.
"""

import itertools
import os
import sys
import threading
import time

from socketlab_hook.ring import Ring

now = time.monotonic_ns
thread = threading.get_ident

#: The one of this process, once it has begun.
process = None

#: What a place is: the program's own, a library's, the loop that called it, or ours.
_OWN, _LIBRARY, _LOOP, _OURS = range(4)

#: Functions that call what was asked for before: who stands below them called nothing.
_LOOPS = {
    ("asyncio", "_run_once"),
    ("asyncio", "_run"),
    ("internet", "mainLoop"),
    ("internet", "doPoll"),
    ("internet", "runUntilCurrent"),
}

_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_LIBRARIES = tuple(
    os.path.join(path, "")
    for path in {os.path.dirname(os.__file__), os.path.realpath(os.path.dirname(os.__file__))}
)


class Process:
    """This process; *capture* is how many bytes of each message are kept."""

    def __init__(self, folder, capture):
        self.capture = capture
        self.pid = os.getpid()
        #: Which socket has a descriptor.
        self.sockets = {}
        #: The same of those that were collected: Python still asks for their names, to warn.
        self.ghosts = {}
        self._folder = folder
        self._ring = None
        self._numbers = itertools.count(1)
        self._places = {}
        self._kinds = {}
        self._threads = threading.local()

    def thread(self):
        """The number of the thread that calls, as ps and strace say it; asked for once."""
        try:
            return self._threads.number
        except AttributeError:
            self._threads.number = number = threading.get_native_id()
            return number

    def new(self, fd):
        """A socket that is new, with the descriptor *fd*."""
        found = self.sockets[fd] = self.pid, next(self._numbers)
        return found

    def socket(self, fd):
        """The one with the descriptor *fd*; one that we did not see made is new."""
        if fd < 0:
            return None
        return self.sockets.get(fd) or self.ghosts.get(fd) or self.new(fd)

    def put(self, record):
        """Write *record*; the first of a process brings its ring."""
        ring = self._ring
        if ring is None:
            ring = self._ring = Ring(self._folder)
            argv = [str(word) for word in getattr(sys, "orig_argv", None) or sys.argv]
            version = ".".join(map(str, sys.version_info[:3]))
            ring.put(("p", self.pid, os.getppid(), argv, str(sys.executable), version))
        ring.put(record)

    def forked(self):
        """We are the child: the sockets are both's, all else is our own."""
        self.pid = os.getpid()
        self._ring = None
        self._numbers = itertools.count(1)
        self._places = {}
        self._threads = threading.local()
        self.put(("f", *self.sockets.values()))

    def place(self):
        """The number of the place that called: the innermost of the program's own.

        Where an event loop called, that is the library's line which did.
        """
        frame = sys._getframe(3)
        first, kinds = None, self._kinds
        while frame is not None:
            code = frame.f_code
            kind = kinds[code] if code in kinds else self._kind(code)
            if kind == _OWN:
                break
            if kind != _OURS:
                first = first or frame
                if kind == _LOOP:
                    frame = None
                    break
            frame = frame.f_back
        frame = frame or first
        if frame is None:
            return None
        code = frame.f_code
        key = code, frame.f_lasti  # the line itself takes a search in the code's table
        number = self._places.get(key)
        if number is None:
            number = self._places[key] = len(self._places)
            name = getattr(code, "co_qualname", code.co_name)
            self.put(("l", number, code.co_filename, frame.f_lineno, name))
        return number

    def _kind(self, code):
        kind = self._kinds[code] = _kind_of(code)
        return kind


def _kind_of(code):
    file = code.co_filename
    if file.startswith(_HERE):
        return _OURS
    if (os.path.basename(os.path.dirname(file)), code.co_name) in _LOOPS:
        return _LOOP
    packages = "site-packages" in file or "dist-packages" in file
    return _LIBRARY if packages or file.startswith(("<frozen", *_LIBRARIES)) else _OWN


def begin(folder, capture):
    """This process is watched from now on."""
    global process
    process = Process(folder, capture)
    os.register_at_fork(after_in_child=process.forked)


# -- telling of a call ------------------------------------------------------------------------


def tell(began, name, socket, arguments, result, error=None, more=None, ended=None):
    """The call *name* of *socket*, which *began* at so many ns, and *ended* then, or now."""
    took = (ended or now()) - began
    place = process.place()
    number = process.thread()
    process.put(("c", began, took, number, name, socket, arguments, result, error, place, more))


def error_of(error):
    """An errno, or a name: the exception's, or of a look-up what getaddrinfo(3) calls it."""
    number, kind = getattr(error, "errno", None), type(error)
    if kind.__name__ == "gaierror":
        names = vars(sys.modules["_socket"])
        return next(
            (one for one in names if one[:4] == "EAI_" and names[one] == number), "gaierror"
        )
    if kind.__module__ == "ssl":  # its numbers are OpenSSL's
        return kind.__name__
    return number if isinstance(number, int) and number else kind.__name__


def uncaught(error):
    """Tell of *error*, which nobody caught, if a call made it."""
    try:
        if isinstance(error, OSError) and error.errno:
            process.put(("e", now(), process.thread(), type(error).__name__, error.errno))
    except Exception:
        pass


#: Members of a tuple that are told.
_MOST = 16

#: What marshal takes, and no subclass of it.
_AS_IS = frozenset({int, float, bool, str, type(None)})


def plain(value):
    """*value* as marshal takes it, and a person reads it."""
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is tuple and len(value) <= _MOST and _AS_IS.issuperset(map(type, value)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return data_of(value, 32)
    if isinstance(value, (tuple, list)):
        return tuple(plain(one) for one in value[:_MOST])
    return type(value).__name__


def data_of(buffer, count):
    """The first *count* bytes of *buffer*, as far as they are kept."""
    kept = min(count, process.capture)
    if type(buffer) is bytes:
        return buffer[:kept]
    return bytes(memoryview(buffer).cast("B")[:kept])


def size_of(buffer):
    """The bytes of *buffer*; what has none is named."""
    if type(buffer) is bytes:
        return len(buffer)
    try:
        return memoryview(buffer).nbytes
    except TypeError:
        return type(buffer).__name__  # which is what the call says, too


def nothing(args, result):
    """A call whose result says nothing more."""
    return plain(result), None


def hooked(original, name, asked=plain, came=nothing, which=None):
    """*original*, told of. ``asked(args)`` is what the record has of its arguments, ``came(args,
    result)`` its result and more; ``which(self)`` is its socket."""
    which = which or (lambda self: process.socket(self.fileno()))

    def call(self, *args, **kwargs):
        began = now()
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            _tell(began, name, self, which, asked, args, error=error_of(error))
            raise
        _tell(began, name, self, which, asked, args, came, result)
        return result

    return dressed(call, original, name)


def _tell(began, name, self, which, asked, args, came=None, result=None, error=None):
    ended = now()
    try:
        more = None
        if came is not None:
            result, more = came(args, result)
        tell(began, name, which(self), asked(args), result, error, more, ended)
    except Exception:
        pass  # an error of ours is never theirs


def dressed(call, original, name):
    """*call*, looking like *original*."""
    for known in ("__name__", "__qualname__", "__doc__"):
        setattr(call, known, getattr(original, known, name if known != "__doc__" else None))
    return call
