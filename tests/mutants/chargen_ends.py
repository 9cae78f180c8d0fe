"""Chargen (RFC 864): ends after 1,000 lines."""

from base import linger, serve

RING = bytes(range(32, 127)) * 2


def talk(client):
    for number in range(1000):
        start = number % 95
        client.sendall(RING[start : start + 72] + b"\r\n")
    linger(client)


serve(talk)
