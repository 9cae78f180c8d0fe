"""socketlab, the bench that tells the truth about sockets.

How the parts stand (a line may import only from the lines below it)::

    tap.py  cli.py                                       the doors
    testing.py  service.py  signals.py                   assembly: decides the order of layers
    protocols/  policies/  recording.py  observers.py  settings.py      the parts
    transports/  wrapping.py  datagrams.py  publishing.py  kernel.py    the mechanism
    interfaces.py                                        the seams
    events.py  errors.py  addresses.py  escaping.py      the values

A stream passes::

    listener -> gates -> [TLS] -> one Stream: timers, recorder -> your Protocol
"""

__version__ = "0.1.0"
