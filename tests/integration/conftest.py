import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.importing import import_elsewhere
from tests.servicenow_logs import REAL_LOG


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


@pytest.fixture(scope="session")
def imported_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the SQLite file of a store into which the real log was imported; nobody may open it.

    The import takes a minute, so that the workers of a parallel run share one.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    imported = folder / "imported-log.db"
    with (folder / "imported-log.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not imported.exists():
            import_elsewhere(f"sqlite:///{imported}.part", REAL_LOG)
            Path(f"{imported}.part").rename(imported)
    return imported


@pytest.fixture
def real_store_url(imported_log: Path, tmp_path: Path) -> str:
    """Give the URL of a store of one's own into which the real log was imported."""
    own = tmp_path / "imported.db"
    shutil.copyfile(imported_log, own)
    return f"sqlite:///{own}"
