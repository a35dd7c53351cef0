"""What sealing personal data costs: at a command, and at reading a journal again."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from attrs import evolve as changed

from benchmarks.rounds import Contender, Work, run, table
from benchmarks.stores import Stores
from benchmarks.stories import EVENTS_OF_A_STORY, OPEN_AT_A_TIME, entries
from incident_adapters.codec import Entry, EventMapper
from incident_adapters.key_store import SQLKeyStore
from incident_adapters.personal_seal import PersonalSeal
from incident_adapters.recorder_contract import JournalRow

_SHARE: Final = OPEN_AT_A_TIME * EVENTS_OF_A_STORY
READABLE: Final = "readable"
SEALED: Final = "sealed, keys remembered"
COLD: Final = "sealed, keys fetched from the SQLite key store"
WRITE: Final = "write readable"
WRITE_SEALED: Final = "write sealed, a key for each incident's customer"


def measure(_: Stores, *, quick: bool) -> None:
    """Write and read 200,000 events, 50,000 when `quick`, a data subject for each incident."""
    rounds = 4 if quick else 16
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'keys.db'}"
        plain, sealing = EventMapper(), EventMapper(PersonalSeal(SQLKeyStore(url)))
        some = list(entries("seal", _SHARE))
        some = [changed(each, subject=f"c-{each.stream}") for each in some]

        def rows(mapper: EventMapper) -> list[JournalRow]:
            stored = mapper.stored(some)
            return [
                (n, str(each.originator_id), each.originator_version, each.topic, each.state)
                for n, each in enumerate(stored, 1)
            ]

        readable, sealed = rows(plain), rows(sealing)

        def cold() -> Work:
            mapper = EventMapper(PersonalSeal(SQLKeyStore(url)))
            return partial(_read, mapper, sealed)

        contenders = [
            Contender(name=READABLE, prepare=_always(partial(_read, plain, readable)), count=_SHARE),
            Contender(name=SEALED, prepare=_always(partial(_read, sealing, sealed)), count=_SHARE),
            Contender(name=COLD, prepare=cold, count=_SHARE),
            Contender(name=WRITE, prepare=_always(lambda: _write(plain, some)), count=_SHARE),
            Contender(name=WRITE_SEALED, prepare=_always(lambda: _write(sealing, some)), count=_SHARE),
        ]
        size = [sum(len(row[4]) for row in each) for each in (readable, sealed)]
        title = f"Personal data sealed: {_SHARE:,} events a round, processor time, {rounds} rounds"
        table(title, contenders, run(contenders, rounds, process_time), READABLE, "events/s")
        print(f"\nThe sealed events are {size[1] / size[0]:.2f} times as long as the readable ones.")


def _always(work: Work) -> Callable[[], Work]:
    return lambda: work


def _read(mapper: EventMapper, rows: list[JournalRow]) -> None:
    for begin in range(0, len(rows), 5000):
        mapper.all_recorded(rows[begin : begin + 5000])


def _write(mapper: EventMapper, some: list[Entry]) -> None:
    for each in some:
        mapper.stored([each])
