"""The replay of a history: the state of every stream after every event, by `evolve` alone.

It needs recorded events and nothing else, so that it works on a journal as well as on an archive of one.
Rules of the process are not asked; `incident_projections.conformance` asks them.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, get_args

from attrs import AttrsInstance, fields, frozen, has
from attrs import evolve as changed

from incident_domain.agreements import UNPUBLISHED, Agreement, evolve_agreement
from incident_domain.envelope import AGREEMENT_STREAM, KNOWN_ERROR_STREAM, Recorded
from incident_domain.events import AgreementEvent, AgreementId, Event, IncidentId, KnownErrorId
from incident_domain.evolution import BrokenHistory, evolve
from incident_domain.incident import UNREGISTERED, Incident
from incident_domain.known_errors import UNRECORDED, KnowledgeEntry, evolve_entry
from incident_domain.policy import DEFAULT_POLICY, Policy
from incident_domain.process import Situation
from incident_projections.view import INCIDENT_EVENTS, KNOWLEDGE_EVENTS

State: TypeAlias = Incident | KnowledgeEntry | Agreement | None
"""What the events of a stream made; None for a stream that has no state, such as that of an import."""

_Name = TypeVar("_Name", bound=str)
_Known = TypeVar("_Known")

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


Told: TypeAlias = Recorded | Break
"""An event of a history that is read, or one that could not be read at all."""


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


class _States(Mapping[_Name, _Known], Generic[_Name, _Known]):
    """The states of one kind of stream, as a decision looks at them."""

    def __init__(self, stands: Stands, prefix: str, kinds: tuple[type, ...]) -> None:
        self._stands = stands
        self._prefix = prefix
        self._kinds = kinds

    def __getitem__(self, name: _Name) -> _Known:
        state: Any = self._stands[f"{self._prefix}{name}"].state
        if type(state) not in self._kinds:
            raise KeyError(name)
        known: _Known = state
        return known

    def __iter__(self) -> Iterator[_Name]:
        raise TypeError("a decision looks at what it names, never at all there is")

    def __len__(self) -> int:
        return len(self._stands)


class Replay:
    """A replay on its way through a history; `stands` may be any mapping, also one that is not in memory.

    A `whole` history has every position from 1 on; that of a part of a journal leaves some out.
    """

    def __init__(
        self, stands: Stands | None = None, *, policy: Policy = DEFAULT_POLICY, whole: bool = True
    ) -> None:
        self.stands: Stands = {} if stands is None else stands
        self.situation: Final = Situation(
            incidents=_States[IncidentId, Incident](self.stands, "", get_args(Incident)),
            known_errors=_States[KnownErrorId, KnowledgeEntry](
                self.stands, KNOWN_ERROR_STREAM, get_args(KnowledgeEntry)
            ),
            agreements=_States[AgreementId, Agreement](self.stands, AGREEMENT_STREAM, (Agreement,)),
            policy=policy,
        )
        self._whole = whole
        self._last = 0

    def take(self, told: Told) -> Step | Break | None:
        """What the event made, or why it cannot be; None for what follows a break in its stream."""
        before = self.stands.get(told.stream, BEGINNING)
        expected, self._last = self._last + 1, told.position
        if before.broken:
            return None
        if isinstance(told, Break):
            return self._broken(before, told)
        if not self._whole:
            expected = told.position
        return self._step(before, told, expected)

    def _step(self, before: Stand, recorded: Recorded, expected: int) -> Step | Break:
        try:
            _in_line("position", recorded.position, expected)
            after = _evolved(before, recorded)
        except BrokenHistory as broken:
            return self._broken(before, broken_by(recorded, broken))
        self.stands[recorded.stream] = Stand(
            version=recorded.version, state=after, last=recorded, notes=before.notes
        )
        return Step(recorded=recorded, before=before, after=after)

    def _broken(self, before: Stand, broken: Break) -> Break:
        self.stands[broken.stream] = changed(before, broken=True)
        return broken

    def note(self, stream: str, *words: str) -> None:
        """Keep words with a stream."""
        stand = self.stands.get(stream, BEGINNING)
        self.stands[stream] = changed(stand, notes=stand.notes.union(words))


def broken_by(recorded: Recorded, broken: BrokenHistory) -> Break:
    """The break that an event makes which cannot follow."""
    return Break(
        position=recorded.position,
        stream=recorded.stream,
        version=recorded.version,
        name=recorded.name,
        why=broken.reason,
    )


def _in_line(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise BrokenHistory(f"{what} {expected} was expected, and {found} is there")


def _evolved(before: Stand, recorded: Recorded) -> State:
    _in_line("version", recorded.version, before.version + 1)
    state: Any = before.state
    event: Any = recorded.event
    kind: type[object] = type(recorded.event)
    if kind in INCIDENT_EVENTS:
        return evolve(UNREGISTERED if state is None else state, event)
    if kind in KNOWLEDGE_EVENTS:
        return evolve_entry(UNRECORDED if state is None else state, event)
    if kind in _AGREEMENT_EVENTS:
        return evolve_agreement(UNPUBLISHED if state is None else state, event)
    return None


def differences(before: State, after: State) -> tuple[Difference, ...]:
    """Which fields of a state an event changed, from what to what; `phase` stands for the kind of state."""
    return tuple(_differences("", before, after))


def known(state: State) -> Mapping[str, object]:
    """Every field of a state that holds something, by its path."""
    return {each.path: each.became for each in differences(None, state)}


def _differences(path: str, was: Any, became: Any) -> Iterator[Difference]:
    if was == became or (was is None and _empty(became)):
        return
    if _holds_fields(became) and (was is None or _holds_fields(was)):
        if type(was) is not type(became) and not path:
            phase = None if was is None else type(was).__name__
            yield Difference(path="phase", was=phase, became=type(became).__name__)
        for name in dict.fromkeys((*_names(was), *_names(became))):
            yield from _differences(
                f"{path}.{name}" if path else name, getattr(was, name, None), getattr(became, name, None)
            )
    elif isinstance(became, frozenset) and (was is None or isinstance(was, frozenset)):
        held, holds = cast("frozenset[object]", was or frozenset()), cast("frozenset[object]", became)
        yield Difference(path=path, was=held - holds, became=holds - held)
    else:
        yield Difference(path=path, was=was, became=cast("object", became))


def _holds_fields(value: object) -> bool:
    """Whether a value is looked into; an event that a state keeps is one thing."""
    return has(type(value)) and not isinstance(value, Event)


def _names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(each.name for each in fields(cast("type[AttrsInstance]", type(value))))


def _empty(value: object) -> bool:
    return isinstance(value, tuple | frozenset | Mapping) and not value
