"""The methods of socket.socket that receive."""

from socketlab_hook import seen
from socketlab_hook.naming import datagrams
from socketlab_hook.seen import data_of, dressed, hooked, plain, size_of


def hook(kind, base):
    """Hook those of *kind*, whose originals are *base*'s."""
    kind.recv = hooked(_whole(base.recv, base, False), "recv", came=_came)
    kind.recvfrom = hooked(_whole(base.recvfrom, base, True), "recvfrom", came=_came_from)
    kind.recv_into = hooked(base.recv_into, "recv_into", _into, _came_into)
    kind.recvfrom_into = hooked(base.recvfrom_into, "recvfrom_into", _into, _came_from_into)
    kind.recvmsg = hooked(base.recvmsg, "recvmsg", came=_came_message)
    kind.recvmsg_into = hooked(base.recvmsg_into, "recvmsg_into", _into_all, _came_into_all)


def _whole(original, base, sender):
    """recv() and recvfrom(), of datagrams by recvmsg(2), which says whether one was cut."""
    cut = 0x20  # MSG_TRUNC

    def receive(self, *args):
        if not args or self.fileno() not in datagrams:
            return original(self, *args)
        data, _, came, peer = base.recvmsg(self, args[0], 0, *args[1:])
        _came_with[seen.thread()] = {"peer": plain(peer), **({"cut": True} if came & cut else {})}
        return (data, peer) if sender else data

    return dressed(receive, original, "recv")


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
