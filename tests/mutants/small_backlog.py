"""Echo: a backlog of 1, and some work before each accept()."""

import time

from base import echo, listen, serve


class Slow:
    def __init__(self):
        self.listener = listen(backlog=1)

    def accept(self):
        time.sleep(0.02)
        return self.listener.accept()


serve(echo, Slow())
