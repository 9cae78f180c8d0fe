"""TLS on a stream, with a certificate of its own."""

import os
import ssl
import subprocess
import tempfile
from both import beside, listen
from socket import create_connection


def serve(listener, context):
    conn, _ = listener.accept()
    with context.wrap_socket(conn, server_side=True) as secured:
        while data := secured.recv(1024):
            secured.sendall(data)
        secured.unwrap()


with tempfile.TemporaryDirectory() as folder, listen() as listener:
    cert, key = os.path.join(folder, "cert"), os.path.join(folder, "key")
    words = "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout"
    extension = ("-addext", "subjectAltName=DNS:localhost")
    subprocess.run(
        ["openssl", *words.split(), key, "-out", cert, *extension], check=True, capture_output=True
    )
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(cert, key)
    client_side = ssl.create_default_context(cafile=cert)
    server = beside(serve, listener, server_side)
    with (
        create_connection(listener.getsockname()) as plain,
        client_side.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(b"hello\n")
        print(client.recv(1024))
        client.unwrap()
    server.join()
