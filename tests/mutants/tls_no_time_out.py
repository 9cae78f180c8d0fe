"""TLS: declares a time-out for the handshake, and has none."""

import ssl
import sys

from base import echo, serve

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])


def talk(client):
    with context.wrap_socket(client, server_side=True) as client:
        echo(client)
        client.unwrap()


serve(talk)
