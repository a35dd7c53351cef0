"""One leader at a time among all who run the same views of one store.

The lead saves work and keeps rivals from waiting for each other.  That nothing is lost or done twice does not
hang on it: every batch claims its views' positions, whoever applies it.
"""

import fcntl
from pathlib import Path
from typing import IO, Final, Protocol
from zlib import crc32

from sqlalchemy import Engine, text

from incident_projections.engine import Projections

# A host that vanishes without a word is given up after 5 + 3 * 2 seconds, not after the server's two hours.
_WATCHED: Final = text(
    "SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),"
    " set_config('tcp_keepalives_count', '3', false), set_config('idle_session_timeout', '0', false)"
)
_TAKE: Final = text("SELECT pg_try_advisory_lock(hashtextextended(current_schema() || :views, 1783))")
_ALIVE: Final = text("SELECT 1")


class Lead(Protocol):
    """The lead of a set of views; it is free again when it is closed, or when its process ends in any way."""

    def take(self) -> bool:
        """Take the lead if it is free; say whether it was."""
        ...

    def check(self) -> None:
        """Raise one of the database's troubles if a lead that was taken may be lost."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def lead_of(views: Projections) -> Lead:
    """The lead of these views, which all who run the same ones of the same store contend for."""
    names = " ".join(sorted(views.names))
    if views.engine.dialect.name == "postgresql":
        return _SessionLead(views.engine, names)
    with views.reading() as connection:
        file = connection.exec_driver_sql(
            "SELECT file FROM pragma_database_list WHERE name = 'main'"
        ).scalar_one()
    if not file:
        return _SoleLead()
    return _FileLead(Path(f"{file}-projector-{crc32(names.encode()):08x}"))


class _SessionLead:
    """A lock that belongs to a connection: the server frees it when the connection ends."""

    def __init__(self, engine: Engine, names: str) -> None:
        self._names = names
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Apart from the pool, which would lend the connection to others with the lock still on it.
        self._connection.detach()
        self._connection.execute(_WATCHED)

    def take(self) -> bool:
        return bool(self._connection.scalar(_TAKE, {"views": self._names}))

    def check(self) -> None:
        self._connection.execute(_ALIVE)

    def close(self) -> None:
        self._connection.close()


class _FileLead:
    """A lock on a file beside the store: the operating system frees it when the process ends."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab")

    def take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def check(self) -> None:
        """It cannot be lost."""

    def close(self) -> None:
        self._file.close()


class _SoleLead:
    """In memory: no other process can have the store."""

    def take(self) -> bool:
        return True

    def check(self) -> None:
        """It cannot be lost."""

    def close(self) -> None:
        """Nobody waits for it."""
