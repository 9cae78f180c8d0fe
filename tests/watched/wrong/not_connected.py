"""A client without a server."""

import socket

with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))
    with socket.socket() as client:
        try:
            client.connect(nobody.getsockname())  # MISTAKE
        except ConnectionRefusedError as error:
            print(error)
