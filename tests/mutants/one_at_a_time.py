"""Echo: accepts the next client when the one before has gone."""

from base import echo, listen

listener = listen()
while True:
    client, _address = listener.accept()
    with client:
        try:
            echo(client)
        except OSError:
            pass
