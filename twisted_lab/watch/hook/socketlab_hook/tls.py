"""TLS: what is inside OpenSSL is not to be seen, but what goes in and comes out of it is."""

import sys

from socketlab_hook import seen
from socketlab_hook.seen import data_of, dressed, error_of, hooked, now, tell


def install():
    """Hook ssl.SSLSocket, once it is there: ssl is slow to load, and most programs never do."""
    if "ssl" in sys.modules:
        _hook(sys.modules["ssl"])
    else:
        sys.meta_path.insert(0, _WhenLoaded())


def _hook(ssl):
    kind = ssl.SSLSocket
    kind.read = hooked(kind.read, "read", _size, _read)
    kind.write = hooked(kind.write, "write", _size, _written)
    kind.send = _sending(kind.send, "send")
    kind.sendall = _sending(kind.sendall, "sendall")
    kind.unwrap = hooked(kind.unwrap, "unwrap", came=lambda args, result: (None, {"tls": True}))
    kind.do_handshake = _shaking(kind.do_handshake)


def _size(args):
    return tuple(one if isinstance(one, int) else len(one) for one in args[:1])


def _read(args, got):
    if isinstance(got, int):
        return got, {"tls": True, "data": data_of(args[1], got)}
    return len(got), {"tls": True, "data": data_of(got, len(got))}


def _written(args, count):
    return count, {"tls": True, "data": data_of(args[0], count)}


#: The threads that are in a sendall(), whose send() is no call of the program's.
_within = set()


def _sending(original, name):
    """send() and sendall(): they go past write(), to what is inside."""
    told = hooked(original, name, _size, _sent)

    def call(self, *args):
        thread = seen.thread()
        if self._sslobj is None or thread in _within:  # the plain one is told of by itself
            return original(self, *args)
        _within.add(thread)
        try:
            return told(self, *args)
        finally:
            _within.discard(thread)

    return dressed(call, original, name)


def _sent(args, result):
    count = len(memoryview(args[0]).cast("B")) if result is None else result
    return _written(args, count)


def _shaking(original):
    def do_handshake(self, *args, **kwargs):
        began = now()
        try:
            original(self, *args, **kwargs)
        except BaseException as error:
            _shaken(began, self, error_of(error))
            raise
        _shaken(began, self, None)

    return dressed(do_handshake, original, "do_handshake")


def _shaken(began, self, error):
    try:
        more = {"tls": True}
        if error is None:
            cipher = self.cipher()
            more.update(version=self.version(), cipher=cipher[0] if cipher else None)
        tell(began, "do_handshake", seen.process.socket(self.fileno()), (), None, error, more)
    except Exception:
        pass


class _WhenLoaded:
    """A finder that finds nothing itself, but hears of ssl."""

    def find_spec(self, name, path=None, target=None):
        if name != "ssl":
            return None
        import importlib.util

        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                try:
                    _hook(module)
                except Exception:
                    pass

            spec.loader.exec_module = exec_module
        return spec
