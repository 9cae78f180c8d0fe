"""Echo over TLS: ``python tls_echo.py PORT CERTIFICATE KEY [HANDSHAKE_SECONDS [IDLE_SECONDS]]``.

CERTIFICATE and KEY are PEM files. A thread serves each client.
"""

import socket
import ssl
import sys
import threading

HANDSHAKE = float(sys.argv[4]) if len(sys.argv) > 4 else 10.0
IDLE = float(sys.argv[5]) if len(sys.argv) > 5 else 300.0

# [old-tls]
# TLS 1.0 and 1.1 are broken (RFC 8996).
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_2
# [/old-tls]
context.load_cert_chain(sys.argv[2], sys.argv[3])


# [endless-handshake]
# [one-at-a-time]
def serve(sock):
    """In a thread of its own, so that no handshake holds up the next accept()."""
    with sock:
        try:
            # For the handshake as a whole, however many bytes of it come.
            sock.settimeout(HANDSHAKE)
            with context.wrap_socket(sock, server_side=True) as client:
                echo(client)
        except OSError:
            pass  # RST, garbage, FIN without close_notify, or a time-out


# [/one-at-a-time]
# [/endless-handshake]
def echo(client):
    client.settimeout(IDLE)
    # [replies-lost]
    # [no-close-notify]
    # recv() returns no bytes when close_notify has come. When all is sent unwrap() sends our own,
    # before the socket is closed: so the client knows that it has heard all.
    while data := client.recv(65536):
        client.sendall(data)
    client.unwrap()
    # [/no-close-notify]
    # [/replies-lost]


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
