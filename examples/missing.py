"""Tells who sends numbered datagrams which of them are missing.

``twistd -n socketlab run examples.missing:Missing --port 9000``. A datagram is a number, a space
and padding; the answer is that number and how many before it have not come. No answer is longer
than its request: a longer one would be withheld, so that nobody can use us against others.
"""

from collections import OrderedDict

from twisted.internet.protocol import DatagramProtocol

#: Senders we remember, and numbers of each; the longest silent is forgotten first.
SENDERS = 1000
NUMBERS = 1000

Address = tuple[str, int]


class Missing(DatagramProtocol):
    """Says which numbered datagrams are missing."""

    def __init__(self) -> None:
        self.senders: OrderedDict[Address, tuple[int, set[int]]] = OrderedDict()

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        digits = datagram.partition(b" ")[0]
        if not (digits.isdigit() and len(digits) <= 9):
            return
        number = int(digits)
        missing = self.note(addr, number)
        self.transport.write(b"%d missing %d" % (number, missing), addr)

    def note(self, addr: Address, number: int) -> int:
        """Remember that *number* came from *addr*; how many are missing."""
        highest, missing = self.senders.pop(addr, (number - 1, set()))
        if number - highest > NUMBERS:
            missing = set()  # a leap like this is a new beginning
        else:
            missing |= set(range(highest + 1, number))
        missing = {one for one in missing if one > number - NUMBERS} - {number}
        self.senders[addr] = max(highest, number), missing
        if len(self.senders) > SENDERS:
            self.senders.popitem(last=False)
        return len(missing)
