"""Echo with selectors, after the example of its documentation; what is unsent is kept."""

import selectors
from both import beside, listen
from socket import create_connection

selector = selectors.DefaultSelector()
left = {}


def serve(listener):
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    served = 0
    while served < 2:
        for key, mask in selector.select():
            if key.fileobj is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                left[conn] = b""
                selector.register(conn, selectors.EVENT_READ)
            else:
                served += talk(key.fileobj, mask)


def talk(conn, mask):
    if mask & selectors.EVENT_READ and not left[conn]:
        left[conn] = conn.recv(100_000)
        if not left[conn]:
            selector.unregister(conn)
            conn.close()
            return 1
    left[conn] = left[conn][conn.send(left[conn]) :]
    selector.modify(conn, selectors.EVENT_WRITE if left[conn] else selectors.EVENT_READ)
    return 0


with listen() as listener:
    server = beside(serve, listener)
    for size in (10, 2_000_000):
        with create_connection(listener.getsockname()) as client:
            sender = beside(client.sendall, b"x" * size)
            got = 0
            while got < size:
                got += len(client.recv(65536))
            sender.join()
            print(got)
    server.join()
    selector.close()
