import os
from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from tests.postgresql import running_postgresql

# The same examples on every machine and in every run; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=100, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def postgresql_url() -> Generator[str]:
    """Give the URL of a PostgreSQL server.

    Each worker of a parallel run has a server of its own, so none can break what another needs.
    """
    with running_postgresql() as url:
        yield url


@pytest.fixture
def postgres_database(postgresql_url: str) -> Generator[str]:
    """Give the URL of a fresh, empty PostgreSQL database, dropped again after the test."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgresql_url.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a fresh, empty store, once on an SQLite file and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'incidents.sqlite'}"
    url: str = request.getfixturevalue("postgres_database")
    return url
