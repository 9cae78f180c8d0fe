"""Says the time (RFC 868) and closes: ``python closing.py PORT``."""

import socket
import struct
import sys
import threading
import time

SECONDS_1900_TO_1970 = 2_208_988_800


def serve(client):
    with client:
        client.settimeout(5)
        # [wrong-reply]
        # To the letter of RFC 868: four bytes, the most significant first ("!"), from 1900 on.
        now = int(time.time()) + SECONDS_1900_TO_1970
        client.sendall(struct.pack("!I", now % 2**32))
        # [/wrong-reply]
        # [reset-unread]
        # close() while something is unread makes the kernel send RST, which may overtake the
        # reply. So FIN goes first, and what comes is read and dropped, until the client's FIN;
        # but for five seconds and a mebibyte at most.
        client.shutdown(socket.SHUT_WR)
        until = time.monotonic() + 5
        dropped = 0
        while dropped < 2**20 and (left := until - time.monotonic()) > 0:
            client.settimeout(left)
            data = client.recv(65536)
            if not data:
                break
            dropped += len(data)
        # [/reset-unread]


def guarded(client):
    try:
        serve(client)
    except OSError:
        pass  # RST, or it took too long


with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
    while True:
        threading.Thread(target=guarded, args=(listener.accept()[0],), daemon=True).start()
