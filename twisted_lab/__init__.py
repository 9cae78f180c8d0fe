"""socketlab, the bench that tells the truth about sockets.

How the parts stand (a line may import only from the lines below it)::

    tap.py  cli.py  pytest_plugin.py                     the doors
    testing/  served.py                                  the kit for tests, ours and yours
    serving.py                                           the same from Python
    starting.py  announcing.py  signals.py  bench.py     what starts, says, ends and holds it all
    service_views.py                                     what each service has, for who asks
    service.py  draining.py  limits.py  shared.py        assembly: decides the order of layers
    loading.py  installed.py  keywords.py                anyone's protocol, options in Python
    settings.py                                          every option, once
    metrics.py  trying/                                  counts for others, what to paste
    protocols/  policies/  recording.py  observers.py    the parts
    transports/  layer.py  wrapping.py  datagrams.py     the mechanism
    interfaces.py                                        the seams
    events.py  errors.py  addresses.py  escaping.py      the values

A stream passes::

    listener -> gates -> [TLS] -> one Stream: timers, recorder -> your Protocol
"""

__version__ = "0.1.0"
