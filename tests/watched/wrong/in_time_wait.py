"""A server that is started again, without SO_REUSEADDR."""

import socket

with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    name = listener.getsockname()
    with socket.create_connection(name) as client:
        conn, _ = listener.accept()
        conn.close()  # the server first: its end goes to TIME_WAIT
        client.recv(1)
with socket.socket() as listener:
    try:
        listener.bind(name)  # MISTAKE
    except OSError as error:
        print(error)
