"""The live view: a thread for the stream, one for requests, one for the ladder's own stream."""

from __future__ import annotations

import queue
import ssl
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Event, Thread

from rich.console import Console

from twisted_lab.live import model as models
from twisted_lab.live import values
from twisted_lab.live.address import Address
from twisted_lab.live.board import Board
from twisted_lab.live.following import Arrived, Follower, Item, Reached
from twisted_lab.live.glyphs import glyphs_for
from twisted_lab.live.http_reading import Lost, Reader, Refused
from twisted_lab.live.keyboard import Action
from twisted_lab.live.model import Away, Model
from twisted_lab.live.opened import Opened
from twisted_lab.live.polling import (
    MOST,
    SOME,
    path_of,
    read_documents,
    read_story,
    snapshot,
    stream_query,
)
from twisted_lab.live.screen import screen
from twisted_lab.live.terminal import Terminal

#: Seconds between two pictures at least: eight a second are enough for eyes.
FRAME = 1 / 8

#: Seconds between two looks at the counts.
LOOK = 1.0


class Session:
    """Watches the bench at *address* on *console*, for the main thread.

    *service* and *conversation* are what is shown at first, if given; *seconds* is a monotonic
    clock.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        console: Console,
        seconds: Callable[[], float],
        service: str | None = None,
        conversation: str | None = None,
    ) -> None:
        self._address = address
        self._tls = tls
        self._console = console
        self._seconds = seconds
        self._glyphs = glyphs_for(console.encoding)
        opened = None if conversation is None else Opened(conversation)
        self._first = Model(
            str(address),
            address.token is not None,
            data=models.Data(opened=opened),
            service=service,
        )
        self._stopping = Event()
        self._tasks: queue.SimpleQueue[Action] = queue.SimpleQueue()
        self._stream = self._follower({})
        self._telling: Follower | None = None
        self._size = (0, 0)

    def run(self) -> None:
        """Until the person quits.

        Raises :class:`Lost` or :class:`Refused` when there is no bench to begin with.
        """
        items = self._stream.items()
        begun = next(items)
        with Terminal(self._console) as terminal:
            self._board = Board(self._first, terminal.wake)
            self._apply(begun)
            try:
                self._start(lambda: self._listen(items))
                self._start(self._ask)
                if self._first.opened is not None:
                    self._tell(self._first.opened.id)
                self._watch(terminal)
            finally:
                self._stop()

    def _watch(self, terminal: Terminal) -> None:
        due = self._seconds()
        while not terminal.quit:
            early = due - self._seconds()
            if early <= 0 and self._draw(terminal):
                early = FRAME
                due = self._seconds() + FRAME
            for key in terminal.wait(early if early > 0 else LOOK):
                self._act(terminal, key)

    def _draw(self, terminal: Terminal) -> bool:
        """Show what is new; false when nothing is."""
        width, height = size = terminal.size
        if size != self._size or terminal.blank:
            self._size = size
            self._board.refresh(lambda model: replace(model, height=height))
        model = self._board.take()
        if model is not None:
            terminal.show(screen(model, width, height, self._glyphs))
        return model is not None

    def _act(self, terminal: Terminal, key: str) -> None:
        before = self._board.model
        action = self._board.press(key)
        model = self._board.model
        if action is None:
            if (before.service, before.filter) != (model.service, model.filter):
                self._tasks.put(Action("look"))
        elif action.verb == "quit":
            terminal.quit = True
        elif action.verb == "open":
            self._tell(action.id)
        elif action.verb == "shut":
            self._hush()
        else:
            self._tasks.put(action)

    def _apply(self, item: Item) -> None:
        """Take what the stream brought into the model."""
        if isinstance(item, Reached):
            self._board.change(lambda model: models.connected(model, item.bench, item.anew))
        elif isinstance(item, Arrived):
            entries = [values.entry(said) for said in item.entries]
            self._board.change(lambda model: models.arrived(model, entries))
        else:
            away = Away(item.why, item.again)
            self._board.change(lambda model: replace(model, away=away))

    def _listen(self, items: Iterable[Item]) -> None:
        for item in items:
            self._apply(item)

    def _ask(self) -> None:
        """Look at the counts each second, and do in between what was asked for."""
        reader = Reader(self._address, self._tls)
        try:
            while not self._stopping.is_set():
                self._look(reader)
                try:
                    action = self._tasks.get(timeout=LOOK)
                except queue.Empty:
                    continue
                if action.verb in ("close", "reset"):
                    self._end(reader, action)
        finally:
            reader.close()

    def _look(self, reader: Reader) -> None:
        model = self._board.model
        try:
            found = snapshot(read_documents(reader, model.service, MOST if model.filter else SOME))
        except (Lost, Refused) as problem:
            why = str(problem)
            self._board.change(lambda model: replace(model, stale=why))
        else:
            self._board.change(lambda model: models.looked(model, found))

    def _end(self, reader: Reader, action: Action) -> None:
        """Close or reset a connection, and say how that went."""
        try:
            reader.post(f"{path_of(action.id)}/{action.verb}")
            said = f"the bench was told to {action.verb} {action.id}"
        except (Lost, Refused) as problem:
            said = (
                f"{action.id} is not {'reset' if action.verb == 'reset' else 'closed'}: {problem}"
            )
        self._board.change(lambda model: replace(model, said=said))

    def _tell(self, conversation: str) -> None:
        """Follow *conversation* alone, and nothing else that was followed so."""
        self._hush()
        follower = self._telling = self._follower(stream_query(conversation))
        self._start(lambda: self._follow(follower, conversation))

    def _follow(self, follower: Follower, conversation: str) -> None:
        for item in follower.items(patient=True):
            if isinstance(item, Reached):
                self._read(conversation)
            elif isinstance(item, Arrived):
                entries = [values.entry(said) for said in item.entries]
                self._board.change(lambda model: models.followed(model, conversation, entries))  # noqa: B023
            else:
                why = item.why
                self._board.change(lambda model: models.untold(model, conversation, why))  # noqa: B023

    def _read(self, conversation: str) -> None:
        """What the bench knows of it, with the stream open already: nothing falls between."""
        reader = Reader(self._address, self._tls)
        try:
            story = read_story(reader, conversation)
        except (Lost, Refused) as problem:
            why = str(problem)
            self._board.change(lambda model: models.untold(model, conversation, why))
        else:
            self._board.change(lambda model: models.told(model, conversation, story))
        finally:
            reader.close()

    def _hush(self) -> None:
        if self._telling is not None:
            self._telling.stop()
            self._telling = None

    def _follower(self, query: dict[str, str]) -> Follower:
        return Follower(self._address, self._tls, query, self._stopping.wait)

    def _start(self, work: Callable[[], None]) -> None:
        """In a thread that ends with us, and whose failure is ours."""

        def run() -> None:
            try:
                work()
            except BaseException as failure:
                self._board.failed(failure)

        Thread(target=run, daemon=True).start()

    def _stop(self) -> None:
        self._stopping.set()
        self._stream.stop()
        self._hush()
