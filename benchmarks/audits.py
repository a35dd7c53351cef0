"""What an auditor waits for: a whole history replayed, and examined for conformance, beside bare reading."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec

from benchmarks.imports import LOG, Taken, beginning_of_the_log, import_log, taken
from benchmarks.stores import POSTGRESQL, SQLITE, Stores
from incident_adapters.journal import Journal

_MEGABYTES: Final = 500
_ROUNDS: Final = 3


def measure(stores: Stores, *, quick: bool) -> None:
    """Replay and examine what the real log becomes, or its beginning where `quick`: archive and store."""
    if not LOG.exists():
        print("\nReplay and conformance: left out, because the log is not beside the project")
        return
    url, archive = stores.fresh(SQLITE), stores.folder / "audited.jsonl"
    import_log(url, beginning_of_the_log(stores) if quick else LOG)
    taken("export", str(archive), "--store", url)
    server = stores.fresh(POSTGRESQL)
    taken("import", "archive", str(archive), "--store", server)
    with Journal.open(url) as journal:
        events = journal.head()
    rounds = 1 if quick else _ROUNDS
    print(f"\nReplay and conformance of {events:,} events, each in a process of its own, best of {rounds}")
    print(f"  {'':40} {'seconds':>9} {'events/s':>9} {'peak MB':>9} {'of JSON':>9}")
    limit = min(_seconds(_parsed, archive) for _ in range(rounds))
    _line(
        "limit: the archive's lines, read",
        events,
        min(_seconds(_read, archive) for _ in range(rounds)),
        limit,
    )
    _line("limit: the archive's lines, as JSON", events, limit, limit)
    most = 0.0
    for command in ("replay", "conformance"):
        for name, source in (
            ("the archive", ("--from-archive", str(archive))),
            (SQLITE.name, ("--store", url)),
            (POSTGRESQL.name, ("--store", server)),
        ):
            spent = [taken(command, "--json", *source) for _ in range(rounds)]
            best = min(spent, key=lambda each: each.seconds)
            _line(f"{command}, {name}", events, best.seconds, limit, best)
            most = max(most, *(each.megabytes for each in spent))
    verdict = "reached" if most < _MEGABYTES else "MISSED"
    print(f"  aim {verdict}: {most:,.0f} MB at most, less than {_MEGABYTES} wanted")


def _seconds(work: Callable[[Path], None], archive: Path) -> float:
    began = perf_counter()
    work(archive)
    return perf_counter() - began


def _read(archive: Path) -> None:
    with archive.open("rb") as lines:
        for _ in lines:
            pass


def _parsed(archive: Path) -> None:
    parse = msgspec.json.Decoder().decode
    with archive.open("rb") as lines:
        for line in lines:
            parse(line)


def _line(name: str, events: int, seconds: float, limit: float, spent: Taken | None = None) -> None:
    rate, peak = events / seconds, "" if spent is None else f"{spent.megabytes:,.0f}"
    print(f"  {name:40} {seconds:9.2f} {rate:9,.0f} {peak:>9} {limit / seconds:9.3f}")
