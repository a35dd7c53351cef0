"""Where each view stands, in one database, SQLite or PostgreSQL.

Every view has a row in `view_positions` for the table that readers see, and a second one while it is being
rebuilt beside it.  Whoever writes rows claims these first: on PostgreSQL by locking them, on SQLite by being
the one writer of the file.  `view_stops` holds the event that a view could not fold; it says something only
while the view stands before just that event, so nobody has to tidy it up.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import cache
from typing import Final

from attrs import asdict, frozen
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
    and_,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.sql import quoted_name

from incident_projections.view import View

# Any constant that other users of advisory locks in the database are unlikely to pick.
_ALTERING: Final = 0x1717_0001_7135_0001

_UNDEFINED_TABLE: Final = "42P01"

_positions: Final = Table(
    "view_positions",
    MetaData(),
    Column("view", Text, primary_key=True),
    Column("standing", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("build", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
)
_stops: Final = Table(
    "view_stops",
    MetaData(),
    Column("view", Text, primary_key=True),
    Column("standing", Text, primary_key=True),
    Column("build", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("error", Text, nullable=False),
)
_p, _s = _positions.c, _stops.c
_ROW: Final = (_p.view == bindparam("name"), _p.standing == bindparam("of"))
_HOLDS: Final = and_(
    _s.view == _p.view, _s.standing == _p.standing, _s.build == _p.build, _s.position == _p.position + 1
)
_STANDS: Final = (
    select(_p.view, _p.version, _p.build, _p.position, _s.stream, _s.version, _s.event, _s.error)
    .select_from(_positions.outerjoin(_stops, _HOLDS))
    .where(_p.standing == bindparam("of"))
    .order_by(_p.view)
)
# SQLite has no such clause and leaves it out: whoever writes is alone there.
_CLAIM: Final = _STANDS.with_for_update(of=_positions)
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
_FORGET_STOP: Final = delete(_stops).where(_s.view == bindparam("name"), _s.standing == bindparam("of"))


class Standing(Enum):
    """Which table of a view is meant: the one that readers see, or the one that is built beside it."""

    LIVE = "live"
    BUILDING = "building"


@frozen(kw_only=True)
class Stop:
    """The event that a view could not fold: its position, stream, version in the stream and wire name.

    `error` is the kind of the error and nothing of its words, which may hold what the event holds.
    """

    view: str
    position: int
    stream: str
    version: int
    event: str
    error: str


@frozen(kw_only=True)
class Stand:
    """How far a table of a view has come.

    It holds the rows of all events up to and with `position`, as `version` of the view makes them; `build`
    counts how often the view was built.  `stop` is the event after it, where the view could not fold that.
    """

    version: int
    build: int
    position: int
    stop: Stop | None = None


class ViewsUnwritable(Exception):
    """The database failed while it wrote views; the whole transaction is undone.

    The message has the database's own name of the failure, such as SQLITE_FULL or 53100, and nothing else
    of what it said: databases quote the rows, which hold personal data.
    """

    def __init__(self, failure: str) -> None:
        super().__init__(
            f"views: the database failed with {failure}, and nothing was written; mend that and start again"
        )


class RowRefused(Exception):
    """The database took no row as a view made it; the whole transaction is undone.

    The message has the database's own name of the failure and nothing else of what it said, for the same
    reason as in `ViewsUnwritable`.
    """

    def __init__(self, failure: str) -> None:
        super().__init__(f"the database refused a row with {failure}")


class Storage:
    """The tables of views, in the database of an SQLAlchemy engine."""

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name not in {"sqlite", "postgresql"}:
            raise ValueError(f"engine: views are kept on SQLite or PostgreSQL, not on {engine.dialect.name}")
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        driver = engine.dialect.loaded_dbapi
        self.troubles: tuple[type[Exception], ...] = (
            ViewsUnwritable,
            *(OperationalError, InterfaceError, InternalError),
            *(driver.OperationalError, driver.InterfaceError, driver.InternalError),
        )
        """What is raised when the database fails, whatever rows it was given."""

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Give a connection on which every statement stands by itself, so no reader holds up a writer."""
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def lacks_table(self, failed: DBAPIError) -> bool:
        """Whether that went wrong because there is no such table."""
        if self._sqlite:
            # SQLite has no code of its own for it.
            return str(failed.orig).startswith("no such table")
        return getattr(failed.orig, "sqlstate", None) == _UNDEFINED_TABLE

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """Give a transaction that writes; on SQLite nobody else writes from its beginning on.

        Raises:
            ViewsUnwritable: when the database fails.
            RowRefused: when the database does not take what it is given.
        """
        try:
            with self._transaction() as connection:
                yield connection
        except self.troubles as error:
            raise ViewsUnwritable(_failure(error)) from None
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as error:
            raise RowRefused(_failure(error)) from None

    @contextmanager
    def _transaction(self) -> Generator[Connection]:
        if not self._sqlite:
            with self.engine.begin() as connection:
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
    def altering(self) -> Generator[Connection]:
        """Give a transaction that changes tables, one at a time in the whole database."""
        with self.writing() as connection:
            if not self._sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_ALTERING)))
            yield connection

    def create(self) -> None:
        """Make the tables of positions and of stops if they are not there yet."""
        with self.reading() as connection:
            if inspect(connection).has_table(_stops.name):
                return
        with self.altering() as connection:
            _positions.create(connection, checkfirst=True)
            _stops.create(connection, checkfirst=True)

    def stands(self, standing: Standing) -> dict[str, Stand]:
        """How far the tables of this standing have come, by the view's name."""
        with self.reading() as connection:
            return _stands(connection, standing)

    def claim(self, connection: Connection, standing: Standing) -> dict[str, Stand]:
        """Like `stands`, and nobody else moves them before the end of the transaction."""
        return _stands(connection, standing, claimed=True)

    def advance(self, connection: Connection, reached: Mapping[str, int], standing: Standing) -> None:
        """Move the positions of views, by their names."""
        if reached:
            moved = [{"name": name, "of": standing.value, "to": to} for name, to in reached.items()]
            connection.execute(_ADVANCE, moved)

    def stop(self, connection: Connection, standing: Standing, build: int, at: Stop) -> None:
        """Keep which event a view could not fold; the view must be claimed."""
        connection.execute(_FORGET_STOP, {"name": at.view, "of": standing.value})
        connection.execute(insert(_stops), {"standing": standing.value, "build": build, **asdict(at)})

    def begin_building(self, views: Sequence[View], *, afresh: bool) -> None:
        """Make an empty table beside each view's own.

        A table that an interrupted rebuild left is taken up again if it is of the same version, unless
        everything is to be made `afresh`.
        """
        with self.altering() as connection:
            live = self.claim(connection, Standing.LIVE)
            building = self.claim(connection, Standing.BUILDING)
            for view in views:
                begun = building.get(view.name)
                if begun is not None and begun.version == view.version and not afresh:
                    continue
                build = 1 + (live[view.name].build if view.name in live else 0)
                for table in view.tables:
                    staged(table).drop(connection, checkfirst=True)
                    staged(table).create(connection)
                _place(
                    connection,
                    view.name,
                    Standing.BUILDING,
                    Stand(version=view.version, build=build, position=0),
                )

    def index(self, views: Sequence[View]) -> bool:
        """Give the tables that are being built their indexes, which is quicker now than row by row.

        Says no when they have them.
        """
        with self.altering() as connection:
            return _index(connection, views, self.claim(connection, Standing.BUILDING))

    def swap(self, connection: Connection, views: Sequence[View]) -> None:
        """Put what was built in the place of what readers saw so far, all views at once; they are claimed."""
        building = _stands(connection, Standing.BUILDING)
        # Somebody may have begun anew since they were made.
        _index(connection, views, building)
        quoted = self.engine.dialect.identifier_preparer.quote
        for view in views:
            for table in view.tables:
                table.drop(connection, checkfirst=True)
                old, new = quoted(staged(table).name), quoted(table.name)
                connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
            connection.execute(_FORGET, {"name": view.name, "of": Standing.BUILDING.value})
            _place(connection, view.name, Standing.LIVE, building[view.name])


