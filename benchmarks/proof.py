"""The proof of a journal: building its tree, proofs out of it, verifying it, its size, commands beside it."""

import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from pymerkle import SqliteTree

from benchmarks.commands import handling, streams
from benchmarks.rounds import Contender, Work, run, table
from benchmarks.stores import POSTGRESQL, SQLITE, Kind, Stores, bare_postgresql, bare_sqlite
from benchmarks.view_growth import fill
from incident_adapters.archive_file import write_archive
from incident_adapters.archive_line import line_of
from incident_adapters.export_selection import WHOLE_JOURNAL, extract
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import JournalRecorder, open_recorder
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.signed_note import Signer
from incident_adapters.verification import Verification
from incident_adapters.verify_archive import verify_archive
from incident_adapters.verify_store import verify_store
from incident_adapters.whole_file import whole_file
from incident_projections import tiles
from incident_projections.merkle import Hash, includes, is_consistent

_LOG: Final = "benchmark.example/journal"
_BATCH: Final = 4096
_COLUMNS: Final = "position, stream, version, name, state"
_READ: Final = f"SELECT {_COLUMNS} FROM journal WHERE position > ? ORDER BY position LIMIT ?"
_ROW: Final = "SELECT hashes FROM proof_tiles WHERE level = 0 AND number = ?"
_TREE: Final = tuple(each.name for each in tiles.metadata.sorted_tables)

BARE: Final = "bare driver: read the rows, SHA-256 of the same bytes"
BUILD: Final = "our tree: catch up from the first event"
PEER: Final = "pymerkle: append the same bytes to its SQLite file"
STORE: Final = "verify the store"
BARE_FILE: Final = "bare: read the archive, SHA-256 of every line"
ARCHIVE: Final = "verify the archive"


def measure(stores: Stores, *, quick: bool) -> None:
    """Take 200,000 events and 10,000,000 leaves, 20,000 and 200,000 where `quick`."""
    for kind in (SQLITE, POSTGRESQL):
        _a_journal(stores, kind, 20_000 if quick else 200_000, rounds=3 if quick else 7)
        for step in (10, 100):
            _small_steps(stores, kind, 1_000 if quick else 200 * step + 20_000, step)
        _a_large_tree(stores, kind, 200_000 if quick else 10_000_000, 200 if quick else 2_000)
        _beside_commands(stores, kind, rounds=2 if quick else 6, seconds=2.5 if quick else 5.0)


class _Driver:
    """The driver alone; PostgreSQL's marks are put for SQLite's."""

    def __init__(self, kind: Kind, url: str) -> None:
        self._sqlite = kind.is_sqlite
        self._connection: Any = bare_sqlite(url, kind.mode) if self._sqlite else bare_postgresql(url)

    def rows(self, sql: str, *values: object) -> list[Any]:
        if self._sqlite:
            found: list[Any] = self._connection.execute(sql, values).fetchall()
        else:
            asked = self._connection.execute(sql.replace("?", "%s"), values, prepare=True, binary=True)
            found = asked.fetchall()
        return found

    def do(self, sql: str) -> None:
        self._connection.execute(sql)

    def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        cursor = self._connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")
        cursor.executemany(sql if self._sqlite else sql.replace("?", "%s"), rows)
        cursor.execute("COMMIT")


def _a_journal(stores: Stores, kind: Kind, events: int, rounds: int) -> None:
    """Build the tree of a journal, verify it there and in an archive, and weigh it."""
    url, signer = stores.fresh(kind), Signer.new(_LOG)
    archive = stores.folder / f"{uuid4().hex}.jsonl"
    with closing(Journal.open(url)) as journal:
        fill(journal, events)
        store, driver = journal.store, _Driver(kind, url)
        lines = [line_of(row) for row in store.read(0, events)]
        bare = _contender(BARE, events, partial(_bare_rows, driver, lines), "the bytes are at hand")
        building = [bare, Contender(name=BUILD, prepare=partial(_without_tree, store), count=events)]
        if kind.is_sqlite:
            note = "one transaction; it stores the bytes also, but nothing of the tree above the leaves"
            appending = partial(_peer, stores, lines)
            building.append(Contender(name=PEER, prepare=appending, count=events, note=note))
        built = run(building, rounds)
        title = f"Build the tree of {events:,} events: {kind.name}, {rounds} rounds"
        table(title, building, built, BARE, "events/s")
        _judge_rate(BUILD, built.rate(BUILD))

        ProofLog(store).checkpoint([signer], datetime.now(UTC))
        with whole_file(archive) as part:
            write_archive(store, extract(journal, WHOLE_JOURNAL, _unheard), part, _unheard)
        keys = [signer.verifier]
        in_store = [bare, _contender(STORE, events, lambda: _sound(verify_store(store, keys)))]
        in_file = [
            _contender(BARE_FILE, events, partial(_bare_lines, archive)),
            _contender(ARCHIVE, events, lambda: _sound(verify_archive(archive, keys))),
        ]
        title = f"Verify {events:,} events against their checkpoint: {kind.name}, {rounds} rounds"
        table(title, in_store, run(in_store, rounds), BARE, "events/s")
        table(title, in_file, run(in_file, rounds), BARE_FILE, "events/s")
        _weigh(f"{events:,} events, taken in at once, one checkpoint", kind, store, driver)
    archive.unlink()


