"""socketlab, the bench that tells the truth about sockets.

How the parts stand (a line may import only from the lines below it)::

    tap.py  cli.py  pytest_plugin.py                     the doors
    testing/  served.py                                  the kit for tests, ours and yours
    study/                                               experiments, on check and watch
    client/  conformance/  watch/  live/                 connect, check, watch: programs
    serving.py  starting.py                              what puts it all together
    page/                                                the page of a bench
    announcing.py  signals.py  bench.py                  what says, ends and holds it
    service_views.py  exporting.py                       what services have; a recording for others
    service.py                                           assembly: decides the order of layers
    diagram/  diagnosis/                                 a conversation drawn; mistakes named
    draining.py  limits.py  shared.py                    what a service is made with
    loading.py  installed.py  keywords.py                anyone's protocol, options in Python
    settings.py                                          every option, once
    metrics.py  trying/                                  counts for others, what to paste
    protocols/  policies/  recording.py  observers.py    the parts
    conversations.py                                     what is kept of each connection
    transports/  layer.py  wrapping.py  datagrams.py     the mechanism
    interfaces.py                                        the seams
    explaining.py                                        each event in a sentence
    events.py  errors.py  addresses.py  escaping.py      the values

A stream passes::

    listener -> gates -> [TLS] -> one Stream: timers, recorder -> your Protocol
"""

__version__ = "0.1.0"
