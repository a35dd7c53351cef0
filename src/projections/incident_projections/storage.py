"""Where each view stands, in one database, SQLite or PostgreSQL.

Every view has a row in `view_positions` for the table that readers see, and a second one while it is being
rebuilt beside it.  Whoever writes rows claims these first: on PostgreSQL by locking them, on SQLite by being
the one writer of the file.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cache
from typing import Final

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import quoted_name

from incident_projections.view import View

# Any constant that other users of advisory locks in the database are unlikely to pick.
_ALTERING: Final = 0x1717_0001_7135_0001

_positions: Final = Table(
    "view_positions",
    MetaData(),
    Column("view", Text, primary_key=True),
    Column("standing", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("build", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
)
_p = _positions.c
_ROW: Final = (_p.view == bindparam("name"), _p.standing == bindparam("of"))
_STANDS: Final = (
    select(_p.view, _p.version, _p.build, _p.position).where(_p.standing == bindparam("of")).order_by(_p.view)
)
# SQLite has no such clause and leaves it out: whoever writes is alone there.
_CLAIM: Final = _STANDS.with_for_update()
_ADVANCE: Final = update(_positions).where(*_ROW).values(position=bindparam("to"))
_REPLACE: Final = _ADVANCE.values(version=bindparam("as_version"), build=bindparam("in_build"))
_INSERT: Final = insert(_positions).values(
    view=bindparam("name"),
    standing=bindparam("of"),
    version=bindparam("as_version"),
    build=bindparam("in_build"),
    position=bindparam("to"),
)
_FORGET: Final = delete(_positions).where(*_ROW)


class Standing(Enum):
    """Which table of a view is meant: the one that readers see, or the one that is built beside it."""

    LIVE = "live"
    BUILDING = "building"


@frozen(kw_only=True)
class Stand:
    """How far a table of a view has come.

    It holds the rows of all events up to and with `position`, as `version` of the view makes them; `build`
    counts how often the view was built.
    """

    version: int
    build: int
    position: int


class ViewsUnwritable(Exception):
    """The database failed while it wrote views; the whole transaction is undone.

    The message has the database's own name of the failure, such as SQLITE_FULL or 53100, and nothing else
    of what it said: databases quote the rows, which hold personal data.
    """

    def __init__(self, failure: str) -> None:
        super().__init__(
            f"views: the database failed with {failure}, and nothing was written; mend that and start again"
        )


class Storage:
    """The tables of views, in the database of an SQLAlchemy engine."""

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name not in {"sqlite", "postgresql"}:
            raise ValueError(f"engine: views are kept on SQLite or PostgreSQL, not on {engine.dialect.name}")
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Give a connection on which every statement stands by itself, so no reader holds up a writer."""
        with self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Give a transaction that writes; on SQLite nobody else writes from its beginning on.

        Raises:
            ViewsUnwritable: when the database fails.
        """
        try:
            with self._transaction() as connection:
                yield connection
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise ViewsUnwritable(_failure(error)) from None

    @contextmanager
    def _transaction(self) -> Generator[Connection]:
        if not self._sqlite:
            with self._engine.begin() as connection:
                yield connection
            return
        # Left to itself the driver begins late, and for a change of tables not at all.
        with self.reading() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    @contextmanager
    def _altering(self) -> Generator[Connection]:
        with self.writing() as connection:
            if not self._sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_ALTERING)))
            yield connection

    def create(self) -> None:
        """Make the table of positions if it is not there yet."""
        with self.reading() as connection:
            if inspect(connection).has_table(_positions.name):
                return
        with self._altering() as connection:
            _positions.create(connection, checkfirst=True)

    def stands(self, standing: Standing) -> dict[str, Stand]:
        """How far the tables of this standing have come, by the view's name."""
        with self.reading() as connection:
            return _stands(connection, standing)

    def claim(self, connection: Connection, standing: Standing) -> dict[str, Stand]:
        """Like `stands`, and nobody else moves them before the end of the transaction."""
        return _stands(connection, standing, claimed=True)

    def advance(self, connection: Connection, views: Sequence[View], standing: Standing, to: int) -> None:
        """Move the positions of the views to `to`."""
        connection.execute(_ADVANCE, [{"name": view.name, "of": standing.value, "to": to} for view in views])

    def begin_building(self, views: Sequence[View], *, afresh: bool) -> None:
        """Make an empty table beside each view's own.

        A table that an interrupted rebuild left is taken up again if it is of the same version, unless
        everything is to be made `afresh`.
        """
        with self._altering() as connection:
            live = self.claim(connection, Standing.LIVE)
            building = self.claim(connection, Standing.BUILDING)
            for view in views:
                begun = building.get(view.name)
                if begun is not None and begun.version == view.version and not afresh:
                    continue
                build = 1 + (live[view.name].build if view.name in live else 0)
                staged(view.table).drop(connection, checkfirst=True)
                staged(view.table).create(connection)
                _place(
                    connection,
                    view.name,
                    Standing.BUILDING,
                    Stand(version=view.version, build=build, position=0),
                )

    def index(self, views: Sequence[View]) -> None:
        """Give the tables that are being built their indexes; quicker now than row by row."""
        with self._altering() as connection:
            building = self.claim(connection, Standing.BUILDING)
            for view in views:
                if view.name in building:
                    for each in _indexes(view.table, building[view.name].build):
                        each.create(connection, checkfirst=True)

    def swap(self, views: Sequence[View], at: int) -> bool:
        """Put what was built up to `at` in the place of what readers saw so far, all views at once.

        Says no, and does nothing, when the tables have moved meanwhile: then there is more to build first.
        """
        with self._altering() as connection:
            live = self.claim(connection, Standing.LIVE)
            building = self.claim(connection, Standing.BUILDING)
            for view in views:
                built = building.get(view.name)
                if built is None or built.position != at:
                    return False
                if view.name in live and live[view.name].position > at:
                    return False
            quoted = self._engine.dialect.identifier_preparer.quote
            for view in views:
                view.table.drop(connection, checkfirst=True)
                old, new = quoted(staged(view.table).name), quoted(view.table.name)
                connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
                connection.execute(_FORGET, {"name": view.name, "of": Standing.BUILDING.value})
                _place(connection, view.name, Standing.LIVE, building[view.name])
        return True


def _failure(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    named = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return str(named or type(cause).__name__)


def _stands(connection: Connection, standing: Standing, *, claimed: bool = False) -> dict[str, Stand]:
    found = connection.execute(_CLAIM if claimed else _STANDS, {"of": standing.value})
    return {
        name: Stand(version=version, build=build, position=position)
        for name, version, build, position in found
    }


def _place(connection: Connection, name: str, standing: Standing, stand: Stand) -> None:
    # Changed in its place: a row deleted and made anew is lost on whoever waits for its lock.
    key = {"name": name, "of": standing.value}
    values = {"to": stand.position, "as_version": stand.version, "in_build": stand.build}
    if not connection.execute(_REPLACE, {**key, **values}).rowcount:
        connection.execute(_INSERT, {**key, **values})


@cache
def staged(table: Table) -> Table:
    """The table beside a view's own in which it is built, without the indexes."""
    beside = table.to_metadata(MetaData(), name=f"{table.name}_building")
    beside.indexes.clear()
    return beside


def _indexes(table: Table, build: int) -> list[Index]:
    # An index keeps its name when its table is renamed, so each build has names of its own.
    beside = table.to_metadata(MetaData(), name=f"{table.name}_building")
    for index in beside.indexes:
        index.name = quoted_name(f"{index.name}_{build}", quote=None)
    return sorted(beside.indexes, key=lambda index: str(index.name))
