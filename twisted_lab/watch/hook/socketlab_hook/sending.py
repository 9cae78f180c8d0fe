"""The methods of socket.socket that send."""

from socketlab_hook import seen
from socketlab_hook.naming import told
from socketlab_hook.seen import data_of, dressed, error_of, hooked, now, plain, size_of

#: Bytes kept of what send() did not take, to see whether they are sent next.
_REST = 32


def hook(kind, base):
    """Hook those of *kind*, whose originals are *base*'s."""
    kind.send = hooked(base.send, "send", _sending, _sent)
    kind.sendall = hooked(base.sendall, "sendall", _sending, _sent)
    kind.sendto = _sending_to(base)
    kind.sendmsg = _sending_message(base.sendmsg)


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
            told(began, "sendto", self, args, None, error_of(error), None, _sending)
            raise
        told(began, "sendto", self, args, count, None, base, _sending, _sent_to)
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
