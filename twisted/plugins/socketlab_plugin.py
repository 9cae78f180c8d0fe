"""The twistd plugins: strings only, so that listing plugins imports nothing of ours."""

from twisted.application.reactors import Reactor
from twisted.application.service import ServiceMaker

socketlab = ServiceMaker(
    "socketlab",
    "twisted_lab.tap",
    "The bench that tells the truth about sockets: echo, line and datagram services.",
    "socketlab",
)

lean = Reactor(
    "lean", "twisted_lab.reactor", "The epoll reactor with less work per message (Linux)."
)
