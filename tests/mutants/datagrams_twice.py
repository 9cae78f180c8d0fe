"""UDP echo: answers twice."""

from base import datagrams


def answer(sock, data, asker):
    sock.sendto(data, asker)
    sock.sendto(data, asker)


datagrams(answer)
