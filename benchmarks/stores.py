"""The stores that are measured: an SQLite file and a PostgreSQL server, both as they come."""

import platform
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from attrs import frozen
from sqlalchemy import create_engine, text

from incident_adapters.recorder_sqlite import write_ahead_log_is_safe
from tests.postgresql import running_postgresql

_SAFE_IN_WAL: Final = write_ahead_log_is_safe(sqlite3.sqlite_version_info[:3])


@frozen
class Kind:
    """A kind of store; `mode` is the journal mode of an SQLite file."""

    name: str
    mode: str = ""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file."""
        return bool(self.mode)


ROLLBACK: Final = Kind("SQLite, rollback journal", "PERSIST")
WAL: Final = Kind("SQLite, WAL", "WAL")
POSTGRESQL: Final = Kind("PostgreSQL")
SQLITE: Final = WAL if _SAFE_IN_WAL else ROLLBACK
"""What our journal takes on this SQLite."""

KINDS: Final = (WAL, POSTGRESQL) if _SAFE_IN_WAL else (ROLLBACK, WAL, POSTGRESQL)
"""All that commands are measured on."""


@contextmanager
def allowed(kind: Kind) -> Generator[None]:
    """Let our journal take WAL also on an SQLite that can lose commits in it: for comparison only."""
    if kind is WAL and not _SAFE_IN_WAL:
        with patch("incident_adapters.recorder_sqlite.write_ahead_log_is_safe", return_value=True):
            yield
    else:
        yield


@frozen
class Stores:
    """Where fresh, empty stores come from."""

    folder: Path
    server: str

    def fresh(self, kind: Kind) -> str:
        """The URL of an empty store that nobody else uses."""
        name = f"bench_{uuid4().hex[:12]}"
        if kind.is_sqlite:
            return f"sqlite:///{self.folder / name}.db"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()


@contextmanager
def running_stores() -> Generator[Stores]:
    """Give stores for as long as a run lasts, and leave nothing behind."""
    with TemporaryDirectory(prefix="benchmarks-") as folder, running_postgresql() as server:
        yield Stores(Path(folder), server)


def is_sqlite(url: str) -> bool:
    """Whether a URL is that of an SQLite file."""
    return url.startswith("sqlite:")


def sqlite_path(url: str) -> str:
    """The path of the file behind a URL."""
    return url.removeprefix("sqlite:///")


def bare_sqlite(url: str, mode: str, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """The driver's own connection, as durable as ours and in the same journal mode."""
    connection = sqlite3.connect(sqlite_path(url), isolation_level=None, cached_statements=128)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection


def bare_postgresql(url: str) -> "psycopg.Connection[Any]":
    """The driver's own connection, every statement a transaction of its own."""
    return psycopg.connect(url, autocommit=True)


def facts(stores: Stores) -> str:
    """What the figures depend on, in a few lines."""
    engine = create_engine("postgresql+psycopg://", creator=partial(psycopg.connect, stores.server))
    with engine.connect() as connection:
        server = connection.scalar(text("SHOW server_version"))
        settings = ", ".join(
            f"{name}={connection.scalar(text(f'SHOW {name}'))}"
            for name in ("fsync", "synchronous_commit", "shared_buffers")
        )
    engine.dispose()
    packages = ", ".join(f"{name} {version(name)}" for name in ("eventsourcing", "SQLAlchemy", "psycopg"))
    return "\n".join(
        (
            f"{cpu_count()} CPUs, {platform.system()} {platform.machine()}, on {_filesystem(stores.folder)}",
            f"Python {platform.python_version()} ({sys.implementation.name}), {packages}",
            f"SQLite {sqlite3.sqlite_version}: journal_mode={SQLITE.mode}, synchronous=FULL{_why()}",
            f"PostgreSQL {server} on 127.0.0.1: {settings}",
        )
    )


def _why() -> str:
    if _SAFE_IN_WAL:
        return ""
    return "; this version can lose commits in WAL mode, where it is measured for comparison only"


def _filesystem(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "a file system that is not told here"
    found = {line.split()[1]: line.split()[2] for line in mounts.read_text().splitlines()}
    resolved = folder.resolve()
    return next(found[str(each)] for each in (resolved, *resolved.parents) if str(each) in found)
