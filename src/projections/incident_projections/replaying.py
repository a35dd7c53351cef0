"""The replay of a history: the state of every stream after every event, by `evolve` alone.

It needs recorded events and nothing else, so that it works on a journal as well as on an archive of one.
Rules of the process are not asked; `incident_projections.conformance` asks them.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Generic, TypeAlias, TypeVar, get_args

from attrs import evolve as changed
from attrs import fields, frozen, has

from incident_domain.agreements import UNPUBLISHED, Agreement, evolve_agreement
from incident_domain.envelope import AGREEMENT_STREAM, KNOWN_ERROR_STREAM, Recorded
from incident_domain.events import AgreementEvent, AgreementId, IncidentId, KnownErrorId
from incident_domain.evolution import BrokenHistory, evolve
from incident_domain.incident import UNREGISTERED, Incident
from incident_domain.known_errors import UNRECORDED, KnowledgeEntry, evolve_entry
from incident_domain.policy import DEFAULT_POLICY, Policy
from incident_domain.process import Situation
from incident_projections.view import INCIDENT_EVENTS, KNOWLEDGE_EVENTS

State: TypeAlias = Incident | KnowledgeEntry | Agreement | None
"""What the events of a stream made; None for a stream that has no state, such as that of an import."""

Name = TypeVar("Name", bound=str)
Known = TypeVar("Known")

_AGREEMENT_EVENTS: Final[frozenset[type]] = frozenset(get_args(AgreementEvent))


@frozen(kw_only=True)
class Stand:
    """Where the replay of a stream is: its last `version`, what its events made, and the last of them.

    `broken` says that an event could not follow; what comes after it in the stream is not looked at.
    `notes` are words that a reader of the replay keeps with the stream.
    """

    version: int = 0
    state: State = None
    last: Recorded | None = None
    broken: bool = False
    notes: frozenset[str] = frozenset()


BEGINNING: Final = Stand()
"""A stream before its first event."""

Stands: TypeAlias = MutableMapping[str, Stand]
"""Where the replay of every stream is, by the stream's name."""


@frozen(kw_only=True)
class Break:
    """The event that broke a history: where it stands, which it is, and why it cannot be."""

    position: int
    stream: str
    version: int
    name: str
    why: str


@frozen(kw_only=True)
class Step:
    """An event in the replay, with the stream before and after it."""

    recorded: Recorded
    before: Stand
    after: State


@frozen(kw_only=True)
class Difference:
    """A field of the state that an event changed: its path, such as `record.triage.priority`, from and to.

    Of a set that grew or shrank, `was` holds what went and `became` what came.
    """

    path: str
    was: object
    became: object


class _States(Mapping[Name, Known], Generic[Name, Known]):
    """The states of one kind of stream, as a decision looks at them."""

    def __init__(self, stands: Stands, prefix: str, kinds: tuple[type, ...]) -> None:
        self._stands = stands
        self._prefix = prefix
        self._kinds = kinds

    def __getitem__(self, name: Name) -> Known:
        state: Any = self._stands[f"{self._prefix}{name}"].state
        if type(state) not in self._kinds:
            raise KeyError(name)
        known: Known = state
        return known

    def __iter__(self) -> Iterator[Name]:
        raise TypeError("a decision looks at what it names, never at all there is")

    def __len__(self) -> int:
        return len(self._stands)


class Replay:
    """A replay on its way through a history; `stands` may be any mapping, also one that is not in memory.

    `last` is the position of the last event that it took.
    """

    def __init__(self, stands: Stands | None = None, policy: Policy = DEFAULT_POLICY) -> None:
        self.stands: Stands = {} if stands is None else stands
        self.situation: Final = Situation(
            incidents=_States[IncidentId, Incident](self.stands, "", get_args(Incident)),
            known_errors=_States[KnownErrorId, KnowledgeEntry](
                self.stands, KNOWN_ERROR_STREAM, get_args(KnowledgeEntry)
            ),
            agreements=_States[AgreementId, Agreement](self.stands, AGREEMENT_STREAM, (Agreement,)),
            policy=policy,
        )
        self.last = 0

    def take(self, recorded: Recorded) -> Step | Break | None:
        """What the event made, or why it cannot be; None for what follows a break in its stream."""
        before = self.stands.get(recorded.stream, BEGINNING)
        expected, self.last = self.last + 1, recorded.position
        if before.broken:
            return None
        try:
            _in_line("position", recorded.position, expected)
            after = _evolved(before, recorded)
        except BrokenHistory as broken:
            self.stands[recorded.stream] = Stand(version=before.version, state=before.state, broken=True)
            return Break(
                position=recorded.position,
                stream=recorded.stream,
                version=recorded.version,
                name=recorded.name,
                why=broken.reason,
            )
        self.stands[recorded.stream] = Stand(
            version=recorded.version, state=after, last=recorded, notes=before.notes
        )
        return Step(recorded=recorded, before=before, after=after)

    def note(self, stream: str, *words: str) -> None:
        """Keep words with a stream."""
        stand = self.stands.get(stream, BEGINNING)
        self.stands[stream] = changed(stand, notes=stand.notes.union(words))


def steps(history: Iterable[Recorded]) -> Iterator[Step]:
    """The replay of one stream, whose events are given from the first on.

    Raises:
        BrokenHistory: when an event cannot follow; it names the stream and the version.
    """
    stand = BEGINNING
    for recorded in history:
        try:
            after = _evolved(stand, recorded)
        except BrokenHistory as broken:
            raise BrokenHistory(broken.reason, stream=recorded.stream, version=recorded.version) from None
        yield Step(recorded=recorded, before=stand, after=after)
        stand = Stand(version=recorded.version, state=after, last=recorded)


def _in_line(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise BrokenHistory(f"{what} {expected} was expected, and {found} is there")


def _evolved(before: Stand, recorded: Recorded) -> State:
    _in_line("version", recorded.version, before.version + 1)
    state: Any = before.state
    event: Any = recorded.event
    kind = type(event)
    if kind in INCIDENT_EVENTS:
        return evolve(UNREGISTERED if state is None else state, event)
    if kind in KNOWLEDGE_EVENTS:
        return evolve_entry(UNRECORDED if state is None else state, event)
    if kind in _AGREEMENT_EVENTS:
        return evolve_agreement(UNPUBLISHED if state is None else state, event)
    return None


def differences(step: Step) -> tuple[Difference, ...]:
    """Which fields of the state an event changed, from what to what.

    The phase is the first of them where it changed: `phase`, such as from InRegistration to InClassification.
    """
    return tuple(_differences("", step.before.state, step.after))


def _differences(path: str, was: Any, became: Any) -> Iterator[Difference]:
    if was == became:
        return
    if _is_value(was) and _is_value(became):
        if type(was) is not type(became):
            yield Difference(path=_below(path, "phase"), was=type(was).__name__, became=type(became).__name__)
        names = dict.fromkeys((*_names(was), *_names(became)))
        for name in names:
            yield from _differences(_below(path, name), getattr(was, name, None), getattr(became, name, None))
        return
    if was is None and _is_value(became) and not path:
        yield Difference(path="phase", was=None, became=type(became).__name__)
        for name in _names(became):
            yield from _differences(name, None, getattr(became, name))
        return
    if isinstance(was, frozenset) and isinstance(became, frozenset):
        yield Difference(path=path, was=was - became, became=became - was)
        return
    yield Difference(path=path, was=was, became=became)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _names(value: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(type(value)))


def _is_value(value: object) -> bool:
    return has(type(value))
