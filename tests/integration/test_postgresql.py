import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.postgresql import running_postgresql


def test_a_fresh_database_commits_durably(postgres_database: str) -> None:
    """The server runs with the durability that production has, or its measurements would be worth nothing."""
    with psycopg.connect(postgres_database) as connection:
        settings = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        }

    assert settings == {"fsync": ("on",), "synchronous_commit": ("on",), "full_page_writes": ("on",)}


def test_sqlalchemy_takes_the_same_url(postgres_database: str) -> None:
    """One URL serves the bare driver and SQLAlchemy, which picks psycopg 3 for it."""
    engine = create_engine(postgres_database)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()

    assert engine.driver == "psycopg"


def test_nothing_is_left_when_the_server_is_no_longer_needed() -> None:
    """Leaving the context stops the server and removes its data."""
    with running_postgresql() as url, psycopg.connect(url) as connection:
        data = _data_folder(connection)
        assert data.exists()

    assert not data.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_nothing_is_left_when_the_process_that_asked_is_killed() -> None:
    """A process that dies by kill -9 takes its server and its data with it."""
    program = (
        "import sys\n"
        "from tests.postgresql import running_postgresql\n"
        "with running_postgresql() as url:\n"
        "    print(url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    root = Path(__file__).parents[2]
    asking = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout is not None
    url = asking.stdout.readline().strip()
    with psycopg.connect(url, autocommit=True) as connection:
        data = _data_folder(connection)
        asking.send_signal(signal.SIGKILL)
        # The server ends a waiting statement with an error when it stops.
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")
    # The keeper inherited the error stream and holds it open for as long as it lives.
    asking.communicate()

    assert not data.exists()


def _data_folder(connection: psycopg.Connection) -> Path:
    row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    return Path(row[0])
