"""Where the time of a durable command goes: its parts alone, as shares of the whole."""

from functools import partial
from typing import Final

from benchmarks.bare import Bare
from benchmarks.commands import BEFORE, Stream, contender, handling
from benchmarks.rounds import Contender, Work, run
from benchmarks.stores import POSTGRESQL, SQLITE, Kind, Stores
from benchmarks.stories import entry
from incident_adapters.codec import EventMapper
from incident_adapters.recorder import JournalRecorder, open_recorder
from incident_adapters.service_desk import ServiceDesk
from incident_domain.evolution import replay
from incident_domain.process import Situation, decide

WHOLE: Final = "the whole command"
REMEMBERED: Final = "the whole command, incident remembered"
READ: Final = f"read {BEFORE} events of a stream"
DECODE: Final = f"decode {BEFORE} events"
EVOLVE: Final = f"evolve {BEFORE} events"
DECIDE: Final = "decide"
ENCODE: Final = "encode the event"
WRITE: Final = "write, with guards and position"
BARE: Final = "  of which the bare driver's insert and commit"
UNSYNCED: Final = "  of which without waiting for the disk"
PARTS: Final = (READ, DECODE, EVOLVE, DECIDE, ENCODE, WRITE)


def measure(stores: Stores, *, quick: bool) -> None:
    """Take apart the command that loads an incident from the journal, decides, and appends one event."""
    rounds = 10 if quick else 60
    for kind in (SQLITE, POSTGRESQL):
        parts = [*_written(stores, kind), *_calculated(), *_read(stores, kind)]
        result = run(parts, rounds)
        print(f"\nWhere a command's time goes: {kind.name}, {rounds} rounds, share of the whole (median)")
        shares = {each.name: result.ratio(WHOLE, each.name) for each in parts}
        for name in (*PARTS, BARE, UNSYNCED, REMEMBERED):
            if name in shares:
                print(f"  {name:50} {shares[name]:6.1%}")
        rest = 1 - sum(shares[name] for name in PARTS)
        print(f"  {'the rest: ids, envelope, keeping the state':50} {rest:6.1%}")


def _written(stores: Stores, kind: Kind) -> list[Contender]:
    recorder, url = open_recorder(stores.fresh(kind)), stores.fresh(kind)
    desk, other = ServiceDesk.open(url), ServiceDesk.open(url)
    remembering = ServiceDesk.open(stores.fresh(kind))
    bare = Bare(kind, stores.fresh(kind))
    parts = [
        contender(WHOLE, handling(desk, other)),
        contender(REMEMBERED, handling(remembering, remembering)),
        contender(
            WRITE, lambda stream: partial(recorder.insert_events, [stream.stored(1)], expect={stream.name: 0})
        ),
        contender(BARE, lambda stream: partial(bare.insert, stream.stored(1))),
    ]
    if kind.is_sqlite:
        unsynced = Bare(kind, stores.fresh(kind), synchronous="OFF")
        parts.append(contender(UNSYNCED, lambda stream: partial(unsynced.insert, stream.stored(1))))
    return parts


def _calculated() -> list[Contender]:
    mapper = EventMapper()

    def encoding(stream: Stream) -> Work:
        made = entry(stream.name, BEFORE + 1, stream.following)
        return lambda: _ignored(mapper.to_stored_event(made))

    def decoding(stream: Stream) -> Work:
        rows = [stream.stored(version) for version in range(1, BEFORE + 1)]

        def work() -> None:
            for version, row in enumerate(rows, 1):
                mapper.recorded(version, stream.name, version, row.topic, row.state)

        return work

    def deciding(stream: Stream) -> Work:
        situation, ask = Situation(incidents={stream.name: replay(stream.events)}), stream.ask()
        return lambda: _ignored(decide(situation, ask))

    return [
        contender(ENCODE, encoding),
        contender(DECODE, decoding),
        contender(EVOLVE, lambda stream: lambda: _ignored(replay(stream.events))),
        contender(DECIDE, deciding),
    ]


def _read(stores: Stores, kind: Kind) -> list[Contender]:
    recorder: JournalRecorder = open_recorder(stores.fresh(kind))

    def reading(stream: Stream) -> Work:
        recorder.insert_events([stream.stored(version) for version in range(1, BEFORE + 1)])
        return lambda: _ignored(recorder.read_stream(stream.name, 0))

    return [contender(READ, reading)]


def _ignored(_: object) -> None:
    return None
