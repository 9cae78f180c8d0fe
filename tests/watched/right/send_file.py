"""A file by sendfile()."""

import tempfile
from both import beside, listen
from socket import create_connection


def serve(listener, file):
    conn, _ = listener.accept()
    with conn:
        conn.sendfile(file)


with listen() as listener, tempfile.TemporaryFile() as file:
    file.write(b"x" * 3_000_000)
    file.seek(0)
    server = beside(serve, listener, file)
    with create_connection(listener.getsockname()) as client:
        size = 0
        while data := client.recv(65536):
            size += len(data)
        print(size)
    server.join()
