"""The keys under which personal data is sealed: one for each data subject, kept apart from the journal.

A key that was destroyed leaves its name behind, so that what was sealed with it is known to be erased, and
is told from what was sealed with the keys of another store.
"""

import secrets
import sqlite3
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import field, frozen
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from incident_adapters.recorder import StoreError
from incident_adapters.recorder_errors import named

KEY_BYTES: Final = 32
_AT_A_TIME: Final = 500


@frozen(kw_only=True)
class Key:
    """A key for AES-256; `name` is random and says nothing, `secret` is None once it was destroyed."""

    name: str
    secret: bytes | None = field(repr=False)


class KeyStore(Protocol):
    """Where the keys are: a table of its own, or whatever else an embedding program has for secrets.

    Threads and processes share it.
    """

    def forgettings(self) -> int:
        """How often somebody was forgotten; it moves on before `forget` returns, for every process."""
        ...

    def keys_of(self, subjects: Collection[str]) -> Mapping[str, Key]:
        """The key of each of these data subjects; one that has none gets one, which is then on disk."""
        ...

    def keys_named(self, names: Collection[str]) -> Mapping[str, Key]:
        """The keys of these names, destroyed ones too; one that was never in this store is left out."""
        ...

    def forget(self, subject: str) -> int:
        """Destroy every key of a data subject, on disk, and say how many there were."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


_metadata: Final = MetaData()
_keys: Final = Table(
    "subject_keys",
    _metadata,
    Column("name", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("secret", LargeBinary),
)
_k: Final = _keys.c
Index(
    "subject_keys_one_each",
    _k.subject,
    unique=True,
    sqlite_where=_k.secret.is_not(None),
    postgresql_where=_k.secret.is_not(None),
)
_forgettings: Final = Table("key_forgettings", _metadata, Column("times", BigInteger, nullable=False))
_TIMES: Final = select(_forgettings.c.times)
_TIMES_SQL: Final = "SELECT times FROM key_forgettings"
_OF: Final = select(_k.subject, _k.name, _k.secret).where(
    _k.subject.in_(bindparam("subjects", expanding=True)), _k.secret.is_not(None)
)
_NAMED: Final = select(_k.name, _k.secret).where(_k.name.in_(bindparam("names", expanding=True)))
_DESTROY: Final = (
    update(_keys).where(_k.subject == bindparam("whose"), _k.secret.is_not(None)).values(secret=None)
)
_LOCK: Final = "LOCK TABLE subject_keys IN ACCESS EXCLUSIVE MODE"
# VACUUM FULL would keep the old row, and the key in it, for any transaction that began before; this does not.
_WRITE_ANEW: Final = "ALTER TABLE subject_keys ALTER COLUMN secret TYPE bytea USING secret || ''::bytea"


class SQLKeyStore:
    """Keys in an SQLite file or in a PostgreSQL database that is not the journal's.

    With a `master` key of 32 bytes they lie there wrapped (RFC 3394): who has the file has no key yet.
    """

    def __init__(self, url: str, master: bytes | None = None) -> None:
        self._master = master
        parsed = _parsed(url)
        self.store = named(parsed)
        self._sqlite = parsed.drivername == "sqlite"
        self._engine = (
            create_engine(
                "sqlite://", creator=lambda: _file(parsed), poolclass=QueuePool, hide_parameters=True
            )
            if self._sqlite
            else create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True)
        )
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        if self._sqlite:
            event.listen(self._engine, "begin", _begin)
        self._insert = (sqlite if self._sqlite else postgresql).insert(_keys).on_conflict_do_nothing()
        with self._writing() as connection:
            if not self._sqlite:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1781, 1)")
            _metadata.create_all(connection)
            if connection.execute(_TIMES).first() is None:
                connection.execute(insert(_forgettings), {"times": 0})

    def forgettings(self) -> int:
        """How often somebody was forgotten."""
        with self._translated():
            if not self._sqlite:
                with self._autocommit.connect() as connection:
                    return int(connection.exec_driver_sql(_TIMES_SQL).scalar_one())
            # The driver's own, at a sixth of the cost: it goes before every write and every read.
            raw = self._engine.raw_connection()
            try:
                return int(raw.cursor().execute(_TIMES_SQL).fetchone()[0])
            finally:
                raw.close()

    def keys_of(self, subjects: Collection[str]) -> Mapping[str, Key]:
        """The key of each of these data subjects, made where there is none."""
        found: dict[str, Key] = {}
        for some in _parts(subjects):
            with self._reading() as connection:
                found.update(self._held(connection, some))
            if missing := [each for each in some if each not in found]:
                with self._writing() as connection:
                    # Another process may have made one meanwhile: the first stays.
                    connection.execute(self._insert, [self._new(each) for each in missing])
                    found.update(self._held(connection, missing))
        return found

    def keys_named(self, names: Collection[str]) -> Mapping[str, Key]:
        """The keys of these names."""
        found: dict[str, Key] = {}
        with self._reading() as connection:
            for some in _parts(names):
                rows = connection.execute(_NAMED, {"names": some})
                found.update({name: self._key(name, secret) for name, secret in rows})
        return found

    def forget(self, subject: str) -> int:
        """Destroy every key of a data subject, and overwrite where they lay."""
        with self._writing() as connection:
            if not self._sqlite:
                connection.exec_driver_sql(_LOCK)
            destroyed = connection.execute(_DESTROY, {"whose": subject}).rowcount
            connection.execute(update(_forgettings).values(times=_forgettings.c.times + 1))
            if not self._sqlite:
                connection.exec_driver_sql(_WRITE_ANEW)
        if self._sqlite:
            with self._reading() as connection:
                connection.exec_driver_sql("VACUUM")
        return int(destroyed)

    def close(self) -> None:
        """Let go of the store."""
        self._engine.dispose()

    def _new(self, subject: str) -> dict[str, Any]:
        secret = secrets.token_bytes(KEY_BYTES)
        kept = secret if self._master is None else aes_key_wrap(self._master, secret)
        return {"name": secrets.token_hex(16), "subject": subject, "secret": kept}

    def _held(self, connection: Connection, subjects: Sequence[str]) -> dict[str, Key]:
        rows = connection.execute(_OF, {"subjects": subjects})
        return {subject: self._key(name, secret) for subject, name, secret in rows}

    def _key(self, name: str, kept: bytes | None) -> Key:
        if kept is None or len(kept) == KEY_BYTES:
            return Key(name=name, secret=kept)
        try:
            return Key(name=name, secret=aes_key_unwrap(self._master or b"", kept))
        except (InvalidUnwrap, ValueError):
            raise StoreError(
                f"keys {self.store}: they are wrapped by another master key; give the one they were made with"
            ) from None

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        with self._translated(), self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            failure = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
            raise StoreError(
                f"keys {self.store}: the database failed with {failure or type(cause).__name__}, and "
                "personal data can neither be sealed nor opened; mend that and try again"
            ) from None


def keys_beside(url: str) -> str | None:
    """The URL of the key store beside an SQLite journal: `incidents.keys.db` beside `incidents.db`.

    None for a journal in memory or on a server, which has no place beside it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    if parsed.drivername != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    file = Path(str(parsed.database))
    return f"sqlite:///{file.with_name(f'{file.stem}.keys{file.suffix}')}"


