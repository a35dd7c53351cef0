"""What a database keeps of rows that are no more: free pages, logs, statistics.  Here it is overwritten."""

import re
from collections.abc import Sequence
from time import sleep
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect

from incident_adapters.recorder import StoreError

_TRIES: Final = 5
_SECONDS_BETWEEN: Final = 0.5


def clear_remains(engine: Engine, tables: Sequence[str]) -> None:
    """Overwrite what is left of deleted and changed rows, as far as the database lets its users.

    SQLite writes the whole file anew and empties its log, which takes as long as copying the file and as
    much room.  PostgreSQL writes the named tables anew, with their statistics, and locks each meanwhile.
    What a server keeps in its write-ahead log, and in replicas, is not reached.

    Raises:
        StoreError: when others use the file for so long that its log cannot be emptied, or have a transaction
            open on the server that began before and might still look at the old rows.
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
    kept = [
        table for table in tables if table in there and _keeps_old_rows(connection, "ANALYZE, ", quote(table))
    ]
    # Common values of columns stand there; the server leaves it out where the user may not.
    if _keeps_old_rows(connection, "", "pg_statistic") or kept:
        raise StoreError(
            "store: the person is forgotten and the views are clear, but a transaction that began before is "
            "still open on the server, which keeps old rows for it; end it (pg_stat_activity shows it, and "
            "a backup is one), then forget the person again"
        )


def _keeps_old_rows(connection: Connection, also: str, table: str) -> bool:
    """Write a table anew; whether rows that are no more had to be kept for others, who may look at them."""
    # Of psycopg, which is there where there is a server.
    driver: Any = connection.connection.driver_connection
    kept: list[int] = []

    def listen(notice: Any) -> None:
        # In every language of the server their number comes first.
        if number := re.match("[0-9]+", notice.message_detail or ""):
            kept.append(int(number[0]))

    driver.add_notice_handler(listen)
    try:
        for attempt in range(_TRIES):
            # Somebody's reading of this very moment is over in a moment.
            sleep(attempt and _SECONDS_BETWEEN)
            kept.clear()
            connection.exec_driver_sql(f"VACUUM (FULL, {also}VERBOSE) {table}")
            if not any(kept):
                return False
    finally:
        driver.remove_notice_handler(listen)
    return True
