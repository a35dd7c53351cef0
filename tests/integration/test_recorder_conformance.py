from collections.abc import Generator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    RecorderTestCase,
)

from incident_adapters.recorder import JournalRecorder, open_recorder


class _OnAStore(RecorderTestCase):
    # Part of the library's suite counts from 0 whatever this says; so all of it does.
    INITIAL_VERSION = 0
    _recorder: JournalRecorder

    def new_originator_id(self) -> UUID | str:
        return str(uuid4())

    def create_recorder(self) -> JournalRecorder:
        return self._recorder

    def _open(self, url: str, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        monkeypatch.setattr(JournalRecorder, "first_version", 0)
        with open_recorder(url) as self._recorder:
            yield


class _OnSQLiteFile(_OnAStore):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        yield from self._open(f"sqlite:///{tmp_path / 'journal.sqlite'}", monkeypatch)


class _OnSQLiteMemory(_OnAStore):
    @pytest.fixture(autouse=True)
    def _store(self, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        yield from self._open("sqlite://", monkeypatch)


class _OnPostgreSQL(_OnAStore):
    @pytest.fixture(autouse=True)
    def _store(self, postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        yield from self._open(postgres_database, monkeypatch)


class TestSQLiteFile(_OnSQLiteFile, ApplicationRecorderTestCase[JournalRecorder]):
    """The journal in a file keeps what the library asks of every application recorder."""


class TestSQLiteMemory(_OnSQLiteMemory, ApplicationRecorderTestCase[JournalRecorder]):
    """The journal in memory keeps what the library asks of every application recorder."""


class TestPostgreSQL(_OnPostgreSQL, ApplicationRecorderTestCase[JournalRecorder]):
    """The journal in PostgreSQL keeps what the library asks of every application recorder."""

    def test_insert_subscribe(self) -> None:
        """A subscriber gets what was recorded before and after it came."""
        self.optional_test_insert_subscribe()


class TestSQLiteFileDoesNotInterleave(_OnSQLiteFile, NonInterleavingNotificationIDsBaseCase):
    """Writes that race do not mix their positions in a file."""


class TestSQLiteMemoryDoesNotInterleave(_OnSQLiteMemory, NonInterleavingNotificationIDsBaseCase):
    """Writes that race do not mix their positions in memory."""


class TestPostgreSQLDoesNotInterleave(_OnPostgreSQL, NonInterleavingNotificationIDsBaseCase):
    """Writes that race do not mix their positions in PostgreSQL."""
