"""The twistd plugin: strings only, so that listing plugins imports nothing of ours."""

from twisted.application.service import ServiceMaker

socketlab = ServiceMaker(
    "socketlab",
    "twisted_lab.tap",
    "The bench that tells the truth about sockets: echo, line and datagram services.",
    "socketlab",
)
