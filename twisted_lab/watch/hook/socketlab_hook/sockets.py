"""Hooks socket.socket, and the functions that make sockets or look up names."""

import _socket

from socketlab_hook import making, naming, receiving, sending
from socketlab_hook.seen import dressed, error_of, now, plain, tell

_LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")


def install():
    """Hook them all."""
    for name in _LOOK_UPS:
        setattr(_socket, name, _function(getattr(_socket, name), name))
    _socket.socketpair = making.pairing(_socket.socketpair)
    import socket

    for name in _LOOK_UPS[1:]:  # had socket been imported before us
        setattr(socket, name, getattr(_socket, name))
    kind, base = socket.socket, _socket.socket
    making.hook(kind, base)
    naming.hook(kind, base, socket.__file__)
    receiving.hook(kind, base)
    sending.hook(kind, base)


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
