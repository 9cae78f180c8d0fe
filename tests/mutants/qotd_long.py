"""Qotd (RFC 865): a quote of 600 characters."""

from base import linger, serve


def talk(client):
    client.sendall(b"x" * 600)
    linger(client)


serve(talk)