def there(url: str) -> bool:
    """Whether the SQLite file that a URL names is there."""
    return Path(str(make_url(url).database)).exists()


def same_database(one: str, other: str) -> bool:
    """Whether two URLs lead to the same file, or to the same database of a server."""
    try:
        a, b = make_url(one), make_url(other)
    except (ArgumentError, ValueError):
        return False
    if a.drivername == b.drivername == "sqlite":
        return Path(str(a.database)).resolve() == Path(str(b.database)).resolve()
    return (a.host, a.port, a.database) == (b.host, b.port, b.database) and "sqlite" not in {
        a.drivername,
        b.drivername,
    }


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError("keys: not a URL; give sqlite:///path/to/file or postgresql://...") from None
    if parsed.drivername not in {"sqlite", "postgresql", "postgresql+psycopg"}:
        raise StoreError(f"keys {named(parsed)}: only SQLite and PostgreSQL keep keys; write a KeyStore")
    return parsed


def _file(url: URL) -> sqlite3.Connection:
    path = Path(str(url.database))
    if not path.exists():
        # Before there is a key in it, so that nobody else can ever have read one.
        path.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = DELETE", "synchronous = FULL", "fullfsync = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _parts(values: Collection[str]) -> Iterator[list[str]]:
    some = sorted(set(values))
    for begin in range(0, len(some), _AT_A_TIME):
        yield some[begin : begin + _AT_A_TIME]
