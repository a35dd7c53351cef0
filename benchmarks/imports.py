"""The import of a whole log: its time, and the memory that it takes at most."""

import gzip
import subprocess
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final

from attrs import frozen

from benchmarks.stores import POSTGRESQL, SQLITE, Kind, Stores

LOG: Final = Path(__file__).parents[2] / "shared" / "data" / "servicenow_incident_event_log.csv.gz"
_BEGINNING: Final = 30_000
_SECONDS: Final = 180
_MEGABYTES: Final = 500


def measure(stores: Stores, *, quick: bool) -> None:
    """Import the beginning of the log and all of it, each in a process of its own; `quick` is the first."""
    if not LOG.exists():
        print("\nImport of a ServiceNow log: left out, because the log is not beside the project")
        return
    beginning = beginning_of_the_log(stores)
    with gzip.open(LOG) as source:
        rows = sum(1 for _ in source) - 1
    print("\nImport of a ServiceNow log by `incidents import servicenow`, each in a process of its own")
    print(f"  {'':32} {'rows':>9} {'seconds':>9} {'rows/s':>9} {'peak MB':>9}")
    for kind in (SQLITE, POSTGRESQL):
        small = import_log(stores.fresh(kind), beginning)
        _line(kind, _BEGINNING, small)
        if quick:
            continue
        whole = import_log(stores.fresh(kind), LOG)
        _line(kind, rows, whole)
        growth = whole.megabytes / small.megabytes
        print(f"  memory of the whole log: {growth:.2f} times that of its first {_BEGINNING:,} rows")
        for said, value, limit in (
            ("seconds", whole.seconds, _SECONDS),
            ("MB at most", whole.megabytes, _MEGABYTES),
        ):
            verdict = "reached" if value < limit else "MISSED"
            print(f"  aim {verdict}: {value:,.0f} {said}, less than {limit} wanted")


def beginning_of_the_log(stores: Stores) -> Path:
    """The first rows of the log, in a file of their own."""
    beginning = stores.folder / "beginning.csv.gz"
    with gzip.open(LOG) as source, gzip.open(beginning, "wb") as target:
        target.writelines(islice(source, 1 + _BEGINNING))
    return beginning


_PROGRAM: Final = """
import sys
from incident_adapters.cli import run
from tests.importing import most_kilobytes

code = run(sys.argv[1:])
sys.stderr.write(f"\\n{most_kilobytes()}")
sys.exit(code)
"""


@frozen
class Taken:
    """What a call of the program took."""

    seconds: float
    megabytes: float


def import_log(url: str, log: Path) -> Taken:
    return taken("--store", url, "import", "servicenow", str(log), "--zone", "Europe/Madrid")


def taken(*words: str) -> Taken:
    """Run the program in a process of its own."""
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    said, _, kilobytes = done.stderr.decode().rpartition("\n")
    if done.returncode != 0:
        raise RuntimeError(f"the program ended with exit code {done.returncode}: {said}")
    return Taken(perf_counter() - began, int(kilobytes) * 1024 / 1_000_000)


def _line(kind: Kind, rows: int, spent: Taken) -> None:
    rate = rows / spent.seconds
    print(f"  {kind.name:32} {rows:9,} {spent.seconds:9.1f} {rate:9,.0f} {spent.megabytes:9,.0f}")
