"""The one model, changed by several threads and shown by one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from twisted_lab.live.keyboard import Action, pressed
from twisted_lab.live.model import Model


class Board:
    """Holds the newest model; *wake* is called, from any thread, when there is something to show.

    Nothing queues up here: what comes goes into the model at once, and the model is bounded.
    """

    def __init__(self, model: Model, wake: Callable[[], None]) -> None:
        self._model = model
        self._wake = wake
        self._lock = Lock()
        self._changed = True
        self._failure: BaseException | None = None

    @property
    def model(self) -> Model:
        """The newest."""
        return self._model

    def change(self, change: Callable[[Model], Model]) -> None:
        """Take *change* of the newest model in its place."""
        with self._lock:
            before, self._model = self._model, change(self._model)
            if before is self._model or self._changed:
                return
            self._changed = True
        self._wake()

    def refresh(self, change: Callable[[Model], Model]) -> None:
        """The same, and to be shown again whatever changes."""
        with self._lock:
            self._model = change(self._model)
            self._changed = True

    def press(self, key: str) -> Action | None:
        """What *key* asks for beyond what it changes."""
        with self._lock:
            self._model, action = pressed(self._model, key)
            self._changed = True
        return action

    def take(self) -> Model | None:
        """The newest model if it has not been taken yet; raises what :meth:`failed` was told."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            changed, self._changed = self._changed, False
            return self._model if changed else None

    def failed(self, failure: BaseException) -> None:
        """A thread came to an end that it should not have come to."""
        with self._lock:
            self._failure = failure
        self._wake()
