"""Export a journal in a process of its own, which can kill itself in the middle: run as a script.

The arguments are the store's URL, the file, the format, and a number: after so many reports of progress the
process is killed (0 for never).  At the end it prints the first progress that was reported, and the most
memory that it held, in MB.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from attrs import frozen

from incident_adapters.cli_export import Format, write
from incident_adapters.export_selection import WHOLE_JOURNAL, extract
from incident_adapters.journal import Journal
from incident_adapters.whole_file import whole_file
from tests.documents import ROOT
from tests.importing import most_kilobytes


@frozen
class Measured:
    """What an export in a process of its own came to; `began_at` is the first progress that was reported."""

    began_at: int
    megabytes: int


def export_elsewhere(url: str, file: Path, form: Format) -> Measured:
    """Export the whole journal in another process."""
    done = _run(url, file, form, 0)
    assert done.returncode == 0, done.stderr
    return Measured(*json.loads(done.stdout))


def export_and_be_killed(url: str, file: Path, form: Format, reports: int) -> bool:
    """Export in another process until it is killed; whether it was, before it came to the end."""
    done = _run(url, file, form, reports)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode != 0


def _run(url: str, file: Path, form: Format, reports: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.exporting", url, str(file), form.value, str(reports)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _main(url: str, file: str, form: str, reports: str) -> None:
    left = int(reports)
    reached: list[int] = []

    def progress(done: int, _goal: int) -> None:
        nonlocal left
        reached.append(done)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def unseen(_done: int, _goal: int) -> None:
        """Looking for what is meant is not what is measured."""

    asked = Format(form)
    with Journal.open(url) as journal, whole_file(Path(file), kept=asked is Format.JSONL) as part:
        write(journal, extract(journal, WHOLE_JOURNAL, unseen), asked, part, progress)
    sys.stdout.write(json.dumps([reached[0] if reached else 0, most_kilobytes() // 1024]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
