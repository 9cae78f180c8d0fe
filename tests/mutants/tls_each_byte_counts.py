"""TLS: the time-out of the handshake begins anew with each byte of it."""

import select
import ssl
import sys

from base import echo, serve

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])


def talk(client):
    client.setblocking(False)
    secure = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
    with secure:
        while True:
            try:
                secure.do_handshake()
                break
            except ssl.SSLWantReadError:
                if not select.select([secure], [], [], 1.5)[0]:
                    return
        secure.setblocking(True)
        echo(secure)
        secure.unwrap()


serve(talk)
