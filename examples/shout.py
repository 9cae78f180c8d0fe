"""Answers each line in capitals: ``twistd -n socketlab run examples.shout:Shout --port 9000``."""

from twisted.protocols.basic import LineReceiver


class Shout(LineReceiver):
    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line.upper())
