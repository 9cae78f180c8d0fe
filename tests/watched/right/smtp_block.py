"""A block of many lines, which is one message: as SMTP has it after DATA."""

from both import beside, listen
from socket import create_connection


def serve(listener):
    conn, _ = listener.accept()
    with conn, conn.makefile("rb") as lines:
        conn.sendall(b"220 ready\r\n")
        for line in lines:
            if line == b"DATA\r\n":
                conn.sendall(b"354 go on\r\n")
                while next(lines) != b".\r\n":
                    pass
            conn.sendall(b"250 done\r\n")


with listen() as listener:
    server = beside(serve, listener)
    with create_connection(listener.getsockname()) as client, client.makefile("rb") as lines:
        print(lines.readline())
        for said in (b"HELO me\r\n", b"DATA\r\n", b"Subject: x\r\n\r\nhello\r\n.\r\n"):
            client.sendall(said)
            print(lines.readline())
    server.join()
