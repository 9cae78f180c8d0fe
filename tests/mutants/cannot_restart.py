"""Echo: no SO_REUSEADDR."""

import socket

from base import PORT, echo, serve

listener = socket.socket()
listener.bind(("127.0.0.1", PORT))
listener.listen(1024)
serve(echo, listener)
