"""Commands that are decided one after the other and recorded together in one write."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from attrs import evolve as changed
from attrs import frozen

from incident_adapters.journal import Change, Journal
from incident_adapters.streams import (
    AGREEMENT,
    INCIDENT,
    KNOWN_ERROR,
    STATELESS,
    Fold,
    Loaded,
    State,
    Streams,
    unbegun,
)
from incident_domain.agreements import AgreementChange, decide_agreement
from incident_domain.children import ChildAnswer
from incident_domain.data_subject import subject_of
from incident_domain.envelope import AGREEMENT_STREAM, IMPORT_STREAM, KNOWN_ERROR_STREAM, Recorded
from incident_domain.events import AgreementId, DomainEvent, ImportEvent, IncidentId, KnownErrorId
from incident_domain.incident import Incident
from incident_domain.known_errors import KnowledgeBaseCommand, decide_entry
from incident_domain.policy import Policy
from incident_domain.process import IncidentCommand, Situation, decide, needs
from incident_domain.refusal import contradiction
from incident_domain.registration import AssignNumber, RegisterIncident

ERASURE_STREAM = "erasures"
ACCESS_STREAM = "access"
_ADMINISTRATIVE = (ERASURE_STREAM, ACCESS_STREAM)
_NO_INCIDENTS = (KNOWN_ERROR_STREAM, AGREEMENT_STREAM, IMPORT_STREAM)

DeskCommand: TypeAlias = IncidentCommand | KnowledgeBaseCommand | AgreementChange
"""All that the service desk takes."""


@frozen(kw_only=True)
class Outcome:
    """What one command of a batch came to: the new events of each stream, none where nothing changed.

    `children` answers for each child of a parent that was resolved or closed.  `repeated` says that a command
    of that id was recorded before, and that nothing was decided again.
    """

    events: Mapping[str, tuple[DomainEvent, ...]]
    children: tuple[ChildAnswer, ...] = ()
    repeated: bool = False


class Batch:
    """What is to be recorded in one write.

    Each command sees what the ones before it changed.  Nothing is in the journal until the write is made.
    """

    def __init__(
        self,
        journal: Journal,
        streams: Streams,
        policy: Policy,
        check: Callable[[DeskCommand], None],
        *,
        trusting: bool,
    ) -> None:
        self._journal = journal
        self._streams = streams
        self._since = streams.forgettings
        self._policy = policy
        self._check = check
        self._trusting = trusting
        self._seen: dict[str, int] = {}
        self._now: dict[str, Loaded[Any]] = {}
        self._changes: list[Change] = []
        self._claimed: dict[int, str] = {}
        self._numbering: tuple[str, Callable[[int], Change]] | None = None
        self.unproven = False
        """Whether a decision looked at a state that was not compared with the journal."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to record."""
        return not self._changes and self._numbering is None

    @property
    def position(self) -> int:
        """The position of the last event of all streams that were looked at; 0 where there is none."""
        return max((each.position for each in self._now.values()), default=0)

    def decide(
        self,
        command: DeskCommand,
        *,
        command_id: UUID | None = None,
        correlation_id: UUID | None = None,
    ) -> Outcome:
        """Decide on a command, and take what it changes into the batch.

        Raises:
            Refused: when the process does not allow it; the batch stays as it was.
            ValueError: when an `AssignNumber` without a number is not alone in its batch.
        """
        if self._numbering is not None:
            raise ValueError("AssignNumber without a number must be alone in its write; bring it along")
        cause = command_id or uuid4()
        own = self._own(command)
        if command_id is not None and command_id in own.commands:
            return Outcome(events={}, repeated=True)
        self._check(command)
        if isinstance(command, KnowledgeBaseCommand):
            outcome = _alone(own.stream, decide_entry(self._at(own.stream, KNOWN_ERROR).state, command))
        elif isinstance(command, AgreementChange):
            outcome = _alone(own.stream, decide_agreement(self._at(own.stream, AGREEMENT).state, command))
        elif isinstance(command, AssignNumber) and command.number is None:
            return self._next_number(command, cause, correlation_id or cause)
        else:
            outcome = self._decided(command, 0)
        if isinstance(command, AssignNumber) and command.number is not None and outcome.events:
            self._claim(command, command.number)
        self._take(self._change(cause, correlation_id or cause, outcome.events))
        return outcome

    @contextmanager
    def all_or_none(self) -> Generator[None]:
        """Let commands into the batch together, or none of them when one is refused."""
        now, claimed, made = dict(self._now), dict(self._claimed), len(self._changes)
        try:
            yield
        except BaseException:
            self._now, self._claimed = now, claimed
            del self._changes[made:]
            raise

    def incident(self, name: IncidentId) -> Incident:
        """The incident as this batch has left it."""
        return self._at(name, INCIDENT).state

    def history(self, name: IncidentId) -> list[Recorded]:
        """What the journal holds of the incident, as far as this batch's decisions see it.

        Where the journal goes on meanwhile, the write is turned away.
        """
        self._at(name, INCIDENT)
        return [each for each in self._journal.read(name) if each.version <= self._seen[name]]

    def version(self, stream: str) -> int:
        """The number of events of an import's stream, as this batch has left it."""
        return self._at(stream, STATELESS).version

    def add(self, stream: str, *events: ImportEvent, command_id: UUID) -> None:
        """Take an import's own events into the batch; the stream's name begins with `import-`.

        Raises:
            ValueError: when it is another kind of stream.
        """
        if not stream.startswith(IMPORT_STREAM):
            raise ValueError(f"stream: the name of an import's stream begins with {IMPORT_STREAM}")
        self._at(stream, STATELESS)
        self._take(self._change(command_id, command_id, {stream: events}))

    def record(self) -> tuple[Recorded, ...]:
        """Make the write, and return what was recorded.

        Raises:
            IntegrityError: when a stream that was looked at has moved on.
            NumberTaken: when a number was taken in the meantime.
        """
        if self._numbering is not None:
            stream, change = self._numbering
            recorded = self._journal.append_numbered(stream, change, seen=self._seen)
            self._streams.keep([self._now[stream].caught_up(recorded)], since=self._since)
            return recorded
        if not self._changes:
            return ()
        recorded = self._journal.append(self._changes, seen=self._seen)
        last = {each.stream: each.position for each in recorded}
        self._streams.keep(
            (changed(self._now[name], position=position) for name, position in last.items()),
            since=self._since,
        )
        return recorded

    def _own(self, command: DeskCommand) -> Loaded[Any]:
        stream = stream_of(command)
        if isinstance(command, KnowledgeBaseCommand):
            return self._at(stream, KNOWN_ERROR)
        if isinstance(command, AgreementChange):
            return self._at(stream, AGREEMENT)
        if stream in _ADMINISTRATIVE or stream.startswith(_NO_INCIDENTS):
            raise contradiction(
                "P1.5", "reserved-reference", "incident: this name is not for incidents; choose another"
            )
        if isinstance(command, RegisterIncident):
            self._presume_new(stream)
        return self._at(stream, INCIDENT)

    def _presume_new(self, stream: str) -> None:
        """Spare the reading of a stream that is about to begin; if it has begun, the write is turned away."""
        if self._trusting and stream not in self._now and self._streams.remembered(stream, INCIDENT) is None:
            self.unproven = True
            self._now[stream] = unbegun(stream, INCIDENT)
            self._seen[stream] = 0

    def _decided(self, command: IncidentCommand, number: int) -> Outcome:
        now = self._at(command.incident, INCIDENT).state
        needed = needs(command, now)
        situation = Situation(
            incidents={
                command.incident: now,
                **{name: self._at(name, INCIDENT).state for name in needed.incidents},
            },
            known_errors={
                name: self._at(known_error_stream(name), KNOWN_ERROR).state for name in needed.known_errors
            },
            agreements={
                name: self._at(agreement_stream(name), AGREEMENT).state for name in needed.agreements
            },
            policy=self._policy,
            number=number,
        )
        decision = decide(situation, command)
        events: dict[str, tuple[DomainEvent, ...]] = dict(decision.events.items())
        return Outcome(events=events, children=decision.children)

    def _next_number(self, command: AssignNumber, cause: UUID, correlation_id: UUID) -> Outcome:
        """Leave the number to the store, which gives it while it makes the write."""

        def change(number: int) -> Change:
            events = self._decided(command, number).events
            return self._change(cause, correlation_id, events)

        outcome = self._decided(command, 1)
        if outcome.events:
            if self._changes:
                raise ValueError("AssignNumber without a number must be alone in its write; bring it along")
            self._numbering = (command.incident, change)
        return outcome

    def _claim(self, command: AssignNumber, number: int) -> None:
        holder = self._claimed.get(number) or self._journal.numbered(number)
        if holder is not None:
            raise contradiction(
                "P1.5",
                "number-taken",
                "number: it belongs to another incident; leave it out to get the next free one",
            )
        self._claimed[number] = command.incident

    def _change(
        self, cause: UUID, correlation_id: UUID, events: Mapping[str, Sequence[DomainEvent]]
    ) -> Change:
        subjects = {stream: subject_of(self._now[stream].state) for stream in events}
        about = {stream: subject for stream, subject in subjects.items() if subject is not None}
        return Change(causation_id=cause, correlation_id=correlation_id, events=events, about=about)

    def _take(self, change: Change) -> None:
        for stream, events in change.events.items():
            self._now[stream] = self._now[stream].after(events, change.causation_id)
        if change.events:
            self._changes.append(change)

    def _at(self, stream: str, fold: Fold[State]) -> Loaded[State]:
        """The stream as this batch has left it."""
        loaded: Loaded[State] | None = self._now.get(stream)
        if loaded is None:
            loaded = self._streams.remembered(stream, fold) if self._trusting else None
            if loaded is None:
                loaded = self._streams.current(stream, fold)
            else:
                self.unproven = True
            self._now[stream] = loaded
            self._seen.setdefault(stream, loaded.version)
        return loaded


def _alone(stream: str, events: Sequence[DomainEvent]) -> Outcome:
    return Outcome(events={stream: tuple(events)} if events else {})


def stream_of(command: DeskCommand) -> str:
    """The stream that a command is about."""
    if isinstance(command, KnowledgeBaseCommand):
        return known_error_stream(command.known_error)
    if isinstance(command, AgreementChange):
        return agreement_stream(command.agreement)
    return command.incident


def known_error_stream(name: KnownErrorId) -> str:
    """The stream of an entry of the knowledge base."""
    return f"{KNOWN_ERROR_STREAM}{name}"


def agreement_stream(name: AgreementId) -> str:
    """The stream of a service level agreement."""
    return f"{AGREEMENT_STREAM}{name}"
