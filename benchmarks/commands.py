"""Durable commands: register an incident; load one, decide, and append an event."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

from attrs import frozen
from eventsourcing.persistence import StoredEvent

import incident_domain as itil
from benchmarks.bare import Bare
from benchmarks.peers.emmett import Emmett, NotInstalled
from benchmarks.peers.library import LibraryIncidents, library_settings, plain, plain_of, take_journal_mode
from benchmarks.rounds import Aim, Contender, Result, Work, judge, run, table
from benchmarks.stores import KINDS, ROLLBACK, Kind, Stores, allowed
from benchmarks.stories import DAY, entry, happened, reference, story
from incident_adapters.codec import EventMapper
from incident_adapters.journal import Change, Journal
from incident_adapters.recorder import open_recorder
from incident_adapters.service_desk import ServiceDesk

BEFORE: Final = 5
"""So many events are in a stream before one is appended."""

_SHARE: Final = 25
_MAPPER: Final = EventMapper()

BARE: Final = "bare driver: insert, commit"
BARE_LOADING: Final = "bare driver: select the stream, insert, commit"
RECORDER: Final = "our recorder: the same bytes"
RECORDER_LOADING: Final = "our recorder: read the stream, the same bytes"
JOURNAL: Final = "our journal: encode, record"
DESK: Final = "our service desk"
DESK_COLD: Final = "our service desk, incident never seen before"
LIBRARY: Final = "eventsourcing: plain application"
EMMETT: Final = "emmett"


def measure(stores: Stores, *, quick: bool) -> None:
    """Measure both commands on every kind of store."""
    rounds = 10 if quick else 60
    for kind in KINDS:
        with allowed(kind):
            _measure(stores, kind, rounds)


def _measure(stores: Stores, kind: Kind, rounds: int) -> None:
    emmett = _emmett(stores, kind)
    registering = [*_registering(stores, kind), *_peers(stores, kind, "register", emmett)]
    result = run(registering, rounds)
    table(
        f"Register an incident, durably: {kind.name}, {rounds} rounds", registering, result, BARE, "a second"
    )
    _judge(result, DESK)
    appending = [*_appending(stores, kind), *_peers(stores, kind, "append", emmett)]
    result = run(appending, rounds)
    title = f"Load {BEFORE} events, decide, append one, durably: {kind.name}, {rounds} rounds"
    table(title, appending, result, BARE, "a second")
    _judge(result, DESK)
    _judge(result, DESK_COLD)
    if emmett is not None:
        emmett.close()


def _judge(result: Result, ours: str) -> None:
    judge(result, [Aim(ours, BARE, 0.7), Aim(ours, LIBRARY, 1.5), Aim(ours, EMMETT, 1.5)])


@frozen
class Stream:
    """One incident of a share: its events so far, what comes next, and the bytes of that."""

    name: itil.IncidentId
    number: int
    events: Sequence[itil.IncidentEvent]
    following: itil.InteractionRecorded

    def ask(self) -> itil.RecordInteraction:
        """The command of which `following` comes."""
        told = self.following
        return itil.RecordInteraction(
            incident=self.name, by=told.by, at=told.occurred_at, channel=told.channel, text=told.text
        )

    def stored(self, version: int) -> StoredEvent:
        """The bytes of the event of that version."""
        event = self.events[version - 1] if version <= len(self.events) else self.following
        return _MAPPER.to_stored_event(entry(self.name, version, event))

    def change(self, events: Sequence[itil.IncidentEvent]) -> Change:
        """A change of this stream."""
        cause = uuid4()
        return Change(causation_id=cause, correlation_id=cause, events={self.name: events})


def streams(run_name: str) -> Iterator[Stream]:
    """Ever new incidents, each five events old."""
    for number in count():
        name = reference(run_name, number)
        events = happened(name, number)[:BEFORE]
        following = itil.InteractionRecorded(
            by=events[0].by,
            occurred_at=DAY.replace(year=2025),
            channel=itil.Channel.PHONE,
            text="Called again: the scanners of bay 3 drop off as well since nine",
        )
        yield Stream(name, number, events, following)


def contender(name: str, one: Callable[[Stream], Callable[[], Any]], note: str = "") -> Contender:
    """A contender that is given new streams in every round, and does the same to each."""
    source = streams(uuid4().hex[:8])

    def prepare() -> Work:
        calls = [one(next(source)) for _ in range(_SHARE)]

        def work() -> None:
            for call in calls:
                call()

        return work

    return Contender(name=name, prepare=prepare, count=_SHARE, note=note)


def _registering(stores: Stores, kind: Kind) -> list[Contender]:
    bare = Bare(kind, stores.fresh(kind))
    recorder = open_recorder(stores.fresh(kind))
    journal = Journal.open(stores.fresh(kind))
    desk = ServiceDesk.open(stores.fresh(kind))
    return [
        contender(BARE, lambda stream: partial(bare.insert, stream.stored(1)), "the bytes are at hand"),
        contender(
            RECORDER,
            lambda stream: partial(recorder.insert_events, [stream.stored(1)], expect={stream.name: 0}),
        ),
        contender(
            JOURNAL,
            lambda stream: partial(journal.append, [stream.change(stream.events[:1])], seen={stream.name: 0}),
        ),
        contender(DESK, lambda stream: partial(desk.handle, story(stream.name, stream.number)[0])),
    ]


def _appending(stores: Stores, kind: Kind) -> list[Contender]:
    bare, bare_loading = Bare(kind, stores.fresh(kind)), Bare(kind, stores.fresh(kind))
    recorder = open_recorder(stores.fresh(kind))
    desk = ServiceDesk.open(stores.fresh(kind))
    cold_url = stores.fresh(kind)
    cold, other = ServiceDesk.open(cold_url), ServiceDesk.open(cold_url)
    bare_source, recorded = bare_loading.insert, recorder.insert_events

    def with_bare(stream: Stream) -> Work:
        for version in range(1, BEFORE + 1):
            bare_source(stream.stored(version))
        row = stream.stored(BEFORE + 1)

        def work() -> None:
            bare_loading.select(stream.name)
            bare_source(row)

        return work

    def with_recorder(stream: Stream) -> Work:
        recorded([stream.stored(version) for version in range(1, BEFORE + 1)])
        row = stream.stored(BEFORE + 1)

        def work() -> None:
            recorder.read_stream(stream.name, 0)
            recorded([row], expect={stream.name: BEFORE})

        return work

    return [
        contender(BARE, lambda stream: partial(bare.insert, stream.stored(BEFORE + 1)), "it loads nothing"),
        contender(BARE_LOADING, with_bare),
        contender(RECORDER_LOADING, with_recorder),
        contender(DESK, handling(desk, desk), "its own process registered the incident, so it remembers it"),
        contender(DESK_COLD, handling(cold, other), "another process registered it, so it reads the stream"),
    ]


def handling(desk: ServiceDesk, before: ServiceDesk) -> Callable[[Stream], Callable[[], object]]:
    """Let one desk bring an incident to its first events, and another handle the next command."""

    def one(stream: Stream) -> Callable[[], object]:
        before.in_one_write(
            lambda batch: [batch.decide(each) for each in story(stream.name, stream.number)[:BEFORE]]
        )
        return partial(desk.handle, stream.ask())

    return one


def _peers(stores: Stores, kind: Kind, what: str, emmett: Emmett | None) -> list[Contender]:
    library = LibraryIncidents(env=library_settings(stores.fresh(kind)))
    if kind is ROLLBACK:
        take_journal_mode(library, kind.mode)

    def register(stream: Stream) -> Callable[[], Any]:
        told = entry(stream.name, 1, stream.events[0])
        return partial(library.register, told, plain_of(told.event))

    def append(stream: Stream) -> Callable[[], Any]:
        told = [entry(stream.name, version, event) for version, event in enumerate(stream.events, 1)]
        made: UUID = library.register(told[0], plain_of(told[0].event))
        for each in told[1:]:
            library.happen(made, each, plain_of(each.event))
        following = entry(stream.name, BEFORE + 1, stream.following)
        return partial(library.happen, made, following, plain_of(following.event))

    peers = [
        contender(LIBRARY, register if what == "register" else append, "JSON, its own mapper and recorders")
    ]
    if emmett is not None:

        def prepare() -> Work:
            emmett.do(f"prepare {what} {_SHARE}")
            return partial(emmett.do, what)

        peers.append(
            Contender(name=EMMETT, prepare=prepare, count=_SHARE, note="on Node.js, in its own process")
        )
    return peers


def _emmett(stores: Stores, kind: Kind) -> Emmett | None:
    if kind is ROLLBACK:
        return None
    stream = next(streams("emmett"))
    told = [{"type": type(each).__name__, "data": plain(each)} for each in (*stream.events, stream.following)]
    try:
        return Emmett(kind, stores.fresh(kind), told[:-1], told[-1])
    except NotInstalled as why:
        print(f"\nemmett on {kind.name} is left out: {why}")
        return None