def _failure(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    named = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return str(named or type(cause).__name__)


def _stands(connection: Connection, standing: Standing, *, claimed: bool = False) -> dict[str, Stand]:
    found = connection.execute(_CLAIM if claimed else _STANDS, {"of": standing.value})
    stands: dict[str, Stand] = {}
    for name, version, build, position, stream, in_stream, event, error in found:
        stop = None
        if stream is not None:
            stop = Stop(
                view=name, position=position + 1, stream=stream, version=in_stream, event=event, error=error
            )
        stands[name] = Stand(version=version, build=build, position=position, stop=stop)
    return stands


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


def _index(connection: Connection, views: Sequence[View], building: Mapping[str, Stand]) -> bool:
    made = False
    indexed = [(view.name, table) for view in views for table in view.tables if table.indexes]
    for name, table in indexed:
        if name not in building:
            continue
        there = {each["name"] for each in inspect(connection).get_indexes(staged(table).name)}
        for each in _indexes(table, building[name].build):
            if str(each.name) not in there:
                each.create(connection)
                made = True
    return made


def _indexes(table: Table, build: int) -> list[Index]:
    # An index keeps its name when its table is renamed, so each build has names of its own.
    beside = table.to_metadata(MetaData(), name=f"{table.name}_building")
    for index in beside.indexes:
        index.name = quoted_name(f"{index.name}_{build}", quote=None)
    return sorted(beside.indexes, key=lambda index: str(index.name))
