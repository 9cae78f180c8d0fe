"""Serve from Python, in your own process: what ``twistd -n socketlab run`` does, as an IService.

In a file for ``twistd -y``::

    from twisted.application.service import Application
    from twisted.internet import reactor
    from twisted_lab.serving import serve

    application = Application("mine")
    serve(MyFactory(), reactor, port=9000, max_connections=100).setServiceParent(application)
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from twisted_lab.bench import Bench
from twisted_lab.interfaces import Observer
from twisted_lab.keywords import settings_of
from twisted_lab.loading import kind_of
from twisted_lab.notifying import Notifier
from twisted_lab.starting import make
from twisted_lab.transports.listeners import word


class OwnBench(Bench):
    """A bench in somebody's process: its stop is the drain, then the end."""

    def stopService(self) -> Deferred[Any]:
        """Accept no more, let connections finish (``drain``), close; fires when all is closed."""
        closed = [service.stop_listening() for service in self.services]
        done = DeferredList([*closed, self.drain()])
        return done.addCallback(lambda done: super(OwnBench, self).stopService())

    def addresses(self, transport: str = "tcp") -> list[str]:
        """Where it listens on *transport*, e.g. ``"127.0.0.1:9000"``, while it serves."""
        return [
            opened.address
            for service in self.services
            for opened in service.ports
            if word(opened.listen) == transport
        ]

    @property
    def page(self) -> str | None:
        """The address of its page, with the token that allows changes, while it serves.

        None without a page, which there is with ``page="0"`` (any free port) or ``page=ENDPOINT``.
        """
        opened = self.beside is not None and self.beside.service.ports
        return self.beside.address if self.beside is not None and opened else None


def serve(what: Any, reactor: Any, observer: Observer | None = None, **options: object) -> OwnBench:
    """A service that serves *what* on *reactor*, to be started or given a parent.

    *what* is a Protocol class, a Factory, a Factory class, a DatagramProtocol class, a
    :class:`~twisted_lab.protocols.Kind`, or a name as on the command line. *options* are those of
    the command line with ``_``, as ``port=0`` or ``idle_timeout="5s"``; *observer* is called with
    every event. Its log is Twisted's; nothing is printed, and no signal is taken.

    Raises :class:`~twisted_lab.errors.ConfigurationError` now, and
    :class:`~twisted_lab.errors.CannotServe` when it starts and a port would not open.
    """
    kind = what if isinstance(what, str) else kind_of(what)
    observers = () if observer is None else (observer,)
    settings = settings_of(options)
    return make(
        reactor,
        kind,
        settings,
        kind=OwnBench,
        stdout=lambda: None,
        notifier=Notifier({}),  # what systemd hears is yours to say
        observers=observers,
    )
