"""Import a log in a process of its own, which can kill itself in the middle: run as a script.

The arguments are the store's URL, the log, two numbers: after so many looks at the clock, and after so many
writes, the process is killed (0 for never), and the agreement that the incidents fall under, or nothing.
The clock is looked at for every command and before every write, so that a number is a place in the work.
At the end the process prints the account and the most memory that it held, in MB.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from attrs import frozen

from incident_adapters.import_account import ImportAccount
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.servicenow import import_servicenow
from incident_domain.events import AgreementId
from tests.documents import ROOT

MADRID: Final = ZoneInfo("Europe/Madrid")


@frozen
class Imported:
    """What an import in a process of its own came to."""

    account: ImportAccount
    megabytes: int


def import_elsewhere(url: str, log: Path, agreement: AgreementId | None = None) -> Imported:
    """Import the log in another process."""
    done = _run(url, log, looks=0, writes=0, agreement=agreement)
    assert done.returncode == 0, done.stderr
    totals, megabytes = json.loads(done.stdout)
    return Imported(ImportAccount(totals), megabytes)


def import_and_be_killed(url: str, log: Path, *, looks: int = 0, writes: int = 0) -> bool:
    """Import the log in another process until it is killed; whether it was, before it came to the end."""
    done = _run(url, log, looks=looks, writes=writes)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode != 0


def _run(
    url: str, log: Path, *, looks: int, writes: int, agreement: AgreementId | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.importing", url, str(log), str(looks), str(writes), agreement or ""],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _countdown(left: int) -> Callable[[], None]:
    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def most_kilobytes() -> int:
    """The most memory that this process held."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The resource usage counts in what the process was before it became this program: its parent.
    told = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(told["VmHWM"].split()[0])


def _main(url: str, log: str, looks: str, writes: str, agreement: str) -> None:
    looked, written = _countdown(int(looks)), _countdown(int(writes))

    def clock() -> datetime:
        looked()
        return datetime.now(UTC)

    with ServiceDesk.open(url, clock=clock) as desk:
        account = import_servicenow(
            desk,
            Path(log),
            zone=MADRID,
            agreement=AgreementId(agreement) if agreement else None,
            progress=lambda _: written(),
        )
    sys.stdout.write(json.dumps([dict(account.totals), most_kilobytes() // 1024]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
