"""emmett, the event store for Node.js, in a process of its own."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.stores import Kind, sqlite_path

_HERE: Final = Path(__file__).parent
_INSTALLED: Final = _HERE.parents[1] / ".venv-peers"
_PACKAGES: Final = {
    # Of each adapter the newest release whose own requirements can be met together.
    "sqlite": {
        "@event-driven-io/emmett": "0.38.5",
        "@event-driven-io/emmett-sqlite": "0.38.5",
        "sqlite3": "5.1.7",
    },
    "postgresql": {
        "@event-driven-io/emmett": "0.42.0",
        "@event-driven-io/emmett-postgresql": "0.42.0",
        "@event-driven-io/pongo": "0.16.11",
    },
}


class NotInstalled(Exception):
    """A peer that cannot be had on this machine; the text says why."""


class Emmett:
    """A worker that does its share when told to; `history` and `following` are the events it records.

    Raises:
        NotInstalled: when it cannot be had on this machine, or does not run.
    """

    def __init__(self, kind: Kind, url: str, history: list[Any], following: Any) -> None:
        database = "sqlite" if kind.is_sqlite else "postgresql"
        folder = _install(database)
        address = sqlite_path(url) if kind.is_sqlite else url
        told = json.dumps({"history": history, "next": following})
        self._words = folder / "stderr.txt"
        with self._words.open("w") as words:
            self._process = subprocess.Popen(
                ["node", "emmett.mjs", database, address, told],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )
        self.do("prepare register 1")

    def do(self, what: str) -> None:
        """Let it do something, and wait until it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise NotInstalled(f"emmett does not run: {self._words.read_text().strip()[-200:]}")

    def close(self) -> None:
        """End the worker."""
        self._process.communicate()


def _install(database: str) -> Path:
    """Bring emmett from the package registry once, into a folder that only the benchmarks use.

    Raises:
        NotInstalled: when there is no Node.js here, or the registry does not give it.
    """
    folder = _INSTALLED / f"emmett-{database}"
    packages = _PACKAGES[database]
    stamp = folder / "installed.json"
    if not stamp.exists() or json.loads(stamp.read_text()) != packages:
        if shutil.which("npm") is None:
            raise NotInstalled("Node.js with npm is not on this machine")
        folder.mkdir(parents=True, exist_ok=True)
        manifest = {"name": "peer", "private": True, "type": "module", "dependencies": packages}
        (folder / "package.json").write_text(json.dumps(manifest))
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotInstalled(f"npm install failed: {done.stderr.strip().splitlines()[-1]}")
        stamp.write_text(json.dumps(packages))
    shutil.copy(_HERE / "emmett.mjs", folder)
    return folder
