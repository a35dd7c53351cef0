"""Many writers at once: threads, processes, processes that are killed."""

import multiprocessing
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from incident_adapters.recorder import JournalRecorder, JournalRow, NextNumber, open_recorder


def stored(stream: str, version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(stream, version, "incident.registered.v1", state)


def all_rows(journal: JournalRecorder, page: int = 1000) -> list[JournalRow]:
    rows: list[JournalRow] = []
    while found := journal.read(rows[-1][0] if rows else 0, page):
        rows.extend(found)
    return rows


def positions_and_versions_are_whole(rows: Sequence[JournalRow]) -> bool:
    heads: dict[str, int] = {}
    for nth, (position, stream, version, _, _) in enumerate(rows, 1):
        if position != nth or version != heads.get(stream, 0) + 1:
            return False
        heads[stream] = version
    return True


def write_with_conflicts(journal: JournalRecorder, writer: int, writes: int) -> int:
    """Writes that go in, that lose a race, and that break off inside the transaction; events that went in."""
    recorded = 0
    for turn in range(writes):
        own = f"writer {writer} turn {turn}"
        recorded += len(journal.insert_events([stored(own, version) for version in range(1, turn % 4 + 2)]))
        head = len(journal.select_events("shared"))
        try:
            recorded += len(journal.insert_events([stored("shared", head + 1, own.encode())]))
        except IntegrityError:
            continue
        finally:
            with pytest.raises(LookupError):
                journal.insert_events([stored(own, 9)], number=NextNumber(stream=own, events=_broken))
    return recorded


def _broken(_: int) -> Sequence[StoredEvent]:
    raise LookupError


def test_a_reader_that_follows_the_journal_misses_nothing(store_url: str) -> None:
    """Whoever reads on after the last position sees every event once and in order, whatever the writers do.

    Four recorders share one store, as four programs do.
    The `eventsourcing` library's own recorder loses events here once its database functions replace its
    table lock; this journal appends by a function, too, so the function itself must take the lock.
    """
    with ExitStack() as stack:
        journals = [stack.enter_context(open_recorder(store_url)) for _ in range(4)]
        finished = Event()

        def follow() -> list[JournalRow]:
            seen: list[JournalRow] = []
            while True:
                last_look = finished.is_set()
                while rows := journals[0].read(seen[-1][0] if seen else 0, 7):
                    seen.extend(rows)
                if last_look:
                    return seen

        with ThreadPoolExecutor(9) as threads:
            reader = threads.submit(follow)
            writers = [threads.submit(write_with_conflicts, journals[n % 4], n, 25) for n in range(8)]
            try:
                recorded = sum(writer.result() for writer in writers)
            finally:
                finished.set()
            seen = reader.result()

        assert positions_and_versions_are_whole(seen)
        assert len(seen) == recorded
        assert seen == all_rows(journals[0])


def number_incidents(url: str, process: int, threads: int, each: int) -> list[int]:
    """Register incidents in many threads of this process and return the numbers that were given."""
    given: list[int] = []

    def register(thread: int) -> None:
        for turn in range(each):
            stream = f"{process}-{thread}-{turn}"

            def numbered(number: int, stream: str = stream) -> Sequence[StoredEvent]:
                return [stored(stream, 2, str(number).encode())]

            journal.insert_events([stored(stream, 1)], number=NextNumber(stream=stream, events=numbered))
            given.append(int(journal.select_events(stream, gt=1)[0].state))

    with open_recorder(url) as journal, ThreadPoolExecutor(threads) as pool:
        for outcome in [pool.submit(register, thread) for thread in range(threads)]:
            outcome.result()
    return given


def in_processes(count: int, work: Callable[..., list[int]], *arguments: object) -> list[list[int]]:
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        return pool.starmap(work, [(arguments[0], process, *arguments[1:]) for process in range(count)])


def test_numbers_are_given_once_each_by_64_writers_in_several_processes(store_url: str) -> None:
    """Four processes of 16 writers number 320 incidents from 1 to 320, in the order of the journal.

    None of the processes finds a store, so that they race for its creation as well.
    """
    given = in_processes(4, number_incidents, store_url, 16, 5)

    assert sorted(number for numbers in given for number in numbers) == list(range(1, 321))
    with open_recorder(store_url) as journal:
        rows = all_rows(journal)
    assert positions_and_versions_are_whole(rows)
    assert [int(state) for _, _, version, _, state in rows if version == 2] == list(range(1, 321))


_ENDLESS_WRITER = """
import sys
from itertools import count
from eventsourcing.persistence import StoredEvent
from incident_adapters.recorder import NextNumber, open_recorder

journal, me = open_recorder(sys.argv[1]), sys.argv[2]
for turn in count(1):
    given = []
    def events(number):
        given.append(number)
        state = b"%d" % number
        return [StoredEvent(f"{me}-{turn}", version, "n", state) for version in range(1, turn % 3 + 2)]
    for position in journal.insert_events([], number=NextNumber(stream=f"{me}-{turn}", events=events)):
        print(position, given[0], flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(store_url: str) -> None:
    """Writers are killed (-9) again and again: what they acknowledged is there, whole, with its number."""
    chance = random.Random(4711)
    acknowledged: dict[int, bytes] = {}
    with open_recorder(store_url) as journal:
        for life in range(12):
            writer = subprocess.Popen(
                [sys.executable, "-c", _ENDLESS_WRITER, store_url, f"life{life}"], stdout=subprocess.PIPE
            )
            assert writer.stdout is not None
            for _ in range(chance.randint(1, 40)):
                position, number = writer.stdout.readline().split()
                acknowledged[int(position)] = number
            writer.kill()
            # What it wrote to the pipe before the end was acknowledged as well; the last line may be torn.
            for line in writer.stdout.read().split(b"\n")[:-1]:
                position, number = line.split()
                acknowledged[int(position)] = number
            writer.wait()
            writer.stdout.close()

        (following,) = journal.insert_events([stored("after", 1)])
        rows = all_rows(journal)

    assert positions_and_versions_are_whole(rows)
    on_record = {position: state for position, _, _, _, state in rows}
    assert {position: on_record.get(position) for position in acknowledged} == acknowledged
    # All events of one write, or none: an incident's events all carry its number.
    turns = {stream: int(stream.split("-")[1]) for _, stream, _, _, _ in rows if stream != "after"}
    versions = {stream: version for _, stream, version, _, _ in rows}
    assert all(versions[stream] == turn % 3 + 1 for stream, turn in turns.items())
    assert rows[following - 1][1] == "after"


def test_threads_of_one_process_share_a_recorder(store_url: str) -> None:
    """Forty threads, more than there are connections, all get their turn."""
    with open_recorder(store_url) as journal, ThreadPoolExecutor(40) as threads:
        written: list[Future[list[int]]] = [
            threads.submit(journal.insert_events, [stored(f"stream {n}", 1)]) for n in range(200)
        ]
        positions = sorted(position for each in written for position in each.result())

    assert positions == list(range(1, 201))


def test_journals_in_two_schemas_do_not_touch_each_other(postgres_database: str) -> None:
    """Two schemas of one database hold two journals with positions, numbers and locks of their own."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA one")
        connection.execute("CREATE SCHEMA two")
        connection.execute("SET search_path TO one")
        with (
            open_recorder(f"{postgres_database}?options=-csearch_path%3Done") as one,
            open_recorder(f"{postgres_database}?options=-csearch_path%3Dtwo") as two,
        ):
            # given the lock of the first journal is held
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(1781, 'journal'::regclass::oid::integer)")
                # when the second is written to, then it does not wait
                assert two.insert_events([stored("a", 1)]) == [1]

            assert one.insert_events([stored("a", 1)]) == [1]
            assert one.max_notification_id() == two.max_notification_id() == 1
