"""The export of a whole journal in every format, and an archive's way back: time, size and memory."""

from benchmarks.imports import LOG, Taken, beginning_of_the_log, import_log, taken
from benchmarks.stores import POSTGRESQL, SQLITE, Stores
from incident_adapters.cli_export import Format
from incident_adapters.journal import Journal

_MEGABYTES = 500


def measure(stores: Stores, *, quick: bool) -> None:
    """Export what the real log becomes, or its beginning where `quick`, then import the archive."""
    if not LOG.exists():
        print("\nExport of a journal: left out, because the log is not beside the project")
        return
    url = stores.fresh(SQLITE)
    import_log(url, beginning_of_the_log(stores) if quick else LOG)
    with Journal.open(url) as journal:
        events = journal.head()
    print(f"\nExport of a journal of {events:,} events on {SQLITE.name}, each in a process of its own")
    print(f"  {'':32} {'seconds':>9} {'events/s':>9} {'size, MB':>9} {'peak MB':>9}")
    most = 0.0
    for form in Format:
        file = stores.folder / f"journal.{form.value}"
        spent = taken("export", str(file), "--format", form.value, "--store", url)
        _line(form.value, events, spent, f"{file.stat().st_size / 1_000_000:9,.0f}")
        most = max(most, spent.megabytes)
    archive = stores.folder / f"journal.{Format.JSONL.value}"
    for kind in (SQLITE, POSTGRESQL):
        spent = taken("import", "archive", str(archive), "--store", stores.fresh(kind))
        _line(f"archive into {kind.name}", events, spent, " " * 9)
        most = max(most, spent.megabytes)
    verdict = "reached" if most < _MEGABYTES else "MISSED"
    print(f"  aim {verdict}: {most:,.0f} MB at most, less than {_MEGABYTES} wanted")


def _line(name: str, events: int, spent: Taken, size: str) -> None:
    rate = events / spent.seconds
    print(f"  {name:32} {spent.seconds:9.1f} {rate:9,.0f} {size} {spent.megabytes:9,.0f}")
