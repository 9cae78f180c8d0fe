"""UDP echo: loses each 50th."""

from base import datagrams

count = 0


def answer(sock, data, asker):
    global count
    count += 1
    if count % 50:
        sock.sendto(data, asker)


datagrams(answer)
