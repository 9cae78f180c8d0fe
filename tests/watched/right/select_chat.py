"""A chat with select(): what one says the others hear."""

import select
from both import beside, listen
from socket import create_connection


def serve(listener):
    members, seen = [], 0
    while members or seen < 2:
        for sock in select.select([listener, *members], [], [])[0]:
            if sock is listener:
                members.append(listener.accept()[0])
                seen += 1
                members[-1].sendall(b"welcome\n")
                continue
            said = sock.recv(1024)
            if not said:
                members.remove(sock)
                sock.close()
            for other in members:
                if other is not sock:
                    other.sendall(said)


with listen() as listener:
    server = beside(serve, listener)
    one, two = (create_connection(listener.getsockname()) for _ in range(2))
    with one, two:
        print(one.recv(100), two.recv(100))
        one.sendall(b"hello\n")
        print(two.recv(100))
    server.join()
