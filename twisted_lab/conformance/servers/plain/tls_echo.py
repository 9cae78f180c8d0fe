"""An echo server over TLS: ``python tls_echo.py PORT CERTIFICATE KEY [HANDSHAKE_SECONDS]``."""

import socket
import ssl
import sys
import threading

HANDSHAKE = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
IDLE = 300.0

# [old-tls]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_2  # TLS 1.0 and 1.1 are broken (RFC 8996)
# [/old-tls]
context.load_cert_chain(sys.argv[2], sys.argv[3])


def echo(client):
    # [endless-handshake]
    # In the client's own thread, never where accept() is called; and the time-out is for the
    # handshake as a whole, however many bytes of it come.
    client.settimeout(HANDSHAKE)
    client.do_handshake()
    # [/endless-handshake]
    client.settimeout(IDLE)
    while data := client.recv(65536):
        client.sendall(data)
    # [no-close-notify]
    # Before close(): so the client knows that it has heard all.
    client.unwrap()
    # [/no-close-notify]


def serve(sock):
    client = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    with client:
        try:
            echo(client)
        except OSError:
            pass  # RST, garbage, FIN without close_notify, or the time-out


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
