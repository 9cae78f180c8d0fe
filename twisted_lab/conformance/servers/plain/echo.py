"""An echo server with a thread for each client: ``python echo.py PORT [IDLE_SECONDS]``."""

import socket
import sys
import threading
import time

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0


def echo(client):
    # [no-time-out]
    # For recv() and for sendall(): a client that says nothing is let go, and one that reads
    # nothing, too. Both raise TimeoutError, which is an OSError.
    client.settimeout(IDLE)
    # [/no-time-out]
    # [replies-lost]
    # [never-closes]
    # [closes-early]
    # [flood]
    # [no-back-pressure]
    # Nothing is said before something came, and nothing read before the last reply was taken.
    # recv() returns no bytes when the client has sent FIN: then, and not before, it is over. All
    # replies have been sent by then, for sendall() returns when the kernel has every byte.
    while data := client.recv(65536):
        # [sends-once]
        # Not send(): that may take a part of the data only, and returns how much. sendall()
        # goes on until the kernel has taken all.
        client.sendall(data)
        # [/sends-once]
    # [/no-back-pressure]
    # [/flood]
    # [/closes-early]
    # [/never-closes]
    # [/replies-lost]


def serve(client):
    # [leaks]
    # "with" closes the socket on every way out.
    with client:
        # [dies]
        # [others-cut-off]
        try:
            echo(client)
        except OSError:
            pass  # RST, or the time-out: the end of this client alone
        # [/others-cut-off]
        # [/dies]
    # [/leaks]


def main():
    listener = socket.socket()
    # [cannot-restart]
    # Before bind(): else connections in TIME_WAIT keep the port for a minute after a restart.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    # [/cannot-restart]
    # [small-backlog]
    # So many may wait to be accepted before SYNs are dropped; the kernel cuts the number to
    # net.core.somaxconn.
    listener.listen(1024)
    # [/small-backlog]
    # [one-at-a-time]
    # [ignores-sigterm]
    # [dies]
    while True:
        try:
            client, _address = listener.accept()
        except OSError:  # no descriptor is left (EMFILE): soon one will be
            time.sleep(0.1)
            continue
        # [/dies]
        # A thread each, so that the next accept() comes at once. A daemon thread does not hold
        # up the end of the process, which SIGTERM brings as long as nobody catches it.
        threading.Thread(target=serve, args=(client,), daemon=True).start()
    # [/ignores-sigterm]
    # [/one-at-a-time]


main()
