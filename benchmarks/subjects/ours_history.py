"""Our echo with a history observer, so that every event is built and kept.

TO BE WIRED: build the echo service with the history observer here, on the epoll reactor, and print
``tcp 127.0.0.1:PORT`` and ``udp 127.0.0.1:PORT`` once both ports are open.
"""

import sys

sys.exit("ours_history.py is not wired yet")
