"""Which socket a descriptor is: the tables of descriptors of processes, copied by fork()."""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted_lab.watch.records import Key


@dataclass(slots=True)
class Held:
    """A descriptor's socket, and whether exec() closes it."""

    key: Key
    family: int
    type: int
    close_on_exec: bool = False


@dataclass(slots=True)
class Process:
    """A process: its *pid*, its living threads, and its descriptors that are sockets."""

    pid: int
    threads: set[int]
    held: dict[int, Held] = field(default_factory=dict)
    made: int = 0
    #: Its places that are told of, by where they are.
    places: dict[tuple[str, int], int] = field(default_factory=dict)

    def new(self, fd: int, family: int, type: int) -> Held:
        """A socket that is new, with the descriptor *fd*."""
        self.made += 1
        held = self.held[fd] = Held((self.pid, self.made), family, type)
        return held

    def holds(self, key: Key) -> bool:
        """Whether a descriptor of it is the socket *key*."""
        return any(held.key == key for held in self.held.values())

    def forked(self, pid: int) -> Process:
        """A process that is a copy of it."""
        copies = {
            fd: Held(one.key, one.family, one.type, one.close_on_exec)
            for fd, one in self.held.items()
        }
        return Process(pid, {pid}, copies)
