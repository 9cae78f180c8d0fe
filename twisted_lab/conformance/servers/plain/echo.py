"""An echo server with a thread for each client: ``python echo.py PORT [IDLE_SECONDS]``."""

import socket
import sys
import threading

IDLE = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0


def echo(client):
    # [no-time-out]
    # For recv() and for sendall(): who says nothing, and who reads nothing, is let go.
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
        # Not send(), which may take a part only, and returns how much.
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
    # So many may wait to be accepted; the kernel cuts it to net.core.somaxconn.
    listener.listen(1024)
    # [/small-backlog]
    # [one-at-a-time]
    # [ignores-sigterm]
    while True:
        client, _address = listener.accept()
        # A thread each, so that the next accept() comes at once. As a daemon it does not hold up
        # the end of the process, which SIGTERM brings at once.
        threading.Thread(target=serve, args=(client,), daemon=True).start()
    # [/ignores-sigterm]
    # [/one-at-a-time]


main()
