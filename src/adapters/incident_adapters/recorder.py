"""The journal of everything that was recorded, in SQLite or PostgreSQL: the door."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from incident_adapters.recorder_contract import (
    ClaimNumbers,
    JournalRecorder,
    JournalRow,
    NextNumber,
    NumberRequest,
)
from incident_adapters.recorder_errors import (
    AlreadyRecorded,
    NumberTaken,
    StoreError,
    UnstorableEvent,
    named,
)
from incident_adapters.recorder_sqlite import SQLiteRecorder

__all__ = [
    "open_recorder",
    "JournalRecorder",
    "JournalRow",
    "NumberRequest",
    "NextNumber",
    "ClaimNumbers",
    "AlreadyRecorded",
    "NumberTaken",
    "StoreError",
    "UnstorableEvent",
]

_ACCEPTED = "give sqlite:///path/to/file, sqlite:// (memory only) or postgresql://user@host/database"


def open_recorder(url: str) -> JournalRecorder:
    """Open the journal in the store at `url`, and create it where there is none.

    `sqlite:///path/to/file`, `sqlite://` for memory only, or `postgresql://user@host/database`.

    Raises StoreError for any other URL, and for a store that cannot be used as it is.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the store is not a URL; {_ACCEPTED}") from None
    match parsed.drivername:
        case "sqlite":
            return SQLiteRecorder(parsed)
        case "postgresql" | "postgresql+psycopg":
            try:
                # Here and not above: an SQLite store needs no PostgreSQL driver.
                from incident_adapters.recorder_postgresql import PostgreSQLRecorder  # noqa: PLC0415
            except ImportError as missing:
                raise StoreError(
                    "a PostgreSQL store needs psycopg 3: pip install 'psycopg[binary]'"
                ) from missing
            return PostgreSQLRecorder(parsed)
        case other:
            raise StoreError(f"store {named(parsed)}: {other} is not supported; {_ACCEPTED}")
