"""The history of a whole log replayed under another agreement: its time, and the most memory it takes."""

from pathlib import Path
from typing import Final

from benchmarks.imports import LOG, beginning_of_the_log, import_log, taken
from benchmarks.stores import POSTGRESQL, SQLITE, Stores

_SECONDS: Final = 30
_AGREEMENT: Final = """
agreement = "gold"
party = "customer"
holds_from = 2016-01-01T00:00:00Z

[hours]
timezone = "Europe/Madrid"
""" + "".join(f'{day} = ["09:00-14:00", "15:00-18:00"]\n' for day in ("mon", "tue", "wed", "thu", "fri"))
_MINUTES: Final = {"acknowledge": 30, "update": 120, "resolve": 480}


def measure(stores: Stores, *, quick: bool) -> None:
    """Ask what if of the imported log, in a process of its own; `quick` takes its beginning, on SQLite."""
    if not LOG.exists():
        print("\nWhat if: left out, because the log is not beside the project")
        return
    agreement = _written(stores.folder / "gold.toml")
    log = beginning_of_the_log(stores) if quick else LOG
    print("\nWhat if, of the imported log under an agreement with all three targets, by `incidents what-if`")
    print(f"  {'':32} {'seconds':>9} {'peak MB':>9}")
    for kind in (SQLITE,) if quick else (SQLITE, POSTGRESQL):
        url = stores.fresh(kind)
        import_log(url, log)
        spent = taken("--store", url, "what-if", "--agreement", str(agreement), "--from", "2016-01-01")
        print(f"  {kind.name:32} {spent.seconds:9.1f} {spent.megabytes:9,.0f}")
        if not quick:
            verdict = "reached" if spent.seconds < _SECONDS else "MISSED"
            print(f"  aim {verdict}: {spent.seconds:.0f} seconds, less than {_SECONDS} wanted")


def _written(file: Path) -> Path:
    targets = (
        f'[[targets]]\nkind = "{kind}"\npriority = {priority}\nminutes = {minutes * priority}\n'
        for kind, minutes in _MINUTES.items()
        for priority in range(1, 6)
    )
    file.write_text(_AGREEMENT + "".join(targets), encoding="utf-8")
    return file
