"""Echo: closes after the first reply, whatever else the client wants."""

from base import linger, serve


def talk(client):
    asked = b""
    while data := client.recv(65536):
        asked += data
        if len(asked) >= 64:
            break
        client.sendall(data)
    else:
        return
    client.sendall(data)
    linger(client)


serve(talk)
