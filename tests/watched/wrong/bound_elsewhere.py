"""A server on 127.0.0.1, and a client that comes to another address of the machine."""

import socket

with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # MISTAKE
    with socket.socket() as client:
        try:
            client.connect(("127.0.0.2", listener.getsockname()[1]))
        except ConnectionRefusedError as error:
            print(error)