def _small_steps(stores: Stores, kind: Kind, events: int, step: int) -> None:
    """Sign again and again, each time after some events, as a log at work does, and weigh what is left."""
    source, url, signer = stores.fresh(kind), stores.fresh(kind), Signer.new(_LOG)
    with closing(Journal.open(source)) as journal:
        fill(journal, events)
        rows = journal.store.read(0, events)
    with closing(open_recorder(url)) as store:
        log, driver, spent = ProofLog(store), _Driver(kind, url), list[float]()
        for at in range(0, events, step):
            store.insert_events([StoredEvent(*row[1:]) for row in rows[at : at + step]])
            spent.append(_seconds(lambda: log.checkpoint([signer], datetime.now(UTC))))
            if not kind.is_sqlite and len(spent) % 60 == 0:
                # A server does it once a minute by itself, and a log at work may sign once a second.
                driver.do("VACUUM")
        tenth = max(1, len(spent) // 10)
        print(f"\nA checkpoint after every {step} events, {len(spent):,} times: {kind.name}")
        print(
            f"  {median(spent[:tenth]) * 1e3:8.2f} ms a checkpoint in the first tenth, "
            f"{median(spent[-tenth:]) * 1e3:.2f} in the last (median)"
        )
        verifying = _seconds(lambda: _sound(verify_store(store, [signer.verifier])))
        print(f"  {events / verifying:8,.0f} events/s to verify the store with all its checkpoints")
        _weigh(f"{events:,} events, a checkpoint after every {step}", kind, store, driver)


def _a_large_tree(stores: Stores, kind: Kind, leaves: int, times: int) -> None:
    """Let a tree grow from hashes that are made up, and prove leaves of it."""
    url, signer = stores.fresh(kind), Signer.new(_LOG)
    with closing(open_recorder(url)) as store:
        driver = _Driver(kind, url)
        ours, bare = _grown(store, driver, leaves)
        print(f"\nA tree of {leaves:,} leaves: {kind.name}")
        print(f"  {_BATCH / ours:10,.0f} leaves/s to let it grow by {_BATCH:,} a transaction (median)")
        print(f"  {bare / ours:10.2f} times the bare driver, which has its lowest rows at hand")
        # The journal ends where the tree does, so that it may be signed.
        driver.write(
            f"INSERT INTO journal ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", [(leaves, "last", 1, "x", b"{}")]
        )
        log, chance, size = ProofLog(store), Random(7), leaves
        root = log.root(size)
        print(f"  {'':46} {'p50, ms':>8} {'p99, ms':>8} {'p50 to bare':>11}")
        selecting, including, joining = list[float](), list[float](), list[float]()
        for _ in range(times):
            position, row = chance.randint(1, size), chance.randrange(size // 256)
            selecting.append(_seconds(partial(driver.rows, _ROW, row)))
            began = perf_counter()
            [proof] = ProofLog(store).inclusions([position], size)
            including.append(perf_counter() - began)
            assert includes(_leaf(position - 1), position - 1, size, proof, root)
            began = perf_counter()
            proof = ProofLog(store).consistency(position, size)
            joining.append(perf_counter() - began)
            assert is_consistent(position, size, log.root(position), root, proof)
        _latency("bare driver: SELECT one row by its primary key", selecting, selecting)
        _latency("proof of inclusion of one event", including, selecting)
        _latency("proof of consistency", joining, selecting)
        _judge_latency("a proof of inclusion", including)
        _sign_large_tree(store, driver, signer, times // 10)


def _sign_large_tree(store: JournalRecorder, driver: _Driver, signer: Signer, times: int) -> None:
    signing, making, writing = list[float](), list[float](), list[float]()
    log = ProofLog(store)
    driver.do("CREATE TABLE bare_notes (size BIGINT PRIMARY KEY, note TEXT NOT NULL)")
    log.checkpoint([signer], datetime.now(UTC))
    for at in range(times):
        store.insert_events([StoredEvent(f"one-{at}", 1, "x", b"{}")])
        began = perf_counter()
        signed = log.checkpoint([signer], datetime.now(UTC))
        making.append(perf_counter() - began)
        row = (signed.checkpoint.size, str(signed.note))
        writing.append(_seconds(partial(driver.write, "INSERT INTO bare_notes VALUES (?, ?)", [row])))
        text = signed.checkpoint.text
        signing.append(_seconds(partial(signer.signature, text, datetime.now(UTC))))
    _latency("bare driver: insert the note, commit", writing, writing)
    _latency("Ed25519 signature of the text", signing, writing)
    _latency("checkpoint over one event more", making, writing)


def _grown(store: JournalRecorder, driver: _Driver, leaves: int) -> tuple[float, float]:
    """The median seconds of a batch, and of the bare driver's transaction of the same lowest rows."""
    tiles.create_tree(store.engine)
    kind = "BLOB" if store.engine.dialect.name == "sqlite" else "BYTEA"
    driver.do(
        f"CREATE TABLE bare_tiles (level INTEGER, number BIGINT, hashes {kind} NOT NULL, "
        "PRIMARY KEY (level, number))"
    )
    ours, bare = list[float](), list[float]()
    for batch, size in enumerate(range(0, leaves, _BATCH)):
        hashes = [_leaf(each) for each in range(size, min(size + _BATCH, leaves))]
        began = perf_counter()
        with store.engine.begin() as connection:
            tiles.grow(connection, tiles.claim_tree(connection), hashes)
        ours.append(perf_counter() - began)
        if batch % 16 == 0:
            joined = b"".join(hashes)
            rows = [(0, (size >> 8) + at, joined[at << 13 : (at + 1) << 13]) for at in range(_BATCH >> 8)]
            bare.append(_seconds(partial(driver.write, "INSERT INTO bare_tiles VALUES (?, ?, ?)", rows)))
    driver.do("DROP TABLE bare_tiles")
    return median(ours), median(bare)


def _leaf(number: int) -> Hash:
    return sha256(b"%d" % number).digest()


def _beside_commands(stores: Stores, kind: Kind, rounds: int, seconds: float) -> None:
    """Let another process sign every second while commands are handled, and compare with commands alone."""
    url = stores.fresh(kind)
    with closing(ServiceDesk.open(url)) as desk:
        one, source = handling(desk, desk), streams(uuid4().hex[:8])

        def latencies() -> list[float]:
            taken, until = list[float](), perf_counter() + seconds
            while perf_counter() < until:
                taken.append(_seconds(one(next(source))))
            return taken

        latencies()
        alone, beside = list[list[float]](), list[list[float]]()
        for at in range(rounds):
            if at % 2:
                alone.append(latencies())
            with _signing_every_second(url):
                beside.append(latencies())
            if not at % 2:
                alone.append(latencies())
        signed = len(ProofLog(desk.journal.store).notes())
    commands = sum(map(len, beside))
    print(f"\nCommands while another process signs every second: {kind.name}, {rounds} rounds")
    print(f"  {commands:,} commands beside {signed} checkpoints, in turns with commands alone")
    print(f"  {'':46} {'alone, ms':>9} {'beside, ms':>10}   ratio")
    for name, quantile in (("p50 of a command", 0.5), ("p99 of a command", 0.99)):
        without = [_quantile(each, quantile) for each in alone]
        with_it = [_quantile(each, quantile) for each in beside]
        ratio = median(one / other for one, other in zip(with_it, without, strict=True))
        print(f"  {name:46} {median(without) * 1e3:9.2f} {median(with_it) * 1e3:10.2f}  {ratio:6.2f}")


_SIGNING: Final = """
import sys
from datetime import UTC, datetime
from select import select

from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import open_recorder
from incident_adapters.signed_note import Signer

log, signer = ProofLog(open_recorder(sys.argv[1])), Signer.new(sys.argv[2])
while True:
    log.checkpoint([signer], datetime.now(UTC))
    print("signed", flush=True)
    if select([sys.stdin], [], [], 1)[0]:
        break
"""


@contextmanager
def _signing_every_second(url: str) -> Generator[None]:
    """Sign in a process of its own, which has caught up and signed once before this goes on."""
    with subprocess.Popen(
        [sys.executable, "-c", _SIGNING, url, _LOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"signed\n":
            raise RuntimeError("the process that should sign has ended before it did")
        yield
        process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the process that signed ended with exit code {process.returncode}")


def _contender(name: str, count: int, work: Work, note: str = "") -> Contender:
    return Contender(name=name, prepare=lambda: work, count=count, note=note)


def _bare_rows(driver: _Driver, lines: Sequence[bytes]) -> None:
    at = 0
    while rows := driver.rows(_READ, at, _BATCH):
        for line in lines[at : at + len(rows)]:
            sha256(line).digest()
        at += len(rows)


def _bare_lines(archive: Path) -> None:
    with archive.open("rb") as opened:
        for line in opened:
            sha256(line).digest()


def _without_tree(store: JournalRecorder) -> Work:
    tiles.metadata.drop_all(store.engine)
    log = ProofLog(store)

    def work() -> None:
        log.catch_up()

    return work


def _peer(stores: Stores, lines: Sequence[bytes]) -> Work:
    # It is not typed.
    tree: Any = SqliteTree(str(stores.folder / f"{uuid4().hex}.db"))

    def work() -> None:
        tree.append_entries(lines)
        tree.close()

    return work


def _weigh(what: str, kind: Kind, store: JournalRecorder, driver: _Driver) -> None:
    """Print what the tree and its checkpoints take beside the journal; SQLite's tree is gone after that."""
    if kind.is_sqlite:
        free = _pragma(driver, "freelist_count")
        tiles.metadata.drop_all(store.engine)
        unused = _pragma(driver, "freelist_count")
        page = _pragma(driver, "page_size")
        proof, journal = (unused - free) * page, (_pragma(driver, "page_count") - unused) * page
    else:
        proof, journal = _relations(driver, _TREE), _relations(driver, ("journal",))
    events = store.max_notification_id() or 1
    print(f"  stored, of {what}:")
    print(f"  {proof / events:8.1f} bytes an event beside the journal's {journal / events:,.0f}")
    verdict = "reached" if proof < 0.1 * journal else "MISSED"
    print(f"  aim {verdict}: {proof / journal:.1%} of the journal, less than 10 % wanted")


def _pragma(driver: _Driver, name: str) -> int:
    return int(driver.rows(f"PRAGMA {name}")[0][0])


def _relations(driver: _Driver, names: Sequence[str]) -> int:
    return sum(int(driver.rows("SELECT pg_total_relation_size(?::regclass)", each)[0][0]) for each in names)


def _latency(name: str, spent: Sequence[float], beside: Sequence[float]) -> None:
    p50, p99 = _quantile(spent, 0.5), _quantile(spent, 0.99)
    print(f"  {name:50} {p50 * 1e3:8.3f} {p99 * 1e3:8.3f} {p50 / _quantile(beside, 0.5):11.2f}")


def _quantile(spent: Sequence[float], share: float) -> float:
    return quantiles(spent, n=100, method="inclusive")[round(100 * share) - 1]


def _judge_rate(name: str, rate: float) -> None:
    verdict = "reached" if rate >= 100_000 else "MISSED"
    print(f"  aim {verdict}: {name}: {rate:,.0f} events/s, 100,000 wanted")


def _judge_latency(name: str, spent: Sequence[float]) -> None:
    slowest = _quantile(spent, 0.99) * 1e3
    verdict = "reached" if slowest < 10 else "MISSED"
    print(f"  aim {verdict}: {name}: {slowest:.2f} ms (p99), less than 10 wanted")


def _sound(verification: Verification) -> None:
    if not verification.sound or verification.proved != verification.events:
        raise RuntimeError("the journal of the benchmark was not found to be what was signed")


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _unheard(_reached: int, _of: int) -> None:
    return None
