from pathlib import Path

import pytest


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def any_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store of each kind."""
    match request.param:
        case "memory":
            return "sqlite://"
        case "sqlite":
            return f"sqlite:///{tmp_path / 'incidents.db'}"
        case _:
            database: str = request.getfixturevalue("postgres_database")
            return database
