"""The tables of the journal and the version of their layout."""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
)

from incident_adapters.recorder_errors import StoreError

SCHEMA_VERSION = 1

metadata = MetaData()

# On SQLite only a column declared INTEGER is the row's own key; any other type costs a second index.
_position = BigInteger().with_variant(Integer, "sqlite")

journal = Table(
    "journal",
    metadata,
    Column("position", _position, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", LargeBinary, nullable=False),
    UniqueConstraint("stream", "version", name="journal_stream_version"),
)

incident_numbers = Table(
    "incident_numbers",
    metadata,
    Column("number", _position, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    UniqueConstraint("stream", name="incident_numbers_stream"),
)

journal_schema = Table("journal_schema", metadata, Column("version", Integer, nullable=False))


def schema_version(connection: Connection) -> int | None:
    """The version of the journal's layout in this store, or None where there is no journal yet."""
    if not inspect(connection).has_table(journal_schema.name):
        return None
    version: int | None = connection.scalar(select(journal_schema.c.version))
    return version


def create_tables(connection: Connection) -> None:
    """Create the journal in the caller's transaction and note the version of its layout."""
    metadata.create_all(connection)
    connection.execute(insert(journal_schema).values(version=SCHEMA_VERSION))


def refuse_other_version(version: int, store: str) -> None:
    """Raise StoreError unless the store has the layout that this release reads and writes."""
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"store {store}: the journal has schema version {version}, this release needs {SCHEMA_VERSION}; "
            "open it with the release that wrote it, or migrate it first"
        )
