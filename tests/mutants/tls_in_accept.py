"""TLS: the handshake is made where accept() is called."""

import contextlib
import ssl
import sys
import threading

from base import echo, listen

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])


def talk(client):
    with client, contextlib.suppress(OSError):
        echo(client)
        client.unwrap()


listener = context.wrap_socket(listen(), server_side=True)
while True:
    try:
        client, _address = listener.accept()
    except OSError:
        continue
    threading.Thread(target=talk, args=(client,), daemon=True).start()
