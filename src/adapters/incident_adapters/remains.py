"""What a database keeps of rows that are no more: free pages, logs, statistics.  Here it is overwritten."""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, inspect

from incident_adapters.recorder import StoreError


def clear_remains(engine: Engine, tables: Sequence[str]) -> None:
    """Overwrite what is left of deleted and changed rows, as far as the database lets its users.

    SQLite writes the whole file anew and empties its log, which takes as long as copying the file and as
    much room.  PostgreSQL writes the named tables anew, with their statistics, and locks each meanwhile.
    What a server keeps in its write-ahead log, and in replicas, is not reached.

    Raises:
        StoreError: when others use the file for so long that its log cannot be emptied.
    """
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if engine.dialect.name == "sqlite":
            _write_file_anew(connection)
        else:
            _write_tables_anew(connection, tables)


def _write_file_anew(connection: Connection) -> None:
    execute = connection.exec_driver_sql
    mode = execute("PRAGMA journal_mode").scalar_one()
    if mode == "memory":
        return
    execute("VACUUM")
    if mode == "wal":
        emptied = execute("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0
    else:
        # The rollback journal holds the pages as they were before.
        emptied = execute("PRAGMA journal_mode = DELETE").scalar_one() == "delete"
        execute(f"PRAGMA journal_mode = {mode}")
    if not emptied:
        raise StoreError(
            "store: the person is forgotten and the views are clear, but others hold the file, and its log "
            "still has old pages; end them, then forget the person again"
        )


def _write_tables_anew(connection: Connection, tables: Sequence[str]) -> None:
    there = set(inspect(connection).get_table_names())
    quote = connection.dialect.identifier_preparer.quote
    for table in tables:
        if table in there:
            connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {quote(table)}")
    # Common values of columns stand there; the server leaves it out where the user may not.
    connection.exec_driver_sql("VACUUM (FULL) pg_statistic")
