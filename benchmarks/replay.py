"""From bytes in memory to typed events, and from events to the states of incidents."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import process_time
from typing import Any, Final
from uuid import UUID

import msgspec
from attrs import field, frozen
from eventsourcing.application import project_aggregate
from eventsourcing.persistence import Mapper, StoredEvent

from benchmarks.peers.library import default_mapper, plain_of, stored, typed_mapper
from benchmarks.rounds import Aim, Contender, Work, judge, run, table
from benchmarks.stores import Stores
from benchmarks.stories import EVENTS_OF_A_STORY, OPEN_AT_A_TIME, entries
from incident_adapters.codec import Entry, EventMapper
from incident_domain.events import WIRE_NAMES
from incident_domain.evolution import evolve
from incident_domain.incident import UNREGISTERED, Incident

_SHARE: Final = OPEN_AT_A_TIME * EVENTS_OF_A_STORY
"""Whole incidents, from registered to closed."""

DECODE: Final = "our codec"
REPLAY: Final = "our codec, and evolve"
LIBRARY: Final = "eventsourcing: default mapper"
LIBRARY_REPLAY: Final = "eventsourcing: default mapper, and aggregate"
TYPED: Final = "eventsourcing: the same, taught our types"
TYPED_REPLAY: Final = "eventsourcing: taught our types, and aggregate"
BOUND: Final = "msgspec straight into the classes"
BOUND_REPLAY: Final = "msgspec straight into the classes, and evolve"


def measure(_: Stores, *, quick: bool) -> None:
    """Decode and replay 200,000 events, 50,000 when `quick`."""
    rounds = 4 if quick else 16
    shares = _Shares(entries("replay", (rounds + 1) * _SHARE))
    ours, default, typed, bound = EventMapper(), default_mapper(), typed_mapper(), _Bound()
    contenders = [
        _contender(DECODE, shares, "ours", partial(_decode, ours)),
        _contender(LIBRARY, shares, "default", partial(_library, default), "its payloads stay dictionaries"),
        _contender(
            TYPED, shares, "typed", partial(_library, typed), "one transcoding a class, as its guide says"
        ),
        _contender(BOUND, shares, "ours", bound.decode, "the limit; none of our checks of the values' form"),
        _contender(REPLAY, shares, "ours", partial(_replay, partial(_recorded, ours))),
        _contender(LIBRARY_REPLAY, shares, "default", partial(_library_replay, default)),
        _contender(TYPED_REPLAY, shares, "typed", partial(_library_replay, typed)),
        _contender(BOUND_REPLAY, shares, "ours", partial(_replay, bound.event)),
    ]
    result = run(contenders, rounds, process_time)
    title = f"Decode, and replay: {rounds * _SHARE:,} events in memory, processor time, {rounds} rounds"
    table(title, contenders, result, LIBRARY, "events/s")
    judge(
        result,
        [
            Aim(DECODE, LIBRARY, 2.5),
            Aim(REPLAY, LIBRARY_REPLAY, 2.5),
            Aim(DECODE, TYPED, 2.5),
            Aim(REPLAY, TYPED_REPLAY, 2.5),
        ],
    )


@frozen
class _Share:
    """The same events in everybody's bytes."""

    ours: list[StoredEvent]
    default: list[StoredEvent]
    typed: list[StoredEvent]


@frozen
class _Shares:
    """The shares of all rounds, made when the first contender asks; only the last is kept."""

    source: Iterator[Entry]
    held: dict[int, _Share] = field(factory=dict[int, _Share])

    def share(self, turn: int) -> _Share:
        if turn not in self.held:
            self.held.clear()
            some = [next(self.source) for _ in range(_SHARE)]
            ours, default, typed = EventMapper(), default_mapper(), typed_mapper()
            self.held[turn] = _Share(
                [ours.to_stored_event(each) for each in some],
                [stored(default, each, plain_of(each.event)) for each in some],
                [stored(typed, each, each.event) for each in some],
            )
        return self.held[turn]


def _contender(
    name: str, shares: _Shares, whose: str, work: Callable[[list[StoredEvent]], None], note: str = ""
) -> Contender:
    turns = iter(range(1_000_000))

    def prepare() -> Work:
        return partial(work, getattr(shares.share(next(turns)), whose))

    return Contender(name=name, prepare=prepare, count=_SHARE, note=note)


def _recorded(mapper: EventMapper, row: StoredEvent) -> Any:
    held = mapper.recorded(0, str(row.originator_id), row.originator_version, row.topic, row.state)
    return held.event


def _decode(mapper: EventMapper, rows: Iterable[StoredEvent]) -> None:
    for row in rows:
        _recorded(mapper, row)


def _replay(event: Callable[[StoredEvent], Any], rows: Iterable[StoredEvent]) -> None:
    states: dict[str | UUID, Incident] = {}
    for row in rows:
        stream = row.originator_id
        states[stream] = evolve(states.get(stream, UNREGISTERED), event(row))


def _library(mapper: Mapper[UUID], rows: Iterable[StoredEvent]) -> None:
    for row in rows:
        mapper.to_domain_event(row)


def _library_replay(mapper: Mapper[UUID], rows: Iterable[StoredEvent]) -> None:
    states: dict[str | UUID, Any] = {}
    for row in rows:
        stream = row.originator_id
        states[stream] = project_aggregate(states.get(stream), [mapper.to_domain_event(row)])


class _Bound:
    """What msgspec can do at best: envelope and event in one go, by a decoder made for the event's class."""

    def __init__(self) -> None:
        self._decode = {name: _decoder(cls).decode for cls, name in WIRE_NAMES.items()}

    def event(self, row: StoredEvent) -> Any:
        return self._decode[row.topic](row.state).event

    def decode(self, rows: Iterable[StoredEvent]) -> None:
        for row in rows:
            self._decode[row.topic](row.state)


def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    layout = {
        "event_id": UUID,
        "recorded_at": str,
        "correlation_id": UUID,
        "causation_id": UUID,
        "event": kind,
    }
    return msgspec.json.Decoder(msgspec.defstruct("State", list(layout.items())))
