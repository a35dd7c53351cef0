"""The states that decisions look at: read from the journal once, then kept in memory and caught up.

What stands in memory may be behind the journal, since other processes write too.  That is safe for a decision
that records something, because its write is turned away if any stream that it looked at has moved on.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from attrs import evolve as changed
from attrs import frozen

from incident_adapters.journal import Journal
from incident_domain.agreements import UNPUBLISHED, Agreement, evolve_agreement
from incident_domain.envelope import Recorded
from incident_domain.events import DomainEvent
from incident_domain.evolution import BrokenHistory, evolve
from incident_domain.incident import UNREGISTERED, Incident
from incident_domain.known_errors import UNRECORDED, KnowledgeEntry, evolve_entry

State = TypeVar("State")

_KEPT = 4096


@frozen
class Fold(Generic[State]):
    """How the events of a stream make a state, from `empty` on."""

    empty: State
    evolve: Callable[[State, Any], State]


INCIDENT: Fold[Incident] = Fold(UNREGISTERED, evolve)
KNOWN_ERROR: Fold[KnowledgeEntry] = Fold(UNRECORDED, evolve_entry)
AGREEMENT: Fold[Agreement] = Fold(UNPUBLISHED, evolve_agreement)
STATELESS: Fold[None] = Fold(None, lambda now, _: now)


@frozen
class Loaded(Generic[State]):
    """A stream as it was after `version` events, the last of which has `position`.

    `commands` are the ids of the commands that made it what it is.
    """

    fold: Fold[State]
    stream: str
    version: int
    position: int
    state: State
    commands: frozenset[UUID]

    def after(self, events: Iterable[DomainEvent], command: UUID) -> "Loaded[State]":
        """The stream after more events that are not recorded yet.

        Raises:
            BrokenHistory: when they cannot follow.
        """
        version, state = self.version, self.state
        for event in events:
            version += 1
            state = self._evolved(state, event, version)
        return changed(self, version=version, state=state, commands=self.commands | {command})

    def caught_up(self, recorded: Iterable[Recorded]) -> "Loaded[State]":
        """The stream after more events that the journal holds.

        Raises:
            BrokenHistory: when they cannot follow; it names the stream and the version.
        """
        version, position, state = self.version, self.position, self.state
        commands: set[UUID] = set()
        for each in recorded:
            version, position = each.version, each.position
            state = self._evolved(state, each.event, version)
            commands.add(each.causation_id)
        return changed(
            self, version=version, position=position, state=state, commands=self.commands | commands
        )

    def _evolved(self, state: State, event: DomainEvent, version: int) -> State:
        try:
            return self.fold.evolve(state, event)
        except BrokenHistory as broken:
            raise BrokenHistory(broken.reason, stream=self.stream, version=version) from None


def unbegun(stream: str, fold: Fold[State]) -> Loaded[State]:
    """A stream before its first event."""
    return Loaded(fold, stream, 0, 0, fold.empty, frozenset())


class Streams:
    """The streams that were looked at last; threads may share it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: OrderedDict[str, Loaded[Any]] = OrderedDict()
        self.forgettings = journal.forgettings
        """Moves on when somebody was forgotten; all that was looked at before is let go of."""
        self._lock = Lock()

    def remembered(self, stream: str, fold: Fold[State]) -> Loaded[State] | None:
        """The stream as it stands in memory, which may be behind the journal."""
        forgettings = self._journal.forgettings
        with self._lock:
            if forgettings != self.forgettings:
                self._kept.clear()
                self.forgettings = forgettings
            loaded = self._kept.get(stream)
            if loaded is None or loaded.fold is not fold:
                return None
            self._kept.move_to_end(stream)
        return cast("Loaded[State]", loaded)

    def current(self, stream: str, fold: Fold[State]) -> Loaded[State]:
        """The stream as it stands in the journal.

        Raises:
            BrokenHistory: when its events cannot have followed each other.
            MapperDeserialisationError: when an event cannot be read.
        """
        known = self.remembered(stream, fold) or unbegun(stream, fold)
        since = self.forgettings
        news = self._journal.read(stream, known.version)
        if not news:
            return known
        loaded = known.caught_up(news)
        self.keep([loaded], since=since)
        return loaded

    def keep(self, loaded: Iterable[Loaded[Any]], *, since: int) -> None:
        """Remember streams as they are in the journal now.

        `since` is what `forgettings` was before they were read: where it has moved on, they are not kept.
        """
        with self._lock:
            if since != self.forgettings:
                return
            for each in loaded:
                kept = self._kept.get(each.stream)
                if kept is None or kept.version < each.version:
                    self._kept[each.stream] = each
                self._kept.move_to_end(each.stream)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
